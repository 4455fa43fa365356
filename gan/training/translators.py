"""The networks of a run that become model files, with their averaged weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn

from gan.backends.base import Backend, BackendConfig, TwoWay
from gan.data.training_data import TrainingData, calibration_sources, calibration_targets
from gan.storage.model_file import write_model_file
from gan.training.ema import Ema

__all__ = ["Translators"]

_REVERSE: Final = "_reverse"


@dataclass(frozen=True)
class _Translator:
    suffix: str
    """After the names of its files: "", or "_reverse" for images to sources."""
    config: BackendConfig
    average: Ema
    calibration: Callable[[TrainingData], Tensor]
    """What quantisation is calibrated on."""


class Translators:
    """The translator of a backend, and the reverse one where it learns both ways.

    Args:
        model: Name of the model.
        backend: Whose translators they are.
        data: What it is trained on, which model files describe.
        decay: Of the averaged weights; 0 for none.
    """

    def __init__(self, model: str, backend: Backend[Any], data: TrainingData, decay: float) -> None:
        self._model, self._data, self._decay = model, data, decay
        forward = _Translator("", backend.config, Ema(backend.translator(), decay), calibration_sources)
        self._all = [forward]
        if isinstance(backend, TwoWay):
            config, network = backend.reverse()
            self._all.append(_Translator(_REVERSE, config, Ema(network, decay), calibration_targets))

    @property
    def forward(self) -> nn.Module:
        """The averaged network from sources to images."""
        return self._all[0].average.network

    def update(self, step: int) -> None:
        """Takes the weights after a step into the averages."""
        for translator in self._all:
            translator.average.update(step)

    def state(self) -> dict[str, Any]:
        """The averages, for a checkpoint; empty where there are none."""
        return {f"ema{each.suffix}": each.average.network.state_dict() for each in self._all} if self._decay else {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave."""
        for translator in self._all if self._decay else ():
            translator.average.network.load_state_dict(state[f"ema{translator.suffix}"])

    def write(self, out: Path, stem: str, meta: Mapping[str, Any], measured: Mapping[str, float]) -> None:
        """Writes a model file for each, ``STEM.safetensors`` and ``STEM_reverse.safetensors``.

        Args:
            out: Folder of the run.
            stem: Begin of the files' names.
            meta: What the files say of the training, JSON values.
            measured: Values of the validation by name, which were measured forward.
        """
        for translator in self._all:
            reverse = translator.suffix == _REVERSE
            write_model_file(
                out / f"{stem}{translator.suffix}.safetensors",
                self._model,
                translator.config,
                translator.average.network.state_dict(),
                {**meta, "metrics": {"validation": dict(measured)} if measured and not reverse else {}},
                translator.calibration(self._data),
                None if reverse else self._data.layout,
            )

    def copy(self, out: Path, stem: str, to: str) -> bool:
        """Copies the files that `write` made under another stem; False where there are none."""
        rows = [[out / f"{name}{each.suffix}.safetensors" for name in (stem, to)] for each in self._all]
        if not all(old.is_file() for old, _ in rows):
            return False
        for old, new in rows:
            partial = new.with_name(f".{new.name}.partial")
            partial.write_bytes(old.read_bytes())
            os.replace(partial, new)
        return True
