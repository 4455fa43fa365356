"""Parts of objects as files: which mesh of which object a pixel shows, and which thermal zone of it.

``parts/000000.png`` has 16 bits: a number for each object, mesh and zone that is seen, 0 where the mask is 0.
``parts/000000.json`` is the table of the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Frame
from renderer.zones.catalogue import ZONES

from pipelines.errors import DatasetError
from pipelines.io.images import encode_png

__all__ = ["ObjectPart", "ObjectParts", "object_parts", "part_files"]

_ZONES = {int(info.zone): info.name for info in ZONES}
_MOST = 65535
_STEP = 256
"""Zones have 8 bits."""


@dataclass(frozen=True)
class ObjectPart:
    """A part that is seen."""

    id: int
    """Its number in the picture, from 1, by object, mesh and zone."""
    instance_id: int
    """Its object's number in the mask."""
    part: str
    """Name of the mesh."""
    zone: str
    """Name of the thermal zone, as in ``dataset.json``."""
    pixels: int


@dataclass(frozen=True, eq=False)
class ObjectParts:
    """The parts of a frame's objects."""

    number: NDArray[np.uint16]
    """(H, W) :attr:`ObjectPart.id`; 0 where the mask is 0."""
    table: Sequence[ObjectPart]


def object_parts(frame: Frame) -> ObjectParts:
    """The parts of all objects in a frame's instance pass.

    Raises:
        ValueError: the frame has no parts.
        DatasetError: there are more of them than 16 bits count.
    """
    if frame.part is None:
        raise ValueError(f"frame {frame.index}: expected one that was rendered with parts")
    keys = frame.instance_id.astype(np.int64) << 32 | frame.part.astype(np.int64) * _STEP | frame.zone
    keys[frame.instance_id == 0] = 0
    found, numbers, pixels = np.unique(np.append(keys, 0), return_inverse=True, return_counts=True)
    if len(found) - 1 > _MOST:
        raise DatasetError(
            f"frame {frame.index}: {len(found) - 1} parts are seen: expected at most {_MOST}; label fewer"
        )
    table = [
        ObjectPart(number, key >> 32, _name(frame, key >> 8 & 0xFFFF), _ZONES[key & 0xFF], count)
        for number, (key, count) in enumerate(zip(found.tolist(), pixels.tolist(), strict=True))
        if number
    ]
    return ObjectParts(numbers[:-1].reshape(keys.shape).astype(np.uint16), table)


def _name(frame: Frame, part: int) -> str:
    return frame.parts[part - 1].name if part else ""


def part_files(name: str, parts: ObjectParts) -> dict[str, bytes]:
    """Contents of the files of a frame by their names below the folder."""
    rows = ",\n".join(json.dumps(asdict(row)) for row in parts.table)
    text = f'{{"parts": [\n{rows}\n]}}\n' if rows else '{"parts": []}\n'
    return {f"parts/{name}.png": encode_png(parts.number), f"parts/{name}.json": text.encode()}
