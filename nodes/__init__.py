"""The node daemon that every party runs; all roles run the same runtime."""
