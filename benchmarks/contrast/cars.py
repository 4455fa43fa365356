"""How cars stand out of their frames, in grey levels: sets side by side, by size of the cars.

    python -m benchmarks.contrast.cars [NAME:]SET ... [--split train] [--sizes 20-32,32-64,64-400] [--out FILE]

A SET is a data set of gis, or FRAMES=BOXES.json (a folder of images and boxes by frame, as RoadScene's). Counted are
cars of which nothing is cut by the border, and of which the boxes of nearer ones hide at most 10 %. All figures are
medians over cars, of crops as they are: what is within the box, and a rim of a quarter of its longer side around it.
Below each row, `heights`: grey of the middle half of the cars, row by row (:data:`HEIGHTS`), less that of the ground
before them. The last line is JSON, which --out takes as a file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records

__all__ = ["Look", "crops", "look", "main"]

Grey = NDArray[np.float32]
Box = tuple[float, float, float, float]

RIM = 0.25
"""Width of the surroundings, in longer sides of the box."""
MOST_HIDDEN = 0.1
HEIGHTS = np.arange(-0.3, 1.45, 0.05)
"""Rows of the profile: 0 at the top of the box, 1 at its foot."""
EDGE_PX = 1.5


@dataclass(frozen=True)
class Look:
    """Of one car; grey levels."""

    darkest: float
    """The 5 % quantile of the box, less the mean of the surroundings."""
    brightest: float
    """The 95 % quantile, likewise."""
    stands_out: float
    """Mean of the box less that of the surroundings, without its sign."""
    spread: float
    """Standard deviation inside of the middle 80 % of the box."""
    gradient: float
    """Median of the gradient's length inside of the middle 80 % of the box, grey levels a pixel."""
    steepest: float
    """Quantile of 98 % of the gradient's length in the box, over the range from 2 to 98 %."""
    mean: float


@dataclass(frozen=True)
class Crop:
    """A frame around one car."""

    image: Grey
    box: Box


def crops(place: str, split: str | None) -> Iterator[Crop]:
    """Free cars of a set."""
    images, _, labels = place.partition("=")
    yield from _real(Path(images), Path(labels), split) if labels else _made(Path(images))


def _made(folder: Path) -> Iterator[Crop]:
    for record in read_records(folder, FrameRecord):
        image = _read(folder / f"images/{record.index:06d}.png")
        whole = [(item, item.box_visible_px) for item in record.instances if item.box_visible_px]
        for item, box in whole:
            others = [other for one, other in whole if one is not item]
            if item.category in ("car", "van") and item.visible_px > 0.9 * item.amodal_px and _free(box, others, image):
                yield Crop(image, box)


def _real(folder: Path, labels: Path, split: str | None) -> Iterator[Crop]:
    for name, frame in json.loads(labels.read_text(encoding="utf-8")).items():
        if split and frame["split"] != split:
            continue
        image = _read(next(folder.glob(f"{name}.*")))
        boxes = [(box["cls"], _box(box["xyxy"])) for box in frame["boxes_full"]]
        for k, (kind, box) in enumerate(boxes):
            others = [other for n, (_, other) in enumerate(boxes) if n != k]
            if kind == "car" and _free(box, others, image):
                yield Crop(image, box)


def _box(edges: Sequence[float]) -> Box:
    left, top, right, bottom = edges
    return float(left), float(top), float(right), float(bottom)


def _read(path: Path) -> Grey:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise SystemExit(f"{path}: no image")
    return np.asarray(image, np.float32)


def _free(box: Box, others: Sequence[Box], image: Grey) -> bool:
    """Whether the border does not cut a box, and no nearer one hides it."""
    left, top, right, bottom = box
    height, width = image.shape
    if left < EDGE_PX or top < EDGE_PX or right > width - EDGE_PX or bottom > height - EDGE_PX:
        return False
    for other in others:
        wide, tall = min(right, other[2]) - max(left, other[0]), min(bottom, other[3]) - max(top, other[1])
        hidden = max(wide, 0) * max(tall, 0) / ((right - left) * (bottom - top))
        if other[3] > bottom and hidden > MOST_HIDDEN:
            return False
    return True


def look(crop: Crop) -> Look:
    """Figures of one car."""
    left, top, right, bottom = (round(value) for value in crop.box)
    rim = max(2, round(RIM * max(right - left, bottom - top)))
    x0, y0 = max(0, left - rim), max(0, top - rim)
    window = crop.image[y0 : bottom + rim, x0 : right + rim]
    inside = np.zeros(window.shape, bool)
    inside[top - y0 : bottom - y0, left - x0 : right - x0] = True
    around, own = float(window[~inside].mean()), window[inside]
    down, along = np.gradient(window)
    gradient = np.hypot(down, along)
    dx, dy = round(0.1 * (right - left)), round(0.1 * (bottom - top))
    middle = slice(top - y0 + dy, bottom - y0 - dy), slice(left - x0 + dx, right - x0 - dx)
    low, high = np.percentile(own, (2, 98))
    return Look(
        darkest=float(np.percentile(own, 5)) - around,
        brightest=float(np.percentile(own, 95)) - around,
        stands_out=abs(float(own.mean()) - around),
        spread=float(window[middle].std()),
        gradient=float(np.median(gradient[middle])),
        steepest=float(np.percentile(gradient[inside], 98)) / max(float(high - low), 1.0),
        mean=float(own.mean()),
    )


def profile(crop: Crop) -> Grey:
    """Grey of the middle half of a car's width at :data:`HEIGHTS`, less that of the ground before it."""
    left, top, right, bottom = crop.box
    rows = np.round(top + HEIGHTS * (bottom - top)).astype(int)
    columns = slice(round(0.75 * left + 0.25 * right), max(round(0.25 * left + 0.75 * right), round(left) + 1))
    inside = (rows >= 0) & (rows < len(crop.image))
    levels = np.full(len(rows), np.nan, np.float32)
    levels[inside] = crop.image[rows[inside], columns].mean(axis=1)
    return levels - _road(crop)


def _road(crop: Crop) -> float:
    """Grey of the ground before the car."""
    left, _, right, bottom = (round(value) for value in crop.box)
    reach = max(2, round(0.35 * (bottom - crop.box[1])))
    below = crop.image[bottom + reach // 2 : bottom + reach, left:right]
    return float(below.mean()) if below.size else float(crop.image[-1, left:right].mean())


def table(looks: Sequence[Look]) -> dict[str, float]:
    """Medians."""
    names = list(asdict(looks[0])) if looks else []
    return {name: round(float(np.median([getattr(one, name) for one in looks])), 2) for name in names}


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--split", help="frames of this split of a set of real ones alone")
    parser.add_argument("--sizes", default="20-32,32-64,64-400", help="heights of the boxes, px")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sizes = [tuple(float(edge) for edge in text.split("-")) for text in options.sizes.split(",")]
    found = {}
    for text in options.sets:
        name, _, place = text.rpartition(":")
        found[name or Path(place.partition("=")[0]).name] = list(crops(place, options.split))
    results: dict[str, dict[str, dict[str, float]]] = {}
    for low, high in sizes:
        key = f"{low:.0f}-{high:.0f}"
        for name, own in found.items():
            chosen = [crop for crop in own if low <= crop.box[3] - crop.box[1] < high]
            row = {"cars": float(len(chosen)), **table([look(crop) for crop in chosen])}
            results.setdefault(key, {})[name] = row
            print(f"{key:8} {name:16} " + "  ".join(f"{k} {v:g}" for k, v in row.items()))
            if chosen:
                levels = np.nanmedian([profile(crop) for crop in chosen], axis=0)
                print(f"{'':8} heights {' '.join(f'{value:.0f}' for value in levels)}")
    if options.out is not None:
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
