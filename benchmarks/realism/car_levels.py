"""Grey levels of real cars' parts, and of the road at their ground contact lines: what `renderer.insertion` draws from.

    gis fit FRAMES BOXES.json --out FITTED
    python -m benchmarks.realism.car_levels FITTED BOXES.json --out benchmarks/realism/car_levels.json

FITTED is a folder of ``gis fit``. Only frames of the training split and fits of at least :data:`MIN_CONFIDENCE` count.
Levels of zones are in deviations of the car's own greys from their mean.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from renderer.zones.catalogue import Zone

__all__ = ["main"]

MIN_CONFIDENCE = 0.2
MIN_PX, MAX_PX = 32, 200
MIN_ZONE_PX = 8
CONTACT_HEIGHTS = (-0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.25)
"""Rows below the box, in heights of the car, at which the road's grey is read; and a third of the height below."""
MIN_CONTACT_PX = 45

Grey = NDArray[np.float32]


def main() -> None:
    """Writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fitted", type=Path)
    parser.add_argument("boxes", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    boxes = json.loads(options.boxes.read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (options.fitted / "frames.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if boxes[row["name"]]["split"] == "train"]
    zones: dict[str, list[float]] = {}
    contacts: dict[str, list[list[float]]] = {"day": [], "night": []}
    cars: list[tuple[float, float]] = []
    for row in rows:
        image = read(options.fitted / f"images/{row['index']:06d}.png").astype(np.float32)
        for box in (box["xyxy"] for box in boxes[row["name"]]["boxes_full"] if box["cls"] == "car"):
            contacts[row["time"]] += at_contact_lines(image, box)
        add_cars(options.fitted, row, image, zones, cars)
    options.out.write_text(json.dumps(table(zones, contacts, np.array(cars)), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> NDArray[Any]:
    """A picture as it is stored, one channel."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise SystemExit(f"{path}: no image: expected a folder of `gis fit`")
    return np.asarray(image)


def zone_ids(path: Path) -> NDArray[np.uint8]:
    """Zones of a palette picture."""
    from PIL import Image

    with Image.open(path) as image:
        return np.array(image, dtype=np.uint8)


def add_cars(
    fitted: Path, row: dict[str, Any], image: Grey, zones: dict[str, list[float]], cars: list[tuple[float, float]]
) -> None:
    """Levels of the fitted cars of a frame."""
    ids, zone = read(fitted / f"masks/{row['index']:06d}.png"), zone_ids(fitted / f"zones/{row['index']:06d}.png")
    for item in row["instances"]:
        tall = item["fit"]["box"][3] - item["fit"]["box"][1]
        if item["fit"]["confidence"] < MIN_CONFIDENCE or not MIN_PX <= tall <= MAX_PX:
            continue
        inside = ids == item["id"]
        mean, std = float(image[inside].mean()), float(image[inside].std())
        cars.append((mean, std))
        for key in np.unique(zone[inside]):
            part = inside & (zone == key)
            if part.sum() >= MIN_ZONE_PX:
                zones.setdefault(Zone(int(key)).name, []).append((float(image[part].mean()) - mean) / max(std, 1.0))


def at_contact_lines(image: Grey, box: list[float]) -> list[list[float]]:
    """Greys of the road under and before a car, less that a third of its height below; none where it is not seen."""
    left, top, right, bottom = box
    tall, wide = bottom - top, right - left
    far = int(bottom + 0.3 * tall), int(bottom + 0.35 * tall) + 1
    if not MIN_CONTACT_PX <= tall <= MAX_PX or far[1] > image.shape[0] - 12 or left < 10 or right > image.shape[1] - 10:
        return []
    columns = slice(int(left + 0.25 * wide), int(right - 0.25 * wide))
    level = float(np.median(image[far[0] : far[1], columns]))
    rows = [int(bottom + share * tall) for share in CONTACT_HEIGHTS]
    return [[float(image[row : row + 2, columns].mean()) - level for row in rows]]


def table(zones: dict[str, list[float]], contacts: dict[str, list[list[float]]], cars: Grey) -> dict[str, Any]:
    """What is written."""
    return {
        "source": "RoadScene (Xu et al., AAAI 2020), training frames; python -m benchmarks.realism.car_levels",
        "cars": len(cars),
        "mean_grey": [round(float(cars[:, 0].mean()), 1), round(float(cars[:, 0].std()), 1)],
        "deviation_grey": [round(float(cars[:, 1].mean()), 1), round(float(cars[:, 1].std()), 1)],
        "zone_level": {
            name: {"cars": len(v), "median": round(float(np.median(v)), 2), "deviation": round(float(np.std(v)), 2)}
            for name, v in sorted(zones.items())
        },
        "contact_at_heights": list(CONTACT_HEIGHTS),
        "contact_grey": {
            time: {
                "cars": len(v),
                "percentile_15": np.percentile(v, 15, axis=0).round(0).tolist(),
                "median": np.median(v, axis=0).round(0).tolist(),
                "percentile_85": np.percentile(v, 85, axis=0).round(0).tolist(),
            }
            for time, v in contacts.items() if v
        },
    }  # fmt: skip


if __name__ == "__main__":
    main()
