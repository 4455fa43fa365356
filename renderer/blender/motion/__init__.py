"""How what stands in a scene moves from one frame to the next."""
