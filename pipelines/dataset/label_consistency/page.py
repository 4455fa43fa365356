"""`label_errors.html` of a data set: how the errors of its frames are spread, and the worst with outlines drawn.

The file needs no other.
"""

from __future__ import annotations

import base64
import heapq
import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.dataset.frame_files import FrameFiles
from pipelines.dataset.record import FrameRecord, LabelError
from pipelines.io.html import fill_template
from pipelines.io.images import decode_png

__all__ = ["LABEL_ERRORS_FILE", "LabelErrors", "outlined"]

LABEL_ERRORS_FILE: Final = "label_errors.html"
BINS: Final = 20
WORST: Final = 12
SIDE_PX: Final = 512
"""Frames are shown no larger than this."""
# Okabe and Ito, "Color Universal Design", 2008: apart for every kind of colour vision, and from grey.
GOOD, BAD, UNMEASURED = (86, 180, 233), (235, 110, 60), (150, 156, 168)
"""RGB of the outlines of objects with a score up to a half, above it, and without one."""


@dataclass(frozen=True)
class _Row:
    """What is shown of a frame."""

    index: int
    name: str
    error: LabelError

    @property
    def score(self) -> float:
        """Of a frame that was measured."""
        return self.error.score or 0.0


class LabelErrors:
    """What is told of the errors of all frames, of which there may be millions, as they go by."""

    def __init__(self) -> None:
        self._frames = self._again = 0
        self._rejected: list[str] = []
        self._scores = Counter[float]()  # they have four places, so that there are 10001 at most
        self._worst: list[tuple[float, int, _Row]] = []

    def watch(self, records: Iterable[FrameRecord]) -> Iterator[FrameRecord]:
        """The records, each looked at when it is asked for."""
        for record in records:
            self._add(_row(record))
            yield record

    def _add(self, row: _Row) -> None:
        self._frames += 1
        self._again += row.error.attempt > 0
        if row.error.rejected:
            self._rejected.append(row.name)
        if row.error.score is not None:
            self._scores[row.score] += 1
            heapq.heappush(self._worst, (row.score, -row.index, row))
            if len(self._worst) > WORST:
                heapq.heappop(self._worst)

    def page(self, files: FrameFiles, limit: float | None) -> str:
        """The page, ``label_errors.html``.

        Args:
            files: of the data set, with its images and masks.
            limit: above which frames were drawn again; None where there was none.

        Raises:
            DatasetError: an image cannot be read.
        """
        worst = [row for _, _, row in sorted(self._worst, reverse=True)]
        return fill_template(
            _TEMPLATE,
            frames=self._frames,
            measured=self._scores.total(),
            rejected=self._rejected,
            again=self._again,
            limit=limit,
            median=_median(self._scores) if self._scores else None,
            bars=_bars(self._scores),
            worst=[(row, _embed(outlined(files, row.name, row.error))) for row in worst],
        )


def _row(record: FrameRecord) -> _Row:
    """What is shown of a frame; one from before label errors were measured has no score."""
    return _Row(record.index, record.stem, record.label_error or LabelError(None, None))


def _median(scores: Counter[float]) -> float:
    """Of scores, given how often each is there: the middle one, or the mean of the two in the middle."""
    values, last = sorted(scores), scores.total() - 1
    ends = list(itertools.accumulate(scores[value] for value in values))
    low, high = (values[bisect_right(ends, place)] for place in (last // 2, last - last // 2))
    return (low + high) / 2


def _bars(scores: Counter[float]) -> list[dict[str, float]]:
    """The histogram: place and height of each bar as shares of the drawing, and its count."""
    counts, _ = np.histogram([*scores], bins=BINS, range=(0.0, 1.0), weights=[*scores.values()])
    highest = max(int(counts.max()), 1)
    return [{"left": k / BINS, "height": int(n) / highest, "count": int(n)} for k, n in enumerate(counts)]


def outlined(files: FrameFiles, name: str, error: LabelError) -> NDArray[np.uint8]:
    """A frame with the outlines of its masks, coloured by their scores: (H, W, 3) RGB."""
    grey, mask = (decode_png(files.read(file), file) for file in (f"images/{name}.png", f"masks/{name}.png"))
    scale = max(1, round(SIDE_PX / max(grey.shape)))
    size = (grey.shape[1] * scale, grey.shape[0] * scale)
    picture = cv2.cvtColor(cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2RGB)
    scores = {item.id: item.score for item in error.objects}
    for number in np.unique(mask[mask > 0]).tolist():
        score = scores.get(number)
        colour = UNMEASURED if score is None else BAD if score > 0.5 else GOOD
        inside = cv2.resize((mask == number).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        lines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, lines, -1, colour, 1)
    return np.asarray(picture, dtype=np.uint8)


def _embed(picture: NDArray[np.uint8]) -> str:
    """A picture as a data URI; JPEG, a fifth of a PNG's size, with full colour so that the outlines stay sharp."""
    scale = SIDE_PX / max(picture.shape[:2])
    if scale < 1:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    full = (cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    ok, data = cv2.imencode(".jpg", picture[..., ::-1], full)
    assert ok
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


_TEMPLATE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Label errors</title>
<style>
:root { color-scheme: light dark; --line: #8886; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 1180px; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
svg { max-width: 640px; width: 100%; height: auto; font-size: 12px; fill: currentColor; }
.bar { fill: #56b4e9; } .axis { stroke: var(--line); } .limit { stroke: #eb6e3c; stroke-width: 2; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(360px, 1fr)); gap: 1rem; }
figure { margin: 0; } img { width: 100%; display: block; } figcaption { font-size: .85rem; }
.good { color: #2a86c0; } .bad { color: #d0541f; }
</style></head><body>
<h1>Label errors</h1>
<p>Does the picture still show its objects where the masks say? 0 is none, 1 is lost.
{{ measured }} of {{ frames }} frames could be measured{% if median is not none %}, median {{ "%.2f"|format(median) }}
{%- endif %}{% if measured < frames %}; the others hold no object of 20 x 20 px or more{% endif %}.
{% if limit is none %}No limit was set.{% else %}The limit is {{ limit }}: {{ again }} frames are a later attempt,
{{ rejected|length }} still exceed it and are marked as rejected{% if rejected %}: {{ rejected[:50]|join(", ") }}
{%- if rejected|length > 50 %} and more{% endif %}{% endif %}.{% endif %}</p>
{% if measured %}<h2>Frames by label error</h2>
<svg viewBox="0 0 640 190" role="img" aria-label="histogram of label errors">
{% for bar in bars %}{% if bar.count %}
<rect class="bar" x="{{ 21 + 600 * bar.left }}" y="{{ "%.1f"|format(160 - 140 * bar.height) }}" width="28"
 height="{{ "%.1f"|format(140 * bar.height) }}"/>
<text x="{{ 35 + 600 * bar.left }}" y="{{ "%.1f"|format(155 - 140 * bar.height) }}" text-anchor="middle">{{ bar.count }}
</text>{% endif %}{% endfor %}
<line class="axis" x1="20" y1="160" x2="620" y2="160"/>
{% for tick in (0, 0.25, 0.5, 0.75, 1) %}
<text x="{{ 20 + 600 * tick }}" y="180" text-anchor="middle">{{ tick }}</text>{% endfor %}
{% if limit is not none %}
<line class="limit" x1="{{ 20 + 600 * limit }}" y1="10" x2="{{ 20 + 600 * limit }}" y2="166"/>{% endif %}
</svg>
<h2>Frames with the largest label error</h2>
<p>Outlines of the masks: <span class="good">blue</span> up to a half, <span class="bad">orange</span> above,
grey where the object is too small to be measured.</p>
<div class="sheet">{% for row, uri in worst %}
<figure><img alt="frame {{ row.name }} with the outlines of its masks" src="{{ uri }}">
<figcaption>{{ row.name }}: {{ "%.2f"|format(row.score) }}{% if row.error.rejected %}, rejected{% endif %}
{% if row.error.invented_px %}, {{ row.error.invented_px }} px invented
{%- endif %}</figcaption></figure>{% endfor %}</div>
{% endif %}</body></html>
"""
