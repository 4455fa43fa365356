"""Objects into a real thermal frame: its levels, its sensor, and the foreground alone."""
