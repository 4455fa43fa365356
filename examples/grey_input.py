"""Read 8-bit, 16-bit and kelvin images of a data set, and write three channels that differ.

    gis synthesize --count 16 --model physics --out out/set
    python examples/grey_input.py out/set --out out/three

A detector sees the first channel as a display shows it, the second as temperature over a fixed span (equal temperatures
are equal values in all images), the third as each pixel's difference to its surroundings.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np


def kelvin(folder: Path, record: dict) -> np.ndarray | None:
    """Apparent temperature (H, W) float32; None where the background was a display image."""
    if record["span_K"] is None:
        return None
    counts = cv2.imread(str(folder / f"images16/{record['index']:06d}.png"), cv2.IMREAD_UNCHANGED)  # uint16
    low, high = record["span_K"]
    return (low + counts.astype(np.float32) / 65535 * (high - low)).astype(np.float32)


def to_8_bit(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """A fixed span to 0 to 255; what lies outside is cut off."""
    return np.clip((values - low) / (high - low) * 255 + 0.5, 0, 255).astype(np.uint8)


def three_channels(image: np.ndarray, kelvin_: np.ndarray, low_C: float, high_C: float) -> np.ndarray:
    """Display, temperature, difference to the surroundings: (H, W, 3) uint8."""
    difference = kelvin_ - cv2.GaussianBlur(kelvin_, (0, 0), image.shape[0] / 32)
    return np.dstack([image, to_8_bit(kelvin_ - 273.15, low_C, high_C), to_8_bit(difference, -10, 10)])


def main() -> None:
    """Read all frames."""
    parser = argparse.ArgumentParser(description="8-bit, 16-bit, kelvin, three channels")
    parser.add_argument("folder", type=Path, help="data set of gis synthesize")
    parser.add_argument("--out", type=Path, help="folder for images of three channels")
    parser.add_argument("--span", type=float, nargs=2, default=(-20, 60), help="degrees Celsius of 0 and 255")
    args = parser.parse_args()
    for line in (args.folder / "frames.jsonl").read_text().splitlines():
        record = json.loads(line)
        name = f"{record['index']:06d}.png"
        image = cv2.imread(str(args.folder / "images" / name), cv2.IMREAD_UNCHANGED)  # (H, W) uint8, one channel
        temperature = kelvin(args.folder, record)
        if temperature is None:
            print(f"{name}: {image.shape}, no temperatures")
            continue
        print(f"{name}: {image.shape}, {temperature.min() - 273.15:.1f} to {temperature.max() - 273.15:.1f} °C")
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(args.out / name), three_channels(image, temperature, *args.span))


if __name__ == "__main__":
    main()
