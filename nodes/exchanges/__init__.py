"""Exchanges at a node: offering, answering, running, and what is remembered of them."""
