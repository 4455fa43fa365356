"""Frames made: scene or real background, infrared image, source tensor."""
