"""Figures of sets beside each other, as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pipelines.io.escape import for_markdown
from pipelines.statistics.figures import ObjectFigures, SetFigures, quantile

__all__ = ["rows_of", "stats_markdown"]

Row = tuple[str, tuple[str, ...]]
SPAN: Final = (0.1, 0.5, 0.9)


def stats_markdown(sets: Sequence[SetFigures]) -> str:
    """A page with one table."""
    lines = ["# Statistics", "", _line("", [for_markdown(one.name) for one in sets])]
    lines += [_line("---", ["---"] * len(sets))]
    lines += [_line(name, values) for name, values in rows_of(sets)]
    lines += [
        "",
        "Heights and widths are of the labelled boxes in pixels of each set's own frames; spans are the values that "
        "10, 50 and 90 % of the objects are below. Behind: another box of the kind that reaches farther down covers a "
        "tenth or more. Contrast: mean of the middle of the box less that of a rim around it, grey levels of 0 to 255, "
        "of the pictures that were looked at. Noise: Immerkaer's operator, by the median.",
        "",
    ]
    return "\n".join(lines)


def rows_of(sets: Sequence[SetFigures]) -> list[Row]:
    """Name and texts of each figure; what no set knows is left out."""
    rows = [*_of_sets(sets)]
    for kind in dict.fromkeys(kind for one in sets for kind in one.kinds):
        rows += _of_kind(kind, [one.kinds.get(kind) for one in sets])
    return [(name, values) for name, values in rows if set(values) != {"-"}]


def _line(name: str, values: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(values)} |"


def _of_sets(sets: Sequence[SetFigures]) -> Iterator[Row]:
    yield "frames", tuple(str(one.frames) for one in sets)
    yield "size, px", tuple("{}x{}".format(*one.size_px) for one in sets)
    for name in dict.fromkeys(name for one in sets for name in one.categories):
        yield f"objects: {for_markdown(name)}", tuple(str(one.categories.get(name, 0)) for one in sets)
    yield "frames by day", tuple(_percent(one.day_share) for one in sets)
    for counts in ([one.weather for one in sets], [one.worlds for one in sets]):
        for name in dict.fromkeys(name for one in counts for name in one):
            yield f"frames: {for_markdown(name)}", tuple(str(one.get(name, 0)) for one in counts)
    yield "pictures looked at", tuple(str(one.pictures) for one in sets)
    yield "mean grey level", tuple(_span(one.level) for one in sets)
    yield "spread of grey levels", tuple(_span(one.spread) for one in sets)
    yield "noise, grey levels", tuple(_span(one.noise, 2) for one in sets)
    yield "how far objects stand out, grey levels", tuple(_span(one.contrast) for one in sets)


_FIGURES: Final[tuple[tuple[str, Callable[[ObjectFigures], str]], ...]] = (
    ("a frame", lambda one: f"{one.per_frame:.2f}"),
    ("frames with one or more", lambda one: _percent(one.frames_with)),
    ("frames with two or more", lambda one: _percent(one.frames_with_several)),
    ("height, px", lambda one: _span(one.height_px)),
    ("width, px", lambda one: _span(one.width_px)),
    ("width over height", lambda one: _span(one.aspect, 2)),
    ("below 26 px high", lambda one: _percent(sum(one.heights[:4]))),
    ("distance, m", lambda one: _span(one.distance_m)),
    ("behind another", lambda one: _percent(one.behind)),
    ("cut by left or right", lambda one: _percent(one.cut_by_sides)),
    ("cut below", lambda one: _percent(one.cut_below)),
    ("hidden in part, as labelled", lambda one: _percent(one.occluded)),
    ("reaching out, as labelled", lambda one: _percent(one.truncated)),
    ("contrast, grey levels", lambda one: _span(one.contrast)),
)


def _of_kind(kind: str, figures: Sequence[ObjectFigures | None]) -> Iterator[Row]:
    for name, text in _FIGURES:
        yield f"{kind}: {name}", tuple("-" if one is None else text(one) for one in figures)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _span(values: tuple[float, ...] | None, digits: int = 0) -> str:
    return " / ".join(f"{quantile(values, share):.{digits}f}" for share in SPAN) if values else "-"
