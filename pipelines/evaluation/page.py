"""What `gis evaluate` writes: metrics.json, and one HTML file that needs no other."""

from __future__ import annotations

import base64
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.evaluation.evaluate import (
    METRICS,
    EvaluateConfig,
    Evaluation,
    Metric,
    _images,
    config_values,
    read_image,
)
from pipelines.io.files import write_json, write_text

__all__ = ["write_report"]

_SHOWN: Final = 3  # pairs each of worst, median, best
_SIDE_PX: Final = 512  # images are shown no larger than this
# A difference this large (fraction of full range) is drawn at the end of the colour scale.
_DIFFERENCE_SPAN: Final = 0.25


def write_report(out: Path, config: EvaluateConfig, result: Evaluation) -> None:
    """Writes ``metrics.json`` and ``report.html`` into `out`.

    Raises:
        OutputError: they cannot be written.
    """
    values = _finite(
        {
            "schema": "gis-metrics",
            "version": 1,
            "settings": config_values(config),
            "confidence": 0.95,
            "metrics": {metric.name: asdict(metric) for metric in METRICS if metric.name in result.means},
            "means": {name: asdict(interval) for name, interval in result.means.items()},
            "distributions": result.distributions,
            "notes": result.notes,
            "images": result.rows,
        }
    )
    write_json(out / "metrics.json", values)
    write_text(out / "report.html", _html(config, result))


def _finite(value: Any) -> Any:
    """The value with None for infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _html(config: EvaluateConfig, result: Evaluation) -> str:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["number"] = _number
    return environment.from_string(_TEMPLATE).render(
        settings=config_values(config),
        means=[(metric, result.means[metric.name]) for metric in METRICS if metric.name in result.means],
        distributions=result.distributions,
        notes=result.notes,
        groups=_groups(config, result),
        leader=_leader(result),
        columns=[metric for metric in METRICS if metric.name in result.means],
        rows=result.rows,
        span=_DIFFERENCE_SPAN,
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return "∞" if math.isinf(value) else f"{value:.4g}"


def _leader(result: Evaluation) -> Metric | None:
    """The measure that says which pairs are best: the first LPIPS, else RMSE."""
    names = [name for name in ("lpips_alex", "lpips_vgg", "rmse") if name in result.means]
    return next((metric for metric in METRICS if names and metric.name == names[0]), None)


def _groups(config: EvaluateConfig, result: Evaluation) -> list[dict[str, Any]]:
    leader = _leader(result)
    if leader is None:
        return []
    ranked = sorted((row for row in result.rows if row[leader.name] is not None), key=lambda row: -row[leader.name])
    middle = max(len(ranked) // 2 - _SHOWN // 2, 0)
    parts = {"Worst": ranked[:_SHOWN], "Median": ranked[middle : middle + _SHOWN], "Best": ranked[-_SHOWN:][::-1]}
    real, fake = _images(config.real), _images(config.fake)
    shown: set[str] = set()
    groups = []
    for title, rows in parts.items():
        fresh = [row for row in rows if row["name"] not in shown]
        shown |= {row["name"] for row in fresh}
        pairs = [_shown_pair(row, real[row["name"]], fake[row["name"]], leader) for row in fresh]
        if pairs:
            groups.append({"title": title, "pairs": pairs})
    return groups


def _shown_pair(row: dict[str, Any], real: Path, fake: Path, leader: Metric) -> dict[str, Any]:
    a, b = read_image(real), read_image(fake)
    difference = (b - a) if a.ndim == 2 else (b - a).mean(axis=2)
    return {
        "name": row["name"],
        "value": row[leader.name],
        "row": row,
        "images": [("real", _embed(a)), ("generated", _embed(b)), ("difference", _embed(_diverging(difference)))],
    }


def _diverging(difference: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Blue where the generated image is darker, red where it is brighter, white where they agree: (H, W, 3) RGB."""
    strength = np.clip(difference / _DIFFERENCE_SPAN, -1.0, 1.0)[..., None]
    end = np.where(strength < 0, np.array((0.13, 0.40, 0.67)), np.array((0.70, 0.09, 0.17)))
    return np.asarray(1.0 + np.abs(strength) * (end - 1.0), dtype=np.float32)


def _embed(image: npt.NDArray[np.float32]) -> str:
    """An image in [0, 1] as a data URI of a PNG."""
    pixels = np.rint(image * 255).astype(np.uint8)
    scale = _SIDE_PX / max(pixels.shape[:2])
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[..., ::-1])
    assert ok
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode("ascii")


_TEMPLATE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evaluation: {{ settings.fake }} against {{ settings.real }}</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 1180px; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.sub { margin-top: 0; opacity: .75; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow: auto; max-height: 34rem; }
.scroll th { position: sticky; top: 0; background: Canvas; }
.pair { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; margin: .3rem 0 1.3rem; }
.pair figure { margin: 0; } .pair img { width: 100%; display: block; background: var(--soft); }
figcaption { font-size: .8rem; opacity: .75; }
.name { margin: 0; font-weight: 600; } .name span { font-weight: 400; opacity: .75; margin-left: .8rem; }
.notes { background: var(--soft); padding: .6rem 1rem .6rem 2rem; border-left: 3px solid #c80; }
</style></head><body>
<h1>{{ settings.fake }} against {{ settings.real }}</h1>
<p class="sub">{{ rows|length }} pairs{% if settings.masks %}; only within the masks of {{ settings.masks }}{% endif %}
{% if settings.boxes %}; only within the boxes of {{ settings.boxes }}{% endif %}.
Intervals hold the mean with 95 % confidence (bootstrap, seed {{ settings.seed }}).</p>
{% if notes %}<ul class="notes">{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>{% endif %}
{% if means %}<h2>Means</h2>
<table><tr><th>measure</th><th>mean</th><th>95 % interval</th><th>pairs</th><th>unit</th><th>better</th></tr>
{% for metric, interval in means %}
<tr><td>{{ metric.title }}</td><td>{{ interval.mean|number }}</td>
<td>{{ interval.low|number }} to {{ interval.high|number }}</td><td>{{ interval.count }}</td>
<td>{{ metric.unit }}</td><td>{{ "lower" if metric.lower_is_better else "higher" }}</td></tr>
{% endfor %}</table>{% endif %}
{% if distributions %}<h2>Distances between the two sets</h2>
<table><tr><th>distance</th><th>value</th><th>interval</th><th>features</th><th>real</th><th>generated</th></tr>
{% for row in distributions %}
<tr><td>{{ row.name.replace("_", " ") }}</td><td>{{ row.value|number }}</td>
<td>{% if "low" in row %}{{ row.low|number }} to {{ row.high|number }}{% else %}-{% endif %}</td>
<td>{{ row.features }}</td><td>{{ row.real }}</td><td>{{ row.fake }}</td></tr>
{% endfor %}</table>{% endif %}
{% if groups %}<h2>Pairs by {{ leader.title }}</h2>
<p class="sub">Difference: red where the generated image is brighter, blue where it is darker; full colour at
{{ (span * 100)|int }} % of full range.</p>
{% for group in groups %}<h3>{{ group.title }}</h3>
{% for pair in group.pairs %}
<p class="name">{{ pair.name }}<span>{{ leader.title }} {{ pair.value|number }}</span>
<span>SSIM {{ pair.row.ssim|number }}</span><span>PSNR {{ pair.row.psnr_dB|number }} dB</span></p>
<div class="pair">{% for title, uri in pair.images %}<figure><img alt="{{ title }} of {{ pair.name }}" src="{{ uri }}">
<figcaption>{{ title }}</figcaption></figure>{% endfor %}</div>
{% endfor %}{% endfor %}{% endif %}
{% if rows %}<h2>All pairs</h2><div class="scroll">
<table><tr><th>name</th>{% for metric in columns %}<th>{{ metric.title }}</th>{% endfor %}</tr>
{% for row in rows %}<tr><td>{{ row.name }}</td>
{% for metric in columns %}<td>{{ row[metric.name]|number }}</td>{% endfor %}</tr>
{% endfor %}</table></div>{% endif %}
</body></html>
"""
