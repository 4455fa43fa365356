"""What the commands that make frames are told: frozen, checked, and written beside their output.

A configuration checks itself when it is made, and :func:`scene_camera` and the rest resolve names to things, so every
mistake of a user shows before a file is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assets import CITY, THERMAL_PROFILES

from pipelines.cameras import named_camera, parse_size
from pipelines.errors import ConfigError
from pipelines.io.files import file_sha256
from pipelines.workers import default_workers

__all__ = [
    "PHYSICS",
    "RenderConfig",
    "SynthesizeConfig",
    "resolve_scene",
]

ENGINES = ("raster", "cycles")
PHYSICS = "physics"
"""The backend that needs no model: radiometry alone."""
MODEL_SUFFIXES = (".blend", ".glb", ".gltf", ".obj", ".fbx", ".usd", ".usda", ".usdc", ".usdz")

Engine = Literal["raster", "cycles"]


@dataclass(frozen=True)
class RenderConfig:
    """A scene, a camera and how many frames.

    Raises:
        ConfigError: an option that cannot work.
    """

    out: Path
    """Folder of the output."""
    count: int
    """Frames 0 to count - 1."""
    scene: Path = CITY
    """A .blend file."""
    engine: Engine = "raster"
    """What draws the passes."""
    camera: str | None = None
    """A preset's name or a file of intrinsics; None takes the scene's own camera."""
    size: str | None = None
    """``512`` (square) or ``1242x375``: the largest centred window of that shape, resized."""
    cars: Path | None = None
    """Car models that stand in for the scene's own."""
    seed: int = 0
    """Seed of everything random."""
    workers: int | None = None
    """Processes; None takes one per core. Changes no file."""

    def __post_init__(self) -> None:
        """Check what can be checked without opening the scene."""
        if self.count < 1:
            raise ConfigError(f"count is {self.count}: expected 1 frame or more")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}: expected 0 or more")
        if self.workers is not None and self.workers < 1:
            raise ConfigError(f"workers is {self.workers}: expected 1 or more")
        if self.engine not in ENGINES:
            raise ConfigError(f"unknown engine {self.engine!r}: expected one of {', '.join(ENGINES)}")
        if self.size is not None:
            parse_size(self.size)
        if self.out.exists() and not self.out.is_dir():
            raise ConfigError(f"{self.out} is a file: expected a folder for the output")
        self._check_inputs()

    def _check_inputs(self) -> None:
        if not self.scene.is_file():
            raise ConfigError(f"{self.scene}: no such file: expected a .blend scene (city.blend is the shipped one)")
        if self.cars is None:
            return
        if not self.cars.exists():
            raise ConfigError(f"{self.cars}: no such file or folder: expected car models ({' '.join(MODEL_SUFFIXES)})")
        if self.cars.is_file() and self.cars.suffix.lower() not in MODEL_SUFFIXES:
            raise ConfigError(f"{self.cars}: unknown kind of model: expected one of {' '.join(MODEL_SUFFIXES)}")

    @property
    def needs_lanes(self) -> bool:
        """Whether the cars named have nowhere to stand but the lanes of the scene."""
        return self.cars is not None

    @property
    def processes(self) -> int:
        """Workers to start: no more than frames."""
        return min(self.workers or default_workers(), self.count)

    def to_json(self) -> dict[str, Any]:
        """Everything that decides the content of the files, and nothing else: names and hashes, no paths."""
        camera = named_camera(self.camera, self.size)
        return {
            "scene": named_file(self.scene),
            "engine": self.engine,
            "camera": "of the scene" if camera is None else camera.to_json(),
            "size": self.size,
            "cars": None if self.cars is None else named_file(self.cars),
            "seed": self.seed,
        }


@dataclass(frozen=True)
class SynthesizeConfig(RenderConfig):
    """A labelled thermal data set.

    Raises:
        ConfigError: an option that cannot work.
    """

    backgrounds: Path | None = None
    """Folder of real thermal images that cars are put into; None renders the scene around them."""
    horizon: float | None = None
    """Row of the horizon in the backgrounds as they are on disk, pixels; None estimates it for each."""
    boxes: Path | None = None
    """What the backgrounds show already: see :func:`pipelines.backgrounds.geometry.boxes.read_boxes`."""
    road_mask: Path | None = None
    """Mask of the road, or a folder of one per background; None estimates it."""
    camera_height: float | None = None
    """Height of the backgrounds' camera above the road, metres; None estimates it."""
    road_heading: float | None = None
    """Where the road goes, degrees to the left of the camera's axis; None estimates it."""
    backend: str = PHYSICS
    """``physics`` or a translation model of ``gan/backends``."""
    weights: Path | None = None
    """Model file of a translation model."""
    profile: str | None = None
    """Thermal profile of all cars; None draws one per car."""
    weather: str | None = None
    """Weather of all frames; None draws it."""
    hour: float | None = None
    """Hour of the day of all frames, 0 to 24; None draws it."""
    season: str | None = None
    """Season of all frames; None draws it."""
    tensors: bool = False
    """Also store the source tensors."""
    layout: str = "flat"
    """Of the source tensors: ``flat``, or ``physics``, which shows the picture of the backend physics."""
    max_drift: float | None = None
    """A frame with more label drift (:mod:`pipelines.dataset.label_consistency`) is drawn anew; None takes every
    frame."""

    @property
    def needs_lanes(self) -> bool:
        """Whether the cars named have nowhere to stand but the lanes of the scene."""
        return super().needs_lanes and self.backgrounds is None

    def __post_init__(self) -> None:
        """Check what can be checked without opening the scene."""
        super().__post_init__()
        self._check_backend()
        self._check_conditions()
        self._check_ground()
        if self.max_drift is not None and not 0 < self.max_drift <= 1:
            raise ConfigError(f"max-drift is {self.max_drift}: expected more than 0, at most 1")
        if self.backgrounds is not None and not self.backgrounds.is_dir():
            raise ConfigError(f"{self.backgrounds}: no such folder: expected a folder of thermal images")

    def _check_backend(self) -> None:
        from gan.backends.registry import backend_names
        from gan.data.layout import LAYOUT_NAME, LAYOUTS

        known = (PHYSICS, *backend_names())
        if self.backend not in known:
            raise ConfigError(f"unknown backend {self.backend!r}: expected one of {', '.join(known)}")
        if self.backend == PHYSICS and self.weights is not None:
            raise ConfigError("backend physics has no weights: name the model's backend, or leave --weights out")
        if self.backend != PHYSICS and self.weights is None:
            raise ConfigError(f"backend {self.backend} needs --weights: expected a model file of `gis train`")
        if self.weights is not None and not self.weights.is_file():
            raise ConfigError(f"{self.weights}: no such file: expected a model file of `gis train`")

        _check_choice("layout", self.layout, LAYOUTS)
        if self.layout != LAYOUT_NAME and (self.backend != PHYSICS or not self.tensors):
            raise ConfigError(f"layout {self.layout} shows the picture of physics: give --tensors --backend physics")

    def _check_ground(self) -> None:
        for name in ("horizon", "boxes", "road_mask", "camera_height", "road_heading"):
            if getattr(self, name) is not None and self.backgrounds is None:
                said = name.replace("_", "-")
                raise ConfigError(f"{said} is that of the backgrounds: give --backgrounds too, or leave it out")
        if self.camera_height is not None and not 0.3 <= self.camera_height <= 20.0:
            raise ConfigError(f"camera-height is {self.camera_height}: expected 0.3 to 20 metres")
        if self.road_heading is not None and not -180.0 <= self.road_heading <= 180.0:
            raise ConfigError(f"road-heading is {self.road_heading}: expected -180 to 180 degrees, to the left")
        for path, what in ((self.boxes, "boxes"), (self.road_mask, "road masks")):
            if path is not None and not path.exists():
                raise ConfigError(f"{path}: no such file or folder: expected {what} of the backgrounds")

    def _check_conditions(self) -> None:
        from renderer.thermal.conditions import SEASONS, WEATHERS
        from renderer.thermal.profiles import profile_names

        _check_choice("profile", self.profile, profile_names(THERMAL_PROFILES))
        _check_choice("weather", self.weather, WEATHERS)
        _check_choice("season", self.season, SEASONS)
        if self.hour is not None and not 0 <= self.hour < 24:
            raise ConfigError(f"hour is {self.hour}: expected 0 or more and below 24")

    def to_json(self) -> dict[str, Any]:
        """See :meth:`RenderConfig.to_json`."""
        names = (
            "horizon", "camera_height", "road_heading", "backend", "profile", "weather", "hour", "season", "tensors",
            "layout", "max_drift",
        )  # fmt: skip
        return {
            **super().to_json(),
            **{name: _named(getattr(self, name)) for name in ("backgrounds", "boxes", "road_mask")},
            **{name: getattr(self, name) for name in names},
            "weights": None if self.weights is None else named_file(self.weights),
        }


def _check_choice(label: str, value: str | None, known: Iterable[str]) -> None:
    names = tuple(known)
    if value is not None and value not in names:
        raise ConfigError(f"unknown {label} {value!r}: expected one of {', '.join(names)}")


def _named(path: Path | None) -> dict[str, str] | None:
    return None if path is None else named_file(path)


def named_file(path: Path) -> dict[str, str]:
    """Name and hash of a file or folder: what a data set says of where it came from."""
    return {"name": path.resolve().name, "sha256": file_sha256(path)}


def resolve_scene(scene: Path) -> Path:
    """The scene's file: ``city.blend`` without a folder is the shipped one, unless there is one in this folder."""
    return CITY if scene == Path(CITY.name) and not scene.exists() else scene
