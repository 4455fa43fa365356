"""What the measures of speed say of frames and times that are known."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed import steps
from benchmarks.speed.against import ratio
from benchmarks.speed.differences import differences
from pipelines.io.images import encode_png


def write(folder: Path, grey: int, mask: int) -> Path:
    """A frame of one grey, its mask and its line."""
    for name, value in (("images/000000.png", grey), ("masks/000000.png", mask)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encode_png(np.full((8, 8), value, np.uint8)))
    (folder / "0.json").write_text(json.dumps({"instances": [mask], "span_K": None, "label_error": grey}))
    return folder


def test_pictures_and_labels_are_told_apart(tmp_path: Path) -> None:
    old = write(tmp_path / "old", 7, 1)
    same = differences(old, write(tmp_path / "same", 9, 1))
    assert (same.labels, same.most_grey, same.grey_share) == ([], 2, 1.0)
    other = differences(old, write(tmp_path / "other", 7, 2))
    assert other.labels == ["masks/000000.png", "0.json instances"]
    assert other.most_grey == 0
    (tmp_path / "other" / "masks" / "000000.png").unlink()
    with pytest.raises(ValueError, match="masks/000000"):
        differences(old, tmp_path / "other")


def test_ratio_is_that_of_the_sums_and_lies_in_its_interval() -> None:
    new = np.linspace(1.0, 2.0, 20)
    value, low, high = ratio(1.5 * new, new)
    assert (value, low, high) == pytest.approx((1.5, 1.5, 1.5))
    noisy = 2.0 * new + np.where(np.arange(20) % 2, 0.5, -0.5)
    value, low, high = ratio(noisy, new)
    assert low < 2.0 < high
    assert low < value < high


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def inner() -> None:
    spin(0.03)


def outer() -> None:
    spin(0.01)
    inner()


def test_a_step_is_without_those_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    here = __name__
    monkeypatch.setattr(steps, "STEPS", {"outer": (f"{here}:outer",), "inner": (f"{here}:inner",)})
    kept, before = steps.Steps(), outer
    with kept.watching():
        outer()
    assert kept.seconds["inner"] == pytest.approx(0.03, abs=0.008)
    assert kept.seconds["outer"] == pytest.approx(0.01, abs=0.008)
    assert outer is before


def test_all_steps_are_there() -> None:
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    with steps.Steps().watching():
        pass
