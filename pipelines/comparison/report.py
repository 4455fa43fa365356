"""What `gis compare` writes: compare.json, and one HTML page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from pipelines.comparison.plan import CompareConfig
from pipelines.comparison.tables import COLUMNS, COSTS, Comparison, Curve, Row
from pipelines.evaluation.evaluate import METRICS
from pipelines.evaluation.page import _finite
from pipelines.io.files import write_json, write_text

__all__ = ["chosen_names", "write_report"]

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
    write_json(config.out / "compare.json", _finite(plan | {"sets": sets, "notes": result.notes, "rows": rows}))
    write_text(config.out / "report.html", _html(config, plan, result))


def chosen_names(names: Sequence[str], count: int) -> list[str]:
    """At most `count` names evenly spaced over all, so that nobody picks them."""
    places = np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int)
    return [names[place] for place in places]


def _html(config: CompareConfig, plan: dict[str, Any], result: Comparison) -> str:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(_TEMPLATE).render(
        plan=plan,
        notes=result.notes,
        tables=[_table(result, name) for name in result.sets],
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
    span = f"95 %: {interval['low']:.{digits}f} to {interval['high']:.{digits}f}"
    return {"text": f"{interval['mean']:.{digits}f}", "span": span, "best": interval["mean"] == best}


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
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        return ""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


_TEMPLATE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Comparison of {{ costs.lines|length }} translation models</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 1400px; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.sub { margin-top: 0; opacity: .75; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } td.error { text-align: left; color: #c33; white-space: normal; }
.best { font-weight: 700; } .scroll { overflow-x: auto; }
.curves { display: flex; flex-wrap: wrap; gap: 1.2rem; } .curves figure { margin: 0; width: 320px; }
svg { display: block; border-left: 1px solid var(--line); border-bottom: 1px solid var(--line); overflow: visible; }
figcaption { font-size: .8rem; } .key { margin-right: .7rem; white-space: nowrap; }
.networks { white-space: normal; min-width: 22rem; }
.grid td, .grid th { max-width: 150px; overflow-wrap: anywhere; }
.grid td, .grid th { padding: 2px; border: 0; text-align: center; font-size: .75rem; white-space: normal; }
.grid img { display: block; width: 150px; image-rendering: auto; background: var(--soft); }
.notes { background: var(--soft); padding: .6rem 1rem .6rem 2rem; border-left: 3px solid #c80; }
</style></head><body>
<h1>Comparison of translation models</h1>
<p class="sub">Trained on {{ plan.data.train }} images of {{ plan.data.width_px }}x{{ plan.data.height_px }} px,
{{ plan.data.source_channels }} channels; batch {{ plan.batch }}, seed {{ plan.seed }}, at most {{ plan.epochs }} epochs
{% if plan.budget_minutes %}or {{ plan.budget_minutes }} minutes of training each{% endif %}, {{ plan.threads }} CPU
thread(s). The last weights of each are measured, not the best on the test images.</p>
{% if notes %}<ul class="notes">{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>{% endif %}
{% for table in tables %}
<h2>{{ table.name }}: {{ table.count }} images{% if not loop.first %}, of a kind that nothing was trained on{% endif %}
</h2>
<div class="scroll"><table><tr><th>model</th>{% for title in table.titles %}<th>{{ title }}</th>{% endfor %}</tr>
{% for line in table.lines %}<tr><td>{{ line.name }}</td>
{% if line.error %}<td class="error" colspan="{{ table.titles|length or 1 }}">{{ line.error }}</td>
{% else %}{% for cell in line.cells %}
<td title="{{ cell.span }}"{% if cell.best %} class="best"{% endif %}>{{ cell.text }}</td>{% endfor %}{% endif %}</tr>
{% endfor %}</table></div>
{% endfor %}
<p class="sub">Arrows say which way is better; the best is bold; a pointer over a figure shows its 95 % interval.
MSE and RMSE: fractions of full range.</p>
{% if classes.lines %}<h2>RMS error by class of object</h2>
<div class="scroll"><table><tr><th>model</th>{% for title in classes.titles %}<th>{{ title }}</th>{% endfor %}</tr>
{% for line in classes.lines %}<tr><td>{{ line.name }}</td>
{% for cell in line.cells %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table></div>{% endif %}
<h2>Cost</h2>
<div class="scroll"><table><tr><th>model</th>{% for title in costs.titles %}<th>{{ title }}</th>{% endfor %}
<th>trained networks</th></tr>
{% for line in costs.lines %}<tr><td>{{ line.name }}</td>{% for cell in line.cells %}<td>{{ cell }}</td>{% endfor %}
<td class="networks">{{ line.networks }}</td></tr>{% endfor %}</table></div>
<p class="sub">Parameters and floating-point operations (two per multiply-add) of the network that is served, for one
image; images/s: one by one in float32; peak: most memory of training and serving, with all libraries.</p>
{% if curves %}<h2>Loss curves</h2><div class="curves">
{% for name, chart in curves %}<figure><strong>{{ name }}</strong>
<svg width="{{ chart.width }}" height="{{ chart.height }}" role="img" aria-label="losses of {{ name }}">
{% for line in chart.lines %}<polyline fill="none" stroke="{{ line.colour }}" stroke-width="1.5"
points="{{ line.points }}"/>{% endfor %}</svg>
<figcaption>0 to {{ chart.steps }} steps, 0 to {{ chart.top }}; last values:<br>
{% for line in chart.lines %}<span class="key" style="color: {{ line.colour }}">{{ line.name }} {{ line.last }}</span>
{% endfor %}</figcaption></figure>{% endfor %}</div>{% endif %}
{% for grid in grids %}<h2>Images of {{ grid.name }}</h2><div class="scroll"><table class="grid">
<tr>{% for title in grid.titles %}<th>{{ title }}</th>{% endfor %}</tr>
{% for line in grid.lines %}<tr>{% for uri in line.images %}<td><img alt="{{ line.name }}" src="{{ uri }}"></td>
{% endfor %}</tr>{% endfor %}</table></div>{% endfor %}
</body></html>
"""
