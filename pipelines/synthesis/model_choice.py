"""Which model `gis synthesize` uses: what was asked for; else physics, and over real frames the shipped model."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from assets import CAR_WEIGHTS

from pipelines.errors import ConfigError

__all__ = ["AUTO", "PHYSICS", "choose_model", "model_of_file"]

AUTO = "auto"
"""Leaves the choice of the model."""
PHYSICS = "physics"
"""No model: radiometry alone."""
ENGINES = ("openvino", "torch")
"""Packages of which one runs the shipped model."""


def choose_model(model: str, weights: Path | None, *, rendered: bool) -> tuple[str, Path | None, str]:
    """Model and its file, and a line for the user where it is not what one would expect.

    Each default is what measured better. Over real frames the cars of the shipped model are nearer to real ones than
    those of physics, which it refines (docs/explanation/realism.md). In a rendered scene they are not, and a detector
    that was trained with the physics is the better one (docs/explanation/usefulness.md). A model file says whose it is;
    the shipped model needs no file.

    Args:
        model: as asked for; :data:`AUTO` leaves the choice.
        weights: as asked for.
        rendered: the whole picture is rendered, and not real around the objects.

    Raises:
        ConfigError: the file is no model.
    """
    if weights is not None:
        return (model_of_file(weights) if model == AUTO else model), weights, ""
    shipped = model_of_file(CAR_WEIGHTS) if CAR_WEIGHTS.is_file() else ""
    if model != AUTO:
        return model, CAR_WEIGHTS if model == shipped else None, ""
    if rendered:
        return PHYSICS, None, ""
    if not any(importlib.util.find_spec(name) for name in ENGINES):
        advice = "pip install 'gis-thermal[demo]'"
        return PHYSICS, None, f"images by physics alone: the shipped model needs {ENGINES[0]}; {advice}"
    if not shipped:
        return PHYSICS, None, f"images by physics alone: {CAR_WEIGHTS.name} is not there"
    return shipped, CAR_WEIGHTS, ""


def model_of_file(path: Path) -> str:
    """Name of the translation model that a file holds, from the head of its file.

    Raises:
        ConfigError: there is no such file, or it is no model file.
    """
    from renderer.text_files import parse_json
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():
            raise OSError("no file")
        with safe_open(path, framework="np") as stream:  # reads the head alone, without torch
            envelope = parse_json((stream.metadata() or {})["gis"])
        return str(parse_json(envelope["content"], allow_nan=True)["backend"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = "no such file" if not path.is_file() else f"cannot be read ({error!r})"
        raise ConfigError(f"{path}: {what}: expected a model file of `gis train`") from error
