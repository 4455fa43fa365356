"""A finished model as the teacher of a smaller one: its pictures are the targets.

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, for images: the student learns what the
teacher makes of each source, and not what stands in the data. So it may have fewer channels and levels, and any sources
serve that the teacher reads, also those without a real partner. It needs no discriminator: nothing is left to chance in
what a teacher makes of a source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gan.data.batch import Batch
from gan.data.training_data import TrainingData
from gan.errors import ConfigError
from gan.networks.unet import UNet
from gan.storage.model_file import ModelFile, read_model_file
from gan.training.layer_fit import fit_layers

__all__ = ["Teacher", "open_teacher"]


@dataclass(frozen=True)
class Teacher:
    """A model whose pictures take the place of the targets; without a network targets stay as they are."""

    network: nn.Module | None = None
    """In evaluation mode, frozen, on the device of the run."""
    sha256: str = ""
    """Hash of the model file's content."""

    def taught(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Each batch with the targets that are to be learned."""
        for batch in batches:
            if self.network is None:
                yield batch
                continue
            with torch.no_grad():
                target = self.network(batch.source)
            yield replace(batch, target=target)

    def fit(self, student: nn.Module, batches: Iterable[Batch], count: int, seed: int) -> None:
        """Gives a student its first weights, by as many samples (`gan.training.layer_fit`).

        Raises:
            ConfigError: There is no teacher, or one of the two is no U-Net that can be fitted.
        """
        if not (isinstance(self.network, UNet) and isinstance(student, UNet)):
            raise ConfigError(f"teacher_fit is {count}: expected a teacher and a student that are U-Nets, or 0")
        sources: list[Tensor] = []
        for batch in batches:
            sources.append(batch.source)
            if sum(map(len, sources)) >= count:
                break
        fit_layers(student.to(sources[0].device), self.network, torch.cat(sources)[:count], seed)

    def describe(self) -> dict[str, Any]:
        """What a run and its model file say of it."""
        return {"teacher_sha256": self.sha256} if self.sha256 else {}


def open_teacher(path: str, data: TrainingData, device: torch.device) -> tuple[Teacher, TrainingData]:
    """Reads the model file of a teacher.

    Args:
        path: Of any model that reads sources as the data have them; "" for none.
        data: What is trained on.
        device: Where the run is.

    Returns:
        The teacher, and the data as what the student makes of them means: intensities of a display where the teacher
        makes those.

    Raises:
        CheckpointError: The file is missing, damaged, or no model file.
        ConfigError: It reads other sources, or makes other images.
    """
    if not path:
        return Teacher(), data
    model = read_model_file(Path(path))
    _check(path, model, data)
    network = model.build().requires_grad_(False).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if data.meaning is not None:
        data = replace(data, meaning=replace(data.meaning, display=model.layout.display))
    return Teacher(network, model.sha256), data


def _check(path: str, model: ModelFile, data: TrainingData) -> None:
    theirs, layout = model.layout, data.layout
    if (theirs.name, theirs.version, theirs.channels) != (layout.name, layout.version, layout.channels):
        raise ConfigError(
            f"teacher {path}: reads sources of layout {theirs.name}, {theirs.channels} channels; "
            f"expected {layout.name}, {layout.channels} channels, as the data have"
        )
    if model.config.out_channels != data.out_channels:
        raise ConfigError(
            f"teacher {path}: makes {model.config.out_channels} channels; expected {data.out_channels}, as in the data"
        )
