"""``gis compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["compare"]


def compare(
    data: Annotated[Path, typer.Option("--data", help="Training data: source tensors, or two image folders.")],
    backends: Annotated[
        str, typer.Option("--backends", help="Models with their options: a,b,c:option=value,option=value.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of report.html, compare.json and all runs.")],
    epochs: Annotated[int, typer.Option("--epochs", help="Passes over the training data, the same for all.")] = 200,
    size: Annotated[int | None, typer.Option("--size", min=32, help="Crop and scale all images to this edge.")] = None,
    batch: Annotated[int, typer.Option("--batch", help="Samples per step.")] = 1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of weights, split, order and augmentation.")] = 0,
    budget_minutes: Annotated[
        float | None,
        typer.Option("--budget-minutes", help="Training time of each: of a CPU core, or by the clock on a GPU."),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", help="CPU threads of each.")] = 1,
    validation: Annotated[
        float, typer.Option("--validation", help="Share of the images to test on, by whole sequences.")
    ] = 0.1,
    validation_list: Annotated[
        Path | None, typer.Option("--validation-list", help="Text file: names to test on, instead of a share.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option("--also", help="NAME=DIR: a further test set; may be repeated.")
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option("--boxes", help="COCO file of the test images: adds the error of each class.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="name=value for every model that has this option.")
    ] = None,
    weights_dir: Annotated[
        Path | None, typer.Option("--weights-dir", help="Folder with backbone weights for LPIPS.")
    ] = None,
    shown: Annotated[int, typer.Option("--shown", help="Images of each test set in the report.")] = 6,
) -> None:
    """Train several translation models alike, measure them on the same images, and write one page about it."""
    from gan.data.options import DataOptions

    from pipelines.comparison.plan import CompareConfig, parse_also, parse_backends
    from pipelines.comparison.run import compare as run

    names = None if validation_list is None else str(validation_list)
    options = DataOptions(size=size, validation=validation, validation_list=names)
    config = CompareConfig(
        data=data, out=out, contestants=parse_backends(backends, settings or ()), epochs=epochs, batch=batch,
        seed=seed, budget_minutes=budget_minutes, threads=threads, data_options=options,
        also=parse_also(also or ()), boxes=boxes, weights_dir=weights_dir, shown=shown,
    )  # fmt: skip
    run(config, say=typer.echo)
    typer.echo(f"report in {out / 'report.html'}")
