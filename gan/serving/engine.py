"""What serving and its engines share: how a network is run, what is asked for, and what an engine gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from gan.data.layout import SourceLayout
from gan.storage.known_objects import KnownObjects

__all__ = [
    "Engine",
    "EngineLoader",
    "Float32",
    "InferenceConfig",
    "LoadedNetwork",
    "Part",
    "Precision",
    "Run",
    "RunPart",
    "ServingWarning",
    "TranslateRequest",
    "mirrored",
    "needs_whole_image",
    "network_multiple_px",
    "synthetic_probe",
]

Float32 = npt.NDArray[np.float32]
Precision = Literal["fp32", "bf16", "int8"]
Engine = Literal["torch", "openvino"]
Run = Callable[[Float32, int | None], Float32]
"""(N, C, H, W) float32 in [-1, 1] and a noise seed (or None) to (N, K, H, W) float32."""
Part = tuple[int, int, int, int]
"""Top, left, bottom, right of a part of an image, pixels."""
RunPart = Callable[[Float32, Part], Float32]
"""(N, C, H, W) float32 in [-1, 1] and a part (h, w) of the image to (N, K, h, w) float32."""


class ServingWarning(UserWarning):
    """A faster way of running a model was refused or is not available, or was damaged and made anew."""


@dataclass(frozen=True)
class InferenceConfig:
    """One way of running a network."""

    engine: Engine
    """Library that computes."""
    precision: Precision
    """Type of weights and activations."""
    device: str = "cpu"
    """Torch's name of the device."""
    compile: bool = False
    """Compiled by torch.compile."""

    def __str__(self) -> str:
        return f"{self.engine} {self.precision} on {self.device}" + (" (compiled)" if self.compile else "")


@dataclass(frozen=True)
class TranslateRequest:
    """What the caller of `gan.serving.inference.load_model` wants, whatever the engine."""

    path: Path
    """Model file."""
    threads: int
    """Threads of the CPU."""
    calibration: Float32 | None
    """(N, C, H, W) sources that int8 is calibrated on; None where the model file brings its own."""
    noise: bool
    """The model's noise (dropout) stays on."""
    cache_dir: Path | None
    """Folder of converted models; None takes the default."""
    any_size: bool = False
    """Sources will be of many sizes."""


@dataclass(frozen=True)
class LoadedNetwork:
    """A network ready to run: what an engine gives back."""

    run: Run
    """Computes one image, or some of one size."""
    in_channels: int
    """C."""
    multiple_px: int
    """H and W must be multiples of this."""
    weights_sha256: str
    """Hash of the model file's content."""
    model: str
    """Name of the model, as `gan.list_models` gives it."""
    probes: Float32
    """(N, C, H, W): sources on which the network is compared with float32."""
    reference: Float32
    """(N, K, H, W): what plain float32 makes of them."""
    layout: SourceLayout
    """What its source means."""
    whole_image: bool = False
    """Whether the image's own statistics decide every value, so that a part of it is translated otherwise."""
    known_objects: KnownObjects | None = None
    """The objects that it was trained on; None where its file states none."""
    run_part: RunPart | None = None
    """Computes a part of an image in less time than all of it; None where it cannot."""


class EngineLoader(Protocol):
    """Makes a network ready; raises a GanError where it cannot."""

    def __call__(self, request: TranslateRequest, config: InferenceConfig) -> LoadedNetwork:
        """Loads the model file of the request and prepares its network."""


def mirrored(sources: Float32, multiple_px: int) -> Float32:
    """(N, C, H, W) continued by its mirror image at the bottom and right, to multiples that a network takes."""
    extra = [-size % multiple_px for size in sources.shape[2:]]
    if not any(extra):
        return sources
    return np.pad(sources, ((0, 0), (0, 0), (0, extra[0]), (0, extra[1])), mode="symmetric")


def synthetic_probe(channels: int, size_px: int) -> Float32:
    """(1, C, size, size) source to compare engines on where there is no real one: soft ramps, hard-edged boxes."""
    rng = np.random.default_rng([size_px, channels])
    y, x = np.meshgrid(np.linspace(-1, 1, size_px), np.linspace(-1, 1, size_px), indexing="ij")
    source = np.stack([np.sin(3 * (a * x + b * y)) for a, b in rng.uniform(-1, 1, (channels, 2))])
    for _ in range(6):
        top, left = rng.integers(0, size_px // 2, 2)
        height, width = rng.integers(size_px // 16 + 1, size_px // 2, 2)
        source[:, top : top + height, left : left + width] = rng.uniform(-1, 1, (channels, 1, 1))
    return np.asarray(source[None], dtype=np.float32)


def network_multiple_px(network: Any) -> int:
    """What H and W must be multiples of: two for each time that the network halves them."""
    return int(2 ** int(getattr(network, "levels", 2)))


def needs_whole_image(network: Any) -> bool:
    """Whether a network normalises by statistics of the image that it is given, or says otherwise that it needs it."""
    from gan.networks.layers import InstanceNorm

    return getattr(network, "whole_image", False) or any(
        isinstance(module, InstanceNorm) for module in network.modules()
    )
