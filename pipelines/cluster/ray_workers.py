"""Frames made by the nodes of a Ray cluster, and handed on in order: what `FrameWorkers` is for one machine.

Blocks of frames go to actors (:mod:`pipelines.cluster.node_worker`), one for each worker, which keep their scene open.
A finished block comes back through Ray's object store as the bytes of its files and its records, and is taken over at
once: so nodes need no file system in common, and what is written is written by this process alone. Two blocks at a time
are with a worker, the one that it makes and the next, and only so many may be finished before an earlier one is: what
this process holds does not grow with the number of frames.

A worker that is lost, by itself or with its node, loses its blocks to the others. A frame depends on its number alone,
so it comes out as it would have.
"""

from __future__ import annotations

import os
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, Generic, Literal, TypeVar

from pipelines.cluster.connection import connected
from pipelines.cluster.node_worker import ClusterJob, JobOnNode, NodeWorker
from pipelines.cluster.options import RunsOnCluster
from pipelines.cluster.shared_model import ModelOptions, SharedModels, models_wanted
from pipelines.cluster.versions import installed_versions
from pipelines.errors import ConfigError, WorkerError, WorkerLost
from pipelines.workers import WORKER_TIMEOUT_S, default_workers

__all__ = ["RayCluster", "RayWorkers"]

R = TypeVar("R")
M = TypeVar("M")
LARGEST_BLOCK: Final = 8
"""Frames: enough that asking for a block costs nothing beside making it, few enough to lose."""
_BLOCKS_EACH: Final = 8
"""Blocks that a worker gets at least where there are frames enough, so that all end at about the same time."""
_AHEAD: Final = 2
_WINDOW: Final = 4
"""Blocks per worker that may be given out before the earliest of them is finished."""
_MOST_LOSSES: Final = 4
"""Workers that a block may cost before it is the block that is to blame."""
_LOOK_S: Final = 1.0
_CLUSTER_LOOK_S: Final = 5.0
"""How often it is asked which nodes there are."""
_PATIENCE_S: Final = 60.0
"""What a node may take beyond the longest time that its own worker process may be silent for."""


@dataclass(frozen=True)
class RayCluster:
    """Where the workers are.

    Args:
        address: ``auto``, or HOST:PORT of the head.
        workers: how many; None for as many as the nodes have room for, also when nodes come and go.
        cpus_per_worker: cores that are kept for each.
        gpus_per_worker: GPUs, or the share of one, that are kept for each.
    """

    address: str
    workers: int | None
    cpus_per_worker: float
    gpus_per_worker: float = 0.0

    @classmethod
    def of(cls, config: RunsOnCluster) -> RayCluster:
        """The cluster that a command is told to work on."""
        assert config.ray is not None
        gpus = getattr(config, "gpus_per_worker", 0.0)
        return cls(config.ray, config.workers, config.cpus_per_worker, gpus)

    def connected(self) -> AbstractContextManager[Any]:
        """A connection that workers which are opened within share; gives the module ``ray``.

        Raises:
            ConfigError: nothing answers there, or another version.
        """
        return connected(self.address, max(default_workers(), self.cpus_per_worker * (self.workers or 1)))


@dataclass
class _Block:
    number: int
    indices: tuple[int, ...]
    losses: int = 0


@dataclass(eq=False)
class _Worker:
    actor: Any
    node: str = "a node"
    ready: bool = False
    blocks: deque[_Block] = field(default_factory=deque)
    heard: float = 0.0
    """When it last gave something back, or got something to do."""


@dataclass(frozen=True)
class _Call:
    worker: _Worker
    kind: Literal["describe", "open", "make"]
    block: _Block | None = None


class RayWorkers(Generic[M, R]):
    """A context manager around workers on a cluster; leaving it ends them.

    Args:
        job: what each worker does.
        cluster: where.
        count: frames that will be asked for.
        take: what is done with a frame as soon as it comes back, in any order; its result is what :meth:`run` gives.
        timeout_s: silence after which a worker is ended, as :class:`FrameWorkers` says.
        report: takes lines for the user.
        what: is made, for messages: ``frame``.
        largest_block: frames that a worker is given at once, at most; their results are in memory together.
        model: that workers share, for a job that can ask it.
        models: how many of it; None for one for each GPU of the cluster. Without any, each worker has its own.
    """

    def __init__(
        self,
        job: ClusterJob[M],
        cluster: RayCluster,
        count: int,
        *,
        take: Callable[[M], R],
        timeout_s: float = WORKER_TIMEOUT_S,
        report: Callable[[str], None] = lambda line: None,
        what: str = "frame",
        largest_block: int = LARGEST_BLOCK,
        model: ModelOptions | None = None,
        models: int | None = None,
    ) -> None:
        self._job = JobOnNode(job, job.described(), os.getcwd())
        self._model, self._count_models = model, models
        self._shared: SharedModels | None = None
        self._what, self._largest_block = what, largest_block
        self._cluster, self._count, self._take, self._timeout_s, self._report = cluster, count, take, timeout_s, report
        self._versions = installed_versions()
        self._stack = ExitStack()
        self._workers: list[_Worker] = []
        self._calls: dict[Any, _Call] = {}
        self._again: deque[_Block] = deque()
        self._done: dict[int, list[tuple[int, R]]] = {}
        self._failed_starts = 0
        self._longest_s = 0.0
        self._looked = -_CLUSTER_LOOK_S
        self.retries = 0
        """Blocks that were given out again because their worker was lost."""
        self.frames = 0
        """Frames that came back."""

    def __enter__(self) -> RayWorkers[M, R]:
        try:
            self._ray = self._stack.enter_context(self._cluster.connected())
            self._actor = self._ray.remote(NodeWorker)
            self._metrics = _Metrics()
            self._check_room()
            self._share_model()
            self._sent_job = pickle.dumps(replace(self._job, shares_model=self._shared is not None))
            self._begun = time.monotonic()
            self._keep_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._stack.close()

    def stop(self) -> None:
        """Ends the workers at once."""
        while self._workers:
            self._end(self._workers[-1])

    @property
    def status(self) -> str:
        """Workers at work and blocks made again, for a line on progress."""
        return f"{sum(worker.ready for worker in self._workers)} workers, {self.retries} retries"

    @property
    def summary(self) -> str:
        """What was made, how fast, and what was lost on the way."""
        rate = self.frames / max(time.monotonic() - self._begun, 1e-9)
        return f"{self.frames} {self._what}s from a Ray cluster, {rate:.1f} a second; retries: {self.retries} blocks"

    def wait_ready(self) -> None:
        """Returns when the first worker has opened its scene.

        Raises:
            WorkerError: nodes have another version, or workers cannot be started.
            Exception: the worker's own error, where it could not get ready.
        """
        said = False
        while not any(worker.ready for worker in self._workers):
            self._wait()
            if not said and time.monotonic() - self._begun > _PATIENCE_S / 2:
                self._report("no worker has opened its scene yet: it takes long, or other programs use the cluster")
                said = True

    def run(self, indices: Iterable[int]) -> Iterator[tuple[int, R]]:
        """Frame numbers and what was taken of them, in the order of ``indices``.

        Raises:
            WorkerLost: a block was lost with several workers.
            WorkerError: a worker failed; or the worker's own error.
        """
        self.wait_ready()
        blocks = self._blocks(indices)
        order: deque[_Block] = deque()
        while True:
            self._hand_out(blocks, order)
            while order and order[0].number in self._done:
                yield from self._done.pop(order.popleft().number)
                self._hand_out(blocks, order)
            if not order:
                return
            self._wait()

    def _blocks(self, indices: Iterable[int]) -> Iterator[_Block]:
        size = min(max(self._count // (_BLOCKS_EACH * self._room()), 1), self._largest_block)
        rest, number = iter(indices), 0
        while block := tuple(islice(rest, size)):
            yield _Block(number, block)
            number += 1

    def _hand_out(self, blocks: Iterator[_Block], order: deque[_Block]) -> None:
        """Gives each worker the next block, the idlest first, lost ones before new ones."""
        for depth in range(_AHEAD):
            for worker in self._workers:
                if not worker.ready or len(worker.blocks) > depth:
                    continue
                block = self._again.popleft() if self._again else None
                if block is None and len(order) < _WINDOW * len(self._workers):
                    block = next(blocks, None)
                    if block is not None:
                        order.append(block)
                if block is None:
                    return
                worker.heard = worker.heard if worker.blocks else time.monotonic()
                worker.blocks.append(block)
                self._calls[worker.actor.make.remote(block.indices)] = _Call(worker, "make", block)

    # --- what comes back ----------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Takes what has come back, if anything has within a moment, and keeps up with the cluster."""
        if self._calls:
            try:
                came = self._ray.wait(list(self._calls), num_returns=1, timeout=_LOOK_S)[0]
            except SystemError as error:  # Ctrl-C or another signal: Ray's compiled code hands it on as the cause
                raise error.__cause__ or error from None
            for ref in came:
                self._receive(self._calls.pop(ref), ref)
        else:
            time.sleep(_LOOK_S)
        now = time.monotonic()
        for worker in [one for one in self._workers if one.blocks and self._is_stuck(one, now)]:
            self._lose(worker, f"gave no sign of life for {now - worker.heard:.0f} s")
        if now - self._looked > _CLUSTER_LOOK_S:
            self._keep_up()

    def _is_stuck(self, worker: _Worker, now: float) -> bool:
        """Longer silent than its own process may be; that is ended on the node itself."""
        limit = max(self._timeout_s, 10 * self._longest_s) * len(worker.blocks[0].indices) + _PATIENCE_S
        return bool(self._timeout_s) and now - worker.heard > limit

    def _receive(self, call: _Call, ref: Any) -> None:
        errors = self._ray.exceptions
        try:
            result = self._ray.get(ref)
        except errors.ObjectLostError as error:  # a finished block went with its node
            self._lose(call.worker, str(error))
        except errors.RayTaskError as error:
            raise WorkerError(self._not_ours(call.worker, error)) from error
        except errors.RayError as error:
            if "ModuleNotFoundError" in str(error) or "ImportError" in str(error):
                raise WorkerError(self._not_ours(call.worker, error)) from error
            self._lose(call.worker, str(error))
        else:
            self._answer(call, result)

    def _answer(self, call: _Call, result: Any) -> None:
        worker = call.worker
        if isinstance(result, WorkerLost):
            self._lose(worker, str(result))
        elif isinstance(result, Exception):
            if hasattr(result, "add_note") and getattr(result, "__notes__", None):
                result.add_note(f"on {worker.node}")
            raise result
        elif call.kind == "describe":
            worker.node, versions = result
            self._check_versions(worker.node, versions)
            model = self._shared.give() if self._shared else None
            opened = worker.actor.open.remote(self._sent_job, self._timeout_s, self._what, model)
            self._calls[opened] = _Call(worker, "open")
        elif call.kind == "open":
            worker.ready, self._failed_starts = True, 0
        elif call.block is not None:
            self._take_block(worker, call.block, result)

    def _take_block(self, worker: _Worker, block: _Block, made: list[tuple[int, M]]) -> None:
        now = time.monotonic()
        self._longest_s = max(self._longest_s, (now - worker.heard) / len(block.indices))
        worker.blocks.remove(block)
        worker.heard = now
        self._done[block.number] = [(index, self._take(frame)) for index, frame in made]
        self.frames += len(made)
        self._metrics.frames(len(made), self.frames / max(now - self._begun, 1e-9))

    def _check_versions(self, node: str, versions: dict[str, str]) -> None:
        for name, here in self._versions.items():
            if (there := versions.get(name)) != here:
                raise WorkerError(
                    f"{node} of the cluster has {name} {there}, and the command was given with {here}: expected the "
                    "same on all nodes, because frames could differ; install the same versions, or use one image"
                )

    def _not_ours(self, worker: _Worker, error: Exception) -> str:
        last = next((line for line in reversed(str(error).splitlines()) if line.strip()), "").strip()
        return (
            f"{worker.node} of the cluster cannot start a worker of gis {self._versions['gis']} ({last}): expected "
            "gis-thermal of this version on all nodes; install it there, or use one image"
        )

    # --- workers that come and go -------------------------------------------------------------------------------------

    def _lose(self, worker: _Worker, why: str) -> None:
        """Gives the blocks of a worker to others, and starts another in its place.

        Raises:
            WorkerLost: it is the block, or the cluster, that ends workers.
        """
        if worker not in self._workers:  # known already: all its calls come back as lost
            return
        why = f"a worker on {worker.node} was lost: {' '.join(why.split())[:400]}"
        self._end(worker)
        if worker.blocks:
            worker.blocks[0].losses += 1
            if worker.blocks[0].losses >= _MOST_LOSSES:
                frames = worker.blocks[0].indices
                raise WorkerLost(f"{self._what}s {frames[0]} to {frames[-1]} cost {_MOST_LOSSES} workers; {why}")
            self.retries += len(worker.blocks)
            self._metrics.retries(len(worker.blocks))
            self._again.extend(worker.blocks)
        elif not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _MOST_LOSSES:
                raise WorkerLost(f"{_MOST_LOSSES} workers in turn were lost before their first {self._what}; {why}")
        self._report(f"{why}; {sum(len(block.indices) for block in worker.blocks)} {self._what}s are made again")
        self._keep_up()

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        for ref in [ref for ref, call in self._calls.items() if call.worker is worker]:
            del self._calls[ref]
        with suppress(Exception):  # it is dead, or its node is
            self._ray.kill(worker.actor, no_restart=True)

    def _keep_up(self) -> None:
        """Starts workers where the cluster has room for more than there are."""
        self._looked = time.monotonic()
        while len(self._workers) < min(self._room(), self._count):
            cpus, gpus = self._shares().values()
            actor = self._actor.options(num_cpus=cpus, num_gpus=gpus, max_restarts=0).remote()
            worker = _Worker(actor)
            self._workers.append(worker)
            self._calls[actor.describe.remote()] = _Call(worker, "describe")

    def _room(self) -> int:
        """Workers that the cluster has room for, at least one: a cluster may be about to grow."""
        if self._cluster.workers is not None:
            return self._cluster.workers
        return max(1, sum(self._room_on(node["Resources"]) for node in self._ray.nodes() if node["Alive"]))

    def _room_on(self, resources: Mapping[str, float]) -> int:
        """Workers that a node has room for."""
        rooms = [resources.get(name, 0.0) / share for name, share in self._shares().items() if share]
        return int(min(rooms) + 1e-9)

    def _shares(self) -> dict[str, float]:
        """What Ray keeps for each worker, by its names."""
        return {"CPU": self._cluster.cpus_per_worker, "GPU": self._cluster.gpus_per_worker}

    def _share_model(self) -> None:
        """Starts the models that all workers share, where the job can use them and they are wanted."""
        if self._model is None:
            return
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if count := models_wanted(self._count_models, nodes, self._model.device):
            self._shared = SharedModels(self._ray, self._model, count, self._check_versions)
            self._stack.callback(self._shared.close)

    def _check_room(self) -> None:
        for name, share in self._shares().items():
            nodes = (node["Resources"] for node in self._ray.nodes() if node["Alive"])
            most = max((float(resources.get(name, 0.0)) for resources in nodes), default=0.0)
            if share > most:
                raise ConfigError(
                    f"{name.lower()}s-per-worker: {share:g}, and no node of the cluster has more than {most:g}: "
                    "expected at most that"
                )


class _Metrics:
    """Numbers for Ray's own dashboards."""

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Gauge

        self._frames = Counter("gis_frames", "Frames that came back from workers.")
        self._retries = Counter("gis_retries", "Blocks given out again because their worker was lost.")
        self._rate = Gauge("gis_frames_per_second", "Frames a second since the command began.")

    def frames(self, count: int, rate: float) -> None:
        """Frames that came back, and how many do each second."""
        self._frames.inc(count)
        self._rate.set(rate)

    def retries(self, count: int) -> None:
        """Blocks that were lost."""
        self._retries.inc(count)
