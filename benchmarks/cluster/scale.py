"""Time and memory of the bookkeeping at 1000 to a million frames: `python -m benchmarks.cluster.scale`.

A stub stands in for the scene: all its frames are one real frame of 64x64 pixels under other numbers. What is measured
is real: taking the lines over and appending them, the end of a run that writes COCO, card, contact sheet and
label errors, and what a command does that goes on in a folder that is nearly whole. Each size runs in a process of its
own. What the workers of a run do (files, the frame's line, sending it) is timed by itself and taken off.

Given are microseconds of processor time a frame, and in brackets of the clock, milliseconds of processor time of a run
that goes on, and the highest memory of the process. The clock also counts other programs and the disk.
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
from pathlib import Path
from typing import NamedTuple

from gan.data.layout import LAYOUT_VERSION
from pipelines.dataset.description import dataset_header
from pipelines.dataset.record import FrameLine, FrameRecord
from pipelines.dataset.store import DATASET_FILE, FrameStore
from pipelines.dataset.summary import write_summary
from pipelines.io.files import sha256
from pipelines.synthesis.config import SynthesizeConfig

SIZES = (1_000, 10_000, 100_000)
LINKS = 10_000
"""Names that a file gets before it is written anew: file systems allow some ten thousand."""
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
    line_s: float = field(default=0.0, init=False)
    """Of it, to make the lines and to send them."""

    @classmethod
    def of(cls, made: Path, out: Path) -> Stub:
        """From a folder of one real frame."""
        line = (made / "frames.jsonl").read_text(encoding="utf-8").splitlines()[0]
        record = FrameRecord.from_line(line, 0, made / "frames.jsonl")
        return cls(out, record, {name: (made / name).read_bytes() for name in record.files})

    def frames(self, numbers: range) -> Iterator[tuple[int, FrameLine]]:
        """Numbers and lines; the files of each are there before it is given on."""
        hashes = {name: sha256(data) for name, data in self.contents.items()}
        for name in self.contents:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        written: dict[str, Path] = {}
        for number in numbers:
            begun, files = Times.now(), {}
            for name, data in self.contents.items():
                other = name.replace("000000", f"{number:06d}")
                if name in written and number % LINKS:
                    os.link(written[name], self.folder / other)
                else:
                    written[name] = self.folder / other
                    written[name].write_bytes(data)
                files[other] = hashes[name]
            line_begun = time.process_time()
            record = replace(self.template, index=number, files=files)
            sent = pickle.dumps(record.frame_line)
            self.line_s += time.process_time() - line_begun
            self.taken += Times.now() - begun
            yield number, pickle.loads(sent)


def measure(made: Path, count: int, folder: Path) -> dict[str, float]:
    """Microseconds a frame of each part, and the memory of this process, MiB."""
    config = SynthesizeConfig(folder, count=count, model="physics", size="16")
    header = dataset_header(config.to_json(), config.layout, LAYOUT_VERSION, None)
    store = FrameStore(folder, DATASET_FILE, header, FrameRecord)
    stub = Stub.of(made, folder)
    lines = _timed(lambda: _run(store, stub, range(count - LEFT)), stub)
    worker_s = stub.line_s
    resume = _timed(lambda: _run(store, stub, range(count)), stub)
    summary = _timed(lambda: write_summary(store, count, tensors=False), stub)
    return {
        "worker": worker_s / count * 1e6,
        "line": lines.cpu / count * 1e6,
        "line_clock": lines.clock / count * 1e6,
        "summary": summary.cpu / count * 1e6,
        "summary_clock": summary.clock / count * 1e6,
        "resume": resume.cpu * 1e3,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


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
    """A real frame of the shipped street."""
    options = ["--count", "1", "--size", "64", "--model", "physics", "--out", str(folder)]
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
        print("frames     worker us   line us (clock)   summary us (clock)   resume ms   memory MiB")
        for size in given.sizes:
            command = [sys.executable, "-m", "benchmarks.cluster.scale", "--one", str(frame), str(size)]
            place = ["--place", str(given.place)] if given.place else []
            told = json.loads(subprocess.run([*command, *place], check=True, stdout=subprocess.PIPE).stdout)
            print(
                f"{size:>9}  {told['worker']:>9.0f}  {told['line']:>8.0f} ({told['line_clock']:>5.0f})"
                f"  {told['summary']:>12.0f} ({told['summary_clock']:>5.0f})  {told['resume']:>9.0f}"
                f"  {told['memory']:>11.1f}",
                flush=True,
            )
        shutil.rmtree(frame)


if __name__ == "__main__":
    main()
