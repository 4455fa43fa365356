"""Exports that the tools open: made once, in the environment of the tools (`make test-tools`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from export_sets import of_scene, over_frames

from pipelines.export.run import export_dataset

SPLIT = (0.5, 0.25, 0.25)


@pytest.fixture(scope="session")
def scene_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return of_scene(tmp_path_factory.mktemp("scene") / "set")


@pytest.fixture(scope="session")
def real_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return over_frames(tmp_path_factory.mktemp("real"))


@pytest.fixture
def exported(real_set: Path, tmp_path: Path) -> Callable[..., Path]:
    """Exports frames over real backgrounds, three splits unless told otherwise."""

    def export(name: str, **options: Any) -> Path:
        export_dataset(real_set, tmp_path / name, name, **{"split": SPLIT, **options})
        return tmp_path / name

    return export
