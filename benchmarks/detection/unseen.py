"""Frames of other cameras as one test set, so that `gis measure` tells how good detectors are elsewhere.

    python -m benchmarks.detection.unseen OUT FRAMES=LABELS [FRAMES=LABELS ...] [--sequences FILE ...]

FRAMES is a folder of grey images and LABELS their boxes, in any dialect that `gis measure` takes. Cameras without a
gain control of their own use a part of the grey levels; so each image is stretched linearly, its darkest half percent
to 0 and its brightest to 255. Writes OUT/images and OUT/boxes.json. A file of ``--sequences`` is a JSON object by
image, ``{"sequence": ..., "time": "day"}``; images that none names are sequences of their own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.backgrounds.labelled_folders import LabelledFolder, find_labelled, read_grey
from pipelines.errors import DatasetError
from pipelines.io.files import read_object, write_bytes, write_json
from pipelines.io.images import encode_png

__all__ = ["gather", "main", "stretch"]

_ENDS_PERCENT: Final = (0.5, 99.5)

UInt8 = NDArray[np.uint8]


def stretch(image: UInt8) -> UInt8:
    """(H, W) grey levels from the darkest to the brightest half percent, brought to 0 to 255."""
    low, high = np.percentile(image, _ENDS_PERCENT)
    levels = (image - low) * 255.0 / max(float(high - low), 1.0)
    return np.asarray(np.clip(levels, 0.0, 255.0).astype(np.uint8))


def gather(places: Sequence[str], about: Sequence[Path], out: Path) -> int:
    """Writes the set; returns the number of its images.

    Args:
        places: ``FRAMES=LABELS``.
        about: JSON objects by image: its ``sequence`` and ``time``.
        out: Folder of the set.

    Raises:
        DatasetError: Images of two folders have one name, or something cannot be read.
    """
    told: dict[str, Any] = {}
    for file in about:
        told |= read_object(file)
    rows: dict[str, dict[str, Any]] = {}
    for place in places:
        folder = find_labelled(place)
        if double := sorted(rows.keys() & folder.images.keys()):
            raise DatasetError(f"{place}: {double[0]} is an image of another folder too: expected names of their own")
        for stem, path in folder.images.items():
            image = read_grey(path)
            write_bytes(out / "images" / f"{stem}.png", encode_png(stretch(image)))
            rows[stem] = _row(folder, stem, image.shape, told.get(stem, {}))
    write_json(out / "boxes.json", rows)
    return len(rows)


def _row(folder: LabelledFolder, stem: str, shape: tuple[int, ...], told: dict[str, Any]) -> dict[str, Any]:
    height, width = shape
    boxes = [
        {"cls": box.label, "xyxy": list(box.in_pixels(width, height).box_px)}
        for box in folder.boxes[stem]
        if not box.dont_care
    ]
    return {"boxes": boxes, "group": told.get("sequence", stem), "time": told.get("time", "")}


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("places", nargs="+", metavar="FRAMES=LABELS")
    parser.add_argument("--sequences", nargs="*", default=[], type=Path)
    options = parser.parse_args()
    print(f"{options.out}: {gather(options.places, options.sequences, options.out)} images")


if __name__ == "__main__":
    main()
