"""Visible twins by Cycles: the objects of a frame with looks, lamps and a sky, in a Blender scene of their own."""
