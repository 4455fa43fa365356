"""Geometry of a real background: horizon, camera height, road, and what stands on it already."""
