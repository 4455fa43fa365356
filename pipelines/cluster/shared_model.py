"""One translation model for many workers: sources that wait together and have one size go through the network at once.

A model on a GPU translates faster than the core of one worker makes frames, and a GPU holds few models. So workers on
cores make passes and physics, and ask an actor of Ray for their translations. While its network is at work more sources
come in, and these are the next batch: nobody waits for others to come.

What is in a batch follows from who asked when. Images of a batch differ from those one by one by rounding; a batch of
one source is the same to the last bit as by a worker's own model, where both are on cores.
"""

from __future__ import annotations

import platform
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.cluster.versions import installed_versions
from pipelines.errors import ConfigError, GisError, WorkerError

if TYPE_CHECKING:
    from gan.serving.inference import ModelInfo, TranslationModel

__all__ = ["Ask", "AskedModel", "Batches", "ModelOptions", "SharedModel", "SharedModels", "models_wanted"]

Float32 = npt.NDArray[np.float32]
Ask = Callable[..., Any]
"""Calls a method of the shared model, given its name and arguments."""
_ASKING: Final = 64
"""Workers whose questions a model takes in at the same time; those of more wait in Ray."""
_GPU_BATCH: Final = 16


@dataclass(frozen=True)
class ModelOptions:
    """What a shared model is loaded with.

    Args:
        weights: model file, at the same place on all nodes.
        device: ``auto`` for a GPU where there is one, or a torch device.
        largest: sources that are translated at once; None for 16 on a GPU, 1 on cores.
    """

    weights: Path
    device: str
    largest: int | None


def models_wanted(asked: int | None, resources: Iterable[Mapping[str, float]], device: str) -> int:
    """How many models there are to be: as asked for, else one for each GPU of the nodes.

    Args:
        asked: by the option; None leaves it to the cluster.
        resources: of each node, by Ray's names.
        device: that they are asked to run on.

    Raises:
        ConfigError: more than there are GPUs.
    """
    gpus = int(sum(one.get("GPU", 0.0) for one in resources))
    if asked is None:
        return gpus
    if device != "cpu" and asked > gpus:
        raise ConfigError(
            f"translators: {asked}, and the cluster has {gpus} GPUs: expected at most one for each; "
            "--translator-device cpu runs them on cores"
        )
    return asked


class Batches:
    """Puts together what several threads ask for.

    Args:
        run: translates a stack (N, C, H, W) to images (N, H, W); called by one thread.
        largest: sources in a stack, at most.
    """

    def __init__(self, run: Callable[[Float32], Float32], largest: int) -> None:
        self._run, self._largest = run, largest
        self._waiting: deque[tuple[Float32, Future[Float32]]] = deque()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, daemon=True).start()

    def translate_each(self, sources: Iterable[Float32]) -> list[Float32]:
        """Images (H, W) of sources (C, H, W), in their order.

        Raises:
            Exception: what ``run`` raised of a stack that held one of them.
        """
        asked = [(source, Future[Float32]()) for source in sources]
        with self._changed:
            self._waiting.extend(asked)
            self._changed.notify()
        return [image.result() for _, image in asked]

    def _next(self) -> list[tuple[Float32, Future[Float32]]]:
        """The source that has waited longest, and others of its size."""
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            shape = self._waiting[0][0].shape
            alike = [one for one in self._waiting if one[0].shape == shape][: self._largest]
            taken = {id(one[1]) for one in alike}
            self._waiting = deque(one for one in self._waiting if id(one[1]) not in taken)
        return alike

    def _work(self) -> None:
        while True:
            batch = self._next()
            try:
                images = self._run(np.stack([source for source, _ in batch]))
                for (_, image), made in zip(batch, images, strict=True):
                    image.set_result(made)
            except Exception as error:
                for _, image in batch:
                    if not image.done():
                        image.set_exception(error)


class SharedModel:
    """An actor of Ray that holds a model and translates for all who ask.

    It loads the model when it is first asked, so that one that Ray has started anew on another node does too. Errors
    are returned: raised ones would come back in Ray's words.
    """

    def __init__(self, options: ModelOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._opened: tuple[TranslationModel, Batches] | None = None

    def describe(self) -> tuple[str, dict[str, str]]:
        """Name of the node, and what is installed there."""
        return platform.node(), installed_versions()

    def about(self) -> tuple[ModelInfo, int] | Exception:
        """What the model is and how it is run, and the channels that it takes."""
        try:
            model, _ = self._model()
        except Exception as error:
            return _plain(error)
        return model.about, model.in_channels

    def translate_each(self, sources: Sequence[Float32]) -> list[Float32] | Exception:
        """Images (H, W) of sources (C, H, W) float32 in [-1, 1]."""
        try:
            return self._model()[1].translate_each(sources)
        except Exception as error:
            return _plain(error)

    def _model(self) -> tuple[TranslationModel, Batches]:
        with self._lock:
            if self._opened is None:
                self._opened = _open(self._options)
            return self._opened


def _open(options: ModelOptions) -> tuple[TranslationModel, Batches]:
    from gan.serving.inference import load_model

    # One thread on cores, as a worker's own model has: bytes do not depend on how many there are.
    model = load_model(options.weights, threads=1, any_size=True, device=options.device)
    on_cores = model.about.inference.device == "cpu"
    largest = options.largest or (1 if on_cores else _GPU_BATCH)
    return model, Batches(lambda stack: model.translate(stack, together=len(stack) > 1), largest)


def _plain(error: Exception) -> Exception:
    """An error that can be sent: ours as it is, another as one line."""
    if isinstance(error, GisError):
        return error
    return WorkerError(f"the shared model failed: {' '.join(f'{type(error).__name__}: {error}'.split())[:400]}")


class AskedModel:
    """The shared model as a worker sees it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.about: ModelInfo
        self.about, self.in_channels = ask("about")

    @property
    def name(self) -> str:
        """Name of the model, as `gan.list_models` gives it."""
        return self.about.name

    def translate_each(
        self, sources: Iterable[Float32], parts: Sequence[tuple[int, int, int, int]]
    ) -> Iterable[Float32]:
        """Parts (top, left, bottom, right) of the images of sources (C, H, W) float32 in [-1, 1], in their order."""
        images: Iterable[Float32] = self._ask("translate_each", list(sources))
        for image, (top, left, bottom, right) in zip(images, parts, strict=True):
            yield image[top:bottom, left:right]


class SharedModels:
    """The models of a cluster, as the process sees them that gave the command.

    Args:
        ray: the module, connected.
        options: of each model.
        count: models, at least one.
        check_versions: refuses a node, given its name and versions.

    Raises:
        WorkerError: nodes have another version, or run the model in ways that give other images.
        GanError: the model cannot be used.
    """

    def __init__(
        self, ray: Any, options: ModelOptions, count: int, check_versions: Callable[[str, dict[str, str]], None]
    ) -> None:
        self._ray, self._next = ray, 0
        gpus = 0 if options.device == "cpu" else 1
        kind = ray.remote(SharedModel).options(
            num_cpus=0, num_gpus=gpus, max_concurrency=_ASKING, max_restarts=-1, max_task_retries=-1
        )
        self._actors = [kind.remote(options) for _ in range(count)]
        try:
            self._check(check_versions)
        except BaseException:
            self.close()
            raise

    def _check(self, check_versions: Callable[[str, dict[str, str]], None]) -> None:
        ways = set()
        for actor in self._actors:
            check_versions(*self._ray.get(actor.describe.remote()))
            told = self._ray.get(actor.about.remote())
            if isinstance(told, Exception):
                raise told
            ways.add((told[0].weights_sha256, str(told[0].inference)))
        if len(ways) > 1:
            told = ", ".join(sorted(way for _, way in ways))
            raise WorkerError(
                f"translators have other models, or run them in other ways ({told}): expected the same weights and the "
                "same kind of GPU on all nodes"
            )

    def give(self) -> Any:
        """One of the models, in turn."""
        self._next += 1
        return self._actors[self._next % len(self._actors)]

    def close(self) -> None:
        """Ends the models."""
        for actor in self._actors:
            with suppress(Exception):  # it is dead, or its node is
                self._ray.kill(actor, no_restart=True)
        self._actors = []
