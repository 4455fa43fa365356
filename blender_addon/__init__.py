"""GIS Thermal: thermal zones, cars, passes and thermal images in Blender's 3-D viewport.

Each module of :data:`MODULES` has ``register()`` and ``unregister()``; they are called in this order and back.
"""

from __future__ import annotations

import importlib
import sys

__all__ = ["MODULES", "WITHOUT_NUMPY", "bl_info", "register", "unregister"]

# Read, not run, by Blender before 4.2; later versions read blender_manifest.toml.
bl_info = {
    "name": "GIS Thermal",
    "author": "GIS Thermal contributors",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D Viewport > Sidebar > GIS Thermal",
    "description": "Labelled thermal-infrared training data: zones, cars, exact passes, thermal images",
    "category": "Render",
}

MODULES = (
    "translations",
    "ui.preferences",
    "ui.properties",
    "ui.thumbnails",
    "ui.dataset_properties",
    "operators.zones",
    "operators.cars",
    "operators.people",
    "operators.passes",
    "operators.overlay",
    "ui.legend",
    "operators.dataset",
    "ui.panels",
    "ui.dataset_panel",
)
"""Modules that register something, in the order that they need each other."""


WITHOUT_NUMPY = ("ui.numpy_missing",)
"""What is registered in place of them where this Blender's Python has no numpy: a panel that says so."""
_registered: list[str] = []


def _modules() -> tuple[str, ...]:
    """The modules that can be loaded here."""
    from .ui import numpy_missing

    if reason := numpy_missing.why_no_numpy():
        print(f"GIS Thermal: {reason}", file=sys.stderr)
        return WITHOUT_NUMPY
    return MODULES


def register() -> None:
    """Register every module's classes, properties and handlers."""
    for name in _modules():
        importlib.import_module(f".{name}", __package__).register()
        _registered.append(name)


def unregister() -> None:
    """Take everything back, last first."""
    while _registered:
        importlib.import_module(f".{_registered.pop()}", __package__).unregister()
