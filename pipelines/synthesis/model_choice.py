"""Which model `gis synthesize` uses: what was asked for, else the shipped one where it can run, else physics."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from assets import CAR_WEIGHTS
from safetensors import SafetensorError, safe_open

from pipelines.errors import ConfigError
from pipelines.synthesis.config import PHYSICS

__all__ = ["choose_model", "model_backend"]


ENGINES = ("openvino", "torch")
"""Packages of which one runs the shipped model."""


def choose_model(backend: str | None, weights: Path | None) -> tuple[str, Path | None, str]:
    """Backend and model file, and a line for the user where it is not what one would expect.

    The shipped model is the default, because its cars are nearer to real ones than those of physics alone, which it
    refines (docs/realism.md). A model file says whose it is; the backend of the shipped model needs no file.

    Args:
        backend: as asked for; None leaves the choice.
        weights: as asked for.

    Raises:
        ConfigError: the file is no model.
    """
    if weights is not None:
        return backend or model_backend(weights), weights, ""
    shipped = model_backend(CAR_WEIGHTS) if CAR_WEIGHTS.is_file() else ""
    if backend is not None:
        return backend, CAR_WEIGHTS if backend == shipped else None, ""
    if not any(importlib.util.find_spec(name) for name in ENGINES):
        advice = "pip install -e '.[demo]' in the project's folder"
        return PHYSICS, None, f"images by physics alone: the shipped model needs {ENGINES[0]}; {advice}"
    if not shipped:
        return PHYSICS, None, f"images by physics alone: {CAR_WEIGHTS.name} is not there"
    return shipped, CAR_WEIGHTS, ""


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
