"""Small data sets to export: one of a rendered scene, one over real frames with boxes, and what is in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from fake_renderer import FakeScene

from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.export.formats import FORMATS, KELVIN_TIFF
from pipelines.io.images import encode_png, read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

OF_FRAMES = tuple(name for name in FORMATS if name not in (KELVIN_TIFF, "kitti-tracking", "mot"))
"""Formats of any data set; those left out are of temperatures, and of sequences."""
WIDTH, HEIGHT = 96, 64
CAR, PERSON, UNKNOWN = [60.0, 40.0, 90.0, 60.0], [4.0, 8.0, 12.0, 30.0], [30.0, 2.0, 50.0, 10.0]
"""Boxes that every background shows: a car, a person, and a region in which nothing is labelled."""


def of_scene(out: Path, count: int = 4, **options: object) -> Path:
    """Boxes on a flat road."""
    config = SynthesizeConfig(out=out, count=count, seed=3, workers=1, model="physics", **options)  # type: ignore[arg-type]
    return synthesize_dataset(config, session_factory=FakeScene())


def over_frames(root: Path, count: int = 12, names: int = 5, licence: str = "", **options: object) -> Path:
    """Boxes in real frames, in which the same three things are known everywhere; a licence lies beside them."""
    rng = np.random.default_rng(1)
    (root / "frames").mkdir(parents=True)
    if licence:
        (root / "frames/LICENSE").write_text(licence)
    for number in range(names):
        grey = rng.integers(60, 120, (HEIGHT, WIDTH), dtype=np.uint8)
        (root / "frames" / f"street_{number}.png").write_bytes(encode_png(grey))
    boxes = [{"cls": name, "xyxy": box} for name, box in (("car", CAR), ("person", PERSON), ("DontCare", UNKNOWN))]
    (root / "boxes.json").write_text(json.dumps({f"street_{number}": {"boxes_full": boxes} for number in range(names)}))
    config = SynthesizeConfig(
        out=root / "set", count=count, backgrounds=root / "frames", boxes=root / "boxes.json", size="96x64",
        horizon=30.0, model="physics", workers=1, **options,  # type: ignore[arg-type]
    )  # fmt: skip
    return synthesize_dataset(config, session_factory=FakeScene())


def records(folder: Path) -> list[FrameRecord]:
    """Lines of a data set."""
    return list(read_records(folder, FrameRecord))


def mask_of(folder: Path, name: str) -> np.ndarray:
    """(H, W) instance ids of a frame."""
    return read_png(folder / f"masks/{name}.png")


def box_of(mask: np.ndarray) -> list[float]:
    """Left, top, right, bottom edges of what is True."""
    rows, columns = np.nonzero(mask)
    return [float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)]


def counted(folder: Path) -> int:
    """Objects that a detector is asked for: rendered ones by the record, real ones by their boxes."""
    return sum(
        sum(bool(item.labelled) and not item.ignored for item in record.instances)
        + sum(real.labelled for real in record.real_objects or ())
        for record in records(folder)
    )
