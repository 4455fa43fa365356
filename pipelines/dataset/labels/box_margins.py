"""Boxes drawn with the room that another set's annotators leave, where ours end with the object's pixels.

The margins come from `gis measure` (``box-margins-SET.json``) or by hand. What is exact stays exact: masks, amodal and
3-D boxes, and the data set itself; only boxes that an export writes are drawn larger.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from renderer.geometry.frame import Box2D

from pipelines.dataset.labels import CATEGORIES
from pipelines.errors import ConfigError, DatasetError
from pipelines.io.files import read_object, short

__all__ = ["SCHEMA", "BoxMargins", "margins_to_json", "read_box_margins", "widened"]

BoxMargins = Mapping[str, tuple[float, float, float, float]]
"""By category, what is added at the left, top, right and bottom, in heights of the box."""

SCHEMA: Final = "gis-box-margins"
_MOST: Final = 0.5
_EXPECTED: Final = (
    "expected CATEGORY=LEFT:TOP:RIGHT:BOTTOM in heights of the box, such as car=0.02:0:0.02:0.07,van=0.02:0:0.02:0.07, "
    "or a box-margins-SET.json of gis measure"
)


def read_box_margins(text: str) -> BoxMargins:
    """Margins of an option's text, or of the file that it names.

    Raises:
        ConfigError: neither, an unknown category, or a margin outside of 0 to 0.5.
        DatasetError: a file that cannot be read.
    """
    if "=" not in text:
        path = Path(text)
        if not path.is_file():
            raise ConfigError(f"box-margins is {text!r}, and no such file is there: {_EXPECTED}")
        return _from_file(path)
    margins = {}
    for part in text.split(","):
        name, _, numbers = part.partition("=")
        try:
            values: list[Any] = [float(one) for one in numbers.split(":")]
        except ValueError:
            raise ConfigError(f"box-margins has {part!r}: {_EXPECTED}") from None
        margins[name.strip()] = _checked(name.strip(), values, "box-margins", ConfigError)
    return margins


def _from_file(path: Path) -> BoxMargins:
    about = read_object(path)
    rows = about.get("margins")
    if about.get("schema") != SCHEMA or not isinstance(rows, dict):
        raise DatasetError(f"{path}: no box margins: {_EXPECTED}")
    return {name: _checked(name, values, str(path), DatasetError) for name, values in rows.items()}


def _checked(
    name: str, values: Any, where: str, error: type[ConfigError | DatasetError]
) -> tuple[float, float, float, float]:
    if name not in CATEGORIES:
        raise error(f"{where}: unknown category {short(name)}: expected one of {', '.join(CATEGORIES)}")
    numbers: list[Any] = values if isinstance(values, list) and len(values) == len("ltrb") else [None]
    for one in numbers:
        plain = isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)
        if not plain or not 0 <= one <= _MOST:
            raise error(f"{where}: {name} has {short(values)}: expected four numbers, 0 to {_MOST}")
    left, top, right, bottom = map(float, numbers)
    return left, top, right, bottom


def margins_to_json(margins: BoxMargins, **about: Any) -> dict[str, Any]:
    """What a file of margins holds; ``about`` says where they come from."""
    return {"schema": SCHEMA, "version": 1, **about, "margins": {name: list(one) for name, one in margins.items()}}


def widened(box_px: Box2D, category: str, margins: BoxMargins, size_px: tuple[int, int]) -> Box2D:
    """A box as the margins want it, inside of the image; edges that its border cuts stay there.

    Args:
        box_px: left, top, right, bottom.
        category: of the object; others than those of the margins keep their box.
        margins: to be added.
        size_px: width and height of the image.
    """
    if category not in margins:
        return box_px
    left, top, right, bottom = box_px
    height, (width_px, height_px) = bottom - top, size_px
    more = [one * height for one in margins[category]]
    return (
        left if left <= 0 else max(0.0, left - more[0]),
        top if top <= 0 else max(0.0, top - more[1]),
        right if right >= width_px else min(float(width_px), right + more[2]),
        bottom if bottom >= height_px else min(float(height_px), bottom + more[3]),
    )
