"""``gis evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from pipelines.cli.commands.options import shows_progress
from pipelines.errors import ConfigError

__all__ = ["evaluate"]

Backbone = Literal["alex", "vgg"]
_BACKBONES: tuple[Backbone, ...] = ("alex", "vgg")


def evaluate(
    real: Annotated[Path, typer.Option("--real", help="Folder of real images (or a data set with images/).")],
    fake: Annotated[Path, typer.Option("--fake", help="Folder of generated images of the same names.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of metrics.json and report.html.")],
    lpips: Annotated[str, typer.Option("--lpips", help="Backbones of LPIPS: alex, vgg, alex,vgg or none.")] = "alex",
    features: Annotated[
        str, typer.Option("--features", help="Backbones of the distances between the sets: alex, vgg, both or none.")
    ] = "alex",
    inception: Annotated[
        Path | None, typer.Option("--inception", help="Weights of the published Inception: adds FID.")
    ] = None,
    weights_dir: Annotated[
        Path | None,
        typer.Option("--weights-dir", help="Folder with backbone weights; else GIS_WEIGHTS, else a download."),
    ] = None,
    masks: Annotated[
        Path | None, typer.Option("--masks", help="Folder of masks of the same names: only non-zero pixels count.")
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option("--boxes", help="COCO file, or {name: [[x0, y0, x1, y1]]}: only pixels inside count.")
    ] = None,
    unpaired: Annotated[
        bool, typer.Option("--unpaired", help="Different scenes: only the distances between the sets.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the confidence intervals.")] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")] = "cpu",
) -> None:
    """Measure generated images against real ones: LPIPS, SSIM, PSNR and more, with intervals and an HTML report."""
    from pipelines.evaluation.evaluate import evaluate_to
    from pipelines.evaluation.results import EvaluateConfig

    config = EvaluateConfig(
        real=real, fake=fake, lpips=_names("--lpips", lpips), features=_names("--features", features),
        inception=inception, weights_dir=weights_dir, masks=masks, boxes=boxes, unpaired=unpaired, seed=seed,
        device=device,
    )  # fmt: skip
    result = evaluate_to(out, config, progress=shows_progress())
    for name, interval in result.means.items():
        typer.echo(
            f"{name:16} {interval.mean:.4f}  ({interval.low:.4f} to {interval.high:.4f}, {interval.count} pairs)"
        )
    for row in result.distributions:
        typer.echo(f"{row['name']:16} {row['value']:.4f}  ({row['features']})")
    for note in result.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"report in {out / 'report.html'}")


def _names(option: str, text: str) -> tuple[Backbone, ...]:
    """Backbones from ``alex,vgg``, ``both`` or ``none``."""
    if text in ("none", "both"):
        return () if text == "none" else _BACKBONES
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    unknown = [name for name in names if name not in _BACKBONES]
    if unknown:
        raise ConfigError(f"{option} is {text!r}: expected alex, vgg, alex,vgg or none")
    return cast("tuple[Backbone, ...]", names)
