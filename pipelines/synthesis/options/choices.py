"""What options can be told: the names that they take, and what their texts mean."""

from __future__ import annotations

import re
from pathlib import Path

from assets import CAMERAS, CITY, RIGS, THERMAL_PROFILES

from pipelines.errors import ConfigError
from pipelines.synthesis.likeness.option_texts import parse_weights
from pipelines.synthesis.model_choice import AUTO, PHYSICS
from pipelines.synthesis.sequences import PASSES

__all__ = [
    "KINDS",
    "OTHERS",
    "TRAILERS",
    "TRAMS",
    "WHERE_NAMED",
    "camera_names",
    "layout_names",
    "model_names",
    "parse_frames",
    "parse_hours",
    "parse_objects",
    "parse_vehicles",
    "pass_names",
    "profile_names",
    "resolve_scene",
    "rig_names",
    "season_names",
    "weather_names",
]

OTHERS = ("bicycles", "motorcycles", "scooters", "dogs", "cats", "deer", "strollers", "boar")
TRAMS, TRAILERS = "trams", "trailers"
WHERE_NAMED = (TRAMS, TRAILERS)
"""Kinds of which there is none where they are not named."""
KINDS = ("cars", "people", *OTHERS, *WHERE_NAMED)
"""What `--objects` counts."""
MOST_OBJECTS = 100
"""Of a kind in a frame."""
VEHICLE_KINDS = ("car", "van", "truck", "bus")
"""What `--vehicles` weighs."""
_HOURS = tuple(map(str, range(24)))


def camera_names() -> tuple[str, ...]:
    """Names of the camera presets."""
    import tomllib  # Blender's Python may be older than it, and does not ask

    return tuple(tomllib.loads(CAMERAS.read_text(encoding="utf-8"))["camera"])


def profile_names() -> tuple[str, ...]:
    """Names of the thermal profiles of cars."""
    import tomllib

    return tuple(tomllib.loads(THERMAL_PROFILES.read_text(encoding="utf-8"))["profile"])


def model_names() -> tuple[str, ...]:
    """What `--model` takes."""
    from gan.backends.registry import backend_names

    return (AUTO, PHYSICS, *backend_names())


def layout_names() -> tuple[str, ...]:
    """What source tensors can show."""
    from gan.data.layout import LAYOUTS

    return LAYOUTS


def weather_names() -> tuple[str, ...]:
    """Words for the weather."""
    from renderer.thermal.condition_names import ANY, WEATHERS

    return (*WEATHERS, ANY)


def season_names() -> tuple[str, ...]:
    """Names of the seasons."""
    from renderer.thermal.condition_names import SEASONS

    return SEASONS


def pass_names() -> tuple[str, ...]:
    """What `--passes` can name."""
    return PASSES  # by a function: a lambda in an annotation finds no names of its module when it is called


def rig_names() -> tuple[str, ...]:
    """Names of the shipped rigs."""
    import tomllib

    return tuple(tomllib.loads(RIGS.read_text(encoding="utf-8")))


def parse_frames(text: str) -> range:
    """The frames that ``FIRST:END`` names.

    Raises:
        ConfigError: another text, or no frame.
    """
    found = re.fullmatch(r"([0-9]{1,12}):([0-9]{1,12})", text)
    frames = range(int(found[1]), int(found[2])) if found else range(0)
    if not frames:
        raise ConfigError(f"frames {text!r}: expected FIRST:END with FIRST below END, such as 200:400")
    return frames


def parse_objects(text: str | None) -> dict[str, int]:
    """Most objects in a frame by their kind: ``people=8,bicycles=1``.

    Raises:
        ConfigError: another kind, or no number.
    """
    counts = {}
    for entry in (text or "").replace(" ", "").split(","):
        kind, _, number = entry.partition("=")
        if entry and (kind not in KINDS or not number.isascii() or not number.isdigit() or int(number) > MOST_OBJECTS):
            raise ConfigError(
                f"objects: {entry!r}: expected KIND=NUMBER with a kind of {', '.join(KINDS)} and at most "
                f"{MOST_OBJECTS}, e.g. people=8"
            )
        if entry:
            counts[kind] = int(number)
    return counts


def parse_hours(text: str | None) -> dict[int, float]:
    """Weights by the hour of the day, ``8=2,20=1``; empty where no text is given.

    Raises:
        ConfigError: no hour, or no weight.
    """
    weights = {} if text is None else parse_weights(text, "hours", _HOURS, "8=2,20=1")
    return {int(hour): weight for hour, weight in weights.items()}


def parse_vehicles(text: str | None) -> dict[str, float]:
    """Weights by the kind of car, ``car=8,van=1,truck=1``; empty where no text is given.

    Raises:
        ConfigError: another kind, or no weight.
    """
    return {} if text is None else parse_weights(text, "vehicles", VEHICLE_KINDS, "car=8,van=1,truck=1")


def resolve_scene(scene: Path) -> Path:
    """The scene's file: ``city.blend`` without a folder is the shipped one, unless there is one in this folder."""
    return CITY if scene == Path(CITY.name) and not scene.exists() else scene
