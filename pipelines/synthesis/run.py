"""Frames made by worker processes, and their lines appended in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from renderer.kernel_cache import forget_stale_kernels

from pipelines.dataset.record import Record
from pipelines.dataset.store import FrameStore
from pipelines.io.files import remove_temporaries
from pipelines.workers import WORKER_TIMEOUT_S, FrameJob, FrameWorkers

__all__ = ["make_frames"]

T = TypeVar("T")
R = TypeVar("R", bound=Record)


def make_frames(
    store: FrameStore[R],
    job: FrameJob[R],
    todo: list[int],
    workers: int,
    *,
    progress: bool,
    after: Callable[[int], None] | None = None,
    one_first: bool = False,
    timeout_s: float = WORKER_TIMEOUT_S,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Makes the frames ``todo`` in worker processes and appends their lines in order.

    Nothing is written before the first worker has opened its scene. Whatever ends it early, the folder can be gone on
    with.

    Args:
        store: the folder.
        job: what a worker does.
        todo: frame numbers.
        workers: processes.
        progress: show a bar on stderr.
        after: called with each number once the frame's line stands.
        one_first: see :class:`FrameWorkers`.
        timeout_s: see :class:`FrameWorkers`.
        report: takes each note of the frames once.
    """
    forget_stale_kernels()
    with FrameWorkers(job, min(workers, len(todo)), one_first=one_first, timeout_s=timeout_s) as pool:
        pool.wait_ready()
        with store.open_run() as complete:
            try:
                frames = _saying_notes(pool.run(todo), report)
                store.append_frames(_with_progress(frames, len(todo), progress), complete, after)
            except BaseException:
                pool.stop()
                remove_temporaries(store.folder)
                raise
    store.check_files()


_MOST_NOTES = 20


def _saying_notes(frames: Iterable[tuple[int, R]], report: Callable[[str], None]) -> Iterator[tuple[int, R]]:
    """The frames; each note is said when the first frame has it, up to a number."""
    said: set[str] = set()
    for index, record in frames:
        for note in getattr(record, "notes", ()):
            if note not in said and len(said) < _MOST_NOTES:
                report(note)
            elif note not in said and len(said) == _MOST_NOTES:
                report("more notes stand in frames.jsonl")
            said.add(note)
        yield index, record


def _with_progress(frames: Iterable[T], total: int, progress: bool) -> Iterator[T]:
    from tqdm import tqdm

    yield from tqdm(frames, total=total, unit="frame", desc="frames", disable=not progress, smoothing=0.1)
