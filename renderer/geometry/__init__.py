"""Cameras, frames, meshes and boxes: what is where, in metres and pixels."""
