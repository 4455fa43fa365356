"""Cameras: intrinsics, distortion, presets, crops, and the same camera as Blender wants it.

Conventions, stated once: OpenCV axes (x right, y down, z forward); ``fx fy cx cy`` in pixels; the pixel in column ``c``
and row ``r`` covers ``[c, c+1) x [r, r+1)`` and is sampled at its centre ``(c+0.5, r+0.5)``. Calibrations that put
pixel centres at integers (KITTI, OpenCV) become ours by adding 0.5 to ``cx`` and ``cy``; :func:`read_cameras` does so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CameraError
from ..text_files import parse_json, parse_toml
from .lens import BROWN_CONRADY, FISHEYE, Lens

__all__ = ["BlenderLens", "Camera", "places_in_covering", "read_camera_file", "read_cameras", "undistorted_centres"]

MAX_SIZE_PX = 16384
"""No known street camera is wider, and a larger frame is a typing error."""
_LARGEST = 1e9
"""What no camera's numbers exceed: projected points stay numbers that fit an integer."""


@dataclass(frozen=True)
class BlenderLens:
    """A pinhole camera in Blender's terms; the sensor fit is horizontal."""

    lens_mm: float
    sensor_width_mm: float
    shift_x: float
    shift_y: float
    pixel_aspect_x: float = 1.0
    pixel_aspect_y: float = 1.0


@dataclass(frozen=True)
class Camera:
    """A pinhole camera, behind a lens that distorts where it has one.

    Raises:
        CameraError: a focal length or size that no camera has.
    """

    name: str
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    height_m: float = 1.65
    """Height of the optical centre above the road."""
    pitch_deg: float = 0.0
    """Downward tilt of the optical axis against the road."""
    sensor: str = "tau2"
    """Infrared sensor model (a table of ``assets/cameras.toml``) that pictures of this camera get by default."""
    lens: Lens | None = field(default=None, metadata={"omitted_if_none": True})
    """How its lens distorts; None: not at all."""

    def __post_init__(self) -> None:
        """Check that the numbers describe a camera."""
        for label, size in (("width", self.width), ("height", self.height)):
            if not 1 <= size <= MAX_SIZE_PX:
                raise CameraError(f"camera {self.name!r}: {label} is {size} px, expected 1 to {MAX_SIZE_PX}")
        values = (self.fx, self.fy, self.cx, self.cy, self.height_m, self.pitch_deg)
        if not all(abs(v) <= _LARGEST for v in values) or min(self.fx, self.fy) <= 0:
            raise CameraError(
                f"camera {self.name!r}: fx={self.fx} fy={self.fy} cx={self.cx} cy={self.cy} height_m={self.height_m} "
                f"pitch_deg={self.pitch_deg}: expected numbers up to {_LARGEST:g}, pixels, metres and degrees; focal "
                "lengths above 0"
            )

    @property
    def K(self) -> NDArray[np.float64]:
        """Intrinsic matrix, (3, 3) float64, pixels."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @property
    def fov_deg(self) -> tuple[float, float]:
        """Horizontal and vertical field of view of the pinhole camera, degrees."""
        left, right = self.cx / self.fx, (self.width - self.cx) / self.fx
        top, bottom = self.cy / self.fy, (self.height - self.cy) / self.fy
        horizontal = math.degrees(math.atan(left) + math.atan(right))
        return horizontal, math.degrees(math.atan(top) + math.atan(bottom))

    def crop(self, left: float, top: float, width: int, height: int) -> Camera:
        """The same camera, seeing the window whose upper left corner is ``(left, top)``; sizes in pixels."""
        return replace(self, width=width, height=height, cx=self.cx - left, cy=self.cy - top)

    def resize(self, width: int, height: int) -> Camera:
        """The same view sampled with ``width x height`` pixels."""
        sx, sy = width / self.width, height / self.height
        return replace(
            self, width=width, height=height, fx=self.fx * sx, fy=self.fy * sy, cx=self.cx * sx, cy=self.cy * sy
        )

    def fitted(self, width: int, height: int) -> Camera:
        """The largest centred window of this shape, sampled with ``width x height`` pixels.

        Raises:
            CameraError: a size that no picture has.
        """
        if min(width, height) < 1:
            raise CameraError(f"camera {self.name!r}: size is {width}x{height} px, expected 1 to {MAX_SIZE_PX} each")
        scale = min(self.width / width, self.height / height)
        left, top = (self.width - width * scale) / 2, (self.height - height * scale) / 2
        zoom = 1 / scale
        return replace(
            self, width=width, height=height, fx=self.fx * zoom, fy=self.fy * zoom,
            cx=(self.cx - left) * zoom, cy=(self.cy - top) * zoom,
        )  # fmt: skip

    def square(self, size: int) -> Camera:
        """Largest centred square crop, sampled with ``size x size`` pixels."""
        side = min(self.width, self.height)
        return self.crop((self.width - side) / 2, (self.height - side) / 2, side, side).resize(size, size)

    def project(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixel coordinates of points in the camera frame: (..., 3) metres, z > 0, to (..., 2) pixels."""
        z = points_m[..., 2]
        if self.lens is not None:
            return self.lens.distort(points_m[..., :2] / z[..., None]) * (self.fx, self.fy) + (self.cx, self.cy)
        return np.stack([self.fx * points_m[..., 0] / z + self.cx, self.fy * points_m[..., 1] / z + self.cy], axis=-1)

    def rays(self) -> NDArray[np.float32]:
        """Direction of each pixel's centre in the camera frame with z = 1: (H, W, 3) float32."""
        if self.lens is not None:
            return np.concatenate(
                [undistorted_centres(self), np.ones((self.height, self.width, 1))], -1, dtype=np.float32
            )
        x = (np.arange(self.width) + 0.5 - self.cx) / self.fx
        y = (np.arange(self.height) + 0.5 - self.cy) / self.fy
        rays = np.ones((self.height, self.width, 3), dtype=np.float32)
        rays[..., 0], rays[..., 1] = x[None, :], y[:, None]
        return rays

    @property
    def covering(self) -> Camera:
        """The pinhole camera that sees all that this one sees, in no coarser pixels: itself where nothing is distorted.

        Raises:
            CameraError: there is none: the lens folds the picture, or sees too far aside.
        """
        return self if self.lens is None else _covering(self)

    def blender_lens(self, sensor_width_mm: float = 36.0) -> BlenderLens:
        """Lens, shift and pixel aspect of the Blender camera (sensor fit horizontal) that gives this image."""
        aspect = self.fx / self.fy
        return BlenderLens(
            lens_mm=self.fx * sensor_width_mm / self.width,
            sensor_width_mm=sensor_width_mm,
            shift_x=(self.width / 2 - self.cx) / self.width,
            shift_y=(self.cy - self.height / 2) * aspect / self.width,
            pixel_aspect_x=max(1.0, 1.0 / aspect),
            pixel_aspect_y=max(1.0, aspect),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary that :meth:`from_json` reads back."""
        names = ("name", "width", "height", "fx", "fy", "cx", "cy", "height_m", "pitch_deg", "sensor")
        values = {name: getattr(self, name) for name in names}
        if self.lens is None:
            return values
        return values | {"lens": {"model": self.lens.model, "coefficients": [*self.lens.coefficients]}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Camera:
        """Inverse of :meth:`to_json`."""
        lens = data.get("lens")
        return cls(**{**data, "lens": None if lens is None else Lens(lens["model"], tuple(lens["coefficients"]))})


MAX_ASIDE = math.tan(math.radians(75.0))
"""How far aside a distorted picture may reach: a pinhole camera that sees 150 degrees is 7.5 focal lengths wide."""
_MARGIN_PX = 2.0
"""Around the picture that the covering camera takes, so that each of its points has neighbours."""


@lru_cache(maxsize=8)
def undistorted_centres(camera: Camera) -> NDArray[np.float64]:
    """(H, W, 2) x / z and y / z of the rays through the centres of pixels.

    Raises:
        CameraError: the lens has no ray for one of them.
    """
    columns, rows = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return _undistorted(camera, np.stack([columns, rows], axis=-1))


@lru_cache(maxsize=8)
def places_in_covering(camera: Camera) -> NDArray[np.float64]:
    """(H, W, 2) where the rays of a distorted picture's pixels are in that of :attr:`Camera.covering`, pixels."""
    wide = camera.covering
    return undistorted_centres(camera) * (wide.fx, wide.fy) + (wide.cx, wide.cy)


def _undistorted(camera: Camera, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalised coordinates of pixel coordinates (..., 2)."""
    assert camera.lens is not None
    found = camera.lens.undistort((pixels - (camera.cx, camera.cy)) / (camera.fx, camera.fy))
    if np.isnan(found).any():
        raise CameraError(
            f"camera {camera.name!r}: lens {camera.lens.model} {camera.lens.coefficients} turns back inside of the "
            "picture: expected one whose picture has a ray for each pixel; check the coefficients and their order"
        )
    if (far := float(np.abs(found).max())) > MAX_ASIDE:
        raise CameraError(
            f"camera {camera.name!r}: its picture reaches {math.degrees(math.atan(far)):.0f} degrees aside: expected "
            "at most 75; take a narrower camera, or another lens"
        )
    return found


@lru_cache(maxsize=8)
def _covering(camera: Camera) -> Camera:
    """See :attr:`Camera.covering`."""
    columns, rows = np.arange(camera.width + 1.0), np.arange(camera.height + 1.0)
    edges = [
        np.stack(np.broadcast_arrays(x, y), axis=-1)
        for x, y in ((columns, 0.0), (columns, float(camera.height)), (0.0, rows), (float(camera.width), rows))
    ]
    seen = _undistorted(camera, np.concatenate(edges))
    scale = _most_stretched(camera)
    fx, fy = camera.fx * scale, camera.fy * scale
    left, top = np.floor(seen.min(axis=0) * (fx, fy) - _MARGIN_PX).tolist()
    right, bottom = np.ceil(seen.max(axis=0) * (fx, fy) + _MARGIN_PX).tolist()
    width, height = int(right - left), int(bottom - top)
    return replace(camera, lens=None, fx=fx, fy=fy, cx=-left, cy=-top, width=width, height=height)


def _most_stretched(camera: Camera) -> float:
    """How many pixels of the picture one of the pinhole camera's spans at most; at least 1."""
    centres = undistorted_centres(camera) * (camera.fx, camera.fy)
    steps = [np.linalg.norm(np.diff(centres, axis=axis), axis=-1) for axis in (0, 1)]
    return max(1.0, round(max(1.0 / float(step.min(initial=1.0)) for step in steps), 6))


def read_cameras(path: Path) -> dict[str, Camera]:
    """Camera presets of a TOML file, by name (see ``assets/cameras.toml``).

    Raises:
        CameraError: the file cannot be read, or a preset in it describes no camera.
    """
    try:
        tables = parse_toml(path.read_bytes())["camera"]
        if not isinstance(tables, dict):
            raise ValueError(f"camera is {tables!r}")
    except (OSError, KeyError, ValueError) as error:
        raise CameraError(f"{path}: no camera presets could be read: {error}; expected [camera.NAME] tables") from error
    return {name: _camera_from_table(name, table, path) for name, table in tables.items()}


def read_camera_file(path: Path) -> Camera:
    """Own intrinsics from a ``.json`` or ``.toml`` file with the keys of a preset.

    Raises:
        CameraError: the file cannot be read, or describes no camera.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe, which may never end
            raise ValueError("it is no file")
        data = path.read_bytes()
        table = parse_json(data) if path.suffix.lower() == ".json" else parse_toml(data)
    except (OSError, ValueError) as error:
        raise CameraError(f"{path}: intrinsics could not be read: {error}; expected .json or .toml") from error
    if not isinstance(table, dict):
        raise CameraError(f"{path}: expected a table with width, height and fx, fy, cx, cy (or hfov_deg, vfov_deg)")
    return _camera_from_table(path.stem, table, path)


def _lens_of(table: dict[str, Any], where: str) -> dict[str, Lens]:
    """Distortion of a preset: ``distortion`` or ``fisheye``, a list of coefficients."""
    named = {key: model for key, model in (("distortion", BROWN_CONRADY), ("fisheye", FISHEYE)) if key in table}
    if len(named) > 1:
        raise CameraError(f"{where}: has distortion and fisheye: expected one of them")
    for key, model in named.items():
        values = table[key]
        if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
            raise CameraError(f"{where}: {key} is {values!r}: expected a list of numbers, as OpenCV orders them")
        return {"lens": Lens(model, tuple(map(float, values)))}
    return {}


def _camera_from_table(name: str, table: Any, path: Path) -> Camera:
    """Build one camera from intrinsics in pixels, or from its field of view in degrees."""
    where = f"{path}: camera {name!r}"
    if not isinstance(table, dict):
        raise CameraError(f"{where}: {table!r} is no table; expected width, height and fx, fy, cx, cy")
    optional = {key: table[key] for key in ("height_m", "pitch_deg", "sensor") if key in table}
    optional |= _lens_of(table, where)
    if not isinstance(optional.get("sensor", ""), str):
        raise CameraError(f"{where}: sensor is {optional['sensor']!r}; expected the name of one")
    try:
        width, height = int(table["width"]), int(table["height"])
        if "hfov_deg" in table:
            angles = float(table["hfov_deg"]), float(table["vfov_deg"])
            if not all(0 < angle < 180 for angle in angles):
                raise ValueError(f"fields of view of {angles[0]:g} and {angles[1]:g} degrees")
            fx = width / 2 / math.tan(math.radians(angles[0]) / 2)
            fy = height / 2 / math.tan(math.radians(angles[1]) / 2)
            return Camera(name, width, height, fx, fy, width / 2, height / 2, **optional)
        shift = {"corner": 0.0, "integer": 0.5}[table.get("pixel_centre", "corner")]
        fx, cx, cy = float(table["fx"]), float(table["cx"]) + shift, float(table["cy"]) + shift
        return Camera(name, width, height, fx, float(table.get("fy", fx)), cx, cy, **optional)
    except KeyError as error:
        raise CameraError(
            f"{where}: {error} is missing or unknown; expected width, height and fx, fy, cx, cy "
            "(or hfov_deg, vfov_deg), and pixel_centre 'corner' or 'integer'"
        ) from None
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CameraError(f"{where}: {error}; expected numbers, fields of view above 0 and below 180 degrees") from None
