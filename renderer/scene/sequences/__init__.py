"""What moves in a sequence of frames, and how: all of it a function of time."""
