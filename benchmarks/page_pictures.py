"""Pictures of the pages, out of data sets: frames beside each other, and what lies beside a frame.

    python -m benchmarks.page_pictures SET PICTURE [--frames 0 1 2 3] [--columns 4] [--width 300] [--show image]
    python -m benchmarks.page_pictures SET PICTURE --frames 1 4 --columns 4 --show image normals parts amodal

SET is a folder of `gis synthesize`. ``--show`` says what is drawn of each frame, one tile after the other:

==========  ============================================================================================
image       the infrared image
boxes       it, with what is visible of each object in its box
labels      it, with boxes, 3-D boxes and the outlines of the masks
normals     ``normals/`` as they lie there
visible     ``visible/``, the twin in colour
parts       ``parts/``, a colour for each part
amodal      it, with the outlines of whole objects (``--passes amodal``)
disparity   ``disparity/``, near red
celsius     temperatures between the limits of ``--span``, degrees Celsius
before      the same of the background without what was put into it, of the folder ``--backgrounds``
==========  ============================================================================================

``NAME:WHAT`` takes it from the folder NAME of a rig. 3-D boxes of a lens that distorts are drawn through it.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.dataset.contact_sheet import CATEGORY_COLOURS, PALE, instance_colours
from pipelines.dataset.record import FrameRecord, InstanceRecord
from pipelines.dataset.store import read_records
from pipelines.dataset.validation.run_lengths import decode_rle
from pipelines.io.files import read_json, write_bytes
from renderer.geometry.boxes import box_3d_corners_m
from renderer.geometry.camera import Camera
from renderer.thermal.sensor import from_uint16

__all__ = ["main", "page_picture"]

UInt8 = NDArray[np.uint8]
Tile = Callable[[Path, FrameRecord], UInt8]
_GAP_PX: Final = 8
_PAPER: Final = 255
_EDGE_STEPS: Final = 24
"""Points along an edge of a 3-D box, which a lens bends."""
_NEAR_M: Final = 0.3
KELVIN_OF_0_C: Final = 273.15
_LINE: Final = cv2.LINE_AA


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--frames", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--width", type=int, default=300, help="of a tile, pixels")
    parser.add_argument("--show", nargs="+", default=["image"], help="see above")
    parser.add_argument("--span", type=float, nargs=2, default=(0.0, 30.0), help="for celsius and before")
    parser.add_argument("--backgrounds", type=Path, help="for before: made by `gis backgrounds`")
    options = parser.parse_args()
    tiles = {**TILES, **_degrees(tuple(options.span), options.backgrounds)}
    shown = page_picture(options.set, options.frames, options.show, options.columns, options.width, tiles)
    suffix, grey = options.picture.suffix, shown[..., 0]
    colours = grey if (shown == grey[..., None]).all() else shown[..., ::-1]
    done, data = cv2.imencode(suffix, colours, [cv2.IMWRITE_JPEG_QUALITY, 88] if suffix == ".jpg" else [])
    if not done:
        raise SystemExit(f"error: {options.picture}: expected a name that ends in .jpg or .png")
    write_bytes(options.picture, data.tobytes())


def page_picture(
    folder: Path, frames: list[int], show: list[str], columns: int, width: int, tiles: Mapping[str, Tile]
) -> UInt8:
    """(H, W, 3) tiles of some frames on white, in rows.

    Args:
        folder: a data set, or a rig of several.
        frames: their numbers.
        show: what is drawn of each.
        columns: tiles of a row.
        width: of a tile, pixels.
        tiles: what draws each of the words that ``show`` may have.
    """
    drawn = []
    for index, name in itertools.product(frames, show):
        where, _, what = name.rpartition(":")
        if what not in tiles:
            raise SystemExit(f"error: --show {what}: expected one of {', '.join(tiles)}")
        made = folder / where
        records = {record.index: record for record in read_records(made, FrameRecord)}
        if index not in records:
            raise SystemExit(f"error: {made}: no frame {index}: it has {len(records)}")
        tile = tiles[what](made, records[index])
        height = round(tile.shape[0] * width / tile.shape[1])
        drawn.append(np.asarray(cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8))
    rows = [_row(drawn[first : first + columns], columns) for first in range(0, len(drawn), columns)]
    gap = np.full((_GAP_PX, rows[0].shape[1], 3), _PAPER, np.uint8)
    return np.vstack([part for row in rows for part in (row, gap)][:-1])


def _row(tiles: list[UInt8], columns: int) -> UInt8:
    height, width = max(tile.shape[0] for tile in tiles), tiles[0].shape[1]
    shown = np.full((height, columns * (width + _GAP_PX) - _GAP_PX, 3), _PAPER, np.uint8)
    for number, tile in enumerate(tiles):
        left = number * (width + _GAP_PX)
        shown[: tile.shape[0], left : left + width] = tile
    return shown


def _read(path: Path) -> NDArray[Any]:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise SystemExit(f"error: {path}: not there, or not an image")
    return np.asarray(image)


def _image(made: Path, record: FrameRecord) -> UInt8:
    grey = _read(made / f"images/{record.stem}.png")
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def _colour(item: InstanceRecord) -> tuple[int, int, int]:
    return CATEGORY_COLOURS.get(item.category, PALE)


def _boxes(made: Path, record: FrameRecord) -> UInt8:
    shown = _image(made, record)
    for item in record.instances:
        if item.labelled and item.box_visible_px:
            left, top, right, bottom = (round(edge) for edge in item.box_visible_px)
            cv2.rectangle(shown, (left, top), (right - 1, bottom - 1), _colour(item), 1)
    return shown


def _labels(made: Path, record: FrameRecord) -> UInt8:
    shown = _boxes(made, record)
    mask = _read(made / f"masks/{record.stem}.png")
    for item in record.instances:
        if item.labelled:
            _outline(shown, mask == item.id, (90, 230, 90))
            _box_3d(shown, item, record.camera)
    return shown


def _outline(shown: UInt8, mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, outlines, -1, colour, 1, _LINE)


def _box_3d(shown: UInt8, item: InstanceRecord, camera: Camera) -> None:
    corners, share = box_3d_corners_m(item.box_3d), np.linspace(0, 1, _EDGE_STEPS)[:, None]
    for number in range(4):
        after = (number + 1) % 4
        for first, second in ((number, after), (number + 4, after + 4), (number, number + 4)):
            points = corners[first] * (1 - share) + corners[second] * share
            points = points[points[:, 2] > _NEAR_M]
            if len(points) > 1:
                line = np.rint(camera.project(points)).astype(np.int32)
                cv2.polylines(shown, [line.reshape(-1, 1, 2)], False, _colour(item), 1, _LINE)


def _visible(made: Path, record: FrameRecord) -> UInt8:
    return _read(made / f"visible/{record.stem}.png").astype(np.uint8)[..., ::-1]


def _normals(made: Path, record: FrameRecord) -> UInt8:
    return (_read(made / f"normals/{record.stem}.png") >> 8).astype(np.uint8)[..., ::-1]


def _parts(made: Path, record: FrameRecord) -> UInt8:
    return instance_colours(_read(made / f"parts/{record.stem}.png").astype(np.uint16))


def _amodal(made: Path, record: FrameRecord) -> UInt8:
    shown = _image(made, record)
    for item in record.instances:
        if item.rle_amodal:
            _outline(shown, decode_rle(item.rle_amodal, *shown.shape[:2]), _colour(item))
    return shown


def _disparity(made: Path, record: FrameRecord) -> UInt8:
    steps = _read(made / f"disparity/{record.stem}.png").astype(np.float64)
    share = np.log1p(steps) / np.log1p(max(float(steps.max()), 1.0))
    shown = cv2.applyColorMap(np.rint(share * 255).astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1].copy()
    shown[steps == 0] = 0
    return np.asarray(shown, dtype=np.uint8)


def _degrees(span_C: tuple[float, float], backgrounds: Path | None) -> dict[str, Tile]:
    """What shows temperatures, on one scale."""

    def shown(counts: NDArray[np.uint16], span_K: tuple[float, float]) -> UInt8:
        share = (from_uint16(counts, span_K) - KELVIN_OF_0_C - span_C[0]) / (span_C[1] - span_C[0])
        return np.repeat(np.rint(np.clip(share, 0, 1) * 255)[..., None], 3, axis=2).astype(np.uint8)

    def celsius(made: Path, record: FrameRecord) -> UInt8:
        if record.span_K is None:
            raise SystemExit(f"error: {made}: frame {record.index} has no temperatures")
        return shown(_read(made / f"images16/{record.stem}.png"), record.span_K)

    def before(made: Path, record: FrameRecord) -> UInt8:
        behind = record.background
        if backgrounds is None or behind is None or behind.name is None or behind.crop_px is None:
            raise SystemExit(f"error: {made}: expected a set over backgrounds, and their folder with --backgrounds")
        path, (left, top, right, bottom) = backgrounds / behind.name, behind.crop_px
        span_K = read_json(path.with_suffix(".json"))["span_K"]
        return shown(_read(path)[top:bottom, left:right], span_K)

    return {"celsius": celsius, "before": before}


TILES: Final[dict[str, Tile]] = {
    "image": _image, "boxes": _boxes, "labels": _labels, "normals": _normals, "visible": _visible, "parts": _parts,
    "amodal": _amodal, "disparity": _disparity,
}  # fmt: skip

if __name__ == "__main__":
    main()
