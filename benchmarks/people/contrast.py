"""How people stand out from what surrounds them: made ones against real ones, by day and by night.

    gis synthesize --backgrounds roadscene/infrared --boxes roadscene/boxes.json --model physics --count 640 --out MADE
    python -m benchmarks.people.contrast roadscene/infrared roadscene/boxes.json MADE [MADE ...] [--split val]

Contrast is the median grey of a person (middle two fifths of the box) less that of the surroundings (a third of the
box's width to both sides, over the box's height). What lies in another object's box surrounds nobody: most real
people touch another, and would be compared with their neighbours; ``--neighbours`` does so. People of 32 px and more
count: boxes that keep away from the border, are no wider than three quarters of their height, and have surroundings; of
made people, nine tenths must be seen. Real people are those of the split, made ones those over its frames. Intervals
are of 95 %, by drawing frames.

Made frames show the middle of a real one (512x512 of 640x512, unless ``--size`` says more), and what stands at its
sides has other surroundings: real people count who are wholly within that window; ``--whole`` counts all.

Contrast is for the most part what lies behind a person, and made people stand where a frame has room, not where its
real ones do. ``same frames`` therefore takes the frames that have real and made people, and weights the made ones of
each by the number of its real ones; real people have an interval by drawing people too. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.data.images import list_images, read_image
from pipelines.backgrounds.ingest.crop import centred_window, resize_window
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records

__all__ = ["Person", "contrasts", "in_same_frames", "made_people", "main", "measure", "real_people", "shown_size_px"]

Grey = NDArray[np.uint8]
Box = Sequence[float]

LEAST_PX, BORDER_PX, WIDEST = 32, 3, 0.75
SEEN = 0.9
LEAST_AROUND = 0.3
"""Share of the surroundings that no other object's box covers."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Person:
    """What was measured of one person, grey levels."""

    frame: str
    time: str
    height_px: float
    body: float
    around: float
    ground: float
    """Median of a strip below the feet."""
    inside: float
    """Deviation inside the person."""

    @property
    def contrast(self) -> float:
        """Body less surroundings."""
        return self.body - self.around


def measure(image: Grey, box: Box, others: Sequence[Box], frame: str, time: str) -> Person | None:
    """Levels of a person in a picture (H, W).

    Args:
        image: grey levels.
        box: of the person.
        others: boxes of all other objects.
        frame: name of the background.
        time: day or night.

    Returns:
        None where the box is too small, too wide, at the border, or has others on both sides.
    """
    left, top, right, bottom = (round(value) for value in box)
    width, height = right - left, bottom - top
    inside = (
        min(left, top) >= BORDER_PX and right <= image.shape[1] - BORDER_PX and bottom <= image.shape[0] - BORDER_PX
    )
    if height < LEAST_PX or width > WIDEST * height or not inside:
        return None
    rows = slice(int(top + 0.08 * height), int(top + 0.9 * height))
    body = image[rows, int(left + 0.3 * width) : int(left + 0.7 * width) + 1]
    beside = max(3, round(0.35 * width))
    free = np.zeros(image.shape, np.bool_)
    free[top:bottom, max(0, left - beside) : left] = free[top:bottom, right : right + beside] = True
    for other in others:
        x0, y0, x1, y1 = (max(0, round(value)) for value in other)
        free[y0:y1, x0:x1] = False
    if free.sum() < LEAST_AROUND * 2 * beside * height:
        return None
    below = image[bottom : bottom + max(3, height // 4), left:right]
    return Person(
        frame,
        time,
        height,
        float(np.median(body)),
        float(np.median(image[free])),
        float(np.median(below)),
        float(body.std()),
    )


def real_people(
    images: Path,
    boxes: Mapping[str, Any],
    split: str,
    *,
    neighbours: bool = False,
    size_px: tuple[int, int] | None = None,
) -> Iterator[Person]:
    """Real people of a split.

    Args:
        images: Folder of the frames.
        boxes: What they show, by name.
        split: Train or val.
        neighbours: Whether what lies in other boxes is part of the surroundings.
        size_px: Width and height of made frames: what they show of a frame counts, at their size; None: all of it.
    """
    files = {path.stem: path for path in list_images(images)}
    for name, about in boxes.items():
        kinds = [one["cls"] for one in about["boxes_full"]]
        if about["split"] != split or name not in files or "person" not in kinds:
            continue
        image, moved = _in_window(_grey(files[name]), [one["xyxy"] for one in about["boxes_full"]], size_px)
        everything: list[Box] = [] if neighbours else moved
        for kind, box in zip(kinds, moved, strict=True):
            if kind == "person":
                found = measure(image, box, _others(box, everything), name, about["time"])
                if found is not None:
                    yield found


def _in_window(image: Grey, boxes: Sequence[Box], size_px: tuple[int, int] | None) -> tuple[Grey, list[Box]]:
    """What made frames of a size show of a picture (H, W), and its boxes there."""
    if size_px is None:
        return image, list(boxes)
    window = left, top, right, bottom = centred_window(image.shape, *size_px)
    sx, sy = size_px[0] / (right - left), size_px[1] / (bottom - top)
    moved = [((a - left) * sx, (b - top) * sy, (c - left) * sx, (d - top) * sy) for a, b, c, d in boxes]
    return resize_window(image, window, *size_px), list(moved)


def shown_size_px(made: Sequence[Path]) -> tuple[int, int] | None:
    """Width and height of all made frames; None where they differ or there are none."""
    sizes = {(record.camera.width, record.camera.height) for one in made for record in read_records(one, FrameRecord)}
    return sizes.pop() if len(sizes) == 1 else None


def made_people(made: Path, boxes: Mapping[str, Any], split: str, *, neighbours: bool = False) -> Iterator[Person]:
    """People that were put into the frames of a split."""
    for record in read_records(made, FrameRecord):
        name = Path(record.background.name or "").stem
        if name not in boxes or boxes[name]["split"] != split:
            continue
        image = _grey(made / f"images/{record.index:06d}.png")
        boxes_seen = [item.box_visible_px for item in record.labelled if item.box_visible_px is not None]
        everything = [] if neighbours else [*boxes_seen, *(one.box_px for one in record.real_objects or ())]
        for item in record.labelled:
            seen = item.visible_px >= SEEN * max(item.amodal_px, 1)
            if item.category == "person" and seen and item.box_visible_px is not None:
                others = _others(item.box_visible_px, everything)
                one = measure(image, item.box_visible_px, others, name, boxes[name]["time"])
                if one is not None:
                    yield one


def _others(box: Box, everything: Sequence[Box]) -> list[Box]:
    return [other for other in everything if other is not box]


def _grey(path: Path) -> Grey:
    return np.asarray(read_image(path)[0], dtype=np.uint8)


def contrasts(people: Sequence[Person], rng: np.random.Generator) -> dict[str, Any]:
    """Median and spread (half the width of the middle 68 %) of the contrast, with intervals, and what it is made of."""
    by_frame: dict[str, list[float]] = {}
    for one in people:
        by_frame.setdefault(one.frame, []).append(one.contrast)
    frames = [np.array(values) for values in by_frame.values()]
    drawn = [np.concatenate([frames[k] for k in rng.integers(len(frames), size=len(frames))]) for _ in range(RESAMPLES)]
    everybody = np.concatenate(frames)
    return {
        "people": len(people),
        "frames": len(frames),
        "median": round(float(np.median(everybody)), 1),
        "median_interval": _interval(drawn, np.median),
        "spread": round(_spread(everybody), 1),
        "spread_interval": _interval(drawn, _spread),
        "body": round(float(np.median([one.body for one in people])), 1),
        "around": round(float(np.median([one.around for one in people])), 1),
        "ground": round(float(np.median([one.ground for one in people])), 1),
        "inside": round(float(np.median([one.inside for one in people])), 1),
    }


def in_same_frames(real: Sequence[Person], made: Sequence[Person], rng: np.random.Generator) -> dict[str, Any]:
    """Median and spread of both in the frames that have both, made people weighted as real ones are spread over them.

    Raises:
        ValueError: no frame has both.
    """
    frames = sorted({one.frame for one in real} & {one.frame for one in made})
    own, other = ({frame: _of_frame(group, frame) for frame in frames} for group in (real, made))
    drawn = [[frames[k] for k in rng.integers(len(frames), size=len(frames))] for _ in range(RESAMPLES)]
    everybody = np.concatenate([own[frame] for frame in frames])
    by_person = [everybody[rng.integers(len(everybody), size=len(everybody))] for _ in range(RESAMPLES)]
    low, middle, high = _weighted(own, other, frames)
    medians = [_weighted(own, other, some)[1] for some in drawn]
    return {
        "frames": len(frames),
        "real": len(everybody),
        "made": sum(len(other[frame]) for frame in frames),
        "real_median": round(float(np.median(everybody)), 1),
        "real_median_by_person": _interval(by_person, np.median),
        "real_spread": round(_spread(everybody), 1),
        "made_median": round(middle, 1),
        "made_median_interval": [round(float(value), 1) for value in np.quantile(medians, (0.025, 0.975))],
        "made_spread": round((high - low) / 2, 1),
    }


def _of_frame(people: Sequence[Person], frame: str) -> NDArray[np.float64]:
    return np.array([one.contrast for one in people if one.frame == frame])


def _weighted(
    own: Mapping[str, NDArray[np.float64]], other: Mapping[str, NDArray[np.float64]], frames: Sequence[str]
) -> tuple[float, float, float]:
    """16, 50 and 84 % of the made ones, each frame as heavy as its real ones are many."""
    values = np.concatenate([other[frame] for frame in frames])
    weights = np.concatenate([np.full(len(other[frame]), len(own[frame]) / len(other[frame])) for frame in frames])
    order = np.argsort(values)
    share = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    low, middle, high = np.interp((0.16, 0.5, 0.84), share, values[order]).tolist()
    return low, middle, high


def _spread(values: NDArray[np.float64]) -> float:
    low, high = np.quantile(values, (0.16, 0.84))
    return float(high - low) / 2


def _interval(drawn: Sequence[NDArray[np.float64]], of: Callable[[NDArray[np.float64]], Any]) -> list[float]:
    return [round(float(value), 1) for value in np.quantile([of(one) for one in drawn], (0.025, 0.975))]


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("made", type=Path, nargs="+")
    parser.add_argument("--split", default="val", choices=["train", "val"])
    parser.add_argument("--neighbours", action="store_true", help="count other people as surroundings")
    parser.add_argument("--whole", action="store_true", help="count real people beyond what made frames show too")
    options = parser.parse_args()
    boxes = json.loads(options.boxes.read_text(encoding="utf-8"))
    size_px = None if options.whole else shown_size_px(options.made)
    sets = {
        "real": list(real_people(options.images, boxes, options.split, neighbours=options.neighbours, size_px=size_px)),
        "made": [
            one
            for folder in options.made
            for one in made_people(folder, boxes, options.split, neighbours=options.neighbours)
        ],
    }
    result: dict[str, Any] = {}
    for name, people in sets.items():
        for time in ("day", "night"):
            chosen = [one for one in people if one.time == time]
            if chosen:
                result[f"{name} {time}"] = contrasts(chosen, np.random.default_rng(0))
                print(f"{name} {time}", result[f"{name} {time}"])
    for time in ("day", "night"):
        real, made = ([one for one in group if one.time == time] for group in sets.values())
        if {one.frame for one in real} & {one.frame for one in made}:
            result[f"same frames {time}"] = in_same_frames(real, made, np.random.default_rng(0))
            print(f"same frames {time}", result[f"same frames {time}"])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
