"""What every translation model stands on: a backend is its networks and its losses, all else is here.

A backend is one file in ``gan/backends``, found by its file name (`gan.backends.registry`). The module defines

- ``PAPER`` (str),
- ``Config``, a frozen dataclass on `BackendConfig`, every field with a default,
- ``suggest(in_channels, out_channels, height_px, width_px)``: values for ``Config`` that follow from the data,
- ``build_translator(config)``: the network that is served, source (N, C, H, W) to image (N, K, H, W), both in [-1, 1],
- ``create(config)``: a `Backend` ready for ``setup``,
- where it is told temperatures, ``suggest_temperatures(measured)``: values for ``Config`` that follow from those of the
  data.

CONTRIBUTING.md shows a whole one. The class hands its networks to `Backend` and answers three questions: what is
generated from a batch (`Backend.generate`), and what are the losses of the generators and of the discriminators
(`Backend.generator_losses`, `Backend.discriminator_losses`). Optimisers, their schedule, gradient accumulation, several
processes, and the state of a run follow from that. No method of a backend but ``__init__`` calls ``super()``. The idea
of such a base is that of ``BaseModel`` in the authors' published code of pix2pix.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from gan.data.batch import Batch, Pairing
from gan.losses.image_pool import ImagePool

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from gan.data.kelvin.vector import Measured

__all__ = ["Backend", "BackendConfig", "BackendModule", "Generated", "StepOptions", "TwoWay", "translate"]

Generated = dict[str, Tensor]
"""What the generators make of a batch, by a name that the backend gives; each (N, K, H, W)."""


@dataclass(frozen=True)
class BackendConfig:
    """What every backend's ``Config`` has; the defaults of Adam are those of pix2pix."""

    in_channels: int = 7
    """Channels of the source: 7 for the source tensor, 3 for RGB."""
    out_channels: int = 1
    """Channels of the image."""
    learning_rate: float = 2e-4
    """Of all optimisers."""
    beta1: float = 0.5
    """Of Adam."""
    beta2: float = 0.999
    """Of Adam."""
    decay_from: float = 0.5
    """Share of the epochs after which the learning rate falls linearly towards zero."""

    @property
    def pairing(self) -> Pairing:
        """Whether a step sees source and target of one scene; where a backend can do either, a field of its own."""
        return "paired"

    @property
    def judges_unpaired(self) -> bool:
        """Whether a loss also sees what is generated from sources without targets (``Batch.unpaired``)."""
        return False

    @property
    def needs_temperatures(self) -> bool:
        """Whether kelvin, masks and categories of a set are read, where it has them (``Batch.objects``)."""
        return False


C = TypeVar("C", bound=BackendConfig)


@dataclass(frozen=True)
class StepOptions:
    """How a backend runs its networks; none of it changes the method."""

    compile: bool = False
    """Compile the networks with torch.compile."""
    channels_last: bool = True
    """Keep weights and activations in NHWC order."""
    weights_dir: str = ""
    """Folder with backbone weights for perceptual loss terms; "" looks where `gan.metrics` looks."""


class Backend(ABC, Generic[C]):
    """A model in training.

    Args:
        config: The backend's frozen ``Config``.
        translator: The network that is averaged (EMA), exported and served, as ``build_translator`` makes it.
        generators: The networks that generate, by name; the translator holds at least one of them.
        discriminators: The networks that judge, by name; none for a backend without adversarial loss.
        pools: Pools of generated images for the discriminators, by name, which are part of a run's state.
    """

    discriminators_first: ClassVar[bool] = True
    """Whose optimisers step first; the others then train against the networks just updated."""
    eager: ClassVar[Collection[str]] = ()
    """Networks that `StepOptions.compile` leaves as they are, by name."""
    float32_only: bool = False
    """Whether the networks compute in float32 under mixed precision too."""
    rng: np.random.Generator
    """Random numbers of the present step, for losses; torch's own generator is seeded for each step too."""

    def __init__(
        self,
        config: C,
        translator: nn.Module,
        generators: Mapping[str, nn.Module],
        discriminators: Mapping[str, nn.Module] | None = None,
        pools: Mapping[str, ImagePool] | None = None,
    ) -> None:
        self.config = config
        self.generators, self.discriminators = dict(generators), dict(discriminators or {})
        self.pools = dict(pools or {})
        self._translator = translator
        self._frozen = False
        self._runners: dict[str, Any] = {}
        self._optimisers: dict[str, Any] = {}

    # --- what a backend says of itself -------------------------------------------------------------------------------

    @abstractmethod
    def generate(self, batch: Batch) -> Generated:
        """What the generators make of a batch: all that both kinds of losses look at."""

    @abstractmethod
    def generator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The weighted terms of the generators' objective, scalars by name; the discriminators are frozen."""

    def discriminator_losses(self, batch: Batch, generated: Generated) -> dict[str, Tensor]:
        """The terms of the discriminators' objective, scalars by name; ``generated`` carries no gradient."""
        raise NotImplementedError(f"{type(self).__name__} has discriminators, so it needs discriminator_losses")

    def conditions(self, batch: Batch) -> tuple[Tensor, ...]:
        """What the translator is given beside the sources of a batch, to be compared with its targets; mostly none."""
        return ()

    def load_weights(self, weights_dir: str, device: torch.device) -> None:
        """Reads networks of fixed weights, or weights to start from; called once, before a run begins or goes on."""

    # --- what training calls -----------------------------------------------------------------------------------------

    def setup(self, fabric: Fabric, options: StepOptions) -> None:
        """Moves the networks to the device, makes the optimisers and wraps both. Called once, before anything else."""
        self._fabric = fabric
        self.load_weights(options.weights_dir, fabric.device)
        for name, network in self.networks().items():
            compiled = options.compile and name not in self.eager
            self._runners[name], self._optimisers[name] = self._wrap(network, options.channels_last, compiled)
        self._translator.to(fabric.device)
        if isinstance(self, TwoWay):
            self.reverse()[1].to(fabric.device)

    def networks(self) -> dict[str, nn.Module]:
        """Every trained network by name, unwrapped."""
        return self.generators | self.discriminators

    def translator(self) -> nn.Module:
        """The network that is averaged (EMA), exported and served."""
        return self._translator

    def start_epoch(self, epoch: int, epochs: int) -> None:
        """Constant rate, then linear to zero: epoch ``epochs`` (never run) would have rate 0.

        Args:
            epoch: The epoch that begins, from 0.
            epochs: How many the run has.
        """
        decay_from = int(epochs * self.config.decay_from)
        factor = 1.0 if epoch < decay_from else (epochs - epoch) / (epochs - decay_from)
        for optimiser in self._optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.config.learning_rate * factor

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """One step of all optimisers over the micro-batches; equal to one batch of all of them.

        Returns:
            Named scalar losses, detached, on the device.
        """
        for network in self.networks().values():
            network.train()
        self.rng = np.random.default_rng([torch.initial_seed(), 0])
        images = _GeneratedImages(self.generate, batches, can_repeat=bool(self.discriminators))
        losses: dict[str, Tensor] = {}
        turns = (self._train_discriminators, self._train_generators)
        for turn in turns if self.discriminators_first else reversed(turns):
            turn(images, losses)
        return losses

    def translate(self, source: Tensor, seed: int | None = None) -> Tensor:
        """Source (N, C, H, W) to image (N, K, H, W) in [-1, 1]; with ``seed`` the noise is on, if there is any."""
        return translate(self._translator, source, seed)

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs: nested dicts and lists of tensors and JSON values."""
        state: dict[str, Any] = {
            "networks": {name: network.state_dict() for name, network in self.networks().items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self._optimisers.items()},
        }
        return state | ({"pools": {name: pool.state() for name, pool in self.pools.items()}} if self.pools else {})

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        for name, network in self.networks().items():
            network.load_state_dict(state["networks"][name])
            _load_optimiser(self._optimisers[name], state["optimisers"][name])
        for name, pool in self.pools.items():
            pool.load_state(state["pools"][name], self._fabric.device)

    # --- what a backend's losses call --------------------------------------------------------------------------------

    def run(self, name: str, *inputs: Any) -> Any:
        """The float32 output of one of `networks`, in the precision and on the processes of the run."""
        if not (self._frozen and name in self.discriminators and self._fabric.world_size > 1):
            return _float32(self._runners[name](*inputs))
        with self._fabric.autocast():  # a wrapped network would wait for gradients of its weights
            network = self.discriminators[name]
            return _float32(_Float32(network)(*inputs) if self.float32_only else network(*inputs))

    # --- the steps ---------------------------------------------------------------------------------------------------

    def _wrap(self, network: nn.Module, channels_last: bool, compiled: bool) -> tuple[Any, Any]:
        order = torch.channels_last if channels_last else torch.contiguous_format
        network.to(self._fabric.device).to(memory_format=order)  # type: ignore[call-overload]
        config = self.config
        betas = (config.beta1, config.beta2)
        optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=betas, fused=True)
        runner: Any = _Float32(network) if self.float32_only else network
        if compiled:
            runner = torch.compile(runner)
        _leave_constants(runner)
        wrapped: tuple[Any, Any] = self._fabric.setup(runner, optimiser)
        return wrapped

    def _train_generators(self, images: _GeneratedImages, losses: dict[str, Tensor]) -> None:
        with self._without_gradients(self.discriminators):
            for position, batch in enumerate(images.batches):
                with self._accumulating(self.generators, position, len(images.batches)):
                    terms = self.generator_losses(batch, images.with_graph(position))
                    self._backward(terms, len(images.batches), losses)
        self._step(self.generators)

    def _train_discriminators(self, images: _GeneratedImages, losses: dict[str, Tensor]) -> None:
        if not self.discriminators:
            return
        for position, batch in enumerate(images.batches):
            with self._accumulating(self.discriminators, position, len(images.batches)):
                terms = self.discriminator_losses(batch, images.without_graph(position))
                self._backward(terms, len(images.batches), losses)
        self._step(self.discriminators)

    @contextlib.contextmanager
    def _without_gradients(self, networks: Mapping[str, nn.Module]) -> Iterator[None]:
        """No gradients for the weights of networks inside the block; they still flow through them."""
        try:
            self._frozen = True
            for network in networks.values():
                network.requires_grad_(False)
            yield
        finally:
            self._frozen = False
            for network in networks.values():
                network.requires_grad_(True)

    @contextlib.contextmanager
    def _accumulating(self, names: Collection[str], position: int, count: int) -> Iterator[None]:
        """Processes exchange gradients after the last micro-batch only."""
        with contextlib.ExitStack() as stack:
            for name in names:
                stack.enter_context(self._fabric.no_backward_sync(self._runners[name], enabled=position < count - 1))
            yield

    def _backward(self, terms: dict[str, Tensor], count: int, losses: dict[str, Tensor]) -> None:
        self._fabric.backward(torch.stack(list(terms.values())).sum() / count)
        for name, term in terms.items():
            losses[name] = losses.get(name, 0.0) + term.detach() / count

    def _step(self, names: Collection[str]) -> None:
        for name in names:
            self._optimisers[name].step()
            self._optimisers[name].zero_grad(set_to_none=True)


def _leave_constants(network: nn.Module) -> None:
    """Has processes not send each other, before each step, the buffers that no step changes and no state holds.

    They are equal by construction; and a network whose only buffer is one of them could not be sent at all: torch packs
    a single tensor of one dimension as itself, and refuses to unpack it onto itself.
    """
    constants = [
        f"{place}.{name}".lstrip(".")
        for place, module in network.named_modules()
        for name in module._non_persistent_buffers_set
    ]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(network, constants)  # type: ignore[no-untyped-call]


class _GeneratedImages:
    """What is generated from the micro-batches of one step, made once where memory allows.

    A single micro-batch keeps its graph until the generators' turn. Several would need the memory of all their graphs:
    where the discriminators come first, the images are generated again for the generators, with the same noise.

    Args:
        generate: `Backend.generate`.
        batches: The micro-batches.
        can_repeat: Seed the noise by the micro-batch's place.
    """

    def __init__(self, generate: Callable[[Batch], Generated], batches: Sequence[Batch], *, can_repeat: bool) -> None:
        self.batches = batches
        self._generate = generate
        self._seed = torch.initial_seed() if can_repeat else None
        self._kept: dict[int, Generated] = {}

    def with_graph(self, position: int) -> Generated:
        """For the generators' losses."""
        generated = self._kept.get(position)
        if generated is None or not any(image.requires_grad for image in generated.values()):
            generated = self._make(position)
        self._kept[position] = _detached(generated)
        return generated

    def without_graph(self, position: int) -> Generated:
        """For the discriminators' losses."""
        if position not in self._kept:
            with torch.set_grad_enabled(len(self.batches) == 1):
                self._kept[position] = self._make(position)
        return _detached(self._kept[position])

    def _make(self, position: int) -> Generated:
        if self._seed is not None:
            torch.manual_seed(self._seed + position)
        return self._generate(self.batches[position])


@runtime_checkable
class TwoWay(Protocol):
    """What a `Backend` has beside that where it also learns to translate images back to sources."""

    def reverse(self) -> tuple[BackendConfig, nn.Module]:
        """``Config`` and network of the reverse translator, which becomes a model file of its own."""


class BackendModule(Protocol):
    """What a file in ``gan/backends`` defines."""

    PAPER: str
    Config: type[Any]

    def suggest(self, in_channels: int, out_channels: int, height_px: int, width_px: int) -> dict[str, Any]:
        """Values for ``Config`` that follow from the data.

        Raises:
            ConfigError: Where the backend cannot work with such images.
        """

    def build_translator(self, config: Any) -> nn.Module:
        """The served network with fresh weights."""

    def create(self, config: Any) -> Backend[Any]:
        """A backend with fresh weights."""

    def suggest_temperatures(self, measured: Measured) -> dict[str, Any]:
        """Values for ``Config`` that follow from the temperatures of the data; of backends that are told some."""


def translate(network: nn.Module, source: Tensor, seed: int | None = None, conditions: Sequence[Tensor] = ()) -> Tensor:
    """Runs a translator in evaluation mode, without gradients.

    Args:
        network: Translator; an attribute ``noise`` of it switches its noise on in evaluation mode.
        source: (N, C, H, W) float32 in [-1, 1].
        seed: Seed of the noise; None switches it off. The caller's random state is left alone.
        conditions: What the translator is given beside the source; see `Backend.conditions`.

    Returns:
        (N, K, H, W) float32 in [-1, 1].
    """
    switched: Any = network
    training = network.training
    network.eval()
    devices = [source.device] if source.device.type == "cuda" else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices, enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
                switched.noise = True
            image: Tensor = network(source, *conditions)
            return image.float()
    finally:
        switched.noise = False
        network.train(training)


class _Float32(nn.Module):
    """Runs a network in float32 under autocast too."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor | None) -> Tensor:
        device = next(self.network.parameters()).device.type
        with torch.autocast(device, enabled=False):
            y: Tensor = self.network(*(None if x is None else x.float() for x in inputs))
            return y


def _float32(output: Any) -> Any:
    return output.float() if isinstance(output, Tensor) else [image.float() for image in output]


def _detached(generated: Generated) -> Generated:
    return {name: image.detach() for name, image in generated.items()}


def _load_optimiser(optimiser: Any, state: dict[str, Any]) -> None:
    """Loads an optimiser's state as stored in a checkpoint.

    JSON knows no tuples, and stored moments have lost the memory order of their parameters, which fused optimisers
    rely on.
    """
    groups = [
        {key: tuple(v) if isinstance(v, list) and key == "betas" else v for key, v in group.items()}
        for group in state["param_groups"]
    ]
    optimiser.load_state_dict({**state, "param_groups": groups})
    inner = getattr(optimiser, "optimizer", optimiser)
    for parameter, moments in inner.state.items():
        for name, moment in moments.items():
            if isinstance(moment, Tensor) and moment.shape == parameter.shape and moment.dim() > 0:
                moments[name] = torch.empty_like(parameter, requires_grad=False).copy_(moment)
