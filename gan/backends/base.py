"""What every translation model offers: one Protocol, so that training, serving and comparison need no names.

A backend is one file in ``gan/backends``, found by its file name (`gan.backends.registry`). The module defines

- ``PAPER`` (str) and ``PAIRING`` (`Pairing`),
- ``Config``, a frozen dataclass with at least ``in_channels`` and ``out_channels``, every field with a default; where a
  backend can train either way a field ``sampling`` (`Pairing`) says which, and ``PAIRING`` is its default,
- ``suggest(in_channels, out_channels, height_px, width_px)``: values for ``Config`` that follow from the data,
- ``build_translator(config)``: the network that is served, source (N, C, H, W) to image (N, K, H, W), both in [-1, 1],
- ``create(config)``: a `Backend` ready for ``setup``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from gan.data.batch import Batch, Pairing

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor, nn

__all__ = ["Backend", "BackendModule", "ModelConfig", "StepOptions", "TwoWay"]


class ModelConfig(Protocol):
    """What every backend's frozen ``Config`` has."""

    @property
    def in_channels(self) -> int:
        """Channels of the source: 7 for the source tensor, 3 for RGB."""

    @property
    def out_channels(self) -> int:
        """Channels of the image."""


@dataclass(frozen=True)
class StepOptions:
    """How a backend runs its networks; none of it changes the method."""

    compile: bool = False
    """Compile the networks with torch.compile."""
    channels_last: bool = True
    """Keep weights and activations in NHWC order."""
    weights_dir: str = ""
    """Folder with backbone weights for perceptual loss terms; "" looks where `gan.metrics` looks."""


class Backend(Protocol):
    """A model in training. The optimisers belong to it."""

    config: Any
    """The backend's frozen ``Config``."""

    def setup(self, fabric: Fabric, options: StepOptions) -> None:
        """Moves the networks to the device, makes the optimisers and wraps both. Called once, before anything else."""

    def networks(self) -> dict[str, nn.Module]:
        """Every trained network by name, unwrapped."""

    def translator(self) -> nn.Module:
        """The network that is averaged (EMA), exported and served; the same kind as ``build_translator`` makes."""

    def start_epoch(self, epoch: int, epochs: int) -> None:
        """Sets the learning rates of epoch ``epoch`` (from 0) of ``epochs``."""

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """One optimiser step over the micro-batches; returns named scalar losses, detached, on the device."""

    def translate(self, source: Tensor, seed: int | None = None) -> Tensor:
        """Source (N, C, H, W) to image (N, K, H, W) in [-1, 1]; without ``seed`` the noise is off."""

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs: nested dicts and lists of tensors and JSON values."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""


@runtime_checkable
class TwoWay(Protocol):
    """What a `Backend` has beside that where it also learns to translate images back to sources."""

    def reverse(self) -> tuple[Any, nn.Module]:
        """``Config`` and network of the reverse translator, which becomes a model file of its own."""


class BackendModule(Protocol):
    """What a file in ``gan/backends`` defines."""

    PAPER: str
    PAIRING: Pairing
    Config: type[Any]

    def suggest(self, in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
        """Values for ``Config`` that follow from the data.

        Raises:
            ConfigError: Where the backend cannot work with such images.
        """

    def build_translator(self, config: Any) -> nn.Module:
        """The served network with fresh weights."""

    def create(self, config: Any) -> Backend:
        """A backend with fresh weights."""
