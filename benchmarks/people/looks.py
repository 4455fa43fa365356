"""What boxes of people look like: made ones beside real ones, figure by figure, by height and by day and night.

    gis synthesize --scene worlds --count 400 --camera flir-adas --size 640x512 --model physics --out MADE
    python -m benchmarks.people.looks roadscene/infrared roadscene/boxes.json MADE [MADE ...] [--sheet FILE]

Each figure is the median over the boxes. Those of 20 px and more count, of made people those that are labelled. Levels
are of the whole box, as a detector gets it; surroundings are a third of the box's width to both sides and a sixth of
its height above and below, once with and once without what lies in other boxes. Gradients are taken at the size that
the box has, covered is the share that lies in boxes whose lower edge is further down. With ``--sheet`` a picture is
written: crops of real people, and below them as many made ones of the same heights, by day and by night. The last line
is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gan.data.images import list_images, read_image
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records

__all__ = ["Look", "look", "made_looks", "main", "real_looks", "sheet", "table"]

Grey = NDArray[np.uint8]
Box = Sequence[float]

LEAST_PX = 20
HEIGHTS = {"20-32": (20.0, 32.0), "32-64": (32.0, 64.0), "64-": (64.0, 1e9)}
TILE_PX, COLUMNS, ROWS = 110, 12, 3


@dataclass(frozen=True)
class Look:
    """One box; levels in grey levels, places in shares of the picture."""

    mean: float
    darkest: float
    """5 % of the box are darker."""
    median: float
    brightest: float
    """5 % of the box are brighter."""
    around: float
    """Median beside the box, whatever is there."""
    free_around: float
    """The same without what lies in other boxes; not a number where nothing is left."""
    frame: float
    """Mean of the picture."""
    gradient: float
    """Median in the box, grey levels a pixel."""
    edge: float
    """Steepest tenth of the gradients in the box."""
    height_px: float
    aspect: float
    """Width over height."""
    covered: float
    at_border: float
    bottom: float
    aside: float
    """From the middle of the picture, 0 to 1."""
    neighbours: float
    """Other people whose boxes touch this one, grown by half its width."""
    people: float
    """In the picture."""


@dataclass(frozen=True)
class Seen:
    """A look, and where it was seen."""

    look: Look
    time: str
    image: Grey
    box: Box


def look(image: Grey, box: Box, people: Sequence[Box], others: Sequence[Box]) -> Look:
    """Figures of a box in a picture (H, W); ``people`` and ``others`` are all other boxes of people and of the rest."""
    height, width = image.shape
    left, top, right, bottom = (round(value) for value in box)
    left, top, right, bottom = max(left, 0), max(top, 0), min(max(right, left + 1), width), min(bottom, height)
    inside = image[top:bottom, left:right]
    aside, above = max(3, round((right - left) / 3)), max(3, round((bottom - top) / 6))
    around = np.zeros(image.shape, np.bool_)
    around[max(0, top - above) : bottom + above, max(0, left - aside) : right + aside] = True
    around[top:bottom, left:right] = False
    free = around.copy()
    for other in (*people, *others):
        x0, y0, x1, y1 = (max(0, round(value)) for value in other)
        free[y0:y1, x0:x1] = False
    smooth = inside.astype(np.float64)
    steps = np.hypot(*np.gradient(smooth)) if min(inside.shape) > 1 else np.zeros(1)
    grown = (right - left) / 2
    return Look(
        mean=float(inside.mean()), darkest=_share(inside, 5), median=_share(inside, 50), brightest=_share(inside, 95),
        around=float(np.median(image[around])),
        free_around=float(np.median(image[free])) if free.any() else float("nan"),
        frame=float(image.mean()), gradient=_share(steps, 50), edge=_share(steps, 90),
        height_px=float(box[3] - box[1]), aspect=float((box[2] - box[0]) / (box[3] - box[1])),
        covered=_covered(box, [other for other in (*people, *others) if other[3] > box[3]]),
        at_border=float(left < 3 or top < 3 or right > width - 3 or bottom > height - 3),
        bottom=float(box[3] / height), aside=float(abs(box[0] + box[2] - width) / width),
        neighbours=float(sum(_touch(box, other, grown) for other in people)), people=len(people) + 1.0,
    )  # fmt: skip


def _share(values: NDArray[Any], percent: float) -> float:
    return float(np.percentile(values, percent))


def _touch(box: Box, other: Box, grown_px: float) -> bool:
    aside = box[0] - grown_px < other[2] and other[0] < box[2] + grown_px
    return aside and box[1] - grown_px < other[3] and other[1] < box[3] + grown_px


def _covered(box: Box, nearer: Sequence[Box]) -> float:
    """Share of a box that lies in others, on a grid of 16 by 16 points."""
    x, y = (np.linspace(box[k], box[k + 2], 17)[:-1] + (box[k + 2] - box[k]) / 32 for k in (0, 1))
    hidden = np.zeros((16, 16), np.bool_)
    for left, top, right, bottom in nearer:
        hidden |= ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]
    return float(hidden.mean())


def real_looks(images: Path, boxes: Mapping[str, Any], split: str) -> Iterator[Seen]:
    """Real people of a split."""
    files = {path.stem: path for path in list_images(images)}
    for name, about in boxes.items():
        people = [one["xyxy"] for one in about["boxes_full"] if one["cls"] == "person"]
        others = [one["xyxy"] for one in about["boxes_full"] if one["cls"] != "person"]
        if about["split"] == split and people and name in files:
            yield from _seen(_grey(files[name]), people, others, people, about["time"])


def made_looks(made: Path) -> Iterator[Seen]:
    """People with a label in a data set of `gis synthesize`."""
    for record in read_records(made, FrameRecord):
        shown = [one for one in record.instances if one.box_visible_px is not None]
        people = [one.box_visible_px for one in shown if one.category == "person" and one.box_visible_px]
        others = [one.box_visible_px for one in shown if one.category != "person" and one.box_visible_px]
        labelled = {id(one.box_visible_px) for one in record.labelled if one.category == "person" and not one.ignored}
        wanted = [box for box in people if id(box) in labelled]
        if wanted:
            time = "day" if record.conditions.sun_elevation_deg > 0 else "night"
            yield from _seen(_grey(made / f"images/{record.index:06d}.png"), people, others, wanted, time)


def _seen(
    image: Grey, people: Sequence[Box], others: Sequence[Box], wanted: Sequence[Box], time: str
) -> Iterator[Seen]:
    for box in wanted:
        if box[3] - box[1] >= LEAST_PX:
            yield Seen(look(image, box, [one for one in people if one is not box], others), time, image, box)


def _grey(path: Path) -> Grey:
    return np.asarray(read_image(path)[0], dtype=np.uint8)


def table(sets: Mapping[str, Sequence[Seen]]) -> dict[str, dict[str, float]]:
    """Medians (means of shares and counts) of each set by time and height; keys are ``set time height``."""
    found: dict[str, dict[str, float]] = {}
    for name, seen in sets.items():
        for time in ("day", "night"):
            for height, (low, high) in HEIGHTS.items():
                chosen = [one.look for one in seen if one.time == time and low <= one.look.height_px < high]
                if chosen:
                    found[f"{name} {time} {height}"] = {"count": float(len(chosen))} | _medians(chosen)
    return found


def _medians(looks: Sequence[Look]) -> dict[str, float]:
    means = ("covered", "at_border", "neighbours", "people")
    return {
        field.name: round(
            float((np.nanmean if field.name in means else np.nanmedian)([getattr(one, field.name) for one in looks])), 2
        )
        for field in fields(Look)
    }


def sheet(real: Sequence[Seen], made: Sequence[Seen], rng: np.random.Generator) -> Grey:
    """Crops by day and by night: rows of real people, then of made ones of about their heights."""
    rows = []
    for time in ("day", "night"):
        own, other = ([one for one in group if one.time == time] for group in (real, made))
        if not own or not other:
            continue
        chosen = [own[k] for k in rng.permutation(len(own))[: COLUMNS * ROWS]]
        left, partners = list(rng.permutation(len(other))), []
        for one in chosen[: len(other)]:
            best = min(left, key=lambda k: abs(np.log(other[k].look.height_px / one.look.height_px)))
            partners.append(other[best])
            left = [k for k in left if k != best]
        rows += [_tiles(chosen), np.full((6, COLUMNS * TILE_PX), 255, np.uint8), _tiles(partners)]
        rows.append(np.full((14, COLUMNS * TILE_PX), 0, np.uint8))
    return np.vstack(rows)


def _tiles(seen: Sequence[Seen]) -> Grey:
    tiles = [_crop(one) for one in seen]
    tiles += [np.zeros((TILE_PX, TILE_PX), np.uint8)] * (COLUMNS * ROWS - len(tiles))
    return np.vstack([np.hstack(tiles[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS)])


def _crop(seen: Seen) -> Grey:
    """The box with half its height around it."""
    x, y = (seen.box[0] + seen.box[2]) / 2, (seen.box[1] + seen.box[3]) / 2
    scale = TILE_PX / (1.7 * (seen.box[3] - seen.box[1]))
    matrix = np.array([[scale, 0, TILE_PX / 2 - x * scale], [0, scale, TILE_PX / 2 - y * scale]])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(seen.image, matrix, (TILE_PX, TILE_PX), flags=way), np.uint8)


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("made", type=Path, nargs="+")
    parser.add_argument("--split", default="train", choices=["train", "val"])
    parser.add_argument("--sheet", type=Path, help="write a picture of crops of the first made set")
    options = parser.parse_args()
    boxes = json.loads(options.boxes.read_text(encoding="utf-8"))
    sets = {"real": list(real_looks(options.images, boxes, options.split))}
    sets |= {folder.name: list(made_looks(folder)) for folder in options.made}
    found = table(sets)
    names = ["count", *(field.name for field in fields(Look))]
    print("|", "|", " | ".join(found), "|")
    for name in names:
        print("|", name, "|", " | ".join(f"{row[name]:g}" for row in found.values()), "|")
    if options.sheet is not None:
        picture = sheet(sets["real"], sets[options.made[0].name], np.random.default_rng(0))
        cv2.imwrite(str(options.sheet), picture)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
