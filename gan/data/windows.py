"""Windows cut around the objects of source tensors, so that training sees objects and not the street alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gan.data.decoded_images import DecodedImages
from gan.errors import DataError

__all__ = ["MIN_OBJECT_PX", "WindowCutter", "WindowPlacement"]

MIN_OBJECT_PX: Final = 24
"""Longer side of the smallest object that a window is cut around."""
_MARGIN: Final = 1.2
"""A window holds this multiple of the object's longer side, as crops that are compared do."""
_INTERPOLATION: Final = {"segmentation": cv2.INTER_NEAREST, "instance_id": cv2.INTER_NEAREST,
                         "entry": cv2.INTER_NEAREST, "inverse_depth": cv2.INTER_LINEAR}  # fmt: skip
"""Numbers that have no mean, and depth, whose steps must not ring. Pictures are cubic: windows lie between the pixels,
and linear interpolation would take the finest detail out of all that a network learns from."""


@dataclass(frozen=True)
class WindowPlacement:
    """Where a training window lies about its object, and how large it shows it."""

    zoom: float = 1.0
    """Magnification of the picture."""
    shift_x: float = 0.0
    """Shift of the window as a share of what keeps the object's centre inside, -1 to 1."""
    shift_y: float = 0.0
    """The same downwards."""

    @staticmethod
    def draw(rng: np.random.Generator, zoom: float) -> WindowPlacement:
        """A random window with a magnification between 1 / zoom and zoom."""
        log_zoom, across, down = rng.uniform(-1, 1, 3)
        return WindowPlacement(float(max(zoom, 1.0) ** log_zoom), float(across), float(down))


class WindowCutter:
    """Cuts windows of one size from decoded source tensors.

    Args:
        samples: DecodedImages samples with a plane ``instance_id``.
        rows: Samples to take objects from.
        edge_px: Edge of the windows.

    Raises:
        DataError: Where no sample shows an object, or windows are larger than the samples.
    """

    def __init__(self, samples: DecodedImages, rows: Sequence[int], edge_px: int) -> None:
        if edge_px > min(samples.size):
            raise DataError(f"crop of {edge_px} px: samples are {samples.size} (H, W); expected a smaller crop")
        self._planes, self._edge = samples.planes, edge_px
        self._objects = [
            (row, box) for row in rows for box in _boxes(np.asarray(samples.planes["instance_id"][row, 0]))
        ]
        if not self._objects:
            raise DataError(f"no sample shows an object of {MIN_OBJECT_PX} px: expected masks of objects, or no crop")

    def __len__(self) -> int:
        """Number of objects."""
        return len(self._objects)

    def cut(self, places: Sequence[int], windows: Sequence[WindowPlacement] | None = None) -> dict[str, Tensor]:
        """The planes of some windows, (N, C, edge, edge); without ``windows`` each lies about its object's centre."""
        placements = windows or [WindowPlacement()] * len(places)
        parts = [self._one(*self._objects[place], window) for place, window in zip(places, placements, strict=True)]
        return {name: _to_tensor(np.stack([part[name] for part in parts])) for name in parts[0]}

    def _one(self, row: int, box: tuple[int, int, int, int], window: WindowPlacement) -> dict[str, npt.NDArray[Any]]:
        left, top, right, bottom = box
        size = max(right - left, bottom - top)
        zoom = min(window.zoom, self._edge / (_MARGIN * size))
        shape = self._planes["instance_id"].shape[2:]
        # A window that would be larger than the sample is magnified until it fits.
        side = min(self._edge / zoom, *shape)
        scale = self._edge / side
        room = max(side - _MARGIN * size, 0.0) / 2
        x = _clamped((left + right) / 2 + window.shift_x * room - side / 2, shape[1] - side)
        y = _clamped((top + bottom) / 2 + window.shift_y * room - side / 2, shape[0] - side)
        # cv2 counts pixel centres at whole numbers; pixel u of the window shows point (u + 0.5) / scale + x.
        affine = np.array([[1 / scale, 0, x + 0.5 / scale - 0.5], [0, 1 / scale, y + 0.5 / scale - 0.5]])
        parts = {name: self._warp(name, plane[row], affine) for name, plane in self._planes.items()}
        # What is magnified looks that much nearer.
        nearer = parts["inverse_depth"] * np.float32(scale)
        parts["inverse_depth"] = np.minimum(np.rint(nearer), np.iinfo(np.uint16).max).astype(np.uint16)
        return parts

    def _warp(self, name: str, plane: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        flags, size = _INTERPOLATION.get(name, cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP, (self._edge, self._edge)
        border = cv2.BORDER_REPLICATE
        return np.stack(
            [cv2.warpAffine(np.array(channel), affine, size, flags=flags, borderMode=border) for channel in plane]
        )


def _clamped(value: float, most: float) -> float:
    return min(max(value, 0.0), max(most, 0.0))


def _boxes(ids: npt.NDArray[np.uint16]) -> list[tuple[int, int, int, int]]:
    """Boxes (left, top, right, bottom) of the objects that are large enough."""
    boxes = []
    for number in np.unique(ids[ids > 0]):
        rows, columns = np.nonzero(ids == number)
        box = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
        if max(box[2] - box[0], box[3] - box[1]) >= MIN_OBJECT_PX:
            boxes.append(box)
    return boxes


def _to_tensor(stack: npt.NDArray[Any]) -> Tensor:
    """uint16 as the same bits in int16, which torch has everywhere."""
    return torch.from_numpy(stack.view(np.int16) if stack.dtype == np.uint16 else stack)
