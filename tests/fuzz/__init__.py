"""Attacks on `gis` with damaged inputs; `make fuzz` runs thousands."""
