"""Files that ship with gis, by name, and read: cameras, sensors, thermal profiles.

    >>> import assets
    >>> assets.camera("kitti-object", 512).fov_deg
    (..., ...)

The scripts below ``assets/build`` make the .blend files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renderer.geometry.camera import Camera
    from renderer.thermal.profiles import Profiles
    from renderer.thermal.sensor import Sensor

__all__ = [
    "ANIMAL_ARRAYS",
    "CAMERAS",
    "CARS",
    "CAR_ARRAYS",
    "CAR_WEIGHTS",
    "CITY",
    "PEOPLE_ARRAYS",
    "RECIPES",
    "RIGS",
    "THERMAL_PROFILES",
    "TRAILER_ARRAYS",
    "TRAM_ARRAYS",
    "TWO_WHEELER_ARRAYS",
    "WORLD_KINDS",
    "PersonModel",
    "camera",
    "cameras",
    "people_models",
    "sensor",
    "sensors",
    "thermal_profiles",
]

_HERE = Path(__file__).resolve().parent

CAMERAS = _HERE / "cameras.toml"
RIGS = _HERE / "rigs.toml"
CARS = _HERE / "cars.blend"
CAR_ARRAYS = _HERE / "cars.npz"
"""The same models as arrays, for Blenders that cannot read ``cars.blend``."""
CAR_WEIGHTS = _HERE / "weights" / "cars.safetensors"
"""The default model of `gis synthesize` over real backgrounds; beside it its card."""
CITY = _HERE / "city.blend"
PEOPLE_ARRAYS = _HERE / "people.npz"
"""People in poses, as arrays; read by :mod:`renderer.blender.library.model_arrays`."""
TRAILER_ARRAYS = _HERE / "trailers.npz"
"""A caravan, a luggage trailer, a flat one and a horse box, as arrays."""
TRAM_ARRAYS = _HERE / "trams.npz"
"""A tram, as arrays."""
TWO_WHEELER_ARRAYS = _HERE / "two_wheelers.npz"
"""Bicycles, motorcycles and kick scooters; ``bicycle_01.rider_07`` is who rides ``bicycle_01``, in its axes."""
WORLD_KINDS = ("residential", "arterial", "country", "motorway", "car_park", "town", "underpass", "hill")
"""Scenes that :func:`assets.build.worlds.scene.write_world` builds from a seed; that module needs Blender."""
ANIMAL_ARRAYS = _HERE / "animals.npz"
"""Dogs, deer, a cat and a pram, in poses, as arrays."""
RECIPES = _HERE / "recipes"
"""Options of `gis train`, a TOML file each."""
THERMAL_PROFILES = _HERE / "thermal_profiles.toml"


def cameras() -> dict[str, Camera]:
    """Camera presets by name: whole pictures, as the cameras take them."""
    from renderer.geometry.camera import read_cameras

    return read_cameras(CAMERAS)


def camera(name: str, size: int | tuple[int, int] | None = None) -> Camera:
    """A camera preset, cropped to a size.

    Args:
        name: one of :func:`cameras`.
        size: edge of a square, or width and height, pixels: the largest centred window of that shape, resized; None
            keeps the camera's own picture.

    Raises:
        CameraError: no preset has this name, or a size is none.
    """
    from renderer.errors import CameraError

    presets = cameras()
    if name not in presets:
        raise CameraError(f"unknown camera {name!r}: expected one of {', '.join(presets)}")
    if size is None:
        return presets[name]
    width, height = (size, size) if isinstance(size, int) else size
    return presets[name].fitted(width, height)


def sensors() -> dict[str, Sensor]:
    """Infrared sensors by name."""
    from renderer.thermal.sensor import read_sensors

    return read_sensors(CAMERAS)


def sensor(name: str) -> Sensor:
    """An infrared sensor.

    Raises:
        ThermalError: none has this name.
    """
    from renderer.errors import ThermalError

    presets = sensors()
    if name not in presets:
        raise ThermalError(f"unknown sensor {name!r}: expected one of {', '.join(presets)}")
    return presets[name]


def thermal_profiles() -> Profiles:
    """Materials of all thermal zones, and temperatures of cars by what they did last."""
    from renderer.thermal.profiles import read_profiles

    return read_profiles(THERMAL_PROFILES)


@dataclass(frozen=True)
class PersonModel:
    """What :data:`PEOPLE_ARRAYS` says of one person in one pose."""

    name: str
    """E.g. ``person_07.walk_03``."""
    category: str
    person: str
    """Models of one person share it: ``person_07``."""
    pose: str
    """Kind of the pose: ``walk``, ``run``, ``stand``, ``sit`` ..."""
    phase: float
    """Of a stride, 0 to 1 from the strike of the left heel; 0 for poses at rest."""
    length_m: float
    width_m: float
    height_m: float


def people_models() -> tuple[PersonModel, ...]:
    """People in their poses, by name, read from :data:`PEOPLE_ARRAYS`."""
    import json

    import numpy as np

    with np.load(PEOPLE_ARRAYS, allow_pickle=False) as stored:
        models = json.loads(str(stored["models"]))["models"]
    return tuple(_person_model(name, models[name]["marks"]) for name in sorted(models))


def _person_model(name: str, marks: dict[str, str | float]) -> PersonModel:
    category, person, pose = (str(marks[f"gis_{key}"]) for key in ("category", "person", "pose"))
    phase, length, width, height = (float(marks[f"gis_{key}"]) for key in ("phase", "length_m", "width_m", "height_m"))
    return PersonModel(name, category, person, pose, phase, length, width, height)
