"""Time and memory of the bookkeeping at 1000 to a million frames: `python -m benchmarks.cluster.scale`.

A stub stands in for the scene: all its frames are one real frame of 64x64 pixels under other numbers. What is measured
is real: taking the lines over and appending them, the end of a run that writes COCO, card, contact sheet and
label errors, and what a command does that goes on in a folder that is nearly whole. Each size runs in a process of its
own. What the workers of a run do (files, the frame's line, sending it) is timed by itself and taken off.

Given are microseconds of processor time a frame, and in brackets of the clock, milliseconds of processor time of what
the end does once and of a run that goes on, and the highest memory of the process. The clock also counts other programs
and the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from gan.data.layout import LAYOUT_VERSION
from pipelines.dataset.description import dataset_header
from pipelines.dataset.record import HASH_KEY, FrameLine, FrameRecord, LabelError
from pipelines.dataset.store import DATASET_FILE, FrameStore
from pipelines.dataset.summary import write_summary
from pipelines.io.files import sha256
from pipelines.synthesis.options.synthesize import SynthesizeConfig

SIZES = (1_000, 10_000, 100_000)
TIMED = 300
"""Lines that a worker's part is measured on."""
TEMPLATE = 1
"""Number of the real frame: 8 objects, 4 of them with a label."""
OWN = f"{TEMPLATE:06d}"
"""In the names of its files."""
MARK, SCORE_MARK, HASH_MARK = "@number@", "@score@", "@hash@"
LINKS = 10_000
"""Names that a file gets before it is written anew: file systems allow some ten thousand."""
FEW = 24
"""Frames of a small set, whose end costs what is done once: pictures of some frames on contact sheet and error page."""
LEFT = 16
"""Frames that the run which goes on has to make."""


class Times(NamedTuple):
    """Seconds of this process's processor time, and of the clock."""

    cpu: float
    clock: float

    @classmethod
    def now(cls) -> Times:
        """Since some moment."""
        return cls(time.process_time(), time.perf_counter())

    def __add__(self, other: Times) -> Times:  # type: ignore[override]
        return Times(self.cpu + other.cpu, self.clock + other.clock)

    def __sub__(self, other: Times) -> Times:
        return Times(self.cpu - other.cpu, self.clock - other.clock)


@dataclass
class Stub:
    """Makes frames: the files and the record of one real frame under another number."""

    folder: Path
    template: FrameRecord
    contents: dict[str, bytes]
    """Of the files, by their folder and suffix."""
    taken: Times = field(default_factory=lambda: Times(0.0, 0.0), init=False)
    """That making has taken."""
    worker_s: float = field(default=0.0, init=False)
    """What a worker takes for a frame's line and to send it, mean of :data:`TIMED`."""

    @classmethod
    def of(cls, made: Path, out: Path) -> Stub:
        """From a folder of one real frame."""
        line = (made / "frames.jsonl").read_text(encoding="utf-8").splitlines()[TEMPLATE]
        record = FrameRecord.from_line(line, TEMPLATE, made / "frames.jsonl")
        stub = cls(out, record, {name: (made / name).read_bytes() for name in record.files})
        begun = time.process_time()
        for number in range(TIMED):
            pickle.dumps(stub.record(number).frame_line)
        stub.worker_s = (time.process_time() - begun) / TIMED
        return stub

    def record(self, number: int) -> FrameRecord:
        """The record of a frame."""
        files = {name.replace(OWN, f"{number:06d}"): digest for name, digest in self.template.files.items()}
        error = LabelError(_score(number), None)
        return replace(self.template, index=number, label_error=error, files=files)

    @cached_property
    def texts(self) -> tuple[str, str]:
        """The line, and the text that its hash is of, with a mark where the number stands."""
        data = json.loads(self.record(TEMPLATE).to_line())
        del data[HASH_KEY]
        data["index"] = MARK
        data["label_error"]["score"] = SCORE_MARK
        data["files"] = {name.replace(OWN, MARK): digest for name, digest in data["files"].items()}
        line = json.dumps({**data, HASH_KEY: HASH_MARK})
        return line, json.dumps(data, sort_keys=True)

    def line(self, number: int) -> str:
        """The line of a frame, put together from text: ten times as fast as from its record, and the same."""
        values = {f'"{MARK}"': str(number), MARK: f"{number:06d}", f'"{SCORE_MARK}"': json.dumps(_score(number))}
        line, hashed = self.texts
        for mark, value in values.items():
            line, hashed = line.replace(mark, value), hashed.replace(mark, value)
        text = line.replace(HASH_MARK, sha256(hashed.encode()))
        if number % LINKS == 1:
            assert text == self.record(number).to_line()
        return text

    def frames(self, numbers: range) -> Iterator[tuple[int, FrameLine]]:
        """Numbers and lines; the files of each are there before it is given on."""
        for name in self.contents:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        written: dict[str, Path] = {}
        for number in numbers:
            begun = Times.now()
            for name, data in self.contents.items():
                other = name.replace(OWN, f"{number:06d}")
                if name in written and number % LINKS:
                    os.link(written[name], self.folder / other)
                else:
                    written[name] = self.folder / other
                    written[name].write_bytes(data)
            sent = pickle.dumps(FrameLine(number, self.line(number), self.template.notes))
            self.taken += Times.now() - begun
            yield number, pickle.loads(sent)


def _score(number: int) -> float:
    """Label error of a frame: other ones for neighbours, with four places."""
    return round(number * 7919 % 10007 / 10007, 4)


def measure(made: Path, count: int, folder: Path) -> dict[str, float]:
    """Microseconds a frame of each part, milliseconds of what is done once, and the memory of this process, MiB."""
    for number in range(2):  # the first imports
        few = _store(folder.with_name(f"few{number}"), FEW)
        stub = Stub.of(made, few.folder)
        _run(few, stub, range(FEW))
        once = _timed(lambda: write_summary(few, FEW, tensors=False), stub)  # noqa: B023
    store = _store(folder, count)
    stub = Stub.of(made, folder)
    lines = _timed(lambda: _run(store, stub, range(count - LEFT)), stub)
    resume = _timed(lambda: _run(store, stub, range(count)), stub)
    summary = _timed(lambda: write_summary(store, count, tensors=False), stub)
    return {
        "worker": stub.worker_s * 1e6,
        "line": lines.cpu / count * 1e6,
        "line_clock": lines.clock / count * 1e6,
        "summary": (summary.cpu - once.cpu) / count * 1e6,
        "summary_clock": (summary.clock - once.clock) / count * 1e6,
        "once": once.cpu * 1e3,
        "resume": resume.cpu * 1e3,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _store(folder: Path, count: int) -> FrameStore[FrameRecord]:
    config = SynthesizeConfig(folder, count=count, model="physics", size="16")
    header = dataset_header(config.to_json(), config.layout, LAYOUT_VERSION, None)
    return FrameStore(folder, DATASET_FILE, header, FrameRecord)


def _run(store: FrameStore[FrameRecord], stub: Stub, frames: range) -> None:
    store.check_frames(frames)
    todo = store.missing(frames)
    with store.open_run() as complete:
        store.append_frames(stub.frames(range(todo[0], todo[-1] + 1)), complete)
    store.check_files(len(todo))


def _timed(act: Callable[[], None], stub: Stub) -> Times:
    """What an act takes beside the making of frames."""
    stub.taken, begun = Times(0.0, 0.0), Times.now()
    act()
    return Times.now() - begun - stub.taken


def _one_frame(folder: Path) -> Path:
    """A few real frames of the shipped street, of which :data:`TEMPLATE` is taken."""
    options = ["--count", str(TEMPLATE + 1), "--size", "64", "--model", "physics", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "pipelines.cli", "synthesize", *options], check=True, stdout=2)
    return folder


def main() -> None:
    """Measures each size in a process of its own and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--place", type=Path, help="where the frames are written (7 small files each)")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        made, count = given.one
        with tempfile.TemporaryDirectory(dir=given.place) as folder:
            print(json.dumps(measure(Path(made), int(count), Path(folder) / "set")))
        return
    with tempfile.TemporaryDirectory(dir=given.place) as made:
        frame = _one_frame(Path(made) / "set")
        print("frames     worker us   line us (clock)   summary us (clock)   once ms   resume ms   memory MiB")
        for size in given.sizes:
            command = [sys.executable, "-m", "benchmarks.cluster.scale", "--one", str(frame), str(size)]
            place = ["--place", str(given.place)] if given.place else []
            told = json.loads(subprocess.run([*command, *place], check=True, stdout=subprocess.PIPE).stdout)
            print(
                f"{size:>9}  {told['worker']:>9.0f}  {told['line']:>8.0f} ({told['line_clock']:>5.0f})"
                f"  {told['summary']:>12.0f} ({told['summary_clock']:>5.0f})  {told['once']:>7.0f}"
                f"  {told['resume']:>9.0f}  {told['memory']:>11.1f}",
                flush=True,
            )
        shutil.rmtree(frame)


if __name__ == "__main__":
    main()
