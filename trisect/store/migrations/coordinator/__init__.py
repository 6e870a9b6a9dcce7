"""The migrations of a coordinator schema."""
