"""What `--passes` added to a frame: which files there are, and each against mask, zones and depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import ZONES

from pipelines.dataset.record import FrameRecord, InstanceRecord
from pipelines.dataset.validation.planes import Planes
from pipelines.dataset.validation.run_lengths import decode_rle
from pipelines.errors import DatasetError
from pipelines.io.exr import decode_exr
from pipelines.io.images import decode_png

__all__ = ["check_passes", "expected_passes"]

_FILES = {"normals": ("png", "exr"), "parts": ("png", "json"), "flow": ("png", "exr")}
"""Suffixes of the files of each pass, which lie in a folder of its name."""
_SLACK = 1e-3
"""Of the length of a unit vector in float32."""
_COUNTS = 0.501
"""Rounding of 16 bits."""
_SLACK_PX = 1.0


def _asked(passes: str | None) -> set[str]:
    return {*(passes or "").replace(" ", "").split(",")} - {""}


def expected_passes(record: FrameRecord, seconds: float | None, fps: float, passes: str | None) -> set[str]:
    """Names of the files that a frame has of the passes; the last frame of a sequence has no flow."""
    asked = _asked(passes)
    if seconds is None or record.index % (frames := round(seconds * fps)) == frames - 1:
        asked -= {"flow"}
    wanted = {f"{name}/{record.stem}.{suffix}" for name in asked & {*_FILES} for suffix in _FILES[name]}
    # Which cameras of a rig have a partner is known to the rig alone.
    pair = {f"disparity/{record.stem}.{suffix}" for suffix in ("png", "exr")}
    return wanted | pair if "stereo" in asked and pair & set(record.files) else wanted


def check_passes(record: FrameRecord, planes: Planes, passes: str | None) -> Iterator[str]:
    """What is wrong with the passes of a frame, one line each."""
    asked = _asked(passes)
    for name, check in (("normals", _normals), ("parts", _parts), ("stereo", _disparity)):
        if name in asked:
            try:
                yield from (f"{name}: {problem}" for problem in check(planes))
            except (DatasetError, KeyError, TypeError, ValueError) as error:
                yield f"{name}: cannot be read ({error})"
    for item in record.instances:
        yield from (f"object {item.id}: {problem}" for problem in _amodal(item, planes, "amodal" in asked))


def _normals(planes: Planes) -> Iterator[str]:
    """Unit vectors where something was hit, nothing elsewhere; the picture is that of the numbers."""
    where = f"normals/{planes.name}"
    if not all(planes.files.has(f"{where}.{suffix}") for suffix in _FILES["normals"]):
        return
    channels = decode_exr(planes.files.read(f"{where}.exr"), where)
    normal = np.stack([channels[axis] for axis in "XYZ"], axis=-1)
    coded = decode_png(planes.files.read(f"{where}.png"), where)
    shape = (*planes.shape, 3)
    if normal.shape != shape or coded.shape != shape or coded.dtype != np.uint16:
        yield f"are {normal.shape} and {coded.dtype} {coded.shape}: expected {shape}, in the picture of uint16"
        return
    length = np.linalg.norm(normal, axis=-1)
    there = length > 0
    if there.any() and np.abs(length[there] - 1.0).max() > _SLACK:
        yield f"one is {length[there].max():.3f} long, expected 1"
    if planes.depth_m is not None and (there & ~np.isfinite(planes.depth_m)).any():
        yield "there are some where nothing was hit"
    wanted = (normal.astype(np.float64) + 1.0) / 2 * 65535
    if (there.any() and np.abs(coded[there] - wanted[there]).max() > _COUNTS) or coded[~there].any():
        yield "the picture differs from the numbers"


def _disparity(planes: Planes) -> Iterator[str]:
    """Known where something was hit; the picture is that of the numbers."""
    where = f"disparity/{planes.name}"
    if not all(planes.files.has(f"{where}.{suffix}") for suffix in ("png", "exr")):
        return
    disparity = decode_exr(planes.files.read(f"{where}.exr"), where)["disparity"]
    coded = decode_png(planes.files.read(f"{where}.png"), where)
    if disparity.shape != planes.shape or coded.shape != planes.shape or coded.dtype != np.uint16:
        yield f"are {disparity.shape} and {coded.dtype} {coded.shape}: expected {planes.shape}, of uint16"
        return
    if planes.depth_m is not None and ((disparity > 0) != np.isfinite(planes.depth_m)).any():
        yield "disparity is not known where something was hit, or known elsewhere"
    there = coded > 0
    if np.abs(coded[there] - disparity[there].astype(np.float64) * 256).max(initial=0.0) > _COUNTS:
        yield "the picture differs from the numbers"


def _parts(planes: Planes) -> Iterator[str]:
    """The picture against the table, the mask and the zones."""
    where = f"parts/{planes.name}"
    if not all(planes.files.has(f"{where}.{suffix}") for suffix in _FILES["parts"]):
        return
    import json

    number = decode_png(planes.files.read(f"{where}.png"), where)
    table: list[dict[str, Any]] = json.loads(planes.files.read(f"{where}.json"))["parts"]
    if number.shape != planes.shape or number.dtype != np.uint16:
        yield f"are {number.dtype} {number.shape}: expected uint16 {planes.shape}"
        return
    if [row["id"] for row in table] != list(range(1, len(table) + 1)):
        yield "the numbers of the table are not 1, 2, 3 ..."
        return
    counts = np.bincount(number.ravel(), minlength=len(table) + 1)
    if len(counts) != len(table) + 1:
        yield f"the picture holds number {len(counts) - 1}, the table has {len(table)}"
        return
    if [row["pixels"] for row in table] != counts[1:].tolist():
        yield "the table says other numbers of pixels than the picture shows"
    yield from _of_table(planes.mask, number, [0, *(row["instance_id"] for row in table)], "mask")
    zones = {info.name: int(info.zone) for info in ZONES}
    shown = None if planes.zones is None else np.where(number > 0, planes.zones, 0)
    yield from _of_table(shown, number, [0, *(zones[row["zone"]] for row in table)], "zones")


def _of_table(plane: NDArray[Any] | None, number: NDArray[np.uint16], values: list[int], name: str) -> Iterator[str]:
    if plane is not None and not np.array_equal(np.array(values)[number], plane):
        yield f"they do not agree with the {name}"


def _amodal(item: InstanceRecord, planes: Planes, asked: bool) -> Iterator[str]:
    """The whole of an object holds what is visible, has as many pixels as are said, and lies in its box."""
    if (item.rle_amodal is not None) != (asked and bool(item.labelled)):
        yield f"rle_amodal is {'there' if item.rle_amodal else 'missing'}, passes and label say otherwise"
    if item.rle_amodal is None:
        return
    try:
        whole = decode_rle(item.rle_amodal, *planes.shape)
    except DatasetError as error:
        yield f"rle_amodal: {error}"
        return
    if (count := int(whole.sum())) != item.amodal_px:
        yield f"its amodal mask has {count} pixels, amodal_px is {item.amodal_px}"
    if planes.mask is not None and (~whole & (planes.mask == item.id)).any():
        yield "its amodal mask does not hold all that is visible"
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    left, top, right, bottom = item.box_amodal_px
    if len(rows) and (
        columns[0] < left - _SLACK_PX or rows[0] < top - _SLACK_PX
        or columns[-1] + 1 > right + _SLACK_PX or rows[-1] + 1 > bottom + _SLACK_PX
    ):  # fmt: skip
        yield "its amodal mask reaches out of its amodal box"
