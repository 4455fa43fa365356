"""What a data set changed in its radiometric backgrounds, without showing them: for frames that may not be passed on.

    python -m benchmarks.change_pictures SET BACKGROUNDS FILE.jpg [--frames 0 1]

SET is made by `gis synthesize --backgrounds BACKGROUNDS`, BACKGROUNDS by `gis backgrounds`. Per frame, side by side:
the temperatures of the cars, and how much warmer or colder every pixel became, with the scales of both. Pixels that are
the background's own are left grey in the first and zero in the second.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.io.files import read_json, read_lines, write_bytes
from renderer.thermal.sensor import from_uint16

__all__ = ["main"]

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

TEMPERATURES_C, CHANGE_K = (5.0, 30.0), (-12.0, 12.0)
"""Scales of the two pictures."""
UNCHANGED = 96
ROWS = 0.45
"""Lower share of a frame that is shown: where cars stand."""
HEIGHT_PX, BAR_PX, TEXT_PX = 260, 16, 64


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("backgrounds", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--frames", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    records = {record["index"]: record for record in map(json.loads, read_lines(options.set / "frames.jsonl"))}
    rows = [row(options.set, options.backgrounds, records[index]) for index in options.frames]
    done, data = cv2.imencode(options.file.suffix, np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    write_bytes(options.file, data.tobytes())


def row(made: Path, backgrounds: Path, record: dict[str, Any]) -> UInt8:
    """(h, w, 3) the two pictures of a frame with their scales."""
    name = f"{record['index']:06d}.png"
    ours = from_uint16(read(made / "images16" / name), record["span_K"])
    path = backgrounds / record["background"]["name"]
    before = from_uint16(read(path), read_json(path.with_suffix(".json"))["span_K"])
    left, top, right, bottom = record["background"]["crop_px"]
    before = cv2.resize(before[top:bottom, left:right], ours.shape[::-1], interpolation=cv2.INTER_LINEAR)
    inside = read(made / "masks" / name) > 0
    first = int(ours.shape[0] * (1 - ROWS))
    cars = coloured(ours - np.float32(273.15), TEMPERATURES_C, cv2.COLORMAP_INFERNO)
    cars[~inside] = UNCHANGED
    change = coloured(ours - before, CHANGE_K, cv2.COLORMAP_TWILIGHT_SHIFTED)
    parts = [beside_scale(cars[first:], TEMPERATURES_C, cv2.COLORMAP_INFERNO, "C"),
             beside_scale(change[first:], CHANGE_K, cv2.COLORMAP_TWILIGHT_SHIFTED, "K")]  # fmt: skip
    return np.hstack(parts)


def read(path: Path) -> NDArray[Any]:
    """An image as it is stored."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise SystemExit(f"error: {path}: not an image: expected a set and the backgrounds that it was made of")
    return np.asarray(image)


def coloured(values: Float32, limits: tuple[float, float], colours: int) -> UInt8:
    """(H, W, 3) values on a scale of colours."""
    share = np.clip((values - limits[0]) / (limits[1] - limits[0]), 0, 1)
    return np.asarray(cv2.applyColorMap(np.rint(share * 255).astype(np.uint8), colours), dtype=np.uint8)


def beside_scale(image: UInt8, limits: tuple[float, float], colours: int, unit: str) -> UInt8:
    """An image at the height of the row, and its scale to the right."""
    wide = round(image.shape[1] * HEIGHT_PX / image.shape[0])
    shown = cv2.resize(image, (wide, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    scale = np.full((HEIGHT_PX, BAR_PX + TEXT_PX, 3), 255, np.uint8)
    falling = np.linspace(limits[1], limits[0], HEIGHT_PX, dtype=np.float32)[:, None]
    scale[:, 6 : 6 + BAR_PX] = coloured(falling, limits, colours)
    for value, down in ((limits[1], 14), (sum(limits) / 2, HEIGHT_PX // 2 + 5), (limits[0], HEIGHT_PX - 6)):
        where = (10 + BAR_PX, down)
        cv2.putText(scale, f"{value:g} {unit}", where, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.hstack([shown, scale])


if __name__ == "__main__":
    main()
