"""Real frames and the boxes of their cars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gan.data.images import PICTURE_SUFFIXES, list_images
from gan.data.skipped import skipped_lines
from gan.errors import ItemError
from numpy.typing import NDArray
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D

from pipelines.backgrounds.geometry.boxes import KnownBox, read_boxes
from pipelines.backgrounds.geometry.horizon import horizon_from_boxes
from pipelines.errors import ConfigError
from pipelines.fitting.fitter import level_camera
from pipelines.io.files import read_json
from pipelines.io.images import PictureError, decode_luminance, read_bytes

__all__ = ["RealFrame", "read_image", "scan_frames"]

STRETCH = (0.5, 99.5)
"""Percentiles of 16-bit counts that become black and white."""


@dataclass(frozen=True)
class RealFrame:
    """A frame with boxes."""

    name: str
    path: Path
    camera: Camera
    """Level, with its principal row at the horizon of this frame."""
    boxes: tuple[KnownBox, ...]
    time: str
    group: str
    split: str = ""
    """``train`` or ``val`` where the boxes say so."""

    def cars(self, min_px: float) -> list[tuple[int, Box2D]]:
        """Numbers and boxes of the cars whose shorter side has that many pixels."""
        sized = [(place, box.box_px) for place, box in enumerate(self.boxes) if box.kind == "car"]
        return [(place, (a, b, c, d)) for place, (a, b, c, d) in sized if min(c - a, d - b) >= min_px]


def read_image(path: Path) -> NDArray[np.uint16]:
    """(H, W) picture over the full 16-bit range.

    Raises:
        ItemError: no picture.
    """
    try:
        pixels = decode_luminance(read_bytes(path))
    except PictureError as error:
        raise ItemError(f"{path}: cannot be read: {error}") from None
    if not np.isfinite(pixels).all():
        raise ItemError(f"{path}: holds pixels that are no number (NaN or inf): expected finite values")
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, dtype=np.uint16) * np.uint16(257)
    low, high = np.percentile(pixels, STRETCH)
    share = (pixels.astype(np.float64) - low) / max(float(high - low), 1.0)
    return np.asarray(np.rint(np.clip(share, 0, 1) * 65535), dtype=np.uint16)


def scan_frames(
    folder: Path, boxes: Path, camera: Camera, report: Callable[[str], None] = lambda line: None
) -> list[RealFrame]:
    """Frames that have boxes, by name.

    Args:
        folder: of the pictures.
        boxes: see `read_boxes`.
        camera: that took them.
        report: takes lines for the user.

    Raises:
        ConfigError: no pictures, none with boxes of cars, a box outside its picture, or pictures of another size than
            the camera's.
        BackgroundError: the boxes cannot be read.
    """
    if not boxes.exists():
        raise ConfigError(f"{boxes}: no such file or folder: expected boxes as COCO, KITTI, YOLO, or JSON by image")
    pictures = list_images(folder, suffixes=PICTURE_SUFFIXES)
    if not pictures:
        raise ConfigError(
            f"{folder}: holds no pictures ({', '.join(PICTURE_SUFFIXES)}): give the folder of the thermal frames"
        )
    known, about = read_boxes(boxes, report), _about(boxes)
    frames, skipped = [], []
    for path in pictures:
        if not any(box.kind == "car" for box in known.get(path.stem, ())):
            continue
        try:
            frames.append(_frame(path, known[path.stem], camera, about.get(path.stem, {})))
        except ItemError as error:
            skipped.append((path.name, str(error)))
    for line in skipped_lines(skipped, len(frames) + len(skipped), "pictures"):
        report(line)
    if skipped and not frames:
        raise ConfigError(f"none of {len(skipped)} pictures with boxes of cars can be used, e.g. {skipped[0][1]}")
    if not frames:
        raise ConfigError(f"{boxes}: no boxes of cars for any picture in {folder}: names (without suffix) must agree")
    return frames


def _about(boxes: Path) -> dict[str, dict[str, Any]]:
    """Time of day and group by frame, where a JSON object by image gives them."""
    data = read_json(boxes, allow_nan=True) if boxes.suffix.lower() == ".json" else {}
    pairs = data.items() if isinstance(data, dict) else ()
    return {str(name).rsplit(".", 1)[0]: entry for name, entry in pairs if isinstance(entry, dict)}


def _frame(path: Path, boxes: tuple[KnownBox, ...], camera: Camera, about: dict[str, Any]) -> RealFrame:
    height, width = read_image(path).shape
    if (width, height) != (camera.width, camera.height):
        raise ConfigError(
            f"{path}: is {width}x{height}, camera {camera.name!r} is {camera.width}x{camera.height}: "
            "give the --camera that took these frames"
        )
    inside = tuple(box.in_pixels(width, height) for box in boxes)
    for box in inside:
        a, b, c, d = box.box_px
        if a < -1 or b < -1 or c > width + 1 or d > height + 1:
            raise ConfigError(f"{path}: box {box.box_px} reaches outside the {width}x{height} picture: mend the boxes")
    horizon = horizon_from_boxes(inside, camera, level=True)
    level = camera if horizon is None else level_camera(camera, horizon)
    return RealFrame(path.stem, path, level, inside, str(about.get("time", "")), str(about.get("group", "")),
                     str(about.get("split", "")))  # fmt: skip
