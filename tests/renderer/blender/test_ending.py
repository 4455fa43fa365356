"""A program that has loaded Blender's library ends, as it says, and without that library's own end."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What is registered with C before Blender is loaded is called after Blender's destructors.
PROGRAM = """
import atexit, ctypes, sys
library = ctypes.CDLL(None)
library.on_exit(ctypes.cast(library.abort, ctypes.c_void_p), None)
atexit.register(print, "Python's end")
if "bpy" in sys.argv:
    import renderer.blender.session
print("some work")
sys.exit(3)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_a_program_ends_with_its_status_before_blenders_destructors() -> None:
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

    def run(*arguments: str) -> tuple[int, list[str]]:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout.splitlines()

    assert run()[0] == -6  # the oracle: without Blender what was registered before is called
    assert run("bpy") == (3, ["some work", "Python's end"])
