"""Training for scripts: one function whose keywords are all options there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan.backends.registry import load_backend
from gan.data.options import DataOptions
from gan.errors import ConfigError
from gan.options import declarations, make_options, new_names
from gan.training.options import TrainOptions

__all__ = ["train"]


def train(
    data: Path | str,
    out: Path | str,
    model: str = "pix2pix",
    epochs: int = 10,
    *,
    resume: bool = False,
    cache: Path | str | None = None,
    progress: bool = False,
    **options: object,
) -> Path:
    """Trains a model and writes one file to share.

    Args:
        data: Folder of source tensors with targets (``gis synthesize --tensors``, ``gis fit``), or with the folders
            ``visible/`` and ``infrared/`` of images.
        out: Folder of the run; log, samples and checkpoints lie there too.
        model: One of the names of `gan.list_models`.
        epochs: Passes over the data.
        resume: Go on where ``out`` holds a run.
        cache: Folder for decoded images; None takes ``out/cache``.
        progress: Show bars, and print what is noteworthy.
        options: Fields of `gan.TrainOptions` (how to train), of `gan.DataOptions` (how to read and split the data), and
            of the model's own configuration (``gis models`` lists them).

    Returns:
        The model file, ``out/model.safetensors``.

    Raises:
        ConfigError: An unknown model or option, or a value that cannot work.
        GanError: Data or folder cannot be used, or training diverges.

    Examples:
        >>> import gan
        >>> gan.train("out/pairs", "runs/a", batch=4, crop=256, ngf=32)  # doctest: +SKIP
        PosixPath('runs/a/model.safetensors')
    """
    config, train_options, data_options = _sort(model, {**options, "epochs": epochs})
    from gan.training.train import train as run  # Loads torch and Lightning: after all that can be wrong before.

    return run(
        Path(data),
        Path(out),
        model,
        config,
        train_options,
        data_options,
        resume=resume,
        cache=None if cache is None else Path(cache),
        progress=progress,
        report=print if progress else _keep_silent,
    )


def _sort(model: str, options: Mapping[str, Any]) -> tuple[dict[str, Any], TrainOptions, DataOptions]:
    """Options by whom they are for.

    Raises:
        ConfigError: An option that nobody has.
    """
    kinds = (load_backend(model).Config, TrainOptions, DataOptions)
    names = [{one.name for one in declarations(kind)} for kind in kinds]
    for kind in kinds:
        options = new_names(kind, options)
    unknown = [name for name in options if not any(name in known for known in names)]
    if unknown:
        known = ", ".join(sorted(set().union(*names)))
        raise ConfigError(f"unknown option {unknown[0]!r} of {model}: expected one of {known}")
    config, train, data = ({name: value for name, value in options.items() if name in known} for known in names)
    return config, make_options(TrainOptions, train), make_options(DataOptions, data)


def _keep_silent(text: str) -> None:
    pass
