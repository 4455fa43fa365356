"""Compiled loops over a frame's pixels, several of one kind in step; :mod:`.frame` is where they start."""
