"""Passes on request of the shipped city against Cycles: normals in the camera's axes, objects that stand alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assets import CITY
from pipelines.dataset.passes.normals import camera_normals, normal_counts
from renderer.geometry.camera import Camera

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from renderer.blender.engine import RenderSession

FRAMES = (3, 4, 8)


def test_normals_and_whole_objects_are_those_of_cycles(kitti_square: Camera) -> None:
    camera = kitti_square.square(256)
    with RenderSession(CITY, camera=camera, seed=4) as session:
        ours = [session.frame(index, normals=True, amodal=True) for index in FRAMES]
        setups = [session.setup(index) for index in FRAMES]
    hidden = 0
    with RenderSession(CITY, camera=camera, seed=4, engine="cycles") as session:
        for frame, setup in zip(ours, setups, strict=True):
            other = session.frame(frame.index, normals=True)
            assert other.normal is not None
            hit = np.isfinite(frame.depth_m) & (frame.instance_id == other.instance_id)
            # By definition: components along the camera's right, down and forward, read back from 16 bits.
            axes = frame.cam_to_world[:3, :3].T
            wanted = np.stack([other.normal @ axis for axis in axes], axis=-1)
            coded = normal_counts(camera_normals(frame)) / 65535 * 2 - 1
            assert np.abs(coded[hit] - wanted[hit]).mean() < 2e-3
            assert frame.amodal is not None
            for item in frame.instances:
                if item.visible_px == 0 or item.visible_px == item.amodal_px:
                    continue
                alone = replace(setup, placements=(setup.placements[item.id - 1],))
                whole = session.frame_on_plane(alone).instance_id > 0
                assert (whole != frame.amodal[item.id]).sum() <= 1
                hidden += 1
    assert hidden >= 3
