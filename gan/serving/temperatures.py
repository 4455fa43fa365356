"""Models that are told how warm things are: an image in kelvin for each vector of temperatures.

Such a network takes a vector (N, K) beside the source; its configuration names the entries and the span of kelvin
(`gan.backends.kelvin`). It runs in plain float32 by torch, one image at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gan.data.kelvin.vector import Temperatures
from gan.errors import ServingError
from gan.serving.engine import InferenceConfig, mirrored, needs_whole_image, network_multiple_px
from gan.serving.hardware import best_device, check_device, usable_cpus
from gan.serving.inference import ModelInfo

__all__ = ["Drawing", "TemperatureModel", "load_temperature_model"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drawing:
    """Beside the temperatures, what the image of a source is made of; of models with classes."""

    entries: npt.NDArray[np.uint8] | None = None
    """(H, W) place of each pixel's class in the vector; None: as the model says."""
    seed: int | None = None
    """Of the noise; None: no noise."""
    noisy: Collection[int] | None = None
    """Layers with noise; None: all."""


class _Run(Protocol):
    def __call__(self, source: Float32, vector_K: Float64, entries: Float32 | None, drawing: Drawing) -> Float32:
        """(1, C, H, W) source, (K,) kelvin and (1, 1, H, W) classes to a (1, 1, H, W) image in [-1, 1]."""


class _Classes(Protocol):
    def __call__(self, source: Float32) -> npt.NDArray[np.uint8]:
        """(1, C, H, W) source to (H, W) classes."""


@dataclass(frozen=True)
class TemperatureModel:
    """A loaded model; made by `load_temperature_model`."""

    about: ModelInfo
    """What it is, and how it is run."""
    in_channels: int
    """Of the source."""
    temperatures: Temperatures
    """Entries of the vector, and what they were in training."""
    span_K: tuple[float, float]
    """Temperatures of -1 and 1, which the image cannot leave."""
    run: _Run
    say_classes: _Classes | None = None
    """What the pixels of a source show; None of models that take no classes."""
    layered: bool = False
    """Whether each class has a layer of its own."""

    def classes(self, source: Float32) -> npt.NDArray[np.uint8]:
        """(H, W) place of each pixel's class in the vector, as the model says of a source (C, H, W)."""
        if self.say_classes is None:
            raise ServingError(f"{self.about.name} takes no classes")
        height, width = source.shape[1:]
        return self.say_classes(mirrored(source[None], self.about.multiple_px))[:height, :width]

    def translate(self, source: Float32, wanted_K: Mapping[str, float], drawing: Drawing = Drawing()) -> Float32:
        """The image of a source with the temperatures that are wanted.

        Args:
            source: (C, H, W) float32 in [-1, 1].
            wanted_K: Kelvin by entry; an entry that is not named has the mean of the training.
            drawing: Classes of the pixels, and noise.

        Returns:
            (H, W) float32, apparent temperature in kelvin.

        Raises:
            ConfigError: an entry that the model does not have, or no temperature.
            ServingError: a source of another shape or type, or with NaN.
        """
        vector = self.temperatures.vector(wanted_K)
        if source.ndim != 3 or source.shape[0] != self.in_channels or source.dtype != np.float32 or 0 in source.shape:
            raise ServingError(f"source is {source.dtype} {source.shape}: expected float32 ({self.in_channels}, H, W)")
        if not np.isfinite(source.sum()):
            raise ServingError("source holds NaN or infinite values: expected [-1, 1]")
        height, width = source.shape[1:]
        multiple, entries = self.about.multiple_px, None
        if drawing.entries is not None:
            if drawing.entries.shape != (height, width):
                raise ServingError(f"classes are {drawing.entries.shape}: expected {(height, width)} as the source")
            entries = mirrored(drawing.entries.astype(np.float32)[None, None], multiple)
        image = self.run(mirrored(source[None], multiple), vector, entries, drawing)[0, 0, :height, :width]
        low, high = self.span_K
        return np.asarray(low + (image.astype(np.float64) + 1) / 2 * (high - low), dtype=np.float32)


def load_temperature_model(path: Path | str, *, device: str = "auto", threads: int | None = None) -> TemperatureModel:
    """Loads a model file that is told temperatures.

    Args:
        path: Model file that `gis train` wrote.
        device: Torch device; ``auto`` takes the first GPU where there is one.
        threads: CPU threads; None takes all that this process may use.

    Raises:
        CheckpointError, LayoutError: the file cannot be used, or lacks the weights of a stage.
        ServingError: the model is told no temperatures, or holds one stage without the other's image.
    """
    import torch

    from gan.backends.base import translate
    from gan.storage.model_file import read_model_file

    path = Path(path)
    device = best_device() if device == "auto" else device
    if device != "cpu":
        check_device(device)
    model = read_model_file(path)
    temperatures: Temperatures | None = getattr(model.config, "temperatures", None)
    if temperatures is None:
        why = "has images without temperatures" if hasattr(model.config, "temperatures") else "is told none"
        raise ServingError(
            f"{path} is a model of {model.backend} that {why}: train thermalgan or layered on a set of gis "
            "synthesize, or leave out the temperatures"
        )
    if getattr(model.config, "stage", "both") == "contrast":
        raise ServingError(f"{path} lacks the first stage (stage=contrast): train it with stage=both")
    network = model.build().requires_grad_(False).to(device)
    cpus = threads or usable_cpus()
    if device == "cpu":
        torch.set_num_threads(cpus)
    low, high = float(model.config.lowest_K), float(model.config.highest_K)

    def on_device(values: npt.NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device)

    def run(source: Float32, vector_K: Float64, entries: Float32 | None, drawing: Drawing) -> Float32:
        told = on_device((vector_K - low) * (2 / (high - low)) - 1).float()[None]
        shown = () if entries is None else (on_device(entries),)
        switched: Any = network
        if drawing.noisy is not None:
            switched.noisy = drawing.noisy
        image = translate(network, on_device(source), drawing.seed, (told, *shown))
        return np.asarray(image.cpu().numpy())

    def classes(source: Float32) -> npt.NDArray[np.uint8]:
        with torch.inference_mode():
            entries = network.conditions(on_device(source), None, None)[1]  # type: ignore[operator]
        return np.asarray(entries[0, 0].to(torch.uint8).cpu().numpy())

    about = ModelInfo(
        name=model.backend,
        weights_sha256=model.sha256,
        source_layout=model.layout,
        inference=InferenceConfig("torch", "fp32", device),
        threads=cpus,
        mean_error=0.0,
        multiple_px=network_multiple_px(network),
        whole_image=needs_whole_image(network),
        known_objects=model.known_objects,
        span_K=(low, high),
    )
    says = classes if hasattr(network, "conditions") else None
    layered = hasattr(network, "layers")
    return TemperatureModel(about, int(model.config.in_channels), temperatures, (low, high), run, says, layered)
