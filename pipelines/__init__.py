"""Joins renderer and gan: backgrounds, composition, datasets, labels and the command line."""
