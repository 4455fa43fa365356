r"""Sheets to look through, and the text file of what was decided.

The file has a line per car, ``FRAME#BOX accept``, ``flip`` or ``reject``; a line that starts with ``#`` is a remark. A
frame's name may hold spaces; what cannot be seen in it is written out, and so is a ``#`` at its beginning (``\#``).
Cars without a line are accepted where the fit itself is good enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError
from pipelines.fitting.shapes import PART_OF_BIN, PARTS
from pipelines.io.escape import for_console
from pipelines.io.files import write_text
from pipelines.io.html import data_uri, fill_template
from pipelines.io.images import encode_png

__all__ = ["DECISIONS", "REVIEW_FILE", "encode_overlay", "overlay", "read_decisions", "write_sheet", "written"]

DECISIONS = ("accept", "flip", "reject")
REVIEW_FILE = "review.txt"
UInt8 = NDArray[np.uint8]

_TEMPLATE: Final = Path(__file__).with_name("review.html.j2")


def read_decisions(path: Path) -> dict[str, str]:
    """Decision by car, as :func:`written` has it; empty without a file.

    Raises:
        ConfigError: a line that is none.
    """
    if not path.is_file():
        return {}
    decisions = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key, decision = [*line.rsplit(None, 1), ""][:2]
        decision = decision.strip()
        if decision not in DECISIONS or "#" not in key:
            raise ConfigError(f"{path}, line {number}: {line.strip()!r}: expected 'FRAME#BOX accept', flip or reject")
        decisions[key.rstrip()] = decision
    return decisions


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n").split("\n")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as text ({error}): expected decisions of a review sheet") from error


def written(key: str) -> str:
    """A car's key as the sheet and the file of decisions have it: on one line, and no remark."""
    text = for_console(key)
    return f"\\{text}" if text.startswith("#") else text


def overlay(image: NDArray[np.float64], bins: UInt8) -> UInt8:
    """Picture and fit beside each other, (h, 2 w, 3) RGB.

    Args:
        image: (h, w) mean 0, standard deviation 1.
        bins: (h, w) bins of the fitted car.
    """
    grey = np.clip(image * 50 + 128, 0, 255).astype(np.uint8)
    plain = np.repeat(grey[..., None], 3, axis=2)
    overlaid, part = plain.copy(), PART_OF_BIN[bins]
    front = part == PARTS.index("front")
    overlaid[front] = (overlaid[front] * 0.6 + np.array([100, 0, 0])).astype(np.uint8)
    border = np.zeros(part.shape, bool)
    border[:, 1:] |= part[:, 1:] != part[:, :-1]
    border[1:] |= part[1:] != part[:-1]
    overlaid[border] = 255, 255, 0
    return np.concatenate([plain, overlaid], axis=1)


def write_sheet(path: Path, cars: Iterable[tuple[dict[str, Any], bytes]], decided: dict[str, str]) -> None:
    """Writes the page; ``cars`` are records of fits with their PNG pictures, in the order to show."""
    rows = [
        {
            "key": written(car["key"]),
            "model": car["model"],
            "confidence": f"{car['confidence']:.2f}",
            "box_iou": f"{car['box_iou']:.2f}",
            "decision": decided.get(car["key"]),
            "picture": data_uri("image/png", png),
        }
        for car, png in cars
    ]
    write_text(path, fill_template(_TEMPLATE, file=REVIEW_FILE, decisions=("", *DECISIONS), cars=rows))


def encode_overlay(image: NDArray[np.float64], bins: UInt8) -> bytes:
    """PNG of :func:`overlay`, at most 150 rows."""
    picture = overlay(image, bins)
    if picture.shape[0] > 150:
        picture = cv2.resize(picture, None, fx=150 / picture.shape[0], fy=150 / picture.shape[0])
    return encode_png(np.ascontiguousarray(picture))
