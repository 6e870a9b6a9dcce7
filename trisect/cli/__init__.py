"""The command `trisect`: an administrator's gRPC client, for people and for scripts.

`commands` declares words and options and loads nothing heavy; `acts` does the work over gRPC and is loaded by
the command that runs. All output passes `report`, all failures end in `main`.
"""
