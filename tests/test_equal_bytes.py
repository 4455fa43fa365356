"""Equal commands write equal bytes, whichever process runs them and wherever its memory lies.

``make test-bytes`` asks 200 processes for each command; GIS_BYTE_PROCESSES is their number.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = int(os.environ.get("GIS_BYTE_PROCESSES", "4"))
COMMANDS = {
    "render": ["render", "--count", "12", "--size", "320x256"],
    "physics": ["synthesize", "--count", "3", "--size", "256", "--model", "physics", "--tensors"],
    "shipped model": ["synthesize", "--count", "2", "--size", "256", "--model", "pix2pix"],
}
_LONGEST_FILLER = 60_000
"""Bytes: variables and arguments lie above the stack and so move all of it, a page at most 15 times."""


def disturbed(number: int) -> dict[str, str]:
    """Variables that change what fresh memory holds, how it is shared out, and where the stack begins."""
    if number % 2 == 0:
        return {}
    rng = np.random.default_rng(number)
    return {
        "MALLOC_PERTURB_": str(rng.integers(1, 256)),
        "MALLOC_ARENA_MAX": str(rng.integers(1, 9)),
        "MALLOC_MMAP_THRESHOLD_": str(2 ** rng.integers(12, 22)),
        "MALLOC_TOP_PAD_": str(rng.integers(0, 1 << 20)),
        "PYTHONHASHSEED": str(rng.integers(0, 1 << 31)),
        "GIS_TEST_FILLER": "x" * int(rng.integers(_LONGEST_FILLER)),
    }


def run(options: list[str], out: Path, number: int) -> dict[str, str]:
    """Hash of each file that the command writes in a process of its own."""
    folder = out / ("run" + "n" * (number % 97))  # arguments of other lengths
    command = [sys.executable, "-m", "pipelines.cli", *options, "--workers", "1", "--out", str(folder)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **disturbed(number)}
    done = subprocess.run(command, cwd=out, env=variables, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_fresh_processes_write_equal_bytes(name: str, tmp_path: Path) -> None:
    def once(number: int) -> dict[str, str]:
        out = tmp_path / str(number)
        out.mkdir()
        hashes = run(COMMANDS[name], out, number)
        for path in sorted(out.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        return hashes

    first = once(0)
    assert sum(file.endswith((".exr", ".png")) for file in first) > 4
    with ThreadPoolExecutor(max_workers=2) as pool:
        others = list(pool.map(once, range(1, PROCESSES)))
    differing = [
        (number, sorted(file for file in first | hashes if first.get(file) != hashes.get(file)))
        for number, hashes in enumerate(others, start=1)
        if hashes != first
    ]
    assert not differing, f"{len(differing)} of {PROCESSES} processes wrote other bytes: {differing[:5]}"
