"""Half of the kernels, compiled by a process of its own while the first worker compiles the other half.

A fresh installation has no compiled kernels: the first frame waits for all of them, and half of that time is the
physics alone. A worker needs it late, and the label check after it, whose kernels are compiled here from the last one
backwards: two cores are done at about the same time. Whoever comes first compiles a kernel, and the other waits for it
(:func:`renderer.kernel_cache.turn_at`).
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from gan.processes import end_with_parent, isolated_environment
from renderer import kernel_cache
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.random_streams import Draw, Stream
from renderer.thermal.conditions import sample_conditions
from renderer.zones.catalogue import Zone

from pipelines.dataset.label_consistency.measure import compile_loops
from pipelines.synthesis.infrared import Physics
from pipelines.worker_process import own_path
from pipelines.workers import default_workers

__all__ = ["compile_half", "compiling_half"]

_SIDE = 16


@contextmanager
def compiling_half() -> Iterator[None]:
    """Another process compiles meanwhile, where kernels are missing and a core is there for it."""
    helps = default_workers() > 1 and not kernel_cache.are_kernels_kept()
    process = _start() if helps and kernel_cache.may_keep(Path(kernel_cache.__file__)) else None
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


def _start() -> subprocess.Popen[bytes] | None:
    with suppress(OSError):  # the worker compiles all by itself
        return subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import compile_half; compile_half({os.getpid()})"],
            env=isolated_environment({**os.environ}, own_path()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return None


def compile_half(parent: int | None = None) -> None:
    """Makes the infrared picture of an empty place and looks for objects in it; nothing is kept but the kernels.

    Args:
        parent: process that this one ends with, and that it is for alone.
    """
    if parent is not None:
        end_with_parent(parent)
        gc.disable()  # looking for garbage takes 15 % of a compilation
    draw = Draw(0, 0)
    Physics().make(_empty_frame(), sample_conditions(draw.rng(Stream.CONDITIONS)), None, draw)
    compile_loops()


def _empty_frame() -> Frame:
    """A road up to the horizon, by a camera 1.5 m above it."""
    shape = (_SIDE, _SIDE)
    camera = Camera("any", _SIDE, _SIDE, _SIDE, _SIDE, _SIDE / 2, _SIDE / 2, sensor="tau2")
    pose = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]])
    below = np.arange(_SIDE)[:, None] + 0.5 - _SIDE / 2
    depth = np.where(below > 0, 1.5 * _SIDE / np.maximum(below, 0.5), np.inf)
    road = np.isfinite(depth)
    normal = np.zeros((*shape, 3), dtype=np.float32)
    normal[..., 2] = road
    return Frame(
        index=0,
        camera=camera,
        cam_to_world=pose,
        depth_m=np.ascontiguousarray(np.broadcast_to(depth, shape), dtype=np.float32),
        instance_id=np.zeros(shape, dtype=np.uint16),
        zone=np.ascontiguousarray(np.broadcast_to(np.where(road, Zone.ROAD, Zone.SKY), shape), dtype=np.uint8),
        instances=(),
        normal=normal,
        part=np.zeros(shape, dtype=np.uint16),
    )
