"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from renderer.kernel_cache import forget_stale_kernels

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    forget_stale_kernels()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data that is not part of the project; tests that need it skip where it is absent."""
    named = os.environ.get("GIS_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data not found: set GIS_SHARED_DATA, or put it at {folder}")
    return folder
