"""Exports that the tools open: made once, in the environment of the tools (`make test-tools`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from export_sets import of_scene, over_frames

from gan.metrics.torchvision_shim import import_torchvision
from pipelines.export.run import export_dataset

SPLIT = (0.5, 0.25, 0.25)


def _nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
    """Greedy suppression of boxes that overlap a better one, as torchvision's compiled operator does it."""
    from torchvision.ops import box_iou

    order, overlap, kept = scores.argsort(descending=True, stable=True).tolist(), box_iou(boxes, boxes), list[int]()
    for index in order:
        if not kept or overlap[index, kept].max() <= iou_threshold:
            kept.append(index)
    return torch.tensor(kept, dtype=torch.int64)


if not import_torchvision().extension._has_ops():  # torch for CPUs beside a torchvision that was built for another one
    import torchvision.ops.boxes

    torch.library.impl("torchvision::nms", "CPU")(_nms)
    torchvision.ops.boxes._assert_has_ops = lambda: None


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
