"""What a thermal camera's file shows, and beside it what it holds: its frame, with the median of some boxes in degrees.

    python -m benchmarks.degrees_picture FILE.jpg FRAME.png PICTURE --boxes 120,34,210,66 39,199,161,222

FRAME is what `gis backgrounds` made of FILE; boxes are left, top, right, bottom in its pixels. The frame is grey from
its coldest to its warmest hundredth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.io.files import read_json, write_bytes
from renderer.thermal.sensor import from_uint16

__all__ = ["degrees_picture", "main"]

UInt8 = NDArray[np.uint8]
HEIGHT_PX, GAP_PX = 320, 12
BOX, INK = (30, 200, 255), (0, 0, 0)


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("frame", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--boxes", nargs="+", default=[])
    options = parser.parse_args()
    own, counts = (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (options.file, options.frame))
    if own is None or counts is None or counts.dtype != np.uint16:
        raise SystemExit(f"error: {options.file}, {options.frame}: expected a picture, and a frame of 16 bits")
    kelvin = from_uint16(np.asarray(counts), read_json(options.frame.with_suffix(".json"))["span_K"])
    boxes = [tuple(int(edge) for edge in box.split(",")) for box in options.boxes]
    done, data = cv2.imencode(options.picture.suffix, degrees_picture(np.asarray(own), kelvin - 273.15, boxes))
    assert done
    write_bytes(options.picture, data.tobytes())


def degrees_picture(own: UInt8, celsius: NDArray[np.float32], boxes: list[tuple[int, ...]]) -> UInt8:
    """(h, w, 3), blue first: the file's own picture, and the frame with its boxes."""
    low, high = np.percentile(celsius, (1, 99))
    grey = np.rint(np.clip((celsius - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    frame = _as_high(np.repeat(grey[..., None], 3, axis=2))
    scale = HEIGHT_PX / celsius.shape[0]
    for left, top, right, bottom in boxes:
        median = float(np.median(celsius[top:bottom, left:right]))
        corner, end = (round(left * scale), round(top * scale)), (round(right * scale), round(bottom * scale))
        cv2.rectangle(frame, corner, end, BOX, 1, cv2.LINE_AA)
        place, text = (end[0] + 3, corner[1] + 12), f"{median:.1f}"
        cv2.rectangle(frame, (place[0] - 2, place[1] - 12), (place[0] + 9 * len(text), place[1] + 3), INK, -1)
        cv2.putText(frame, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, BOX, 1, cv2.LINE_AA)
    gap = np.full((HEIGHT_PX, GAP_PX, 3), 255, np.uint8)
    return np.hstack([_as_high(own), gap, frame])


def _as_high(image: UInt8) -> UInt8:
    size = round(image.shape[1] * HEIGHT_PX / image.shape[0]), HEIGHT_PX
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


if __name__ == "__main__":
    main()
