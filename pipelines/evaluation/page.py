"""What `gis evaluate` writes: metrics.json, and one HTML file that needs no other."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.evaluation.config import EvaluateConfig, config_values
from pipelines.evaluation.images import find_images, read_image
from pipelines.evaluation.results import METRICS, Evaluation, Metric
from pipelines.io.files import finite, locked_folder, write_json, write_text
from pipelines.io.html import data_uri, fill_template
from pipelines.io.images import encode_png

__all__ = ["write_report"]

_TEMPLATE: Final = Path(__file__).with_name("report.html.j2")
_SHOWN: Final = 3  # pairs each of worst, median, best
_SIDE_PX: Final = 512  # images are shown no larger than this
# A difference this large (fraction of full range) is drawn at the end of the colour scale.
_DIFFERENCE_SPAN: Final = 0.25


def write_report(out: Path, config: EvaluateConfig, result: Evaluation) -> None:
    """Writes ``metrics.json`` and ``report.html`` into `out`.

    Raises:
        OutputError: they cannot be written.
    """
    values = finite(
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
            **({"skipped": result.skipped} if result.skipped else {}),
        }
    )
    with locked_folder(out):
        write_json(out / "metrics.json", values)
        write_text(out / "report.html", _html(config, result))


def _html(config: EvaluateConfig, result: Evaluation) -> str:
    return fill_template(
        _TEMPLATE,
        number=_number,
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
    real, fake = find_images(config.real), find_images(config.generated)
    names: set[str] = set()
    groups = []
    for title, rows in parts.items():
        fresh = [row for row in rows if row["name"] not in names]
        names |= {row["name"] for row in fresh}
        pairs = [_pair_images(row, real[row["name"]], fake[row["name"]], leader) for row in fresh]
        if pairs:
            groups.append({"title": title, "pairs": pairs})
    return groups


def _pair_images(row: dict[str, Any], real: Path, fake: Path, leader: Metric) -> dict[str, Any]:
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
    return data_uri("image/png", encode_png(pixels))
