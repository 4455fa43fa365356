"""The add-on's own name and the files that it reads: in its folder once installed, in the package ``assets`` before.

The renderer is imported like any other package, ``from renderer.zones.catalogue import Zone``, so mypy, ruff and the
test of the arrows follow it. Blender wants an add-on to keep to names of its own, and to leave ``sys.path`` alone:
building the zip (:mod:`pipelines.setup.addon_zip`) turns those lines into relative ones, ``from ..renderer.zones...``,
as pip does for the packages that it brings along. So nothing is looked up at run time, no module is loaded twice under
two names, and the same source works from the checkout and in every Blender.

What loads numba is imported in the functions that use it: the panel shows up at once.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renderer.geometry.camera import Camera
    from renderer.thermal.profiles import Profiles
    from renderer.thermal.sensor import Sensor

__all__ = ["PACKAGE", "FileMissing", "cameras", "data_file", "has_numba", "profiles", "sensors"]

PACKAGE = str(__package__)
"""Full name of the add-on: Blender's preferences and translations know it by that."""
HERE = Path(__file__).resolve().parent
ASSETS = "assets"
"""Folder of the zip, and package beside the checkout's add-on, that holds the .npz, .blend and .toml files."""


class FileMissing(Exception):
    """A file of the add-on is not there."""


def data_file(name: str) -> Path:
    """A file of the ``assets`` package, e.g. ``cars.blend``.

    Raises:
        FileMissing: there is no such file.
    """
    folders = [HERE / ASSETS]
    if not folders[0].is_dir():
        spec = importlib.util.find_spec(ASSETS)
        folders += [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise FileMissing(f"{name} is not in the add-on's folder; install the add-on's zip again")


@functools.cache
def has_numba() -> bool:
    """Whether the fast engine can run in this Blender."""
    return importlib.util.find_spec("numba") is not None


@functools.cache
def cameras() -> dict[str, Camera]:
    """Camera presets by name."""
    from renderer.geometry.camera import read_cameras

    return read_cameras(data_file("cameras.toml"))


@functools.cache
def sensors() -> dict[str, Sensor]:
    """Infrared sensors by name."""
    from renderer.thermal.sensor import read_sensors

    return read_sensors(data_file("cameras.toml"))


@functools.cache
def profiles() -> Profiles:
    """Materials and car profiles."""
    from renderer.thermal.profiles import read_profiles

    return read_profiles(data_file("thermal_profiles.toml"))
