"""Real thermal images as backgrounds: read, checked, cropped to the camera of the data set.

Plain images are *display-only*: what a camera's gain control made of the scene. Counts of 16 bits or floats are
stretched to 8 bits over their middle 99 %; no temperature is read into any of them. A folder that `gis backgrounds`
made (it holds :data:`INDEX_FILE`) tells of each frame whether it is radiometric: then it has kelvin.

The camera of the images is named by ``--camera``, else that of an ingested frame's metadata, else assumed to be
:data:`ASSUMED_CAMERA`; the horizon is given by ``--horizon``, else it is where the camera's pitch puts it. What was
assumed stands in each frame's record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from assets import CAMERAS
from gan.data.images import PICTURE_SUFFIXES, list_images
from numpy.typing import NDArray
from renderer.errors import CameraError
from renderer.geometry.camera import Camera, read_cameras
from renderer.random_streams import Draw, Stream
from renderer.thermal.sensor import from_uint16

from pipelines.backgrounds.ingest.crop import centred_window, resize_window
from pipelines.backgrounds.pictures import decode_grey
from pipelines.cameras import DEFAULT_SIZE_PX, named_camera, parse_size
from pipelines.dataset.record import BackgroundRecord, GroundRecord
from pipelines.errors import BackgroundError, DatasetError
from pipelines.io.files import path_inside, read_json, sha256
from pipelines.io.images import PictureError, decode_png, read_bytes

__all__ = [
    "ASSUMED_CAMERA",
    "INDEX_FILE",
    "INDEX_SCHEMA",
    "INDEX_VERSION",
    "Background",
    "BackgroundFile",
    "Backgrounds",
    "choose",
    "open_background",
    "open_backgrounds",
    "scan_backgrounds",
]

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

INDEX_FILE = "index.json"
"""List of what `gis backgrounds` made of a folder."""
INDEX_SCHEMA, INDEX_VERSION = "gis-backgrounds", 1
ASSUMED_CAMERA = "flir-adas"
"""The camera of most public thermal street images, RoadScene and FLIR ADAS among them."""


@dataclass(frozen=True)
class BackgroundFile:
    """One usable image of the folder."""

    name: str
    sha256: str
    width: int
    height: int
    sidecar: dict[str, Any] | None = None
    """What `gis backgrounds` knows of the frame; None for a plain image."""


@dataclass(frozen=True)
class Backgrounds:
    """A folder of backgrounds that have all been read once."""

    folder: Path
    files: tuple[BackgroundFile, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """Name of each image that cannot be used, and why."""


@dataclass(frozen=True)
class Background:
    """One image as a frame uses it."""

    image: UInt8
    """(H, W) uint8 at the size of the camera."""
    camera: Camera
    """Camera of the cropped and resized image."""
    horizon_px: float | None
    """Row of the horizon in it; None: from the camera's pitch."""
    file: BackgroundFile
    """The image on disk."""
    crop_px: tuple[int, int, int, int]
    """Left, top, right, bottom of the window that was cut out of the file."""
    camera_source: str
    """Where the camera comes from, in words."""
    horizon_source: str
    """Where the horizon comes from, in words."""
    kelvin: Float32 | None = None
    """(H, W) temperatures of a radiometric frame, as its file's settings give them; None: display-only."""
    span_K: tuple[float, float] | None = None
    """Kelvin at 0 and 255 of ``image``; None where it is display intensity."""
    obstacle_mask: NDArray[np.bool_] | None = None
    """(H, W) pixels of real things on the road, which no shadow or warm road of a car reaches; None: unknown."""
    ground: GroundRecord | None = None
    """What was estimated of its ground; None before that."""

    @property
    def radiometric(self) -> bool:
        """Whether the pixels have temperatures."""
        return self.kelvin is not None

    @property
    def record(self) -> BackgroundRecord:
        """Entry of the frame's record.

        Raises:
            DatasetError: the sidecar holds values of another kind.
        """
        sidecar = self.file.sidecar or {}
        known = {name: sidecar.get(name) for name in ("source", "conditions", "time")}
        of_file = BackgroundRecord.from_json(known | {"kind": "image"}, f"sidecar of {self.file.name}")
        return replace(
            of_file,
            name=self.file.name,
            sha256=self.file.sha256,
            size_px=(self.file.width, self.file.height),
            crop_px=self.crop_px,
            radiometric=self.radiometric,
            camera=self.camera_source,
            horizon=self.horizon_source,
            geometry=self.ground,
        )


def scan_backgrounds(folder: Path) -> Backgrounds:
    """Reads every image of a folder, so that bad ones are known, and left out, before the first frame.

    Raises:
        BackgroundError: no images, or none that can be used; in a folder of `gis backgrounds`, one that was changed.
    """
    if (folder / INDEX_FILE).is_file():
        return Backgrounds(folder, _scan_ingested(folder))
    paths = list_images(folder, suffixes=PICTURE_SUFFIXES)
    if not paths:
        raise BackgroundError(f"{folder} holds no images: expected thermal images ({' '.join(PICTURE_SUFFIXES)})")
    files: list[BackgroundFile] = []
    skipped: list[tuple[str, str]] = []
    for path in paths:
        try:
            files.append(_scan(path))
        except BackgroundError as error:
            skipped.append((path.name, str(error)))
    if not files:
        raise BackgroundError(f"{folder}: none of {len(paths)} images can be used, the first: {skipped[0][1]}")
    return Backgrounds(folder, tuple(files), tuple(skipped))


def _scan(path: Path) -> BackgroundFile:
    data = _read_bytes(path)
    height, width = decode_grey(data, path).shape
    return BackgroundFile(path.name, sha256(data), width, height)


def _scan_ingested(folder: Path) -> tuple[BackgroundFile, ...]:
    """Frames of a folder that `gis backgrounds` made.

    Raises:
        BackgroundError: another index, nothing usable in it, or a file that is not the one it was.
    """
    index = read_json(folder / INDEX_FILE)
    known = isinstance(index, dict) and (index.get("schema"), index.get("version")) == (INDEX_SCHEMA, INDEX_VERSION)
    if not known or not isinstance(index.get("frames"), list):
        raise BackgroundError(
            f"{folder / INDEX_FILE}: expected {INDEX_SCHEMA} {INDEX_VERSION}, as `gis backgrounds` writes it; "
            "make the folder anew, or remove the file"
        )
    if not index.get("complete"):
        raise BackgroundError(f"{folder}: `gis backgrounds` was cut short here; give the same command again")
    if not index["frames"]:
        raise BackgroundError(f"{folder} holds no usable frame: {INDEX_FILE} says why for each file")
    try:
        sidecars = [path_inside(folder, name, folder / INDEX_FILE) for name in index["frames"]]
        return tuple(_scan_frame(folder, sidecar) for sidecar in sidecars)
    except DatasetError as error:
        raise BackgroundError(str(error)) from None


def _scan_frame(folder: Path, sidecar: Path) -> BackgroundFile:
    about = read_json(sidecar)
    try:
        name, digest, (width, height) = about["frame"]["file"], about["frame"]["sha256"], about["size_px"]
    except (KeyError, TypeError, ValueError) as error:
        raise BackgroundError(f"{sidecar}: {error!r}: expected a sidecar of `gis backgrounds`; run it again") from None
    sizes = isinstance(width, int) and isinstance(height, int) and 0 < width < 1 << 16 and 0 < height < 1 << 16
    if not sizes or not isinstance(digest, str):
        raise BackgroundError(f"{sidecar}: size_px or sha256 is none; run `gis backgrounds` again")
    if sha256(_read_bytes(path_inside(folder, name, sidecar))) != digest:
        raise BackgroundError(f"{folder / name}: is not the file of its sidecar; run `gis backgrounds` again")
    return BackgroundFile(name, digest, width, height, about)


def choose(backgrounds: Backgrounds, draw: Draw) -> BackgroundFile:
    """The background of a frame."""
    return backgrounds.files[int(draw.rng(Stream.BACKGROUND).integers(len(backgrounds.files)))]


def open_backgrounds(
    folder: str | PathLike[str], *, camera: str | None = None, size: str | None = None, horizon: float | None = None
) -> Iterator[Background]:
    """The images of a folder as frames use them, by name.

    Args:
        folder: of thermal images, or one of `gis backgrounds`, whose frames may have kelvin.
        camera: see :func:`open_background`.
        size: see :func:`open_background`.
        horizon: see :func:`open_background`.

    Raises:
        BackgroundError: no images, or one that cannot be used, by name.
    """
    backgrounds = scan_backgrounds(Path(folder))
    for file in backgrounds.files:
        yield open_background(backgrounds, file, camera=camera, size=size, horizon=horizon)


def open_background(
    backgrounds: Backgrounds,
    chosen: BackgroundFile,
    *,
    camera: str | None = None,
    size: str | None = None,
    horizon: float | None = None,
) -> Background:
    """Reads a background, crops the largest centred window of the wanted shape, and resizes it.

    Args:
        backgrounds: the folder.
        chosen: one of its files.
        camera: name or file of the camera that took it; None assumes :data:`ASSUMED_CAMERA`.
        size: of the result, see :func:`pipelines.cameras.parse_size`; None is a square of 512.
        horizon: row of the horizon in the image on disk; None takes it from the camera's pitch.

    Raises:
        BackgroundError: the image cannot be used, or has changed since the folder was read.
    """
    path = backgrounds.folder / chosen.name
    data = _read_bytes(path)
    if sha256(data) != chosen.sha256:
        raise BackgroundError(f"{path}: changed while the data set was made: expected the file that was there before")
    sidecar = chosen.sidecar or {}
    kelvin = _decode_kelvin(data, path, sidecar) if sidecar.get("radiometric") else None
    image = decode_grey(data, path) if kelvin is None else kelvin
    whole, camera_source = _camera_of(image.shape, camera, sidecar)
    width, height = parse_size(size or str(DEFAULT_SIZE_PX))
    window = left, top, right, bottom = centred_window(image.shape, width, height)
    resized = resize_window(image, window, width, height)
    grey, span_K = (resized.astype(np.uint8), None) if kelvin is None else _grey_of_kelvin(resized)
    return Background(
        image=np.ascontiguousarray(grey),
        camera=whole.crop(left, top, right - left, bottom - top).resize(width, height),
        horizon_px=None if horizon is None else (horizon - top) * height / (bottom - top),
        file=chosen,
        crop_px=window,
        camera_source=camera_source,
        horizon_source="from the camera's pitch" if horizon is None else "given",
        kelvin=None if kelvin is None else np.asarray(resized, dtype=np.float32),
        span_K=span_K,
    )


def _decode_kelvin(data: bytes, path: Path, sidecar: dict[str, Any]) -> Float32:
    """Temperatures of an ingested radiometric frame."""
    counts = decode_png(data, str(path))
    low, high = (float(value) for value in sidecar["span_K"])
    if counts.dtype != np.uint16 or counts.ndim != 2 or not 0 < low < high:
        raise BackgroundError(f"{path}: expected a grey 16-bit PNG and its span_K; run `gis backgrounds` again")
    return from_uint16(counts, (low, high))


def _grey_of_kelvin(kelvin: Float32) -> tuple[UInt8, tuple[float, float]]:
    """8 bits over the span of the temperatures, and that span."""
    low = float(kelvin.min())
    high = max(float(kelvin.max()), low + 1e-3)
    return np.asarray(np.rint((kelvin - low) * (255.0 / (high - low))), dtype=np.uint8), (low, high)


def _camera_of(shape: tuple[int, ...], name: str | None, sidecar: dict[str, Any]) -> tuple[Camera, str]:
    """Camera of the whole image, and where it comes from.

    A preset of another size is taken for the same lens on another number of pixels.
    """
    rows, columns = shape
    stored = sidecar.get("intrinsics")
    try:
        of_file = Camera.from_json(stored) if stored and name is None else None
    except (CameraError, KeyError, TypeError) as error:
        raise BackgroundError(f"intrinsics of a sidecar: {error}; run `gis backgrounds` again") from error
    if of_file is not None:
        return of_file, str(sidecar["optics"]["source"])
    preset = named_camera(name, None, crop=False) or read_cameras(CAMERAS)[ASSUMED_CAMERA]
    source = "given" if name else f"assumed {ASSUMED_CAMERA}"
    if (preset.width, preset.height) == (columns, rows):
        return preset, source
    return replace(preset.fitted(columns, rows), name=preset.name), source


def _read_bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except PictureError as error:
        raise BackgroundError(f"{path}: cannot be read: {error}") from error
