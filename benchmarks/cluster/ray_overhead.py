"""What Ray costs: `python -m benchmarks.cluster.ray_overhead` makes real frames by a plain worker and by one on Ray.

Each run is the command itself. What counts is the time from its first report of finished frames to its last, so that
neither the start of Ray nor that of Blender does: of the clock, and of the processors in all processes of the command
(parent, worker, and on Ray its daemons and the actor). Folders are compared byte for byte.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Cost:
    """Milliseconds a frame."""

    cpu: float
    clock: float

    def __str__(self) -> str:
        return f"{self.cpu:.1f} ms of processor a frame ({self.clock:.1f} by the clock)"


class Watch:
    """Processor time of a process and of all that descend from it, also of those that have ended."""

    def __init__(self, process: int) -> None:
        self._root, self._seen = psutil.Process(process), dict[int, float]()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        """So far."""
        self._look()
        return sum(self._seen.values())

    def end(self) -> None:
        """Looks no more."""
        self._stop.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._stop.wait(0.5):
            self._look()

    def _look(self) -> None:
        try:
            for one in [self._root, *self._root.children(recursive=True)]:
                times = one.cpu_times()
                self._seen[one.pid] = times.user + times.system
        except psutil.Error:
            pass


def run(out: Path, count: int, size: str, ray: bool) -> Cost:
    """One run of the command."""
    words = ["--count", str(count), "--size", size, "--model", "physics", "--workers", "1", "--out", str(out)]
    words += ["--ray", "auto"] if ray else []
    command = [sys.executable, "-m", "pipelines.cli", "--log-format", "json", "synthesize", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    watch, marks = Watch(process.pid), list[tuple[int, float, float]]()
    assert process.stderr is not None
    for line in process.stderr:
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("event") == "progress" and event.get("unit") == "frame" and event["done"]:
            marks.append((event["done"], time.monotonic(), watch.seconds()))
    watch.end()
    if process.wait():
        raise SystemExit(f"the command ended with code {process.returncode}")
    (first, begun, cpu_begun), (last, ended, cpu_ended) = marks[0], marks[-1]
    return Cost(*((end - begin) / (last - first) * 1e3 for begin, end in ((cpu_begun, cpu_ended), (begun, ended))))


def contents(folder: Path) -> dict[str, bytes]:
    """All files by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def main() -> None:
    """Runs pairs in turn and prints what each cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=170)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--size", default="256")
    parser.add_argument("--place", type=Path, help="where the frames are written")
    given = parser.parse_args()
    plain: list[Cost] = []
    on_ray: list[Cost] = []
    for number in range(given.pairs):
        with tempfile.TemporaryDirectory(dir=given.place) as name:
            turns = [(False, plain), (True, on_ray)]
            for ray, costs in turns if number % 2 == 0 else turns[::-1]:
                costs.append(run(Path(name) / ("ray" if ray else "plain"), given.frames, given.size, ray))
            assert contents(Path(name) / "ray") == contents(Path(name) / "plain")
        print(f"pair {number}: plain {plain[-1]}, Ray {on_ray[-1]}", flush=True)
    for name in ("cpu", "clock"):
        ratios = [getattr(b, name) / getattr(a, name) for a, b in zip(plain, on_ray, strict=True)]
        print(f"{name}: median {100 * (statistics.median(ratios) - 1):+.1f} %")


if __name__ == "__main__":
    main()
