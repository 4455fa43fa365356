"""How many cars frames have, how large they are, how they hide each other and are cut by the border: sets side by side.

    python -m benchmarks.object_statistics [NAME:]SET ... [--window 512x512] [--out PICTURE.png]

A SET is a data set of gis (its placed objects, not those of its backgrounds), FRAMES=BOXES (a folder of images and what
--boxes takes), or a folder of KITTI labels. --window cuts boxes of larger images to the centred window, as
`gis synthesize --camera` does. Heights are those of 640x512 or 512x512 pixels: no set is scaled. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.data.images import list_images, read_image
from pipelines.backgrounds.geometry.boxes import read_boxes
from pipelines.cameras import parse_size
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records

__all__ = ["Statistics", "boxes_of", "main", "statistics"]

Array = NDArray[np.float64]

VEHICLES = frozenset({"car", "van", "truck", "bus"})
HEIGHTS_PX = (10, 14, 20, 26, 32, 45, 64, 93, 130, 190, 270, 512)
"""Edges of the bins of heights."""
KITTI_SIZE_PX = (1242, 375)
BORDER_PX = 1.5
"""A box that comes so near to the border is cut by it."""
HIDDEN_SHARE = 0.1
"""Of a car's box that the box of one nearer car covers, where the first stands behind the second."""
MIN_BOX_PX = 3.0
"""Sides of what the window leaves of a box, from which on it counts."""
BAR_PX, ROW_PX, NAME_PX = 44, 120, 190


@dataclass(frozen=True)
class Statistics:
    """Figures of a set."""

    frames: int
    cars_per_frame: float
    frames_without: float
    """Share of the frames."""
    frames_with_several: float
    """Share of the frames that have two cars or more."""
    height_px: tuple[float, float, float]
    """Quantiles of 10, 50 and 90 %."""
    below_26_px: float
    """Share of the cars, as all below."""
    below_14_px: float
    behind_cars: float
    cut_by_sides: float
    cut_below: float
    heights: tuple[float, ...]
    """Share of the cars in each bin of HEIGHTS_PX."""


def statistics(frames: Sequence[Array], size_px: tuple[int, int]) -> Statistics:
    """Figures of the boxes (N, 4) of frames of one size: left, top, right, bottom."""
    boxes = np.concatenate([np.zeros((0, 4)), *frames])
    counts = np.array([len(one) for one in frames])
    height = boxes[:, 3] - boxes[:, 1]
    bins = np.histogram(height, HEIGHTS_PX)[0] / max(len(height), 1)
    quantiles = np.quantile(height, (0.1, 0.5, 0.9)) if len(height) else np.zeros(3)
    low, middle, high = (round(float(value), 1) for value in quantiles)
    sides = (boxes[:, 0] < BORDER_PX) | (boxes[:, 2] > size_px[0] - BORDER_PX)
    return Statistics(
        frames=len(frames),
        cars_per_frame=round(float(counts.mean()), 2),
        frames_without=_share(counts == 0),
        frames_with_several=_share(counts >= 2),
        height_px=(low, middle, high),
        below_26_px=_share(height < 26),
        below_14_px=_share(height < 14),
        behind_cars=_share(np.concatenate([np.zeros(0, bool), *(_behind(one) for one in frames)])),
        cut_by_sides=_share(sides),
        cut_below=_share(boxes[:, 3] > size_px[1] - BORDER_PX),
        heights=tuple(round(float(share), 3) for share in bins),
    )


def _share(which: NDArray[np.bool_]) -> float:
    return round(float(which.mean()), 3) if which.size else 0.0


def _behind(boxes: Array) -> NDArray[np.bool_]:
    """Which boxes (N, 4) are partly covered by one that reaches farther down: the car nearer to the camera."""
    width = np.minimum(boxes[:, None, 2], boxes[None, :, 2]) - np.maximum(boxes[:, None, 0], boxes[None, :, 0])
    height = np.minimum(boxes[:, None, 3], boxes[None, :, 3]) - np.maximum(boxes[:, None, 1], boxes[None, :, 1])
    own = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    covered = np.maximum(width, 0) * np.maximum(height, 0) / own[:, None]
    return np.asarray((covered * (boxes[None, :, 3] > boxes[:, None, 3]) > HIDDEN_SHARE).any(axis=1))


def boxes_of(place: str, window: tuple[int, int] | None) -> tuple[list[Array], tuple[int, int]]:
    """The vehicles of each frame, (N, 4), and the frames' width and height; see the module."""
    images, _, labels = place.partition("=")
    if (Path(images) / "frames.jsonl").is_file():
        records = list(read_records(Path(images), FrameRecord))
        camera = records[0].camera
        found = [
            _array(item.box_visible_px for item in one.labelled if item.category in VEHICLES and item.box_visible_px)
            for one in records
        ]
        return found, (camera.width, camera.height)
    known, frames = read_boxes(Path(labels or images)), {path.stem: path for path in list_images(Path(images))}
    stems = sorted(set(known) & set(frames)) if labels else sorted(known)
    size = read_image(frames[stems[0]]).shape[:0:-1] if labels else KITTI_SIZE_PX
    width, height = int(size[0]), int(size[1])
    found = [
        _array(box.in_pixels(width, height).box_px for box in known[stem] if box.label.lower() in VEHICLES)
        for stem in stems
    ]
    if window is None:
        return found, (width, height)
    return [_cut(one, (width, height), window) for one in found], window


def _array(boxes: Iterable[tuple[float, float, float, float]]) -> Array:
    return np.array(list(boxes), np.float64).reshape(-1, 4)


def _cut(boxes: Array, size_px: tuple[int, int], window: tuple[int, int]) -> Array:
    """Boxes inside the centred window, in its pixels."""
    offset = np.array([(size_px[0] - window[0]) // 2, (size_px[1] - window[1]) // 2] * 2)
    moved = np.clip(boxes - offset, 0, np.array(window * 2))
    return np.asarray(moved[((moved[:, 2:] - moved[:, :2]) >= MIN_BOX_PX).all(axis=1)])


def draw(sets: Sequence[tuple[str, Statistics]]) -> NDArray[np.uint8]:
    """A row of bars for each set: share of its cars by height; figures beside."""
    bins, top = len(HEIGHTS_PX) - 1, max(max(one.heights) for _, one in sets)
    picture = np.full((ROW_PX * len(sets) + 40, NAME_PX + BAR_PX * bins + 330, 3), 255, np.uint8)
    for row, (name, one) in enumerate(sets):
        floor = (row + 1) * ROW_PX
        _text(picture, name, 8, floor - 60)
        for k, share in enumerate(one.heights):
            left, tall = NAME_PX + k * BAR_PX, round(share / top * (ROW_PX - 26))
            cv2.rectangle(picture, (left, floor - tall), (left + BAR_PX - 4, floor), (180, 120, 40), -1)
            _text(picture, f"{share:.0%}", left + 4, floor - tall - 5)
        lines = (
            f"{one.cars_per_frame} a frame; none in {one.frames_without:.0%}, several {one.frames_with_several:.0%}",
            "height {:.0f} / {:.0f} / {:.0f} px".format(*one.height_px),
            f"below 26 px {one.below_26_px:.0%}, behind cars {one.behind_cars:.0%}",
            f"cut by sides {one.cut_by_sides:.0%}, below {one.cut_below:.0%}",
        )
        for k, line in enumerate(lines):
            _text(picture, line, NAME_PX + BAR_PX * bins + 12, floor - 84 + 22 * k)
    for k, edge in enumerate(HEIGHTS_PX):
        _text(picture, f"{edge}", NAME_PX + k * BAR_PX - 10, ROW_PX * len(sets) + 22)
    return picture


def _text(picture: NDArray[np.uint8], text: str, x: int, y: int) -> None:
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (30, 30, 30), 1, cv2.LINE_AA)


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--window", type=parse_size)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = []
    for text in options.sets:
        name, _, place = text.rpartition(":")
        frames, size = boxes_of(place, options.window)
        found.append((name or Path(place.partition("=")[0]).name, statistics(frames, size)))
    for name, one in found:
        print(name, json.dumps(asdict(one)))
    if options.out is not None:
        cv2.imwrite(str(options.out), draw(found))
    print(json.dumps({name: asdict(one) for name, one in found}))


if __name__ == "__main__":
    main()
