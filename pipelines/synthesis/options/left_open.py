"""What is taken for options of `gis synthesize` that are left open: by what frames are for, or by a set's figures."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from gan.options import declarations

from pipelines.synthesis.model_choice import AUTO, PHYSICS, choose_model
from pipelines.synthesis.options.declared import VARIETY_OF_WORLDS, SynthesizeOptions

__all__ = ["model_and_weights", "options_after_set", "variety_of_sensors"]


def variety_of_sensors(options: SynthesizeOptions) -> float:
    """Share of the variety, 0 to 1: sensors vary where frames are for a detector, and nothing says for which camera."""
    if options.sensor_variety is not None:
        return options.sensor_variety
    look = (options.camera, options.rig, options.like, options.noise, options.contrast)
    told = any(value is not None for value in (*look, options.sequence, options.band))
    known = told or options.visible or options.tensors or not options.draws_worlds
    return 0.0 if known else VARIETY_OF_WORLDS


def options_after_set(options: SynthesizeOptions, place: str) -> dict[str, Any]:
    """Values that a set's figures suggest, by name, for the options that are at their defaults; warns of what they are.

    Args:
        options: as they are given.
        place: of the set, or of its figures, as `like` names it.

    Raises:
        ConfigError: there is no such set, or its figures cannot be read.
    """
    from pipelines.synthesis.likeness.like import options_like

    left_to_figures = not options.sensor_variety and options.sequence is None
    suggested = options_like(
        place,
        street=options.backgrounds is None,
        fixed_hour=any(value is not None for value in (options.hour, options.hours, options.day_share)),
        own_look=left_to_figures and options.backgrounds is None,
    )
    defaults = {one.field: one.default for one in declarations(type(options)) if one.field in suggested}
    taken = {name: value for name, value in suggested.items() if getattr(options, name) == defaults[name]}
    said = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in taken.items())
    # The line that makes the configuration, by its __init__ and __post_init__.
    warnings.warn(f"like {place} stands for: {said or 'nothing, it tells none of the options'}", stacklevel=4)
    return taken


def model_and_weights(options: SynthesizeOptions) -> tuple[str, Path | None, str]:
    """As :func:`pipelines.synthesis.model_choice.choose_model` has it; the band mwir leaves physics alone.

    Raises:
        ConfigError: the file is no model.
    """
    by_band = options.band == "mwir" and options.model == AUTO and options.weights is None
    return choose_model(PHYSICS if by_band else options.model, options.weights, rendered=options.backgrounds is None)
