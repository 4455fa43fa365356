"""Which model `gis synthesize` uses: what was asked for; physics where nothing was."""

from __future__ import annotations

import json
from pathlib import Path

from assets import CAR_WEIGHTS
from safetensors import SafetensorError, safe_open

from pipelines.config import PHYSICS
from pipelines.errors import ConfigError

__all__ = ["choose_model", "model_backend"]


def choose_model(backend: str | None, weights: Path | None) -> tuple[str, Path | None]:
    """Backend and model file.

    Physics is the default, because the cars that it puts into frames are nearer to real ones than those of the shipped
    model (docs/realism.md). A model file says whose it is; the backend of the shipped model needs no file.

    Raises:
        ConfigError: the file is no model.
    """
    if backend is None:
        return (PHYSICS, None) if weights is None else (model_backend(weights), weights)
    if weights is None and backend != PHYSICS and CAR_WEIGHTS.is_file() and backend == model_backend(CAR_WEIGHTS):
        return backend, CAR_WEIGHTS
    return backend, weights


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
