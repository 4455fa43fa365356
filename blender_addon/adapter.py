"""Where the renderer and its data come from: bundled inside this package, or installed beside it.

The only file that knows. Modules are imported when they are first used, so that the panel shows up at once.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["RendererMissing", "cameras", "data_file", "has_numba", "profiles", "renderer", "sensors"]

HERE = Path(__file__).resolve().parent
DATA = "data"
"""Folder of the zip that holds the .blend and .toml files of the ``assets`` package."""


class RendererMissing(Exception):
    """Neither a bundled nor an installed renderer was found."""


@functools.cache
def _root() -> str:
    """Full name of the renderer package."""
    if (HERE / "renderer" / "__init__.py").is_file():
        return f"{__package__}.renderer"
    if importlib.util.find_spec("renderer"):
        return "renderer"
    raise RendererMissing("the renderer is not in the add-on's folder; install the add-on's zip again")


def renderer(name: str) -> ModuleType:
    """A module of the renderer, e.g. ``renderer("blender.zoning")``."""
    return importlib.import_module(f"{_root()}.{name}")


def data_file(name: str) -> Path:
    """A file of the ``assets`` package, e.g. ``cars.blend``.

    Raises:
        RendererMissing: there is no such file.
    """
    folders = [HERE / DATA]
    if not folders[0].is_dir():
        spec = importlib.util.find_spec("assets")
        folders += [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise RendererMissing(f"{name} is not in the add-on's folder; install the add-on's zip again")


@functools.cache
def has_numba() -> bool:
    """Whether the fast engine can run in this Blender."""
    return importlib.util.find_spec("numba") is not None


@functools.cache
def cameras() -> dict[str, Any]:
    """Camera presets by name."""
    found: dict[str, Any] = renderer("geometry.camera").read_cameras(data_file("cameras.toml"))
    return found


@functools.cache
def sensors() -> dict[str, Any]:
    """Infrared sensors by name."""
    found: dict[str, Any] = renderer("thermal.sensor").read_sensors(data_file("cameras.toml"))
    return found


@functools.cache
def profiles() -> Any:
    """Materials and car profiles."""
    return renderer("thermal.profiles").read_profiles(data_file("thermal_profiles.toml"))
