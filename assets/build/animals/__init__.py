"""Dogs, deer and cats as swept ellipses, and a pram; written by ``python -m assets.build.animals``."""
