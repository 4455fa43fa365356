"""Weights of a finished model to start a training from: first on one set of images, then on another."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from gan.data.layout import SourceLayout
from gan.errors import ConfigError
from gan.storage.model_file import read_model_file

__all__ = ["start_from"]


def start_from(network: nn.Module, path: Path, backend: str, layout: SourceLayout) -> None:
    """Gives a translator the weights of a model file. Discriminators, and the way back, stay fresh: no file has them.

    Args:
        network: The translator in training.
        path: Model file.
        backend: Name of the model in training.
        layout: What the sources of the training data mean.

    Raises:
        CheckpointError: The file is missing, damaged, or no model file.
        ConfigError: It holds another model, one of other sizes, or of sources of another layout.
    """
    model = read_model_file(path)
    if model.backend != backend:
        raise ConfigError(f"start-from {path}: a model of {model.backend}; expected one of {backend}, which is trained")
    if (model.layout.name, model.layout.channels) != (layout.name, layout.channels):
        raise ConfigError(
            f"start-from {path}: reads sources of layout {model.layout.name}, {model.layout.channels} channels; "
            f"expected {layout.name}, {layout.channels} channels, as the data have"
        )
    ours, theirs = ({name: tuple(t.shape) for name, t in each.items()} for each in (network.state_dict(), model.state))
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            what = f"{theirs.get(name, 'missing')} in the file, {ours.get(name, 'missing')} in training"
            raise ConfigError(
                f"start-from {path}: {name} is {what}; give the options that it was trained with (gis models)"
            )
    network.load_state_dict(model.state)
