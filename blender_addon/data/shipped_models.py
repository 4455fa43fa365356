"""The shipped models, from cars to animals: made from files of arrays, alike in every Blender that runs the add-on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from .. import adapter

if TYPE_CHECKING:
    import bpy
    from renderer.blender.library.model_arrays import ModelLibrary

__all__ = ["CARS", "OTHERS", "PEOPLE", "TWO_WHEELERS", "add_models", "height_m", "model_names", "rides"]

CARS, PEOPLE, TWO_WHEELERS = "cars.npz", "people.npz", "two_wheelers.npz"
OTHERS = ("animals.npz", "trailers.npz", "trams.npz")


@functools.cache
def _shipped(file: str) -> ModelLibrary:
    """Models, their parts and materials."""
    from renderer.blender.library.model_arrays import ModelLibrary

    return ModelLibrary(adapter.data_file(file))


def model_names(file: str = CARS) -> list[str]:
    """Names of the models in a shipped file, sorted."""
    return _shipped(file).names


def height_m(file: str, name: str) -> float:
    """Height of a shipped model, metres."""
    return next(size.height_m for size in _shipped(file).sizes if size.name == name)


def rides(name: str) -> str:
    """The two-wheeler that a shipped rider sits on; empty for what is no rider."""
    vehicle, _, rider = name.partition(".")
    return vehicle if rider else ""


def add_models(names: set[str], file: str = CARS) -> dict[str, bpy.types.Collection]:
    """Add models to the opened file, each as a collection that no scene shows.

    Args:
        names: some of :func:`model_names`.
        file: one of the shipped files.

    Returns:
        the new collections by name.

    Raises:
        FileMissing: the arrays are not in the add-on's folder.
    """
    return _shipped(file).add(names)
