"""Whole scenes from a seed: residential streets, arterials and others, in the manner of :mod:`assets.build.city`."""

from typing import Final

__all__ = ["KINDS"]

KINDS: Final = ("residential", "arterial", "country", "motorway", "car_park")
"""What :func:`assets.build.worlds.scene.write_world` can build; listed here because that module needs Blender."""
