"""A kept kernel is loaded without what only a compilation needs, and gives what the Python function gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SOURCE = """
import numpy as np
from renderer.optional import kernel

@kernel
def inner(x):
    return x * x + 1.0

@kernel
def total(values):
    copy = np.empty_like(values)
    for k in range(len(values)):
        copy[k] = inner(values[k])
    return copy, copy[0] + copy[1] + copy[2] + copy[3] + copy[4]
"""
RUN = """
import json, sys
import numpy as np
from kept import total

copy, sum_ = total(np.arange(5.0))
hits = sum(total.stats.cache_hits.values())
again = total(np.arange(5, dtype=np.float32))[1] if "float32" in sys.argv else None
print(json.dumps([copy.tolist(), sum_, hits, "numba.np.linalg" in sys.modules, again]))
"""


def run(folder: Path, *arguments: str) -> list[object]:
    """What the program prints, in a process of its own."""
    path = os.pathsep.join([str(folder), *sys.path])
    variables = {**os.environ, "PYTHONPATH": path, "NUMBA_CACHE_DIR": str(folder / "kernels")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], env=variables, cwd=folder, capture_output=True, text=True, check=True
    )
    found: list[object] = json.loads(done.stdout)
    return found


def test_a_kept_kernel_is_loaded_without_the_compiler(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(SOURCE)
    expected = [[1.0, 2.0, 5.0, 10.0, 17.0], 35.0]
    assert run(tmp_path) == [*expected, 0, True, None]
    assert run(tmp_path) == [*expected, 1, False, None]


def test_what_is_not_kept_is_compiled_after_what_was(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(SOURCE)
    run(tmp_path)
    assert run(tmp_path, "float32") == [[1.0, 2.0, 5.0, 10.0, 17.0], 35.0, 1, True, 35.0]
