"""Stored planes to tensors: uint8 and uint16 on disk, float32 in [-1, 1] in a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gan.data.batch import Batch
from gan.data.decoded_images import DecodedImages

__all__ = ["Plane", "place_planes", "planes_to_batch", "take_rows", "to_unit"]

Plane = npt.NDArray[Any] | Tensor
"""(N, C, H, W) uint8, or the bits of uint16 as int16; mapped from disk, or in a device's memory."""


def planes_to_batch(planes: Mapping[str, Tensor]) -> Batch:
    """Stored planes, (N, C, H, W) uint8 or the bits of uint16 as int16, to a batch in [-1, 1] on their device."""
    target = to_unit(planes["target"])
    objects = None
    if "entry" in planes:
        objects = torch.cat((planes["entry"].int(), planes["instance_id"].int() & 0xFFFF), dim=1)
    if "source" in planes:
        return Batch(to_unit(planes["source"]), target, objects=objects)
    segmentation = planes["segmentation"]
    heat = [(segmentation == level).float() * 2 - 1 for level in (1, 2, 3)]
    source = torch.cat((to_unit(planes["label_image"]), *heat, to_unit(planes["inverse_depth"])), dim=1)
    return Batch(source, target, objects=objects)


def place_planes(decoded: DecodedImages, device: torch.device | None) -> dict[str, Plane]:
    """The planes as they are mapped from disk, or in a device's memory."""
    if device is None:
        return {name: _bits(plane) for name, plane in decoded.planes.items()}
    return {name: torch.from_numpy(np.array(_bits(plane))).to(device) for name, plane in decoded.planes.items()}


def _bits(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # torch can do little with uint16; its bits travel as int16.
    return plane.view(np.int16) if plane.dtype == np.uint16 else plane


def take_rows(plane: Plane, rows: Sequence[int]) -> Tensor:
    """Some rows of a plane, (len(rows), C, H, W), on its device."""
    if isinstance(plane, Tensor):
        return plane[torch.tensor(list(rows), device=plane.device)]
    return torch.from_numpy(np.asarray(plane[list(rows)]))


def to_unit(plane: Tensor) -> Tensor:
    """Stored integers to float32 in [-1, 1]."""
    if plane.dtype == torch.uint8:
        return (plane.float() * (2 / 255) - 1).clamp_(-1, 1)
    return ((plane.int() & 0xFFFF).float() * (2 / 65535) - 1).clamp_(-1, 1)
