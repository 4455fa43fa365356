"""`gis translate` on a Ray cluster: batches of inputs go to workers, each with a model of its own.

A worker reads its inputs itself, with as many threads as it has cores: on a GPU these read and decode the next batch
while the network is at work on this one. Batches follow from the order of the inputs, whoever gets them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan.errors import GisError

from pipelines.cluster.ray_workers import RayCluster, RayWorkers
from pipelines.cluster.same_files import sizes_sha256
from pipelines.errors import WorkerError
from pipelines.io.files import named_file
from pipelines.io.progress import Bar, stage
from pipelines.translation.config import TranslateConfig
from pipelines.translation.inputs import Float32, Input
from pipelines.translation.told import ToldImages
from pipelines.translation.translator import Translated, open_translator, write_files

if TYPE_CHECKING:
    from gan.serving.inference import ModelInfo

__all__ = ["TranslateJob", "translate_on_cluster"]

Result = tuple[str, GisError | None]


@dataclass(frozen=True)
class BatchResult:
    """What a worker made of a batch."""

    about: ModelInfo
    """How it runs the model."""
    results: tuple[Result, ...]
    files: Mapping[Path, bytes]


@dataclass(frozen=True)
class TranslateJob:
    """What a worker does."""

    config: TranslateConfig
    inputs: tuple[Input, ...]
    calibration: Float32 | None

    def described(self) -> dict[str, Any]:
        """See :class:`pipelines.cluster.node_worker.ClusterJob`."""
        named = {"weights": self.config.weights, "reference": self.config.reference}
        files = {name: named_file(path) for name, path in named.items() if path is not None}
        paths = dict.fromkeys(item.path for item in self.inputs)  # many may lie in one shard
        return {**files, str(self.config.source): sizes_sha256(paths)}

    @contextmanager
    def open_in_memory(self) -> Iterator[Callable[[int], BatchResult]]:
        """Loads the model, onto the GPU that Ray has given where it has."""
        config, cores = self.config, max(1, int(self.config.cpus_per_worker))
        on_cores = config.device == "auto" and not config.gpus_per_worker
        told = replace(
            config,
            ray=None,
            workers=None,
            cpus_per_worker=1.0,
            gpus_per_worker=0.0,
            threads=config.threads or cores,
            device="cpu" if on_cores else config.device,
        )
        translator = open_translator(told, self.calibration)
        with ThreadPoolExecutor(cores) as pool:
            ahead: dict[int, list[Future[Float32]]] = {}

            def make(number: int) -> BatchResult:
                sources = ahead.pop(number, None) or self._read(number, pool)
                ahead.clear()
                if config.batch > 1:  # the next batch is nearly always this worker's too
                    ahead[number + 1] = self._read(number + 1, pool)
                items = self._batch(number)
                named = [(item.name, source.result) for item, source in zip(items, sources, strict=True)]
                done: list[Translated | ToldImages] = [*translator.translate(number * config.batch, named)]
                encode = partial(_files, config=config)
                files = {path: data for one in pool.map(encode, done) for path, data in one.items()}
                return BatchResult(translator.about, tuple((one.name, one.error) for one in done), files)

            yield make

    def _batch(self, number: int) -> Sequence[Input]:
        return self.inputs[number * self.config.batch : (number + 1) * self.config.batch]

    def _read(self, number: int, pool: ThreadPoolExecutor) -> list[Future[Float32]]:
        return [pool.submit(item.read) for item in self._batch(number)]


def _files(one: Any, config: TranslateConfig) -> Mapping[Path, bytes]:
    files: Mapping[Path, bytes] = one.files(config.out, config.attention, config.bits)
    return files


def translate_on_cluster(
    config: TranslateConfig,
    inputs: Sequence[Input],
    calibration: Float32 | None,
    progress: bool,
    report: Callable[[str], None],
) -> tuple[ModelInfo, list[Result]]:
    """Translates all inputs; says how the model was run, and what became of each input.

    Args:
        config: what to translate, and the cluster.
        inputs: in their order.
        calibration: samples for int8, for a model file that brings none.
        progress: show a bar on stderr.
        report: takes lines for the user.

    Raises:
        WorkerError: workers run the model in ways that give other images.
        PipelineError: the cluster, or the output.
    """

    def take(made: BatchResult) -> tuple[ModelInfo, tuple[Result, ...]]:
        write_files(made.files, config.out)
        return made.about, made.results

    batches = range(-(-len(inputs) // config.batch))
    job = TranslateJob(config, tuple(inputs), calibration)
    workers = RayWorkers(
        job,
        RayCluster.of(config),
        len(batches),
        take=take,
        timeout_s=config.worker_timeout,
        report=report,
        what="image" if config.batch == 1 else "stack",
    )
    results: list[Result] = []
    first: ModelInfo | None = None
    with workers, Bar(len(inputs), "image", label="translate", progress=progress) as bar:
        with stage(f"loading the model {config.weights.name}", progress=progress):
            workers.wait_ready()
        for _, (about, some) in workers.run(batches):
            first = first or about
            _check_alike(first, about)
            results += some
            bar.status = workers.status
            bar.update(len(some))
        report(workers.summary)
    assert first is not None
    return first, results


def _check_alike(one: ModelInfo, other: ModelInfo) -> None:
    if one.inference != other.inference:
        raise WorkerError(
            f"one node runs the model as {one.inference}, another as {other.inference}, and their images differ: give "
            "--engine, --precision and --device that all nodes have"
        )
