"""What `gis measure` writes: figures as JSON, tables as Markdown, and a sheet of what each row finds and misses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.detection.config import MeasureConfig
from pipelines.detection.labelled_images import NOT_COUNTED, LabelledImage, LabelledImages
from pipelines.detection.results import MeasuredRow, Measurement
from pipelines.detection.worth import worth_in_labels
from pipelines.io.escape import for_markdown
from pipelines.io.files import finite, write_bytes, write_json, write_text
from pipelines.io.images import encode_png

__all__ = ["curve_of", "report_text", "write_report"]

_SHOWN: Final = 16
_COLUMNS: Final = 4
_TILE_PX: Final = 320
_SURE: Final = 0.3
"""Score from which on a find is drawn."""
# RGB of Okabe and Ito's colours, which stay apart for every kind of colour vision.
_WANTED, _NOT_COUNTED_COLOUR, _FOUND = (0, 158, 115), (140, 140, 140), (230, 159, 0)


Found = Mapping[str, list[list[float]]]
"""By image: left, top, right, bottom, score, class of each find."""


def write_report(
    config: MeasureConfig,
    parts: Sequence[LabelledImages],
    result: Measurement,
    found_by_row: Mapping[str, Found],
) -> None:
    """Writes ``detection.json``, ``report.md`` and ``finds-ROW.png``.

    Args:
        config: Names the folder.
        parts: What was tested on: all of it, or what is reported on and the rest. The sheets show the last part, so
            that whoever chooses by what they see has not seen what is reported on.
        result: The figures.
        found_by_row: What the first seed of each row found, by the name that a file of the row has.

    Raises:
        OutputError: They cannot be written.
    """
    write_json(config.out / "detection.json", finite({"schema": "gis-detection", "version": 2, **asdict(result)}))
    write_text(config.out / "report.md", report_text(result, parts))
    for name, found in found_by_row.items():
        write_bytes(config.out / f"finds-{name}.png", encode_png(_sheet(parts[-1].images, found)))


def report_text(result: Measurement, parts: Sequence[LabelledImages]) -> str:
    """Markdown tables for each class; those of the sequences to report on before those to choose by."""
    titles = ("To report on", "To choose by") if len(parts) > 1 else ("",)
    texts = []
    for title, rows, part in zip(titles, (result.rows, result.choose), parts, strict=False):
        sequences = len({image.sequence or image.name for image in part.images})
        texts += [f"# {title}: {len(part.images)} images of {sequences} sequences\n"] if title else []
        texts += [_of_class(rows, kind, part.count(number)) for number, kind in enumerate(result.classes)]
    return "\n".join(texts)


def _of_class(rows: Sequence[MeasuredRow], kind: str, count: int) -> str:
    if not count:
        return f"## {for_markdown(kind)}\n\nThe test set has none.\n"
    return _table(rows, kind) + _worth(rows, kind)


def _worth(rows: Sequence[MeasuredRow], kind: str) -> str:
    """How many real labels each other row is worth, where shares of one set make a curve."""
    curve = curve_of(rows, kind)
    if not curve:
        return ""
    name = curve[0].row.partition("@")[0]
    lines = [_line(["trained on", "AP50", f"worth in labels of {for_markdown(name)}"]), _line(["---"] * 3)]
    labels, reached = [row.objects[kind] for row in curve], [row.mean(kind) for row in curve]
    for row in rows:
        if row not in curve:
            worth = worth_in_labels(labels, reached, row.mean(kind))
            told = {0.0: f"fewer than {min(labels)}", math.inf: f"more than {max(labels)}"}.get(worth, f"{worth:.0f}")
            lines.append(_line([for_markdown(row.row), f"{row.mean(kind):.1f}", told]))
    return "\n".join(["", *lines, ""])


def curve_of(rows: Sequence[MeasuredRow], kind: str) -> list[MeasuredRow]:
    """Rows of one set alone of which shares were taken, by their number of labels; none where there are none."""
    shared = [row.row.partition("@")[0] for row in rows if "@" in row.row and "+" not in row.row]
    mine = [row for row in rows if shared and "+" not in row.row and row.row.partition("@")[0] == shared[0]]
    mine = [row for row in mine if row.objects[kind] > 0]
    return sorted(mine, key=lambda row: row.objects[kind]) if len(mine) > 1 else []


def _table(rows: Sequence[MeasuredRow], kind: str) -> str:
    parts = list(rows[0].scores[0][kind]["ap50"])
    head = [
        "trained on",
        "images",
        "objects",
        "AP50 (each seed)",
        "95 %",
        "AP",
        *[for_markdown(f"AP50 {part}") for part in parts if part != "all"],
    ]
    lines = [f"## {for_markdown(kind)}", "", _line(head), _line(["---"] * len(head))]
    return "\n".join([*lines, *(_line(_cells(row, kind, parts)) for row in rows), ""])


def _cells(row: MeasuredRow, kind: str, parts: Sequence[str]) -> list[str]:
    seeds = ", ".join(f"{one[kind]['ap50']['all']:.1f}" for one in row.scores)
    low, high = np.mean([one[kind]["ap50_interval"] for one in row.scores], axis=0)
    by_part = [f"{row.mean(kind, part):.1f}" for part in parts if part != "all"]
    ap50, ap = row.mean(kind), row.mean(kind, measure="ap")
    return [
        for_markdown(row.row),
        str(row.images),
        str(row.objects[kind]),
        f"{ap50:.1f} ({seeds})",
        f"{low:.0f} to {high:.0f}",
        f"{ap:.1f}",
        *by_part,
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _sheet(images: Sequence[LabelledImage], found: Found) -> NDArray[np.uint8]:
    """Test images at even distances with their labels (green; not counted: grey) and finds (orange, with the score)."""
    chosen = [images[row] for row in np.linspace(0, len(images) - 1, min(_SHOWN, len(images))).astype(int)]
    tiles = [_tile(image, found.get(image.name, [])) for image in chosen]
    height = max(len(tile) for tile in tiles)
    tiles = [cv2.copyMakeBorder(t, 0, height - len(t), 0, 0, cv2.BORDER_CONSTANT) for t in tiles]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[first : first + _COLUMNS]) for first in range(0, len(tiles), _COLUMNS)]
    return np.asarray(np.vstack(rows), dtype=np.uint8)


def _tile(image: LabelledImage, found: Sequence[Sequence[float]]) -> NDArray[np.uint8]:
    grey = image.read()
    scale = _TILE_PX / grey.shape[1]
    tile = cv2.cvtColor(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2RGB)
    for box, kind in zip(image.boxes_px, image.classes, strict=True):
        _draw(tile, box * scale, _NOT_COUNTED_COLOUR if kind == NOT_COUNTED else _WANTED)
    for *box, value, _ in found:
        if value >= _SURE:
            _draw(tile, np.array(box) * scale, _FOUND, f"{value:.1f}")
    return np.asarray(tile, dtype=np.uint8)


def _draw(tile: NDArray[np.uint8], box: NDArray[Any], colour: tuple[int, int, int], text: str = "") -> None:
    left, top, right, bottom = np.rint(box).astype(int).tolist()
    cv2.rectangle(tile, (left, top), (right, bottom), colour, 1, cv2.LINE_AA)
    if text:
        cv2.putText(tile, text, (left, top - 2), cv2.FONT_HERSHEY_PLAIN, 0.7, colour, 1, cv2.LINE_AA)
