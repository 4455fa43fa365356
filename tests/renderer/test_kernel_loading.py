"""A kept kernel is loaded without what only a compilation needs, and gives what the Python function gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from renderer.kernel_cache import turn_at

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


TURNS = """
import os, sys, time
from pathlib import Path

from renderer.kernel_cache import turn_at
import numpy as np
from numba.core import event
import kept

class Slow(event.Listener):
    def on_start(self, told):
        if told.data["dispatcher"].py_func.__name__ == "total":
            Path(f"compiles {os.getpid()}").touch()
            time.sleep(1.0)  # whoever comes meanwhile finds nothing that is kept

    def on_end(self, told):
        pass

event.register("numba:compile", Slow())
print(kept.total(np.arange(5.0))[1], sum(kept.total.stats.cache_hits.values()))
"""


def test_processes_compile_a_kernel_once(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(SOURCE)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    variables = {**os.environ, "PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    both = [
        subprocess.Popen([sys.executable, "-c", TURNS], env=variables, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = sorted(process.communicate()[0].split()[1] for process in both)
    assert said == ["0", "1", "1"]
    assert len(list(tmp_path.glob("compiles *"))) == 1


def test_who_holds_a_turn_for_too_long_is_not_waited_for(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from renderer.kernel_cache import turn_at; turn_at(Path({str(tmp_path)!r}), 'a')"
    command = [sys.executable, "-c", f"{code}; print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        begun = time.monotonic()
        turn_at(tmp_path, "b")()
        assert time.monotonic() - begun < 0.2
        turn_at(tmp_path, "a", patience_s=0.3)()
        assert time.monotonic() - begun >= 0.3
        other.kill()
    begun = time.monotonic()
    turn_at(tmp_path, "a")()  # a turn ends with its process
    assert time.monotonic() - begun < 0.2


def test_a_kernel_within_another_is_not_kept_by_itself(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text(SOURCE)
    run(tmp_path)
    assert [path.name.partition("-")[0] for path in (tmp_path / "kernels").rglob("*.nbi")] == ["kept.total"]
