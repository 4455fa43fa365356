"""Sequences: which frame lies where, and whether an object stays the same object from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from renderer.zones.categories import PEOPLE_AND_ANIMALS

from pipelines.dataset.record import FrameRecord, InstanceRecord

__all__ = ["check_place", "check_tracks", "video_of"]

_IDS = 65536
"""Tracks of one sequence."""
_FASTEST_M_S = 90.0
_MOVED_M = 0.02
"""Way that an object may be off from what its speed says: positions pass through float32, bends are not straight."""


def check_place(record: FrameRecord, seconds: float | None, fps: float) -> Iterator[str]:
    """The frame's place in its sequence follows from its number; its objects' tracks from that and their ids."""
    if seconds is None:
        if record.sequence is not None or any(item.track_id is not None for item in record.instances):
            yield "is of a sequence, dataset.json tells of none"
        return
    number, frame = divmod(record.index, round(seconds * fps))
    place = record.sequence
    if place is None or (place.number, place.frame) != (number, frame):
        yield f"sequence is {place}, its number says {number} and frame {frame} of it"
        return
    if not math.isclose(place.time_s, frame / fps, abs_tol=1e-9):
        yield f"sequence.time_s is {place.time_s}, frame {frame} of {fps:g} a second is at {frame / fps:.4f}"
    for item in record.instances:
        if item.track_id != number * _IDS + item.id:
            yield f"object {item.id}: track_id is {item.track_id}, expected {number * _IDS + item.id}"


def check_tracks(records: Sequence[FrameRecord], fps: float) -> Iterator[str]:
    """One after the other, the objects of a sequence stay what they are and go as far as their speed says."""
    before: dict[int, tuple[FrameRecord, InstanceRecord]] = {}
    for record in records:
        for item in record.instances if record.sequence is not None else ():
            assert record.sequence is not None
            last = before.get(item.track_id or 0)
            if last is not None:
                steps = record.sequence.frame - (last[0].sequence.frame if last[0].sequence else 0)
                where = f"frames.jsonl: frame {record.stem}: track {item.track_id}"
                yield from (f"{where}: {problem}" for problem in _changed(last[1], item, steps / fps))
            before[item.track_id or 0] = record, item


def _changed(one: InstanceRecord, other: InstanceRecord, seconds: float) -> Iterator[str]:
    if one.category != other.category:
        yield f"was a {one.category}, is a {other.category}"
    if one.category not in PEOPLE_AND_ANIMALS and one.model != other.model:
        yield f"was model {one.model!r}, is {other.model!r}"
    if other.speed_m_s is None or one.speed_m_s is None:
        return
    if not 0 <= other.speed_m_s < _FASTEST_M_S:
        yield f"speed_m_s is {other.speed_m_s}"
    moved = float(np.hypot(*(other.object_to_world[:2, 3] - one.object_to_world[:2, 3])))
    wanted = other.speed_m_s * seconds
    # In a bend the straight way is shorter than the way that was gone.
    if moved > wanted + _MOVED_M or moved < 0.5 * wanted - _MOVED_M:
        yield f"moved by {moved:.3f} m in {seconds:g} s, its speed of {other.speed_m_s:.2f} m/s says {wanted:.3f} m"


def video_of(record: FrameRecord) -> dict[str, Any]:
    """What COCO's entry of the frame says of its place in a sequence."""
    place = record.sequence
    return {} if place is None else {"video_id": place.number, "frame_index": place.frame, "frame_id": place.frame}
