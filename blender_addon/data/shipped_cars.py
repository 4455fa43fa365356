"""The shipped cars: made from the arrays of ``cars.npz``, alike in every Blender that runs the add-on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from .. import adapter

if TYPE_CHECKING:
    from renderer.blender.library.model_arrays import ModelLibrary

__all__ = ["add_models", "model_names"]

ARRAYS = "cars.npz"


@functools.cache
def _shipped() -> ModelLibrary:
    """Models, their parts and materials."""
    from renderer.blender.library.model_arrays import ModelLibrary

    return ModelLibrary(adapter.data_file(ARRAYS))


def model_names() -> list[str]:
    """Names of the shipped models, sorted."""
    return _shipped().names


def add_models(names: set[str]) -> None:
    """Add models to the opened file, each as a collection that no scene shows.

    Args:
        names: some of :func:`model_names`.

    Raises:
        FileMissing: the arrays are not in the add-on's folder.
    """
    _shipped().add(names)
