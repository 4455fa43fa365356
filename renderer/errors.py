"""Errors of the renderer, and the root of all errors of gis.

::

    GisError                everything that gis raises on purpose
    ├── ConfigError         an option, or a combination of them, that cannot work; of every package
    ├── RendererError
    │   ├── SceneError      a .blend or model file cannot be used (missing, truncated, no car, no camera)
    │   ├── CameraError     unknown camera preset, or intrinsics that describe no camera
    │   ├── ZoneError       an unknown thermal zone, or a table of zones that contradicts itself
    │   └── ThermalError    an unknown profile or weather, or a temperature that no body can have
    ├── GanError            see `gan.errors`
    └── PipelineError       see `pipelines.errors`

The root stands here because the renderer stands below everything and must work alone inside of Blender. This module
imports nothing, so that `gan`, which never meets the renderer, may know it.

Every message is one line: what was wrong, where, what was expected, what to do.
"""

from __future__ import annotations

__all__ = ["CameraError", "ConfigError", "GisError", "RendererError", "SceneError", "ThermalError", "ZoneError"]


class GisError(Exception):
    """Base of everything that gis raises on purpose."""


class ConfigError(GisError):
    """An option cannot work."""


class RendererError(GisError):
    """Base of everything that the renderer raises on purpose."""


class SceneError(RendererError):
    """A scene or model file cannot be rendered."""


class CameraError(RendererError):
    """A camera is unknown or impossible."""


class ZoneError(RendererError):
    """A thermal zone is unknown."""


class ThermalError(RendererError):
    """A thermal profile, a weather or a temperature is impossible."""
