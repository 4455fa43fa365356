"""The part of each image that counts: masks of the same names, or boxes from a JSON file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gan.data import images
from gan.errors import DataError, ItemError

from pipelines.errors import DatasetError
from pipelines.evaluation.config import EvaluateConfig
from pipelines.evaluation.images import find_images
from pipelines.io.coco import is_coco, read_coco
from pipelines.io.files import read_json

__all__ = ["Regions"]

Mask = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]


class Regions:
    """Masks of the pixels that count."""

    def __init__(self, config: EvaluateConfig) -> None:
        self._masks = find_images(config.masks) if config.masks is not None else None
        self._boxes = _read_boxes(config.boxes) if config.boxes is not None else None

    def of(self, name: str, shape: tuple[int, ...]) -> Mask | None:
        """Region of one image of (H, W), or None when all of it counts."""
        if self._masks is not None:
            return self._mask(name, shape)
        if self._boxes is None:
            return None
        if name not in self._boxes:
            raise DataError(f"{name} has no entry in the file of boxes: expected one per image (an empty list is fine)")
        region = np.zeros(shape, dtype=np.bool_)
        for x0, y0, x1, y1 in self._boxes[name]:
            # A pixel counts when its centre lies in the box.
            rows = slice(max(math.ceil(y0 - 0.5), 0), max(math.ceil(y1 - 0.5), 0))
            region[rows, max(math.ceil(x0 - 0.5), 0) : max(math.ceil(x1 - 0.5), 0)] = True
        return region

    def _mask(self, name: str, shape: tuple[int, ...]) -> Mask:
        assert self._masks is not None
        if name not in self._masks:
            raise DataError(f"{name} has no mask: expected a mask of the same name for each image")
        mask = images.read_image(self._masks[name]).any(axis=0)
        if mask.shape != shape:
            raise ItemError(
                f"{self._masks[name]} is {mask.shape[1]}x{mask.shape[0]} px: expected {shape[1]}x{shape[0]}"
            )
        return np.asarray(mask)


def _read_boxes(path: Path) -> dict[str, list[Box]]:
    """Boxes (x0, y0, x1, y1) in pixels by image name, from COCO or a plain mapping."""
    try:
        content = read_json(path, allow_nan=True)
        if is_coco(content):
            images_of_file = read_coco(content, str(path), categories=False)
            return {image.name: [box.box_px for box in image.boxes] for image in images_of_file}
        return {Path(name).stem: [_box(item) for item in items] for name, items in content.items()}
    except DatasetError as error:
        raise DataError(str(error)) from None
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path} holds no boxes ({reason}): expected COCO, or {{name: [[x0, y0, x1, y1]]}}") from error


def _box(item: Sequence[float]) -> Box:
    x0, y0, x1, y1 = map(float, item)
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise ValueError(f"box {(x0, y0, x1, y1)}")
    return x0, y0, x1, y1
