"""Frames made by the nodes of a Ray cluster."""
