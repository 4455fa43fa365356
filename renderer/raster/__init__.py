"""Exact depth, instance and zone passes by a z-buffer."""
