"""What runs on the nodes: an actor of Ray that keeps one worker process of :mod:`pipelines.workers`.

The scene is opened in that process and not in the actor, so that a worker on a cluster starts, stops and dies like one
beside the parent: Blender may crash or hang, and Ray's libraries are never loaded beside Blender's.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from pipelines.cluster.shared_model import Ask
from pipelines.cluster.versions import installed_versions
from pipelines.errors import ConfigError, DatasetError, GisError
from pipelines.workers import FrameJob, FrameWorkers

__all__ = ["AskingJob", "ClusterJob", "JobOnNode", "NodeWorker"]

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


class ClusterJob(Protocol[R_co]):
    """A job whose results can be handed back in memory."""

    def described(self) -> dict[str, Any]:
        """Everything that decides the results, files by their hashes."""

    def open_in_memory(self) -> AbstractContextManager[Callable[[int], R_co]]:
        """Gets ready and gives the function that makes one result; nothing is written."""


class AskingJob(ClusterJob[R_co], Protocol[R_co]):
    """A job that can use a model which all workers share."""

    def open_with_model(self, ask: Ask) -> AbstractContextManager[Callable[[int], R_co]]:
        """As ``open_in_memory``; translations are asked for."""


@dataclass(frozen=True)
class JobOnNode(FrameJob[R]):
    """A job as a node does it: in the folder of the parent, where that is there, and with the same files.

    Args:
        job: whose results are handed back in memory.
        configuration: as the parent describes the job.
        folder: that the parent works in; relative names of files start there.
        shares_model: whether translations are asked for.
    """

    job: ClusterJob[R]
    configuration: Mapping[str, Any]
    folder: str
    shares_model: bool = False

    @contextmanager
    def open(self, ask: Ask | None = None) -> Iterator[Callable[[int], R]]:
        """Checks that the files are those of the parent, and opens the job.

        Args:
            ask: asks the model that is shared.

        Raises:
            ConfigError: a file is another one here, or not there.
        """
        with suppress(OSError):
            os.chdir(self.folder)
        self._check_files()
        with self._opened(ask) as make:
            yield make

    def open_asking(self, ask: Ask) -> AbstractContextManager[Callable[[int], R]]:
        """See :class:`pipelines.workers.AskingFrameJob`."""
        return self.open(ask)

    def _opened(self, ask: Ask | None) -> AbstractContextManager[Callable[[int], R]]:
        if not self.shares_model:
            return self.job.open_in_memory()
        assert ask is not None
        return cast(AskingJob[R], self.job).open_with_model(ask)

    def _check_files(self) -> None:
        try:
            here = self.job.described()
        except GisError as error:
            raise ConfigError(f"{error}; it must lie at the same place on all nodes") from error
        for name, value in self.configuration.items():
            if here.get(name) != value:
                raise ConfigError(
                    f"{name} is another one on this node ({here.get(name)}) than where the command was given "
                    f"({value}): "
                    "expected the same files at the same place on all nodes"
                )


class NodeWorker:
    """One worker process on a node, with the cores and the share of a GPU that Ray has kept for it.

    Errors are returned: raised ones would come back in Ray's words.
    """

    def __init__(self) -> None:
        self._pool: FrameWorkers[Any] | None = None

    def describe(self) -> tuple[str, dict[str, str]]:
        """Name of the node, and what is installed there."""
        return platform.node(), installed_versions()

    def open(self, job: bytes, timeout_s: float, what: str, model: Any = None) -> Exception | None:
        """Starts the process and waits until it is ready; ``what`` is made, for messages.

        A model is an actor that the process may ask for translations.
        """
        try:
            item, answer = (lambda number: f"{what} {number}"), partial(_ask, model)
            self._pool = FrameWorkers(job, 1, timeout_s=timeout_s, item=item, answer=answer)
            self._pool.__enter__()
            self._pool.wait_ready()
        except Exception as error:
            return self._ended(error)
        return None

    def make(self, indices: Sequence[int]) -> list[tuple[int, Any]] | Exception:
        """A block of results."""
        try:
            if self._pool is None:
                raise DatasetError("this worker is not open")
            return list(self._pool.run(indices))
        except Exception as error:
            return self._ended(error)

    def _ended(self, error: Exception) -> Exception:
        if self._pool is not None:
            self._pool.stop()
        return error


def _ask(model: Any, method: str, *given: Any) -> Any:
    """What a method of the shared model answers; an error that it returns is raised."""
    import ray

    answer = ray.get(getattr(model, method).remote(*given))
    if isinstance(answer, Exception):
        raise answer
    return answer
