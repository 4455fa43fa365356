"""What `gis compare` writes: compare.json, and one HTML page that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipelines.comparison.plan import CompareConfig
from pipelines.comparison.tables import COLUMNS, COSTS, Comparison, Curve, Row, format_span
from pipelines.errors import DatasetError
from pipelines.evaluation.results import METRICS
from pipelines.io.files import finite, write_json, write_text
from pipelines.io.html import data_uri, fill_template
from pipelines.io.images import encode_jpeg, read_png

__all__ = ["chosen_names", "write_report"]

_TEMPLATE: Final = Path(__file__).with_name("report.html.j2")
_CURVE_PX: Final = (320, 130)
# Okabe and Ito's colours, which colour-blind readers tell apart.
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#f0e442")


def write_report(config: CompareConfig, plan: dict[str, Any], result: Comparison) -> None:
    """Writes ``compare.json`` and ``report.html`` into the comparison's folder.

    Raises:
        OutputError: they cannot be written.
    """
    rows = [{key: value for key, value in asdict(row).items() if key != "images"} for row in result.rows]
    sets = {name: list(names) for name, names in result.sets.items()}
    write_json(config.out / "compare.json", finite(plan | {"sets": sets, "notes": result.notes, "rows": rows}))
    write_text(config.out / "report.html", _html(config, plan, result))


def chosen_names(names: Sequence[str], count: int) -> list[str]:
    """At most `count` names evenly spaced over all, so that nobody picks them."""
    places = np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int)
    return [names[place] for place in places]


def _html(config: CompareConfig, plan: dict[str, Any], result: Comparison) -> str:
    return fill_template(
        _TEMPLATE,
        plan=plan,
        notes=result.notes,
        tables=[_table(result, name) for name in result.sets],
        over_sequences=config.data_options.sequences is not None,
        costs=_cost_table(result),
        classes=_class_table(result),
        curves=[(row.name, _chart(row.curves)) for row in result.rows if row.curves],
        grids=[_grid(config, result, name) for name in result.sets],
    )


def _table(result: Comparison, test: str) -> dict[str, Any]:
    columns = [column for column in COLUMNS if any(column[0] in row.means.get(test, {}) for row in result.rows)]
    best = {key: _best(result.rows, test, key) for key, _, _ in columns}
    lines = []
    for row in result.rows:
        means = row.means.get(test, {})
        cells = [_cell(means.get(key), digits, best[key]) for key, _, digits in columns]
        lines.append({"name": row.name, "error": row.error, "cells": cells})
    return {"name": test, "count": len(result.sets[test]), "titles": [_title(*c[:2]) for c in columns], "lines": lines}


def _title(key: str, title: str) -> str:
    lower = next(metric.lower_is_better for metric in METRICS if metric.name == key)
    return f"{title} {'↓' if lower else '↑'}"


def _best(rows: Sequence[Row], test: str, key: str) -> float:
    lower = next(metric.lower_is_better for metric in METRICS if metric.name == key)
    values: list[float] = [row.means[test][key]["mean"] for row in rows if key in row.means.get(test, {})]
    return min(values) if lower else max(values)


def _cell(interval: dict[str, Any] | None, digits: int, best: float) -> dict[str, Any]:
    if interval is None:
        return {"text": "-", "span": "", "best": False}
    text = f"{interval['mean']:.{digits}f}"
    return {"text": text, "span": format_span(interval, digits), "best": interval["mean"] == best}


def _cost_table(result: Comparison) -> dict[str, Any]:
    lines = []
    for row in result.rows:
        if row.cost:
            cells = [f"{row.cost[key] / divisor:.{digits}f}" for key, _, divisor, digits in COSTS]
            lines.append({"name": row.name, "cells": cells, "networks": _networks(row.cost["networks"])})
    return {"titles": [title for _, title, _, _ in COSTS], "lines": lines}


def _networks(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count / 1e6:.2f} M" for name, count in counts.items())


def _class_table(result: Comparison) -> dict[str, Any]:
    names = sorted({name for row in result.rows for name in row.classes})
    lines = [
        {"name": row.name, "cells": [f"{row.classes[name]:.4f}" if name in row.classes else "-" for name in names]}
        for row in result.rows
        if row.classes
    ]
    return {"titles": names, "lines": lines}


def _chart(curves: dict[str, Curve]) -> dict[str, Any]:
    """Each loss as a line over the steps, all drawn to the height of the largest value."""
    width, height = _CURVE_PX
    last = max(step for curve in curves.values() for step, _ in curve)
    top = max(value for curve in curves.values() for _, value in curve) or 1.0
    lines = []
    for (name, curve), colour in zip(sorted(curves.items()), _COLOURS, strict=False):
        points = " ".join(f"{width * step / last:.1f},{height * (1 - value / top):.1f}" for step, value in curve)
        lines.append({"name": name, "colour": colour, "points": points, "last": f"{curve[-1][1]:.3g}"})
    return {"width": width, "height": height, "lines": lines, "steps": last, "top": f"{top:.3g}"}


def _grid(config: CompareConfig, result: Comparison, test: str) -> dict[str, Any]:
    place = config.out / "sets" / test
    columns = {"source": place / "source", "real": place / "real"}
    columns |= {row.name: row.images[test] for row in result.rows if test in row.images and not row.error}
    lines = [
        {"name": name, "images": [_embed(folder / f"{name}.png") for folder in columns.values()]}
        for name in chosen_names(result.sets[test], config.shown)
    ]
    return {"name": test, "titles": list(columns), "lines": lines}


def _embed(path: Path) -> str:
    """A picture as a data URI; JPEG, for the page holds many."""
    try:
        return data_uri("image/jpeg", encode_jpeg(read_png(path)))
    except DatasetError:  # a model that failed half way
        return ""
