from __future__ import annotations

from pathlib import Path

import pytest
from export_sets import of_scene, over_frames


@pytest.fixture(scope="session")
def scene_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return of_scene(tmp_path_factory.mktemp("scene") / "set")


@pytest.fixture(scope="session")
def real_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return over_frames(tmp_path_factory.mktemp("real"))
