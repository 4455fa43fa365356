"""``gis evaluate``."""

from __future__ import annotations

import dataclasses

from pipelines.cli.commands.options import shows_progress
from pipelines.cli.console import results_as_json, say, say_result
from pipelines.evaluation.config import EvaluateConfig

__all__ = ["evaluate"]


def evaluate(config: EvaluateConfig) -> None:
    """Measure generated images against real ones: LPIPS, SSIM, PSNR and more, with intervals and an HTML report."""
    from pipelines.evaluation.evaluate import evaluate_folders

    result = evaluate_folders(config, progress=shows_progress())
    if results_as_json():
        means = {name: dataclasses.asdict(mean) for name, mean in result.means.items()}
        say_result("", means=means, distributions=result.distributions, notes=result.notes, out=config.out)
        return
    for name, mean in result.means.items():
        say(f"{name:16} {mean.mean:.4f}  ({mean.low:.4f} to {mean.high:.4f}, {mean.count} pairs)")
    for row in result.distributions:
        say(f"{row['name']:16} {row['value']:.4f}  ({row['features']})")
    for note in result.notes:
        say(f"note: {note}")
    if config.out is not None:
        say(f"report in {config.out / 'report.html'}")
