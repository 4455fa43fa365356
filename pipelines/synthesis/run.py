"""Frames made by worker processes, and their lines appended in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from renderer.kernel_cache import forget_stale_kernels

from pipelines.dataset.record import FrameRecord, PassesRecord
from pipelines.dataset.store import FrameStore
from pipelines.io.files import remove_temporaries
from pipelines.workers import WORKER_TIMEOUT_S, FrameJob, FrameWorkers

__all__ = ["make_frames"]

_MOST_NOTES = 12
"""More than that nobody reads; all stand in the lines of the frames."""
T = TypeVar("T")
R = TypeVar("R", FrameRecord, PassesRecord)


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
    expected: Iterable[str] = (),
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
        report: takes what had to be guessed or was left out, each line once, at the end: what holds for all frames.
        expected: notes that are no news to who gave the command, because they follow from its options.
    """
    forget_stale_kernels()
    notes: Counter[str] = Counter()
    with FrameWorkers(job, min(workers, len(todo)), one_first=one_first, timeout_s=timeout_s) as pool:
        pool.wait_ready()
        with store.open_run() as complete:
            try:
                frames = _with_progress(_counted(pool.run(todo), notes), len(todo), progress)
                store.append_frames(frames, complete, after)
            except BaseException:
                pool.stop()
                remove_temporaries(store.folder)
                raise
    store.check_files()
    for note in expected:
        notes.pop(note, None)
    _report(notes, len(todo), report)


def _counted(frames: Iterable[tuple[int, R]], notes: Counter[str]) -> Iterator[tuple[int, R]]:
    """The frames as they come; ``notes`` counts in how many of them each note stands."""
    for index, record in frames:
        notes.update(set(record.notes))
        yield index, record


def _report(notes: Counter[str], frames: int, report: Callable[[str], None]) -> None:
    """What holds for all frames; a note of single ones is of use beside the frame alone."""
    common = [note for note, count in notes.items() if count == frames][:_MOST_NOTES]
    for note in common:
        report(f"note: {note}")
    if common and (more := len(notes) - len(common)) > 0:
        report(f"{more} notes on single frames stand in frames.jsonl")


def _with_progress(frames: Iterable[T], total: int, progress: bool) -> Iterator[T]:
    from tqdm import tqdm

    yield from tqdm(frames, total=total, unit="frame", desc="frames", disable=not progress, smoothing=0.1)
