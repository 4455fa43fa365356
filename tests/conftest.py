"""Fixtures that every test may use."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

import pytest

from renderer.kernel_cache import forget_stale_kernels

ROOT = Path(__file__).resolve().parent.parent
_STATUS = {"exit": 0}


def pytest_configure() -> None:
    forget_stale_kernels()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    _STATUS["exit"] = int(exitstatus)


@atexit.register  # before the other modules register theirs, so it is called after them
def _end_without_blenders_end() -> None:
    """Blender's libraries may wait for ever for a thread of their own at the end of a process that loaded them."""
    if "bpy" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_STATUS["exit"])


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data that is not part of the project; tests that need it skip where it is absent."""
    named = os.environ.get("GIS_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data not found: set GIS_SHARED_DATA, or put it at {folder}")
    return folder
