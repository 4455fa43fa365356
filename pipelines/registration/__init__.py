"""Pictures of two cameras brought onto each other."""
