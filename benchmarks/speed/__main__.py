"""What each step of a frame costs, in processor time, by kind of frame and by backend.

    python -m benchmarks.speed [--backgrounds DIR] [--frames 24] [--kinds city worlds] [--backends physics] [--fresh]

One process, one thread; each frame is made once before it is measured, or with ``--fresh`` one other: as a run meets
streets, cars and people for the first time. Milliseconds of a frame, each step without the
steps inside it, as a table for docs/explanation/performance.md. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.cases import ONE_THREAD, cases

__all__ = ["main"]


def processor() -> str:
    """Name of the machine's processor, and which vector units it shows."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    about = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    flags = about.get("flags", "").split()
    units = next((unit for unit in ("amx_int8", "avx512f", "avx2") if unit in flags), "no vector units known")
    return f"{about.get('model name', platform.processor())}, {os.cpu_count()} cores, {units}"


def in_own_process(options: dict[str, object], backend: str, frames: int, *, fresh: bool = False) -> dict[str, float]:
    """Milliseconds of each step of a frame, by a process of its own: Blender holds one scene."""
    with tempfile.TemporaryDirectory(prefix="gis-speed-") as folder:
        command = [sys.executable, "-m", "benchmarks.speed.steps", "--out", folder, "--backend", backend]
        command += ["--frames", str(frames), "--options", json.dumps(options, default=str)]
        command += ["--fresh"] if fresh else []
        done = subprocess.run(command, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    """Markdown; a step that takes less than 0.05 ms everywhere has no row."""
    steps = [step for step in next(iter(found.values())) if max(one[step] for one in found.values()) >= 0.05]
    rows = [["ms a frame", *found], ["---"] * (len(found) + 1)]
    rows += [[step, *(f"{one[step]:.1f}" for one in found.values())] for step in steps]
    rows += [["**all**", *(f"**{sum(one.values()):.1f}**" for one in found.values())]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backgrounds", type=Path, default=None, help="real frames, for one more kind")
    parser.add_argument("--kinds", nargs="*", default=None)
    parser.add_argument("--backends", nargs="*", default=["physics", "pix2pix"])
    parser.add_argument("--size", default="512x512")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--frames", type=int, default=24, help="of each kind")
    parser.add_argument("--fresh", action="store_true", help="frames that are made for the first time")
    given = parser.parse_args(arguments)
    known = cases(given.backgrounds and given.backgrounds.resolve())
    print(processor(), flush=True)
    found = {}
    for backend in given.backends:
        for kind in given.kinds or known:
            options = {"size": given.size, "seed": given.seed, **known[kind]}
            found[f"{kind}, {backend}"] = in_own_process(options, backend, given.frames, fresh=given.fresh)
            print(f"{kind}, {backend}: {sum(found[f'{kind}, {backend}'].values()):.1f} ms", file=sys.stderr)
    print(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
