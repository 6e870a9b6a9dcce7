"""Who may ask what, and why. No I/O."""
