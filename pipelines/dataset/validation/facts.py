"""What a frame's line and ``dataset.json`` say beside the objects: against each other, and against what must hold."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from renderer.thermal.conditions import Conditions
from renderer.zones.catalogue import Zone

from pipelines.dataset.record import FrameRecord, LabelError, Record
from pipelines.dataset.validation.planes import Planes

__all__ = [
    "Described",
    "RunOptions",
    "check_camera",
    "check_conditions",
    "check_configuration",
    "check_counts",
    "check_label_error",
    "check_sensor_variety",
    "check_span",
]

PLAUSIBLE_K = (150.0, 1500.0)
"""Between the coldest clear sky and the hottest exhaust that a street camera sees."""
_RIGID = 1e-4
"""Poses pass through Blender's float32."""
_SUN_DEG = 1.5
"""Elevation by another formula of the sun's declination."""
_LATITUDE_DEG = 48.0
_SEASONS = {
    "winter": (335, 366, 1, 60), "spring": (60, 152), "summer": (152, 244), "autumn": (244, 335),
}  # fmt: skip
"""Days of the year, meteorological seasons of the north."""
ATTEMPTS = 3
"""How often a frame is drawn at most."""


def check_camera(record: Record) -> Iterator[str]:
    """The pose of the camera is one of a rigid body."""
    turn, last = record.cam_to_world[:3, :3], record.cam_to_world[3]
    if record.cam_to_world.shape != (4, 4) or not np.isfinite(record.cam_to_world).all():
        yield "cam_to_world is no 4x4 matrix of finite numbers"
    elif np.abs(turn @ turn.T - np.eye(3)).max() > _RIGID or np.linalg.det(turn) < 0 or last.tolist() != [0, 0, 0, 1]:
        yield "cam_to_world is no rotation and shift"


def check_matrix(camera: Mapping[str, Any]) -> Iterator[str]:
    """The matrix K that stands beside the intrinsics."""
    wanted = [[camera["fx"], 0.0, camera["cx"]], [0.0, camera["fy"], camera["cy"]], [0.0, 0.0, 1.0]]
    if camera.get("K") != wanted:
        yield f"K is {camera.get('K')}, its focal lengths and centre say {wanted}"


@dataclass(frozen=True)
class NamedFile:
    """A file as an option names it."""

    name: str
    sha256: str


@dataclass(frozen=True)
class RunOptions:
    """The options that the frames of a run are checked against."""

    seed: int
    scene: NamedFile
    camera: Any
    profile: str | None
    model: str
    weather: str | None
    hour: float | None
    season: Literal["winter", "spring", "summer", "autumn"] | None
    weights: NamedFile | None = None
    backgrounds: NamedFile | None = None
    min_visible_share: float = 0.0
    max_label_error: float | None = None
    sensor_variety: float = 0.0
    worlds: str | None = None
    """Weights of the kinds of streets, where each frame has one of several."""
    sequence: float | None = None
    """Seconds of a sequence; None: frames are single ones."""
    fps: float = 10.0
    passes: str | None = None
    """More files of each frame."""
    visible: bool = False
    """Whether each frame has its visible twin."""


@dataclass(frozen=True)
class Described:
    """What ``dataset.json`` says that a frame is checked against."""

    categories: tuple[str, ...]
    min_visible_px: int
    configuration: RunOptions


def check_configuration(record: FrameRecord, options: RunOptions) -> Iterator[str]:
    """A frame is one of the run that ``dataset.json`` describes."""
    pairs = {
        "seed": (record.seed, options.seed),
        "scene": _scenes(record, options),
        "profile": (record.profile, options.profile),
        "model": (record.model.name, options.model),
        "background": (record.background.kind, "scene" if options.backgrounds is None else "image"),
        "sensor": (record.sensor, record.camera.sensor),
    }
    if isinstance(options.camera, Mapping) and options.backgrounds is None:
        pairs["camera"] = (record.camera.to_json(), dict(options.camera))
    if options.weather is not None:
        pairs["conditions.weather"] = (record.conditions.weather, _weather(record.conditions.weather, options.weather))
    if options.hour is not None:
        pairs["conditions.hour"] = (record.conditions.hour, options.hour)
    for name, (here, there) in pairs.items():
        if here != there:
            yield f"{name} is {here!r}, dataset.json says {there!r}"
    if (record.model.weights_sha256 is None) != (options.weights is None):
        yield f"model.weights_sha256 is {record.model.weights_sha256}, dataset.json says {options.weights}"
    yield from _season(record.conditions, options.season)


def _weather(here: str, asked: str) -> str:
    """The weather of a line if it is one that was asked for, else what was."""
    named = [entry.partition("=")[0] for entry in asked.replace(" ", "").split(",")]
    return here if here in named or asked == "any" else asked


def _scenes(record: FrameRecord, options: RunOptions) -> tuple[str, str]:
    """What the line says of the scene and what it should; of several streets, the kind alone is told."""
    if options.worlds is None:
        return record.scene, options.scene.name
    kind = record.scene.removesuffix(".blend").partition("-")[0]
    known = [entry.partition("=")[0] for entry in options.worlds.replace(" ", "").split(",")]
    return kind, kind if kind in known else f"one of {options.worlds}"


def _season(conditions: Conditions, season: str | None) -> Iterator[str]:
    if season is None:
        return
    days = _SEASONS[season]
    if not any(days[k] <= conditions.day_of_year <= days[k + 1] for k in range(0, len(days), 2)):
        yield f"conditions.day_of_year is {conditions.day_of_year}, dataset.json says {season}"


def check_conditions(conditions: Conditions) -> Iterator[str]:
    """Weather that can be, and the sun where the hour says."""
    if not 0 <= conditions.relative_humidity <= 1:
        yield f"conditions.relative_humidity is {conditions.relative_humidity}, expected 0 to 1"
    if conditions.sky_temperature_K > conditions.air_temperature_K + 1.0:
        yield (
            f"conditions: the sky has {conditions.sky_temperature_K:.1f} K, warmer than the air of "
            f"{conditions.air_temperature_K:.1f} K"
        )
    sun = _sun_elevation_deg(conditions.day_of_year, conditions.hour)
    if abs(conditions.sun_elevation_deg - sun) > _SUN_DEG:
        yield (
            f"conditions.sun_elevation_deg is {conditions.sun_elevation_deg:.1f}, day {conditions.day_of_year} and "
            f"hour {conditions.hour:.2f} say {sun:.1f}"
        )


def _sun_elevation_deg(day_of_year: int, solar_hour: float) -> float:
    """Elevation of the sun by Spencer's Fourier series of its declination (Search 2 (5), 1971), degrees."""
    g = 2 * math.pi * (day_of_year - 1) / 365
    declination = (
        0.006918 - 0.399912 * math.cos(g) + 0.070257 * math.sin(g) - 0.006758 * math.cos(2 * g)
        + 0.000907 * math.sin(2 * g) - 0.002697 * math.cos(3 * g) + 0.00148 * math.sin(3 * g)
    )  # fmt: skip
    latitude, hour = math.radians(_LATITUDE_DEG), math.radians(15 * (solar_hour - 12))
    up = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(hour)
    return math.degrees(math.asin(max(-1.0, min(1.0, up))))


def check_span(record: FrameRecord, planes: Planes) -> Iterator[str]:
    """Temperatures of the ends of the 16-bit image."""
    if record.span_K is None:
        return
    low, high = record.span_K
    if not PLAUSIBLE_K[0] < low < high < PLAUSIBLE_K[1]:
        yield f"span_K is {[low, high]}, expected two rising temperatures of a street, in kelvin"
    counts = planes.image16
    whole = record.model.name == "physics" or record.background.kind == "image"
    if counts is not None and whole and (int(counts.min()), int(counts.max())) != (0, 65535):
        yield f"span_K: the image spans {int(counts.min())} to {int(counts.max())}, expected 0 to 65535"


def check_sensor_variety(record: FrameRecord, strength: float, planes: Planes) -> Iterator[str]:
    """What was drawn for a frame's sensor is there where it is asked for, and the picture shows its polarity."""
    drawn = record.sensor_variety
    if (drawn is not None) != (strength > 0):
        yield f"sensor_variety is {'given' if drawn else 'missing'}, dataset.json says a strength of {strength}"
    if drawn is None:
        return
    if (drawn.detector is not None) != (record.background.kind == "scene"):
        yield "sensor_variety: a detector is drawn for rendered scenes, and for none over real backgrounds"
    if planes.image is None or planes.image16 is None:
        return
    together = np.corrcoef(planes.image.ravel()[::7], planes.image16.ravel()[::7])[0, 1]
    if together < 0 if not drawn.black_hot else together > 0:
        yield f"sensor_variety: black_hot is {drawn.black_hot}, the image and its temperatures say the opposite"


def check_label_error(error: LabelError, record: Record, planes: Planes, limit: float | None) -> Iterator[str]:
    """Label error of a frame: within its limits, of objects that have a label, and judged as the run was told to."""
    scores = [error.score, *(item.score for item in error.objects)]
    if any(score is not None and not 0 <= score <= 1 for score in scores):
        yield f"label_error: scores {scores}, expected 0 to 1"
    named = {item.id for item in record.labelled}
    for item in error.objects:
        if item.id not in named:
            yield f"label_error: of object {item.id}, which has no label"
        elif planes.mask is not None and item.pixels != (count := int(np.count_nonzero(planes.mask == item.id))):
            yield f"label_error: object {item.id} has {item.pixels} pixels, its mask {count}"
    if error.attempt not in range(ATTEMPTS):
        yield f"label_error: attempt is {error.attempt}, expected 0 to {ATTEMPTS - 1}"
    exceeds = limit is not None and error.score is not None and error.score > limit
    if error.rejected != exceeds:
        yield f"label_error: rejected is {error.rejected} with a score of {error.score} and a limit of {limit}"


def check_counts(about: Mapping[str, Any], records: Sequence[FrameRecord]) -> Iterator[str]:
    """The tables of ``dataset.json``, counted anew."""
    objects = [item for record in records for item in record.labelled if not item.ignored]
    hidden = sum(bool(item.ignored) for record in records for item in record.labelled)
    wanted: dict[str, Any] = {
        "images": len(records),
        "objects": len(objects),
        "ignored": hidden or None,
        "weather": Counter(record.conditions.weather for record in records),
        "occlusion": Counter(str(item.occlusion) for item in objects),
    }
    wanted |= {key: Counter(getattr(item, key) for item in objects) for key in ("category", "model", "profile")}
    counts = about.get("counts")
    if not isinstance(counts, Mapping):
        yield f"dataset.json: counts is {counts!r}, expected a table"
        return
    for key, value in wanted.items():
        if counts.get(key) != value:
            shown = dict(value) if isinstance(value, Counter) else value
            yield f"dataset.json: counts.{key} is {counts.get(key)}, the lines say {shown}"
    zones = {zone.name.lower(): int(zone) for zone in Zone}
    # Data sets made before people and bright metal had zones of their own list the others only.
    before = {name: number for name, number in zones.items() if not Zone.SKIN <= number <= Zone.TRIM}
    if about.get("zones") not in (zones, before):
        yield f"dataset.json: zones are {about.get('zones')}, expected {zones}"
