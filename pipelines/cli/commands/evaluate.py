"""``gis evaluate``."""

from __future__ import annotations

import typer

from pipelines.cli.commands.options import shows_progress
from pipelines.evaluation.config import EvaluateConfig

__all__ = ["evaluate"]


def evaluate(config: EvaluateConfig) -> None:
    """Measure generated images against real ones: LPIPS, SSIM, PSNR and more, with intervals and an HTML report."""
    from pipelines.evaluation.evaluate import evaluate_folders

    result = evaluate_folders(config, progress=shows_progress())
    for name, mean in result.means.items():
        typer.echo(f"{name:16} {mean.mean:.4f}  ({mean.low:.4f} to {mean.high:.4f}, {mean.count} pairs)")
    for row in result.distributions:
        typer.echo(f"{row['name']:16} {row['value']:.4f}  ({row['features']})")
    for note in result.notes:
        typer.echo(f"note: {note}")
    if config.out is not None:
        typer.echo(f"report in {config.out / 'report.html'}")
