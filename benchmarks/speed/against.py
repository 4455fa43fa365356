"""Old against new: the same frames by two commits, in turns, with processor time and wall time of each.

    python -m benchmarks.speed.against COMMIT [--new COMMIT] [--kinds city worlds] [--models pix2pix]

Both commits are checked out as work trees in a temporary folder; without ``--new`` the code is that of this folder as
it stands. A folder with a checkout may stand for a commit. Each opens the scene in a process of its own with one
thread. Every frame is made once before anything is measured, and those files are compared: labels byte by byte,
pictures by grey levels and kelvin. Then the processes take turns, a batch each. Printed per kind of frame: processor
time, the ratios with intervals of 95 % over the batches, and the memory. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.cases import ONE_THREAD, cases
from benchmarks.speed.differences import Differences, differences

__all__ = ["main", "ratio"]

_ROOT = Path(__file__).resolve().parents[2]
_MAKER = Path(__file__).with_name("maker.py")


@dataclass
class Process:
    """One commit's process that makes frames of one kind."""

    child: subprocess.Popen[str]
    out: Path

    @classmethod
    def start(cls, code: Path, options: dict[str, Any], models: Sequence[str], out: Path) -> Process:
        """Opens the scene with the code in a folder."""
        command = [sys.executable, str(_MAKER), "--out", str(out), "--options", json.dumps(options, default=str)]
        variables = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(code)}
        child = subprocess.Popen(
            [*command, "--models", *models], cwd=code, env=variables, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        return cls(child, out)

    def measure(self, what: str, frames: Sequence[int]) -> dict[str, float]:
        """What these frames cost.

        Raises:
            RuntimeError: the process has ended.
        """
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(json.dumps({"what": what, "frames": list(frames)}) + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.out.name} has ended; its message stands above")
        answer: dict[str, float] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends it."""
        assert self.child.stdin is not None
        self.child.stdin.close()
        self.child.wait()


@contextmanager
def checked_out(commit: str | None, folder: Path) -> Iterator[Path]:
    """A work tree of a commit below a folder; a folder with code: itself; None: this one as it stands."""
    if commit is None or Path(commit).is_dir():
        yield _ROOT if commit is None else Path(commit).resolve()
        return
    git = ["git", "-C", str(_ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=False)


def compile_kernels(code: Path, out: Path) -> None:
    """So that no process that is measured holds a compiler."""
    process = Process.start(code, {"size": "256", "weather": "snow=1"}, [], out)
    process.measure("physics", range(2))
    process.close()


def ratio(old: NDArray[np.float64], new: NDArray[np.float64]) -> tuple[float, float, float]:
    """How many times as fast the new code is, and the interval of 95 %.

    Args:
        old: (B,) seconds of batches.
        new: (B,) seconds of the same batches, each measured next to its old one.
    """
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(old), (2000, len(old)))
    low, high = np.quantile(old[drawn].sum(axis=1) / new[drawn].sum(axis=1), (0.025, 0.975))
    return float(old.sum() / new.sum()), float(low), float(high)


def compare(pair: Sequence[Process], what: str, given: argparse.Namespace) -> dict[str, Any]:
    """Rates and ratios of one thing that is made, over all batches, in turns."""
    spent: list[list[dict[str, float]]] = []
    for number in range(given.batches):
        frames = [(number * given.batch + k) % given.frames for k in range(given.batch)]
        turn = [0, 1] if number % 2 == 0 else [1, 0]
        found = {which: pair[which].measure(what, frames) for which in turn}
        spent.append([found[0], found[1]])
    result: dict[str, Any] = {}
    for clock in ("cpu_s", "wall_s"):
        old, new = np.array([[one[clock] for one in both] for both in spent]).T
        result[clock] = {
            "old_ms": round(1000 * float(old.mean()) / given.batch, 2),
            "new_ms": round(1000 * float(new.mean()) / given.batch, 2),
            "ratio": [round(value, 3) for value in ratio(old, new)],
        }
    result["resident_MB"] = [round(one["resident_MB"]) for one in spent[-1]]
    return result


def one_kind(
    codes: Sequence[Path], options: dict[str, Any], given: argparse.Namespace, folder: Path
) -> tuple[dict[str, Any], dict[str, Differences]]:
    """All that is measured of a kind of frames, and how the pictures differ."""
    models = list(given.models)
    names = ("old", "new")
    pair = [Process.start(code, options, models, folder / name) for code, name in zip(codes, names, strict=True)]
    differ: dict[str, Differences] = {}
    try:
        for what in ("passes", "physics", *models):
            for process in pair:
                process.measure(what, range(given.frames))
            if what != "passes":
                differ[what] = differences(folder / "old" / what, folder / "new" / what)
        return {what: compare(pair, what, given) for what in ("passes", "physics", *models)}, differ
    finally:
        for process in pair:
            process.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="commit that is compared with")
    parser.add_argument("--new", default=None, help="commit; default: the files of this folder")
    parser.add_argument("--backgrounds", type=Path, default=None, help="real frames, for one more kind")
    parser.add_argument("--kinds", nargs="*", default=None)
    parser.add_argument("--models", nargs="*", default=[], help="beside physics, for instance pix2pix")
    parser.add_argument("--size", default="512x512")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--frames", type=int, default=12, help="of each kind")
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--batch", type=int, default=4, help="frames of a batch")
    given = parser.parse_args(arguments)
    known = cases(given.backgrounds and given.backgrounds.resolve())
    found = {}
    with tempfile.TemporaryDirectory(prefix="gis-against-") as text, ExitStack() as stack:
        folder = Path(text)
        codes = [
            stack.enter_context(checked_out(commit, folder / name))
            for commit, name in ((given.old, "old-code"), (given.new, "new-code"))
        ]
        for code, name in zip(codes, ("old", "new"), strict=True):
            compile_kernels(code, folder / name)
        for kind in given.kinds or known:
            options = {"size": given.size, "seed": given.seed, **known[kind]}
            measured, differ = one_kind(codes, options, given, folder / kind)
            for what, one in measured.items():
                cpu, wall = one["cpu_s"], one["wall_s"]
                print(
                    f"{kind:12} {what:8} cpu {cpu['old_ms']:6.1f} -> {cpu['new_ms']:6.1f} ms  x{cpu['ratio'][0]:.2f} "
                    f"({cpu['ratio'][1]:.2f} to {cpu['ratio'][2]:.2f})  wall x{wall['ratio'][0]:.2f}  "
                    f"memory {one['resident_MB'][0]} -> {one['resident_MB'][1]} MB",
                    flush=True,
                )
            for what, difference in differ.items():
                print(f"{kind:12} {what:8} {difference}", flush=True)
            found[kind] = measured | {"differences": {what: vars(one) for what, one in differ.items()}}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
