"""How street, horizon and sky stand against each other, in grey levels: sets side by side, by day and by night.

    python -m benchmarks.contrast.streets [NAME:]SET ... [--split train] [--out FILE]

A SET is a data set of gis, or FRAMES=BOXES.json (a folder of images, and for each frame `time`: "day" or "night", as
RoadScene's). Of each frame are taken the mean of a band around the horizon (:data:`HORIZON`: houses, trees, far cars),
of the street before the camera (:data:`STREET`) and of the top (:data:`TOP`: sky, crowns); and how far grey levels
spread over the frame. Rows are quantiles over frames: 5, 25, 50, 75, 95 %. The last line is JSON, which --out takes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records

__all__ = ["HORIZON", "STREET", "TOP", "levels", "main", "pictures"]

Grey = NDArray[np.float32]
Part = tuple[float, float, float, float]

HORIZON: Final[Part] = (0.0, 0.29, 1.0, 0.47)
"""Left, top, right, bottom as shares of width and height."""
STREET: Final[Part] = (0.25, 0.68, 0.75, 0.88)
TOP: Final[Part] = (0.0, 0.0, 1.0, 0.16)
_QUANTILES: Final = (5, 25, 50, 75, 95)


def pictures(place: str, split: str | None) -> Iterator[tuple[str, Grey]]:
    """Frames of a set with "day" or "night".

    Args:
        place: a data set of gis, or FRAMES=BOXES.json.
        split: frames of this split of a set of real ones alone; None: all.
    """
    images, _, labels = place.partition("=")
    yield from _real(Path(images), Path(labels), split) if labels else _made(Path(images))


def _made(folder: Path) -> Iterator[tuple[str, Grey]]:
    for record in read_records(folder, FrameRecord):
        sun = record.conditions.sun_elevation_deg if record.conditions else 90.0
        yield "day" if sun > 0 else "night", _read(folder / f"images/{record.index:06d}.png")


def _real(folder: Path, labels: Path, split: str | None) -> Iterator[tuple[str, Grey]]:
    for name, frame in json.loads(labels.read_text(encoding="utf-8")).items():
        if not split or frame["split"] == split:
            yield str(frame["time"]), _read(next(folder.glob(f"{name}.*")))


def _read(path: Path) -> Grey:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise SystemExit(f"{path}: no image")
    return np.asarray(image, np.float32)


def levels(image: Grey) -> dict[str, float]:
    """Figures of one (H, W) frame, grey levels."""
    horizon, street, top = (_mean(image, part) for part in (HORIZON, STREET, TOP))
    return {
        "horizon - street": horizon - street,
        "horizon - top": horizon - top,
        "street": street,
        "deviation": float(image.std()),
    }


def _mean(image: Grey, part: Part) -> float:
    height, width = image.shape
    left, top, right, bottom = part
    return float(image[round(top * height) : round(bottom * height), round(left * width) : round(right * width)].mean())


def _table(frames: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    return {
        name: [round(float(value), 1) for value in np.percentile([one[name] for one in frames], _QUANTILES)]
        for name in (frames[0] if frames else {})
    }


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--split", help="frames of this split of a set of real ones alone")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    results: dict[str, dict[str, dict[str, list[float]]]] = {"day": {}, "night": {}}
    for text in options.sets:
        name, _, place = text.rpartition(":")
        found = [(time, levels(image)) for time, image in pictures(place, options.split)]
        for time, rows in results.items():
            rows[name or Path(place.partition("=")[0]).name] = _table([one for at, one in found if at == time])
    for time, rows in results.items():
        for name, row in rows.items():
            print(f"{time:6} {name:12} " + "  ".join(f"{k}: {' '.join(f'{v:.0f}' for v in row[k])}" for k in row))
    if options.out is not None:
        options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
