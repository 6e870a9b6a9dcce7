"""The wire contract, generated from `proto/`; never edited by hand (`make proto`)."""
