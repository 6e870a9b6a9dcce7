"""The migrations of a node schema."""
