"""A picture of precision against the number of real labels, with and without made frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from pipelines.detection.report import curve_of
from pipelines.detection.results import MeasuredRow

__all__ = ["Series", "curves", "draw_curves"]

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 1000, 640, 90, 40, 260, 80
_COLOURS: Final = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
"""Okabe and Ito's, which stay apart for every kind of colour vision."""


@dataclass(frozen=True)
class Series:
    """One line of the picture."""

    name: str
    points: tuple[tuple[float, float], ...]
    """Number of real labels, and precision in percent."""
    level: bool = False
    """Needs no real label: drawn over all numbers, dashed."""


def curves(rows: Sequence[MeasuredRow], kind: str) -> list[Series]:
    """Real labels alone; with each made set, where some rows join it to a share; made sets alone."""
    real = curve_of(rows, kind)
    if not real:
        return []
    labels = {row.row: float(row.objects[kind]) for row in real}
    joined: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        share, plus, other = row.row.partition("+")
        if plus and share in labels:
            joined.setdefault(other, []).append((labels[share], row.mean(kind)))
    lines = [Series("real alone", tuple((labels[row.row], row.mean(kind)) for row in real))]
    lines += [Series(f"with {name}", tuple(sorted(points))) for name, points in joined.items() if len(points) > 1]
    known = {line.name.removeprefix("with ") for line in lines[1:]}
    return lines + [
        Series(f"{row.row} alone", ((min(labels.values()), row.mean(kind)),), level=True)
        for row in rows
        if row.row in known
    ]


def draw_curves(series: Sequence[Series], title: str, path: Path) -> None:
    """Writes the picture, a PNG; numbers of labels are on a logarithmic axis."""
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(18)
    counts = sorted({count for line in series for count, _ in line.points if not line.level})
    top = 10 * math.ceil(max(value for line in series for _, value in line.points) / 10 + 0.1)
    span = math.log(counts[-1] / counts[0]) or 1.0

    def place(count: float, value: float) -> tuple[float, float]:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * math.log(count / counts[0]) / span
        return x, _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top

    for value in range(0, top + 1, 10):
        draw.line([place(counts[0], value), place(counts[-1], value)], "#dddddd")
        draw.text((_LEFT - 12, place(counts[0], value)[1]), f"{value}", "black", font, anchor="rm")
    for count in counts:
        draw.text((place(count, 0)[0], _HEIGHT - _BOTTOM + 10), f"{count:.0f}", "black", font, anchor="ma")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    draw.text((middle, _HEIGHT - 12), "real labels", "black", font, anchor="ms")
    draw.text((_LEFT, 8), title, "black", font)
    for number, line in enumerate(series):
        _draw_line(draw, line, _COLOURS[number % len(_COLOURS)], place, counts)
        draw.text((_WIDTH - _RIGHT + 20, _TOP + 26 * number), line.name, _COLOURS[number % len(_COLOURS)], font)
    image.save(path)


def _draw_line(
    draw: ImageDraw.ImageDraw,
    line: Series,
    colour: str,
    place: Callable[[float, float], tuple[float, float]],
    counts: Sequence[float],
) -> None:
    if line.level:
        (left, y), (right, _) = (place(count, line.points[0][1]) for count in (counts[0], counts[-1]))
        for start in range(int(left), int(right), 16):
            draw.line([(start, y), (min(start + 9, right), y)], colour, 2)
        return
    points = [place(*point) for point in line.points]
    draw.line(points, colour, 3, joint="curve")
    for x, y in points:
        draw.ellipse([x - 5, y - 5, x + 5, y + 5], colour)
