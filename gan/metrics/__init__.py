"""Measures of generated images: per pixel, perceptual, and between distributions.

`image`, `bootstrap` and `distribution` need numpy and OpenCV; `lpips` and `features` need torch.
"""
