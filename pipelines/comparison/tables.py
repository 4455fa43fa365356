"""Results to rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan.errors import MetricError
from gan.metrics.classes import ClassErrors
from renderer.text_files import parse_json

from pipelines.comparison.plan import BASELINE, MAIN_SET, CompareConfig
from pipelines.comparison.samples import Objects, TestSet, class_regions, read_grey
from pipelines.errors import GisError
from pipelines.evaluation.config import EvaluateConfig
from pipelines.evaluation.evaluate import evaluate_folders
from pipelines.io.files import read_lines, read_object

__all__ = ["COLUMNS", "COSTS", "Comparison", "Curve", "Row", "format_span", "losses", "measure", "text_table"]

COLUMNS = (
    ("lpips_alex", "LPIPS", 4),
    ("mse", "MSE", 4),
    ("rmse", "RMSE", 4),
    ("psnr_dB", "PSNR dB", 2),
    ("uqi", "UQI", 4),
    ("ssim", "SSIM", 4),
)
"""Measures, their titles and decimals; values of images are fractions of full range."""
COSTS = (
    ("parameters", "parameters M", 1e6, 2),
    ("flops", "GFLOP", 1e9, 2),
    ("images_per_s", "images/s", 1.0, 1),
    ("peak_MiB", "peak MiB", 1.0, 0),
    ("epochs", "epochs", 1.0, 0),
    ("steps", "steps", 1.0, 0),
    ("trained_s", "training min", 60.0, 1),
)
"""Costs, their titles, divisors and decimals."""

Curve = list[tuple[int, float]]
"""Step and mean loss."""


@dataclass
class Row:
    """One model, or the baseline."""

    name: str
    error: str = ""
    """Why there are no figures."""
    cost: dict[str, Any] = field(default_factory=dict)
    """What ``result.json`` of the worker says."""
    means: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By test set: mean of each measure with its interval."""
    classes: dict[str, float] = field(default_factory=dict)
    """RMS error of each class on the main test set, fraction of full range."""
    curves: dict[str, Curve] = field(default_factory=dict)
    """Losses of the training."""
    images: dict[str, Path] = field(default_factory=dict)
    """Folder of the translated images by test set."""


@dataclass
class Comparison:
    """All rows, the baseline first."""

    rows: list[Row] = field(default_factory=list)
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the images of each test set."""
    notes: list[str] = field(default_factory=list)


def measure(
    config: CompareConfig, sets: Mapping[str, TestSet], objects: Objects | None, log: Callable[[str], None]
) -> Comparison:
    """Measures what the workers left, and the grey copy beside it."""
    result = Comparison(sets={name: images.names for name, images in sets.items()})
    lpips = _has_lpips(config, result)
    folders = {name: config.out / "sets" / name for name in sets}
    rows = [Row(BASELINE, images={name: folder / "grey" for name, folder in folders.items()})]
    rows += [_row(config, model.spec, model.folder, sets) for model in config.compared]
    for row in rows:
        if not row.error:
            try:
                _measure_row(row, config, sets, objects, lpips)
            except GisError as error:
                row.error = " ".join(str(error).split())
        result.rows.append(row)
    for line in text_table(result, MAIN_SET):
        log(line)
    return result


def _has_lpips(config: CompareConfig, result: Comparison) -> bool:
    from gan.metrics.lpips import Lpips

    try:
        Lpips("alex", config.weights_dir)
    except MetricError as error:
        result.notes.append(f"LPIPS is left out: {error}")
        return False
    return True


def _row(config: CompareConfig, spec: str, folder: str, sets: Mapping[str, TestSet]) -> Row:
    out = config.out / "runs" / folder
    row = Row(spec, curves=losses(out / "train" / "log.jsonl"))
    if not (out / "result.json").is_file():
        path = out / "error.txt"
        row.error = path.read_text(encoding="utf-8").strip() if path.is_file() else "not finished"
        return row
    row.cost = read_object(out / "result.json")
    row.images = {name: out / "images" / name for name in sets}
    return row


def _measure_row(
    row: Row, config: CompareConfig, sets: Mapping[str, TestSet], objects: Objects | None, lpips: bool
) -> None:
    for name in sets:
        real = config.out / "sets" / name / "real"
        what = EvaluateConfig(
            real,
            row.images[name],
            lpips=("alex",) if lpips else (),
            features=(),
            seed=config.seed,
            weights_dir=config.weights_dir,
            sequences=_sequences(config) if name == MAIN_SET else None,
        )
        intervals = evaluate_folders(what).means
        row.means[name] = {
            key: {"mean": value.mean, "low": value.low, "high": value.high} for key, value in intervals.items()
        }
    if objects is not None:
        row.classes = _class_errors(row.images[MAIN_SET], config.out / "sets" / MAIN_SET / "real", sets, objects)


def _sequences(config: CompareConfig) -> Path | None:
    """The table of sequences, which is that of the training data; other test sets are not in it."""
    return None if config.data_options.sequences is None else Path(config.data_options.sequences)


def _class_errors(fake: Path, real: Path, sets: Mapping[str, TestSet], objects: Objects) -> dict[str, float]:
    errors = ClassErrors()
    for name in sets[MAIN_SET].names:
        a, b = (read_grey(folder / f"{name}.png") for folder in (real, fake))
        errors.add(a, b, class_regions(objects, name, a.shape))
    return errors.rms()


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def losses(log: Path) -> dict[str, Curve]:
    """Training losses by name from a run's ``log.jsonl``; empty where there is none."""
    curves: dict[str, Curve] = {}
    for line in read_lines(log):
        try:
            entry = parse_json(line, allow_nan=True)
        except ValueError:
            continue  # half a line that a kill left behind
        if not isinstance(entry, dict) or entry.get("kind") != "train" or not isinstance(entry.get("step"), int):
            continue
        for name, value in entry.items():
            if name not in ("kind", "step", "epoch", "images_per_s") and _is_finite(value):
                curves.setdefault(name, []).append((int(entry["step"]), float(value)))
    return curves


def text_table(result: Comparison, test: str) -> list[str]:
    """The measures of one test set as lines of text: means, then the 95 % intervals of them."""
    columns = [column for column in COLUMNS if any(column[0] in row.means.get(test, {}) for row in result.rows)]
    width = max(len(row.name) for row in result.rows)
    lines = [f"{test:{width}}  " + "  ".join(f"{title:>8}" for _, title, _ in columns)]
    intervals = [f"{'95 %':{width}}  " + "  ".join(f"{title:>16}" for _, title, _ in columns)]
    for row in result.rows:
        means = row.means.get(test, {})
        cells = [f"{means[key]['mean']:8.{digits}f}" if key in means else f"{'-':>8}" for key, _, digits in columns]
        lines.append(f"{row.name:{width}}  " + (f"failed: {row.error}" if row.error else "  ".join(cells)))
        if means and not row.error:
            intervals.append(f"{row.name:{width}}  " + "  ".join(_span(means.get(key), d) for key, _, d in columns))
    return lines + intervals


def _span(interval: Mapping[str, float] | None, digits: int) -> str:
    return f"{'-' if interval is None else format_span(interval, digits):>16}"


def format_span(interval: Mapping[str, float], digits: int) -> str:
    """An interval as text: ``0.4120 to 0.4440``."""
    return f"{interval['low']:.{digits}f} to {interval['high']:.{digits}f}"
