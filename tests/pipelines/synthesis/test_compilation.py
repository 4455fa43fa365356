"""The helper of a first frame compiles what a frame needs, and only where that is missing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from fake_renderer import draw as fake_frame

from pipelines.synthesis import compilation
from pipelines.synthesis.compilation import compile_half, compiling_half
from pipelines.synthesis.infrared import Physics
from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Stream
from renderer.thermal.conditions import sample_conditions
from renderer.thermal.pixels import frame as pixels

Started = list["subprocess.Popen[bytes]"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Processes that would compile, on a machine of two cores."""
    processes: Started = []

    def start() -> subprocess.Popen[bytes]:
        processes.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return processes[-1]

    monkeypatch.setattr(compilation, "_start", start)
    monkeypatch.setattr(compilation, "default_workers", lambda: 2)
    return processes


def test_a_frame_with_cars_needs_nothing_that_was_not_compiled() -> None:
    compile_half()
    compiled = list(pixels._render.signatures)
    camera, draw = Camera("any", 96, 64, 80.0, 80.0, 48.0, 32.0), Draw(3, 1)
    frame = fake_frame(camera, 1, np.random.default_rng(1), "driving")
    assert frame.instances
    Physics().make(frame, sample_conditions(draw.rng(Stream.CONDITIONS)), None, draw)
    assert list(pixels._render.signatures) == compiled


def test_a_helper_ends_with_what_it_helps(monkeypatch: pytest.MonkeyPatch, started: Started) -> None:
    monkeypatch.setattr(compilation.kernel_cache, "are_kernels_kept", lambda: False)
    with compiling_half():
        assert started[0].poll() is None
    assert started[0].returncode is not None
    with pytest.raises(KeyboardInterrupt), compiling_half():
        raise KeyboardInterrupt
    assert started[1].returncode is not None


@pytest.mark.parametrize("missing", ["are_kernels_kept", "may_keep", "cores"])
def test_none_is_started_in_vain(monkeypatch: pytest.MonkeyPatch, started: Started, missing: str) -> None:
    monkeypatch.setattr(compilation.kernel_cache, "are_kernels_kept", lambda: missing == "are_kernels_kept")
    monkeypatch.setattr(compilation.kernel_cache, "may_keep", lambda module: missing != "may_keep")
    monkeypatch.setattr(compilation, "default_workers", lambda: 1 if missing == "cores" else 2)
    with compiling_half():
        assert not started
