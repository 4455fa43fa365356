"""Measurements of what the papers claim, on data that gis makes itself."""
