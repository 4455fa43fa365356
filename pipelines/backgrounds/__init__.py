"""Real thermal frames: read, checked, and what is known of their camera and ground."""
