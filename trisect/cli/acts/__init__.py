"""What commands do: ask the daemon, lay the answer out for scripts and for people."""
