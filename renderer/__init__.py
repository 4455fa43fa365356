"""Turn a Blender scene into exact geometry passes, and thermal zones into physical temperatures.

    >>> import assets, renderer
    >>> with renderer.open_scene(assets.CITY, camera=assets.camera("kitti-object", 512), seed=0) as scene:
    ...     frame = scene.render(0)
    >>> kelvin = renderer.thermal_image(frame, weather="clear", hour=22)
    >>> grey = renderer.expose(kelvin, assets.sensor("tau2"), frame)

Names are loaded when they are first used. ``bpy`` is imported only below ``renderer.blender``; everything else is numpy
and numba and runs anywhere. Imports inside this package are relative, because the add-on ships it under another name.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Scene, conditions, expose, gain_control, measure, open_scene, thermal_image
    from .errors import CameraError, GisError, RendererError, SceneError, ThermalError, ZoneError
    from .geometry.camera import Camera
    from .geometry.frame import Box3D, Frame, Instance
    from .thermal.conditions import Conditions
    from .thermal.sensor import Sensor
    from .zones.catalogue import Zone

__all__ = [
    "Box3D",
    "Camera",
    "CameraError",
    "Conditions",
    "Frame",
    "GisError",
    "Instance",
    "RendererError",
    "Scene",
    "SceneError",
    "Sensor",
    "ThermalError",
    "Zone",
    "ZoneError",
    "conditions",
    "expose",
    "gain_control",
    "measure",
    "open_scene",
    "thermal_image",
]

_MODULES = {
    "api": ("Scene", "conditions", "expose", "gain_control", "measure", "open_scene", "thermal_image"),
    "errors": ("CameraError", "GisError", "RendererError", "SceneError", "ThermalError", "ZoneError"),
    "geometry.camera": ("Camera",),
    "geometry.frame": ("Box3D", "Frame", "Instance"),
    "thermal.conditions": ("Conditions",),
    "thermal.sensor": ("Sensor",),
    "zones.catalogue": ("Zone",),
}

if not TYPE_CHECKING:  # else every misspelt name would pass the check of types

    def __getattr__(name: str) -> Any:
        for module, names in _MODULES.items():
            if name in names:
                globals()[name] = getattr(importlib.import_module(f".{module}", __name__), name)
                return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
