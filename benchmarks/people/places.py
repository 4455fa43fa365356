"""Where people stand against the road: real ones of a set of frames, and those that were put into them.

    python -m benchmarks.people.places roadscene/infrared roadscene/boxes.json MADE [MADE ...] [--split train]

A box's foot lies on the ground plane that `gis synthesize` estimates of its frame, and what it estimates as free road
says where: on the road, at its edge (`EDGE_M` from where it ends), beside it by up to 2, up to 4, or more metres.
People of 24 px and more that the border does not cut; of made ones four fifths must be seen.
Real people are those of the split, made ones those over its frames.
The estimates of the road have errors of their own, for both alike.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.backgrounds.geometry.boxes import read_boxes, to_crop
from pipelines.backgrounds.geometry.far_road import with_far_road
from pipelines.backgrounds.geometry.ground import GroundPlane, GroundPlanes
from pipelines.backgrounds.images import Background, open_backgrounds
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records

__all__ = ["PLACES", "main", "place_of"]

Box = Sequence[float]

PLACES: Final = ("road", "its edge", "to 2 m", "to 4 m", "further")
LEAST_PX, BORDER_PX, SEEN = 24, 3, 0.8
EDGE_M, FURTHEST_M, STEP_M = 1.6, 8.0, 0.25


def place_of(box: Box, ground: GroundPlane, free: NDArray[np.bool_], background: Background) -> str | None:
    """One of `PLACES`; None of a box that is too small, cut by the border, or whose foot is not below the horizon.

    Args:
        box: left, top, right, bottom in pixels of the background.
        ground: Of the background.
        free: (H, W) where its road is.
        background: With the camera.
    """
    left, top, right, bottom = box
    height, width = free.shape
    inside = left >= BORDER_PX and right <= width - BORDER_PX and bottom <= height - BORDER_PX
    if bottom - top < LEAST_PX or not inside:
        return None
    camera, column = background.camera, 0.5 * (left + right)
    below_px = bottom - ground.horizon.row_px - ground.horizon.slope * (column - camera.cx)
    if below_px < 2.0:
        return None
    pixels_per_m = camera.fx * below_px / (ground.horizon.height_m * camera.fy)
    aside_m = np.arange(-FURTHEST_M, FURTHEST_M + STEP_M, STEP_M)
    columns = np.floor(column + aside_m * pixels_per_m).astype(int)
    seen = (columns >= 0) & (columns < width)
    row = free[min(int(bottom), height - 1)]
    on_road = bool(row[int(column)])
    other = np.abs(aside_m[seen][row[columns[seen]] != on_road])
    nearest_m = float(other.min()) if other.size else np.inf
    if on_road:
        return PLACES[1] if nearest_m < EDGE_M else PLACES[0]
    return PLACES[2] if nearest_m <= 2.0 else PLACES[3] if nearest_m <= 4.0 else PLACES[4]


def _frames(images: Path, planes: GroundPlanes) -> dict[str, tuple[Background, GroundPlane, NDArray[np.bool_]]]:
    """Frames whose road is known, by name."""
    frames = {}
    for background in open_backgrounds(images):
        ground = planes.of(background)
        if ground.road.confidence > 0.0:
            frames[Path(background.file.name).stem] = background, ground, with_far_road(ground, background.camera)
    return frames


def _real(planes: GroundPlanes, background: Background) -> Iterator[Box]:
    file, (height, width) = background.file, background.image.shape
    boxes = (planes.boxes or {}).get(Path(file.name).stem, ())
    for box in to_crop(boxes, (file.width, file.height), background.crop_px, width, height):
        if box.label == "person":
            yield box.box_px


def _made(folders: Iterable[Path]) -> Iterator[tuple[str, Box]]:
    for folder in folders:
        for record in read_records(folder, FrameRecord):
            for item in record.labelled:
                seen = item.visible_px >= SEEN * item.amodal_px
                if item.category == "person" and seen and item.box_visible_px is not None:
                    yield Path(record.background.name or "").stem, item.box_visible_px


def _shares(found: Counter[str]) -> dict[str, float]:
    total = max(sum(found.values()), 1)
    return {"people": sum(found.values()), **{place: round(found[place] / total, 3) for place in PLACES}}


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("made", type=Path, nargs="+")
    parser.add_argument("--split", default="train", choices=["train", "val"])
    options = parser.parse_args()
    about: Mapping[str, Any] = json.loads(options.boxes.read_text(encoding="utf-8"))
    planes = GroundPlanes(read_boxes(options.boxes, keep_dont_care=True))
    frames = _frames(options.images, planes)
    everybody = [("real", name, box) for name, (background, *_) in frames.items() for box in _real(planes, background)]
    everybody += [("made", name, box) for name, box in _made(options.made) if name in frames]
    found: dict[str, Counter[str]] = {}
    for kind, name, box in everybody:
        background, ground, free = frames[name]
        place = place_of(box, ground, free, background)
        if place is not None and about[name]["split"] == options.split:
            found.setdefault(f"{kind} {about[name]['time']}", Counter())[place] += 1
    result = {name: _shares(found[name]) for name in sorted(found)}
    for name, row in result.items():
        print(f"{name:11}" + "  ".join(f"{key} {value:g}" for key, value in row.items()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
