"""Model files: a trained model to share, small and verified when read.

A model file holds the translator's weights in float16, the model's name, its configuration, the layout of its source, a
description of the training data, metrics, and a few sources that quantisation calibrates on; see
`gan.storage.container` for the format.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from gan.backends.registry import load_backend, make_config
from gan.data.layout import SourceLayout
from gan.errors import CheckpointError, ConfigError
from gan.storage.container import Shapes, read_container, write_container
from gan.storage.known_objects import KnownObjects

__all__ = ["ModelFile", "read_model_file", "write_model_file"]

_KIND: Final = "gis-model"
# Sources that travel with a model, 8 bit: enough for the ranges of activations, 1.8 MB each at 7x512x512.
_CALIBRATION: Final = "calibration.source"
_CALIBRATION_COUNT: Final = 6
_LARGEST: Final = 4096
"""Of numbers in a configuration (widths, levels, blocks) and of sizes of calibration sources."""
_FLOAT16_MAX: Final = torch.finfo(torch.float16).max


@dataclass(frozen=True)
class ModelFile:
    """A model file in memory."""

    backend: str
    """Name of the backend that trained it."""
    config: Any
    """The backend's frozen ``Config``."""
    layout: SourceLayout
    """What the source channels mean."""
    state: dict[str, Tensor]
    """Weights of the translator, float32."""
    sha256: str
    """Hash of the content, as stored and verified."""
    meta: dict[str, Any] = field(default_factory=dict)
    """Description of training data, metrics, and what else the writer gave."""
    calibration: Tensor | None = None
    """(N, C, H, W) float32 sources in [-1, 1] for quantisation, rounded to 8 bits; None where the writer gave none."""
    known_objects: KnownObjects | None = None
    """The objects that it was trained on; None where the file states none."""

    def build(self) -> nn.Module:
        """The translator with these weights, float32, in evaluation mode.

        Raises:
            CheckpointError: Where the weights do not fit the configuration.
        """
        network = load_backend(self.backend).build_translator(self.config)
        try:
            network.load_state_dict(self.state)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise CheckpointError(f"weights do not fit the configuration of {self.backend}: {reason}") from error
        return network.eval()


def write_model_file(
    path: Path,
    backend: str,
    config: Any,
    state: Mapping[str, Tensor],
    meta: Mapping[str, Any],
    calibration: Tensor | None = None,
    layout: SourceLayout | None = None,
) -> str:
    """Writes a model file and returns the SHA-256 of its content.

    Args:
        path: File to write; replaced atomically.
        backend: Name of the backend.
        config: Its frozen ``Config``.
        state: State dict of the translator.
        meta: JSON values: description of training data, metrics.
        calibration: (N, C, H, W) float32 sources in [-1, 1], real ones and different from each other; the first few
            travel with the model so that every machine quantises it alike.
        layout: What the source means; None takes that of the channels.

    Raises:
        CheckpointError: Where a weight is NaN, or too large for float16.
        TrainingError: Where the file cannot be written.
    """
    tensors = {name: _to_half(name, tensor) for name, tensor in state.items()}
    if calibration is not None and len(calibration):
        few = calibration[:_CALIBRATION_COUNT].detach().float().cpu()
        tensors[_CALIBRATION] = (few * 127).round().clamp(-127, 127).to(torch.int8).contiguous()
    about = {
        "kind": _KIND,
        "backend": backend,
        "config": dict(vars(config)),
        "layout": (layout or SourceLayout.of(config.in_channels)).to_json(),
        "meta": dict(meta),
    }
    return write_container(path, tensors, about)


def read_model_file(path: Path) -> ModelFile:
    """Reads and verifies a model file.

    Raises:
        CheckpointError: Where the file is missing, truncated, altered, or no model file; where its weights do not fit
            its configuration, or are not finite.
        ConfigError: Where it names a model or an option that is not known.
        LayoutError: Where it reads source tensors of another layout.
    """
    read: list[_Description] = []

    def check(about: dict[str, Any], shapes: Shapes) -> None:
        read.append(_describe(path, about))
        _check_shapes(path, read[0], shapes)

    tensors, _, digest = read_container(path, _KIND, check)
    _check_values(path, tensors)
    stored = tensors.pop(_CALIBRATION, None)
    calibration = None if stored is None else stored.float() / 127
    state = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()}
    about = read[0]
    return ModelFile(
        about.backend, about.config, about.layout, state, digest, about.meta, calibration, about.known_objects
    )


@dataclass(frozen=True)
class _Description:
    """What a model file says of itself."""

    backend: str
    config: Any
    layout: SourceLayout
    meta: dict[str, Any]
    known_objects: KnownObjects | None


def _describe(path: Path, about: Mapping[str, Any]) -> _Description:
    try:
        name, layout = str(about["backend"]), SourceLayout.from_json(about["layout"], str(path))
        config = make_config(load_backend(name).Config, dict(about["config"]), str(path))
        meta = dict(about["meta"])
        sizes = KnownObjects.from_json(meta)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CheckpointError(f"{path}: incomplete description ({error!r}); get the file again") from error
    large = [key for key, value in vars(config).items() if isinstance(value, int) and not -1 <= value <= _LARGEST]
    if large:
        raise CheckpointError(f"{path}: {large[0]} is {getattr(config, large[0])}: expected at most {_LARGEST}")
    if layout.channels != config.in_channels:
        raise CheckpointError(f"{path}: layout of {layout.channels} channels, network of {config.in_channels}")
    return _Description(name, config, layout, meta, sizes)


def _check_shapes(path: Path, about: _Description, shapes: Shapes) -> None:
    """Compares the weights with those of the network, which is built without memory."""
    try:
        with torch.device("meta"):
            network = load_backend(about.backend).build_translator(about.config)
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path}: its configuration makes no {about.backend} ({reason})") from error
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    stored = {name: shape for name, shape in shapes.items() if name != _CALIBRATION}
    for name in sorted({*expected, *stored}):
        if expected.get(name) != stored.get(name):
            what = f"{stored.get(name, 'missing')}, expected {expected.get(name, 'no such weight')}"
            raise CheckpointError(
                f"{path}: weights do not fit the configuration of {about.backend}: {name} is {what}; get the file again"
            )
    sources = shapes.get(_CALIBRATION, (1, about.config.in_channels, 1, 1))
    fits = len(sources) == 4 and sources[1] == about.config.in_channels
    if not fits or not all(1 <= size <= _LARGEST for size in sources):
        raise CheckpointError(
            f"{path}: calibration sources are {sources}: expected (N, {about.config.in_channels}, H, W)"
        )


def _check_values(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuses weights that no image comes of."""
    for name, tensor in tensors.items():
        if name == _CALIBRATION:
            if tensor.dtype != torch.int8:
                raise CheckpointError(f"{path}: calibration sources are {tensor.dtype}: expected torch.int8")
        elif tensor.is_floating_point():
            bad = int(tensor.numel() - torch.isfinite(tensor).sum())
            if bad:
                raise CheckpointError(
                    f"{path}: {bad} values of {name} are not finite: train again, or get the file again"
                )
        elif tensor.dtype != torch.int64:  # counters of batch normalisation; everything else is a weight
            raise CheckpointError(f"{path}: {name} is {tensor.dtype}: expected floating point")


def _to_half(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor.detach().cpu().contiguous()
    largest = float(tensor.detach().abs().max()) if tensor.numel() else 0.0
    if not math.isfinite(largest) or largest > _FLOAT16_MAX:
        raise CheckpointError(f"weight {name} reaches {largest}: cannot be stored in float16; the training diverged")
    return tensor.detach().to("cpu", torch.float16).contiguous()
