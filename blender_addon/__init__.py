"""GIS Thermal: thermal zones, cars, passes and thermal images in Blender's 3-D viewport.

Each module of :data:`MODULES` has ``register()`` and ``unregister()``; they are called in this order and back.
"""

from __future__ import annotations

import importlib

__all__ = ["MODULES", "bl_info", "register", "unregister"]

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


def register() -> None:
    """Register every module's classes, properties and handlers."""
    for name in MODULES:
        importlib.import_module(f".{name}", __package__).register()


def unregister() -> None:
    """Take everything back, last first."""
    for name in reversed(MODULES):
        importlib.import_module(f".{name}", __package__).unregister()
