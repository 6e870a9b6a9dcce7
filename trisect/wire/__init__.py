"""The wire contract and its one translation from and to the domain."""
