"""Visible twins of the shipped street by real workers: who makes a frame changes no byte of it."""

from __future__ import annotations

import filecmp
from pathlib import Path

import pytest

import pipelines

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")


def _made(out: Path, **options: object) -> Path:
    told = {"count": 3, "size": "64x48", "seed": 6, "model": "physics", "visible": True, "visible_samples": 2}
    pipelines.write_dataset(out, **{**told, "visible_device": "cpu", **options})
    return out


@pytest.mark.slow
def test_one_worker_and_three_and_a_part_give_the_same_bytes(tmp_path: Path) -> None:
    one, three = _made(tmp_path / "one", workers=1), _made(tmp_path / "three", workers=3)
    part = _made(tmp_path / "part", workers=1, frames="2:3")
    for k in range(3):
        assert filecmp.cmp(one / f"visible/{k:06d}.png", three / f"visible/{k:06d}.png", shallow=False)
        assert filecmp.cmp(one / f"images/{k:06d}.png", three / f"images/{k:06d}.png", shallow=False)
    assert filecmp.cmp(one / "visible/000002.png", part / "visible/000002.png", shallow=False)
    assert pipelines.validate(one).problems == []
