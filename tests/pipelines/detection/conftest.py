"""Sets of images with boxes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

CAR = {"cls": "car", "xyxy": [10, 10, 40, 40]}


def _write_set(root: Path, rows: dict[str, dict[str, object]]) -> str:
    (root / "images").mkdir(parents=True)
    for number, name in enumerate(rows):
        picture = np.random.default_rng(number).integers(0, 255, (64, 96)).astype(np.uint8)
        assert cv2.imwrite(str(root / "images" / f"{name}.png"), picture)
    (root / "boxes.json").write_text(json.dumps({name: {"boxes": [CAR], **row} for name, row in rows.items()}))
    return str(root)


@pytest.fixture
def write_set() -> Callable[[Path, dict[str, dict[str, object]]], str]:
    """Writes a set of a folder and rows by image name, each with one car; gives the folder's name."""
    return _write_set
