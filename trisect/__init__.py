"""Trisect: tripartite, privacy-preserving fraud intelligence by private set intersection."""

import os

# gRPC reads this once, when it is first imported: with P-256 certificates no TLS 1.2 suite is left in common,
# so older handshakes fail. The version is checked again on every call (`trisect.rpc.authentication`).
os.environ["GRPC_SSL_CIPHER_SUITES"] = "ECDHE-RSA-AES128-GCM-SHA256"
# A process that has loaded gRPC starts others only to run another program in them. With fork support on, gRPC's handlers run in the
# child before that, and TLS records were corrupted and links lost; with it off they were not (docs/adr/0009).
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
# The C core writes warnings to stderr; errors are enough, and ours carry the cure.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
# numpy's linear algebra would start a thread for each core, half of what a process takes to load it; nothing here uses it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
