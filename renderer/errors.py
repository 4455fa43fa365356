"""Errors of the renderer.

::

    RendererError
    ├── SceneError      a .blend or model file cannot be used (missing, truncated, no car, no camera)
    ├── CameraError     unknown camera preset, or intrinsics that describe no camera
    ├── ZoneError       an unknown thermal zone, or a table of zones that contradicts itself
    └── ThermalError    an unknown profile or weather, or a temperature that no body can have

Every message is one line: what was wrong, where, what was expected, what to do.
"""

from __future__ import annotations

__all__ = ["CameraError", "RendererError", "SceneError", "ThermalError", "ZoneError"]


class RendererError(Exception):
    """Base of everything that the renderer raises on purpose."""


class SceneError(RendererError):
    """A scene or model file cannot be rendered."""


class CameraError(RendererError):
    """A camera is unknown or impossible."""


class ZoneError(RendererError):
    """A thermal zone is unknown."""


class ThermalError(RendererError):
    """A thermal profile, a weather or a temperature is impossible."""
