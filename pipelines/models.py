"""Which model `gis synthesize` uses: what was asked for, else the shipped one where it can run, else physics."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from assets import CAR_WEIGHTS
from safetensors import SafetensorError, safe_open

from pipelines.config import PHYSICS
from pipelines.errors import ConfigError

__all__ = ["choose_model", "model_backend"]

NEEDED = ("torch",)
"""Packages without which no model runs; OpenVINO and NNCF only make it faster."""


def choose_model(backend: str | None, weights: Path | None) -> tuple[str, Path | None, str]:
    """Backend and model file, and a line for the user where it is not what one would expect.

    Args:
        backend: as asked for; None leaves the choice.
        weights: as asked for.

    Raises:
        ConfigError: the file is no model.
    """
    if backend is not None:
        shipped = weights is None and backend != PHYSICS and backend == shipped_backend()
        return backend, CAR_WEIGHTS if shipped else weights, ""
    if weights is not None:
        return model_backend(weights), weights, ""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return PHYSICS, None, f"images by physics: the shipped model needs {missing[0]}; pip install 'gis-thermal[all]'"
    name = shipped_backend()
    return (name, CAR_WEIGHTS, "") if name else (PHYSICS, None, f"images by physics: {CAR_WEIGHTS.name} is not there")


def shipped_backend() -> str:
    """Backend of the shipped model; "" where there is none."""
    return model_backend(CAR_WEIGHTS) if CAR_WEIGHTS.is_file() else ""


def model_backend(path: Path) -> str:
    """Name of the backend that trained a model, from the head of its file.

    Raises:
        ConfigError: there is no such file, or it is no model file.
    """
    try:
        with safe_open(path, framework="np") as stream:  # reads the head alone, without torch
            envelope = json.loads((stream.metadata() or {})["gis"])
        return str(json.loads(envelope["content"])["backend"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        what = "no such file" if not path.is_file() else f"cannot be read ({error!r})"
        raise ConfigError(f"{path}: {what}: expected a model file of `gis train`") from error
