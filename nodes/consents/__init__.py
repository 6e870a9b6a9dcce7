"""Consents at a node: what a proxy grants and tells, and what every party takes in."""
