"""Passes by Cycles, Blender's own engine: its pictures at one sample, and the parts and surfaces that they show."""
