"""The coordinator: registry and relay. It never holds an indicator, a token, a pepper or a PSI key."""
