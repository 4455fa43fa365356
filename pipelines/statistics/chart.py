"""A picture of the figures of sets: bars of sizes, curves of distributions, maps of positions; a colour for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipelines.statistics.figures import HEIGHTS_PX, ObjectFigures, SetFigures

__all__ = ["COLOURS", "stats_chart"]

Colour = tuple[int, int, int]
Values = tuple[float, ...]
Curve = tuple[Values | None, Colour]

# Okabe and Ito, "Color Universal Design", 2008: colours that stay apart for every kind of colour vision.
COLOURS: Final[tuple[Colour, ...]] = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233),
)  # fmt: skip
PAPER: Final[Colour] = (255, 255, 255)
INK: Final[Colour] = (40, 42, 48)
PALE: Final[Colour] = (205, 208, 214)
PANEL_PX: Final = (300, 170)
GAP_PX: Final = (44, 62)
HEAD_PX: Final = 64
MARGIN_PX: Final = 40


@dataclass(frozen=True)
class _Panel:
    """A rectangle of the picture that something is drawn in."""

    picture: Image.Image
    left: int
    top: int

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.picture)

    def title(self, text: str) -> None:
        self.text(self.left, self.top - 22, text, 14)

    def text(self, x: float, y: float, text: str, size: int = 11, colour: Colour = INK) -> None:
        self.draw.text((x, y), text, font=ImageFont.load_default(size), fill=colour)

    def frame(self) -> None:
        width, height = PANEL_PX
        self.draw.rectangle((self.left, self.top, self.left + width, self.top + height), outline=PALE)

    def bars(self, labels: Sequence[str], series: Sequence[tuple[Values, Colour]]) -> None:
        """Groups of bars, one of a group for each set; the highest fills the panel."""
        width, height = PANEL_PX
        top = max((max(values, default=0.0) for values, _ in series), default=0.0) or 1.0
        group = width / max(len(labels), 1)
        thick = max(1.0, (group - 3) / max(len(series), 1))
        for place, (values, colour) in enumerate(series):
            for k, value in enumerate(values):
                x, y = self.left + k * group + 1 + place * thick, self.top + height
                self.draw.rectangle((x, y - value / top * (height - 6), x + thick - 1, y), fill=colour)
        for k, label in enumerate(labels):
            self.text(self.left + k * group, self.top + height + 3, label, 10)

    def curves(self, curves: Sequence[Curve]) -> None:
        """For each value the share that is below it; the outermost hundredths are left out."""
        known = [(np.array(values), colour) for values, colour in curves if values]
        if not known:
            self.text(self.left + 8, self.top + 8, "not known")
            return
        low = min(float(np.quantile(values, 0.01)) for values, _ in known)
        high = max(float(np.quantile(values, 0.97)) for values, _ in known)
        width, height = PANEL_PX
        for values, colour in known:
            x = np.clip((values - low) / max(high - low, 1e-9), 0, 1) * width + self.left
            y = self.top + height * (1 - np.linspace(0, 1, len(values)))
            self.draw.line([*zip(x.tolist(), y.tolist(), strict=True)], fill=colour, width=2)
        for share in (0.0, 0.5, 1.0):
            text = f"{low + share * (high - low):.3g}"
            self.text(self.left + share * width - 10 * share, self.top + height + 3, text, 10)

    def heat_map(self, shares: Sequence[Values], colour: Colour) -> None:
        """A grid of shares, the fullest cell in the set's colour."""
        table = np.array(shares)
        table = np.sqrt(table / max(table.max(), 1e-9))[..., None]
        cells = np.rint(table * np.array(colour) + (1 - table) * 250).astype(np.uint8)
        picture = Image.fromarray(cells).resize(PANEL_PX, Image.Resampling.NEAREST)
        self.picture.paste(picture, (self.left, self.top))


def stats_chart(sets: Sequence[SetFigures]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: a row for each kind of objects, and one for the frames."""
    kinds = list(dict.fromkeys(kind for one in sets for kind in one.kinds))
    columns, rows = 4 + len(sets), len(kinds) + 1
    size = (MARGIN_PX + columns * (PANEL_PX[0] + GAP_PX[0]), HEAD_PX + rows * (PANEL_PX[1] + GAP_PX[1]) + 16)
    picture = Image.new("RGB", size, PAPER)
    _legend(_Panel(picture, MARGIN_PX, 14), sets)
    for row, kind in enumerate(kinds):
        _kind_row(picture, row, kind, [one.kinds.get(kind) for one in sets], sets)
    _frames_row(picture, len(kinds), sets)
    return np.array(picture)


def _legend(panel: _Panel, sets: Sequence[SetFigures]) -> None:
    x = float(panel.left)
    for one, colour in zip(sets, _colours(len(sets)), strict=True):
        text = f"{one.name}, {one.frames} frames"
        panel.draw.rectangle((x, panel.top + 3, x + 12, panel.top + 15), fill=colour)
        panel.text(x + 18, panel.top, text, 15)
        x += 44 + panel.draw.textlength(text, font=ImageFont.load_default(15))


def _colours(count: int) -> list[Colour]:
    return [COLOURS[k % len(COLOURS)] for k in range(count)]


def _panel(picture: Image.Image, row: int, column: int, title: str) -> _Panel:
    panel = _Panel(
        picture,
        MARGIN_PX + column * (PANEL_PX[0] + GAP_PX[0]),
        HEAD_PX + 16 + row * (PANEL_PX[1] + GAP_PX[1]),
    )
    panel.title(title)
    panel.frame()
    return panel


def _kind_row(
    picture: Image.Image,
    row: int,
    kind: str,
    figures: Sequence[ObjectFigures | None],
    sets: Sequence[SetFigures],
) -> None:
    known = [(one, colour) for one, colour in zip(figures, _colours(len(figures)), strict=True) if one is not None]
    labels = [f"{edge}" for edge in HEIGHTS_PX[:-1]]
    _panel(picture, row, 0, f"{kind}: height of boxes, px").bars(
        labels, [(one.heights, colour) for one, colour in known]
    )
    parts: tuple[tuple[str, Callable[[ObjectFigures], Values | None]], ...] = (
        ("distance, m", lambda one: one.distance_m),
        ("width over height", lambda one: one.aspect),
        ("contrast, grey levels", lambda one: one.contrast),
    )
    for column, (title, values) in enumerate(parts, 1):
        _panel(picture, row, column, f"{kind}: {title}").curves([(values(one), colour) for one, colour in known])
    for column, (whose, one, colour) in enumerate(zip(sets, figures, _colours(len(sets)), strict=True), 4):
        panel = _panel(picture, row, column, f"{kind}: where, {whose.name[:24]}")
        if one is not None:
            panel.heat_map(one.positions, colour)


def _frames_row(picture: Image.Image, row: int, sets: Sequence[SetFigures]) -> None:
    colours = _colours(len(sets))
    hours = [(_shares(one.hours), colour) for one, colour in zip(sets, colours, strict=True) if one.hours]
    labels = [f"{hour}" if hour % 3 == 0 else "" for hour in range(24)]
    _panel(picture, row, 0, "hour of the day").bars(labels, hours)
    parts: tuple[tuple[str, Callable[[SetFigures], Values | None]], ...] = (
        ("mean grey level", lambda one: one.level),
        ("spread of grey levels", lambda one: one.spread),
        ("noise, grey levels", lambda one: one.noise),
    )
    for column, (title, values) in enumerate(parts, 1):
        panel = _panel(picture, row, column, title)
        panel.curves([(values(one), colour) for one, colour in zip(sets, colours, strict=True)])


def _shares(counts: tuple[int, ...]) -> Values:
    return tuple(count / max(sum(counts), 1) for count in counts)
