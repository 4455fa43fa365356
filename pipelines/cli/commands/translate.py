"""``gis translate``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from pipelines.cli.commands.options import shows_progress
from pipelines.errors import ConfigError

__all__ = ["translate"]


def translate(
    weights: Annotated[Path, typer.Option("--weights", help="Model file of gis train.")],
    source: Annotated[Path, typer.Option("--input", help="Folder of source tensors or images.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the infrared images (PNG).")],
    bits: Annotated[int, typer.Option("--bits", help="8 or 16 bits per pixel.")] = 8,
    precision: Annotated[
        str, typer.Option("--precision", help="fp32, bf16 or int8; auto: the fastest that is exact enough.")
    ] = "auto",
    engine: Annotated[str, typer.Option("--engine", help="torch or openvino; auto: OpenVINO on a CPU.")] = "auto",
    device: Annotated[str, typer.Option("--device", help="cpu, cuda ...; auto: a GPU where there is one.")] = "auto",
    threads: Annotated[int | None, typer.Option("--threads", help="CPU threads; default: all.")] = None,
    compile_: Annotated[bool, typer.Option("--compile", help="torch.compile: a minute at first, then faster.")] = False,
    noise_seed: Annotated[
        int | None, typer.Option("--noise-seed", help="Keep the model's noise on; default: off, repeatable.")
    ] = None,
    postprocess: Annotated[
        str, typer.Option("--postprocess", help="none; gaussian: 3x3 smoothing; style: that of --reference.")
    ] = "none",
    reference: Annotated[
        Path | None, typer.Option("--reference", help="Real thermal image whose style is taken.")
    ] = None,
    style_start: Annotated[
        str, typer.Option("--style-start", help="output or noise: what the style reconstruction starts from.")
    ] = "output",
    style_steps: Annotated[int, typer.Option("--style-steps", help="Iterations of the style reconstruction.")] = 100,
    weights_dir: Annotated[
        Path | None,
        typer.Option(
            "--weights-dir", help="Folder with VGG-16's weights for style; else GIS_WEIGHTS, else a download."
        ),
    ] = None,
    attention: Annotated[
        Path | None, typer.Option("--attention", help="Folder for attention maps, of models that have them.")
    ] = None,
) -> None:
    """Translate a folder of source tensors or images into infrared images with a trained model."""
    from pipelines.translation.translate import TranslateConfig, translate_folder

    if bits not in (8, 16):
        raise ConfigError(f"--bits is {bits}: expected 8 or 16")
    config = TranslateConfig(
        weights=weights, source=source, out=out, bits=cast(Any, bits), precision=cast(Any, precision),
        engine=cast(Any, engine), device=device, threads=threads, compile=compile_, noise_seed=noise_seed,
        postprocess=cast(Any, postprocess), reference=reference, style_start=cast(Any, style_start),
        style_steps=style_steps, weights_dir=weights_dir, attention=attention,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.showwarning = _say
        about = translate_folder(config, progress=shows_progress())
    typer.echo(f"{about['images']} images in {out} ({about['engine']} {about['precision']})")


def _say(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line for the user."""
    typer.echo(f"gis translate: {message}", err=True)
