"""The training loop, its folder, and its validation."""
