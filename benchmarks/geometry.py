"""How well camera and plane predict the height of real cars in their own frames.

    python -m benchmarks.geometry FRAMES BOXES.json [--split val] [--camera flir-adas]

FRAMES holds display-only street frames, BOXES.json their cars and people: ``{name: {"boxes_full": [{"cls", "xyxy"}],
"split"}}``. For each real car that the picture does not cut, the height of a car of mean size that stands on its
ground contact line is compared with its box, with the plane estimated

- from all boxes of its frame, as the program does with ``--boxes``;
- from the other boxes of its frame, so that it says nothing of itself;
- from the picture alone, without boxes.

Errors are shares of the box's height; the interval is a bootstrap over frames. Cars that a nearer box hides are in all
figures but ``left_out_whole``. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.backgrounds.geometry.boxes import KnownBox, read_boxes
from pipelines.backgrounds.geometry.ground import GroundPlane, estimate_ground_plane
from pipelines.backgrounds.geometry.horizon import HEIGHT_M, Horizon, horizon_from_boxes
from pipelines.backgrounds.images import Backgrounds, open_background, scan_backgrounds

__all__ = ["main"]

MIN_PX = 12
"""Lower boxes are mostly error."""
EDGE_PX = 2
RESAMPLES = 1000
HIDDEN_SHARE = 0.3
"""Share of a box's width that a nearer box takes up for it to count as hidden."""

Array = NDArray[np.float64]


def main() -> None:
    """Runs the benchmark."""
    options = arguments()
    listed = json.loads(options.boxes.read_text(encoding="utf-8"))
    known = read_boxes(options.boxes)
    backgrounds = scan_backgrounds(options.frames)
    rows: dict[str, list[tuple[float, ...]]] = {}
    free = {"with boxes": 0, "without boxes": 0}
    for chosen in backgrounds.files:
        name = Path(chosen.name).stem
        if name in known and options.split in ("all", listed[name]["split"]):
            rows[name], found = frame_rows(backgrounds, chosen.name, known[name], options.camera)
            for key, ground in zip(free, found, strict=True):
                free[key] += ground.road.confidence > 0.0
    report = {
        "frames": len(rows),
        "frames_with_free_road": free,
        **{key: figures(rows, column) for column, key in enumerate(("own_box_too", "left_out", "no_boxes"), start=1)},
        "left_out_whole": figures({name: [r for r in all_of if not r[0]] for name, all_of in rows.items()}, 2),
    }
    print(json.dumps(report))


def arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--split", choices=("train", "val", "all"), default="val")
    parser.add_argument("--camera", default="flir-adas")
    return parser.parse_args()


def frame_rows(
    backgrounds: Backgrounds, name: str, boxes: tuple[KnownBox, ...], camera: str
) -> tuple[list[tuple[float, ...]], tuple[GroundPlane, GroundPlane]]:
    """Each car's row: whether it is hidden, and its three errors; and the ground with and without boxes.

    An error is NaN where nothing is estimated.
    """
    chosen = next(one for one in backgrounds.files if one.name == name)
    whole = open_background(backgrounds, chosen, camera=camera, size=f"{chosen.width}x{chosen.height}")
    both = estimate_ground_plane(whole, boxes), estimate_ground_plane(whole)
    rows = []
    for box in boxes:
        left, top, right, bottom = box.box_px
        cut = left < EDGE_PX or right > chosen.width - EDGE_PX or bottom > chosen.height - 2 * EDGE_PX
        if box.kind == "car" and not cut and bottom - top >= MIN_PX:
            others = [one for one in boxes if one is not box]
            left_out = horizon_from_boxes(others, whole.camera)
            planes = (horizon_from_boxes(boxes, whole.camera), left_out, both[1].horizon)
            rows.append((float(hidden(box, others)), *(error(box, plane, whole.camera.cx) for plane in planes)))
    return rows, both


def hidden(box: KnownBox, others: Sequence[KnownBox]) -> bool:
    """Whether a nearer box covers part of it."""
    left, _, right, bottom = box.box_px
    return any(
        other.box_px[3] > bottom > other.box_px[1]
        and min(right, other.box_px[2]) - max(left, other.box_px[0]) > HIDDEN_SHARE * (right - left)
        for other in others
    )


def error(box: KnownBox, plane: Horizon | None, cx: float) -> float:
    """Share by which the predicted height is off."""
    if plane is None:
        return float("nan")
    left, top, right, bottom = box.box_px
    below = bottom - plane.row_px - plane.slope * ((left + right) / 2 - cx)
    return abs(HEIGHT_M["car"] / plane.height_m * below / (bottom - top) - 1.0)


def figures(rows: dict[str, list[tuple[float, ...]]], column: int) -> dict[str, float | int | list[float]]:
    """Median of a column, its 95 % interval, and the share of cars within 15 %."""
    frames = [np.array([row[column] for row in some if np.isfinite(row[column])]) for some in rows.values()]
    frames = [some for some in frames if some.size]
    everything = np.concatenate(frames)
    rng = np.random.default_rng(0)
    draws = [np.median(np.concatenate([frames[i] for i in rng.integers(len(frames), size=len(frames))]))
             for _ in range(RESAMPLES)]  # fmt: skip
    return {
        "cars": int(everything.size),
        "median": round(float(np.median(everything)), 3),
        "interval": [round(float(value), 3) for value in np.percentile(draws, (2.5, 97.5))],
        "within_15_percent": round(float((everything < 0.15).mean()), 3),
    }


if __name__ == "__main__":
    main()
