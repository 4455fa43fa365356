"""Frames made by worker processes, and their lines appended in order."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from renderer.kernel_cache import are_kernels_kept, forget_stale_kernels

from pipelines.dataset.made_frame import MadeFrame
from pipelines.dataset.record import FrameLine, FrameRecord, PassesRecord
from pipelines.dataset.store import FrameStore
from pipelines.io.progress import follow, stage
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.workers import FrameJob, FrameWorkers

if TYPE_CHECKING:
    from pipelines.cluster.ray_workers import RayWorkers
    from pipelines.cluster.shared_model import ModelOptions
    from pipelines.dataset.packed.writer import PackedStore

__all__ = ["FrameMakingJob", "make_frames"]

_MOST_NOTES = 12
"""More than that nobody reads; all stand in the lines of the frames."""
COMPILING = "compiling the renderer, once: a minute or two"
T = TypeVar("T")
R = TypeVar("R", FrameRecord, PassesRecord)


class FrameMakingJob(Protocol[R]):
    """What a worker does: its files are written by itself on this machine, and handed back in memory on a cluster."""

    @property
    def config(self) -> RenderConfig:
        """What is made, and by which workers."""

    def open(self) -> AbstractContextManager[Callable[[int], FrameLine]]:
        """Gets ready and gives the function that makes and writes one frame."""

    def described(self) -> dict[str, Any]:
        """Everything that decides the frames, files by their hashes."""

    def open_in_memory(self) -> AbstractContextManager[Callable[[int], MadeFrame[R]]]:
        """Gets ready and gives the function that makes one frame."""


@dataclass(frozen=True)
class _InMemory(Generic[R]):
    """A job whose frames are handed back with the contents of their files."""

    job: FrameMakingJob[R]

    def open(self) -> AbstractContextManager[Callable[[int], MadeFrame[R]]]:
        return self.job.open_in_memory()


def make_frames(
    store: FrameStore[R] | PackedStore,
    job: FrameMakingJob[R],
    todo: Sequence[int],
    *,
    progress: bool,
    after: Callable[[int], None] | None = None,
    one_first: bool = False,
    report: Callable[[str], None] = lambda line: None,
    expected: Iterable[str] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Makes the frames ``todo`` in worker processes and appends their lines in order.

    Nothing is written before the first worker has opened its scene. Whatever ends it early, the folder can be gone on
    with.

    Args:
        store: the folder; one that is packed takes frames with their contents.
        job: what a worker does; its configuration tells which workers there are.
        todo: frame numbers.
        progress: show a bar on stderr.
        after: called with each number once the frame's line stands.
        one_first: see :class:`FrameWorkers`.
        report: takes what had to be guessed or was left out, each line once, at the end: what holds for all frames.
        expected: notes that are no news to who gave the command, because they follow from its options.
        meanwhile: called while the first worker opens its scene, which is when this process has nothing to do.
    """
    forget_stale_kernels()
    notes: Counter[str] = Counter()
    with _compiling(job.config), _workers(store, job, len(todo), one_first, report) as pool:
        with stage(_opening(job.config), progress=progress):
            meanwhile()
            pool.wait_ready()
        with store.open_run() as complete:
            try:
                frames = _with_progress(_counted(pool.run(todo), notes), len(todo), progress, pool)
                store.append_frames(frames, complete, after)
            except BaseException:
                pool.stop()
                store.store.clear_temporaries()
                raise
        if summary := getattr(pool, "summary", None):
            report(summary)
    store.check_files(len(todo))
    for note in expected:
        notes.pop(note, None)
    _report(notes, len(todo), report)


def _compiling(config: RenderConfig) -> AbstractContextManager[None]:
    """A helper for the first frame, where its kernels have to be compiled on this machine."""
    if config.ray is not None or not isinstance(config, SynthesizeConfig):
        return nullcontext()
    from pipelines.synthesis.compilation import compiling_half  # not in the add-on, whose `gis render` comes here too

    return compiling_half()


def _workers(
    store: FrameStore[R] | PackedStore,
    job: FrameMakingJob[R],
    count: int,
    one_first: bool,
    report: Callable[[str], None],
) -> FrameWorkers[Any] | RayWorkers[MadeFrame[R], Any]:
    """Workers on this machine, or on a cluster; they give records, or whole frames where these are packed."""
    config, packs = job.config, not isinstance(store, FrameStore)
    if config.ray is None:
        here: FrameJob[Any] = _InMemory(job) if packs else job
        return FrameWorkers(here, min(config.processes, count), one_first=one_first, timeout_s=config.worker_timeout)
    from pipelines.cluster.ray_workers import RayCluster, RayWorkers

    def take(made: MadeFrame[R]) -> MadeFrame[R] | FrameLine:
        return made if packs else made.write(store.folder).frame_line

    return RayWorkers(
        job,
        RayCluster.of(config),
        count,
        take=take,
        timeout_s=config.worker_timeout,
        report=report,
        model=_shared_model(config),
        models=getattr(config, "translators", None),
    )


def _shared_model(config: RenderConfig) -> ModelOptions | None:
    """The model that workers on a cluster can share."""
    if not isinstance(config, SynthesizeConfig) or config.weights is None:
        return None
    from pipelines.cluster.shared_model import ModelOptions

    return ModelOptions(config.weights.absolute(), config.translator_device, config.translator_batch)


def _counted(frames: Iterable[tuple[int, Any]], notes: Counter[str]) -> Iterator[tuple[int, Any]]:
    """The frames as they come; ``notes`` counts in how many of them each note stands."""
    for index, frame in frames:
        record = frame.record if isinstance(frame, MadeFrame) else frame
        notes.update(set(record.notes))
        yield index, frame


def _report(notes: Counter[str], frames: int, report: Callable[[str], None]) -> None:
    """What holds for all frames; a note of single ones is of use beside the frame alone."""
    common = [note for note, count in notes.items() if count == frames][:_MOST_NOTES]
    for note in common:
        report(f"note: {note}")
    if common and (more := len(notes) - len(common)) > 0:
        report(f"{more} notes on single frames stand in frames.jsonl")


def _opening(config: RenderConfig) -> str:
    """What the first worker does before it can make frames."""
    scene = f"opening {config.scene.name}" if config.scene is not None else "opening the scene"
    return f"{scene}, loading the model" if getattr(config, "weights", None) is not None else scene


def _with_progress(
    frames: Iterable[T], total: int, progress: bool, pool: FrameWorkers[Any] | RayWorkers[Any, Any]
) -> Iterator[T]:
    first = "" if are_kernels_kept() else COMPILING
    status = functools.partial(getattr, pool, "status", "")
    return follow(frames, total, "frame", progress=progress, before_first=first, status=status)
