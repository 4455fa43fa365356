"""The part of each image that counts: masks of the same names, or boxes from a JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gan.data import images
from gan.errors import DataError

from pipelines.evaluation.config import EvaluateConfig
from pipelines.evaluation.images import find_images

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
            raise DataError(
                f"{self._masks[name]} is {mask.shape[1]}x{mask.shape[0]} px: expected {shape[1]}x{shape[0]}"
            )
        return np.asarray(mask)


def _read_boxes(path: Path) -> dict[str, list[Box]]:
    """Boxes (x0, y0, x1, y1) in pixels by image name, from COCO or a plain mapping."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "annotations" in content:
            boxes: dict[str, list[Box]] = {Path(image["file_name"]).stem: [] for image in content["images"]}
            names = {image["id"]: Path(image["file_name"]).stem for image in content["images"]}
            for item in content["annotations"]:
                x, y, width, height = map(float, item["bbox"])
                boxes[names[item["image_id"]]].append((x, y, x + width, y + height))
            return boxes
        return {Path(name).stem: [_box(item) for item in items] for name, items in content.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path} holds no boxes ({reason}): expected COCO, or {{name: [[x0, y0, x1, y1]]}}") from error


def _box(item: Sequence[float]) -> Box:
    x0, y0, x1, y1 = map(float, item)
    return x0, y0, x1, y1
