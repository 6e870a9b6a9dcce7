"""What `trisect doctor` looks at. Each check finds one thing, never raises, and names the cure."""
