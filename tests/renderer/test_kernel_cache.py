from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from renderer.kernel_cache import forget_stale_kernels


def test_kernels_go_when_any_file_with_kernels_changes(tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "__pycache__"
    cache.mkdir(parents=True)
    (tmp_path / "a.py").write_text("@njit\ndef a(): return b()")
    (tmp_path / "deep" / "b.py").write_text("@njit\ndef b(): return 1")
    (tmp_path / "plain.py").write_text("x = 1")
    (tmp_path / "names.py").write_text("class A(IntEnum):\n    B = 1")
    forget_stale_kernels(tmp_path)
    kernel, index, code = cache / "b.nbc", cache / "b.nbi", cache / "b.pyc"
    for path in (kernel, index, code):
        path.touch()
    (tmp_path / "plain.py").write_text("x = 2")
    assert not forget_stale_kernels(tmp_path)
    assert kernel.exists()
    (tmp_path / "deep" / "b.py").write_text("@njit\ndef b(): return 2")
    assert forget_stale_kernels(tmp_path)
    assert not kernel.exists()
    assert not index.exists()
    assert code.exists()
    assert not forget_stale_kernels(tmp_path)
    (tmp_path / "names.py").write_text("class A(IntEnum):\n    B = 2")
    assert forget_stale_kernels(tmp_path)  # the numbers of names are compiled in


OUTER = """
from .inner import much
from .optional import kernel

@kernel
def times(x):
    return much() * x
"""


@pytest.mark.parametrize("named", [True, False], ids=["NUMBA_CACHE_DIR", "__pycache__"])
def test_kept_kernels_of_another_state_of_the_source_are_not_taken(tmp_path: Path, named: bool) -> None:
    """Nobody clears old ones away here; what changes is a module that the kernel's own imports, and its
    size, by which Python knows that too."""
    package = tmp_path / "package"
    package.mkdir()
    source = Path(__file__).resolve().parents[2] / "renderer"
    for name in ("optional.py", "kernel_cache.py"):
        (package / name).write_bytes((source / name).read_bytes())
    (package / "outer.py").write_text(OUTER)
    (package / "__init__.py").touch()
    environment = os.environ | ({"NUMBA_CACHE_DIR": str(tmp_path / "cache")} if named else {})
    program = "from package.outer import times; print(times(3), sum(times.stats.cache_hits.values()))"

    def run(much: int) -> str:
        (package / "inner.py").write_text(f"from .optional import kernel\n@kernel\ndef much(): return {much}")
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    assert [run(2), run(2), run(50), run(50)] == ["6 0\n", "6 1\n", "150 0\n", "150 1\n"]


def test_a_folder_that_cannot_be_written_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("@njit\ndef a(): pass")
    (tmp_path / "__pycache__").write_text("no folder")
    assert forget_stale_kernels(tmp_path)


RACING = """
from renderer.optional import njit

@njit(cache=True)
def halves(values):
    return values[0] / 2, values[-1] / 2
"""
AT_ONCE = """
import os, sys, time
import numpy as np
import numba.core.caching as caching
from racing import halves

own = sys.argv[1]
files, other = caching.IndexDataCacheFile, {"float64": "uint8", "uint8": "float64"}[own]
read, write_index, write = files._load_index, files._save_index, files._save_data

def reach(place):
    open(f"{own} {place}", "w").close()

def wait(place):
    while not os.path.exists(f"{other} {place}"):
        time.sleep(0.01)

# Both look for a free name before either takes one; where they take the same, the index of float64 and the data of
# uint8 stay.
def read_together(self):
    found = read(self)
    if halves.stats.cache_misses:
        reach("read")
        wait("read")
    return found

def write_index_in_turn(self, found):
    if own == "float64":
        wait("index")
    write_index(self, found)
    reach("index")

def write_in_turn(self, name, data):
    if own == "uint8":
        wait("data")
    write(self, name, data)
    reach("data")

if "together" in sys.argv:
    files._load_index, files._save_index, files._save_data = read_together, write_index_in_turn, write_in_turn
print(halves(np.arange(200, 204, dtype=own)))
"""


def test_processes_that_compile_a_kernel_for_different_types_at_once_keep_both_apart(tmp_path: Path) -> None:
    (tmp_path / "racing.py").write_text(RACING)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).resolve().parents[2])])
    environment = os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", AT_ONCE, *arguments]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=tmp_path)

    both = [start(dtype, "together") for dtype in ("float64", "uint8")]
    assert [process.communicate(timeout=120)[0] for process in both] == ["(100.0, 101.5)\n"] * 2
    later = [start(dtype).communicate(timeout=120)[0] for dtype in ("float64", "uint8") for _ in range(2)]
    assert later == ["(100.0, 101.5)\n"] * 4


KERNEL = """
from renderer.optional import njit

@njit(cache=True)
def double(x):
    return 2 * x
"""
RUN = "import warnings; warnings.simplefilter('always'); from planted import double; print(double(3))"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no owner here")
@pytest.mark.parametrize(
    "named", [pytest.param(True, marks=pytest.mark.slow), False], ids=["NUMBA_CACHE_DIR", "__pycache__"]
)
def test_compiled_kernels_are_not_read_where_others_can_plant_some(tmp_path: Path, named: bool) -> None:
    """Numba's files are pickles: one that makes a folder is planted, in a folder of one's own and in one for all."""
    (tmp_path / "planted.py").write_text(KERNEL)
    cache = tmp_path / ("cache" if named else "__pycache__")
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), root])}
    if named:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    cache.mkdir(exist_ok=True)

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", RUN]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert run().stdout == "6\n"
    (index,) = cache.rglob("*.nbi")
    planted = pickle.dumps(_Canary())
    index.write_bytes(planted)
    run()
    assert (tmp_path / "canary").is_dir()  # the oracle: in a folder of one's own it would be run
    (tmp_path / "canary").rmdir()
    index.write_bytes(planted)
    cache.chmod(0o777)
    done = run()
    assert done.stdout == "6\n"
    assert "other users can write here" in done.stderr
    assert not (tmp_path / "canary").exists()


class _Canary:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("canary",)
