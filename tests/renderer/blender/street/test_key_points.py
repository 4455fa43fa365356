"""Which joints of people are seen: Blender's own rays through the same street are the oracle."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from assets import CITY, PEOPLE_ARRAYS, camera  # noqa: E402
from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.geometry.frame import Frame  # noqa: E402
from renderer.geometry.key_points import FLESH_M  # noqa: E402

FRAMES = range(18)
Joint = tuple[float, float, int, float]
"""Column, row, flag, and depth in metres."""


@pytest.mark.slow
def test_joints_are_seen_where_blender_s_rays_reach_them() -> None:
    preset = camera("kitti-object", 512)
    with RenderSession(CITY, camera=preset, people=PEOPLE_ARRAYS, seed=5) as session:
        frames = [session.frame(index, people=8) for index in FRAMES]
        joints = [_joints(frame, session._models.key_points_m) for frame in frames]
        apart = [off for frame in frames for off in _apart_at_100_px(frame, session._models.key_points_m)]
    assert len(apart) > 600
    assert max(apart) < 0.5, "pixels, as if everybody were 100 px high"
    assert sum(len(people) for people in joints) >= 50
    agreed = looked_at = hidden = 0
    with RenderSession(CITY, camera=preset, people=PEOPLE_ARRAYS, seed=5, engine="cycles") as session:
        for index, frame, people in zip(FRAMES, frames, joints, strict=True):
            session._stager.stage(session.setup(index, people=8), session._places.standing(index, None))
            bpy.context.view_layer.update()
            for joint in (one for person in people for one in person):
                least = _nearest_m(frame, joint[0], joint[1])
                if abs(least - (joint[3] - FLESH_M)) > 0.01:
                    looked_at, hidden = looked_at + 1, hidden + (joint[2] == 1)
                    agreed += joint[2] == (2 if least > joint[3] - FLESH_M else 1)
    assert looked_at > 600
    assert hidden > 50
    assert agreed >= 0.99 * looked_at, f"{agreed} of {looked_at}"


def _joints(frame: Frame, key_points_m: object) -> list[list[Joint]]:
    """Joints of the people in a frame that are in the picture."""
    found = []
    for item in frame.instances:
        if item.category == "person" and item.key_points is not None:
            own = key_points_m(item.model)  # type: ignore[operator]
            world = own @ item.object_to_world[:3, :3].T + item.object_to_world[:3, 3]
            depth = (world - frame.cam_to_world[:3, 3]) @ frame.cam_to_world[:3, 2]
            found.append([(*one, z) for one, z in zip(item.key_points, depth.tolist(), strict=True) if one[2] > 0])
    return found


def _apart_at_100_px(frame: Frame, key_points_m: object) -> list[float]:
    """How far joints in the picture are from where OpenCV projects those of the model, in hundredths of the height."""
    view, apart = np.linalg.inv(frame.cam_to_world), []
    for item in frame.instances:
        if item.category == "person" and item.key_points is not None and item.box_amodal_px is not None:
            own = key_points_m(item.model)  # type: ignore[operator]
            world = own @ item.object_to_world[:3, :3].T + item.object_to_world[:3, 3]
            pixels, _ = cv2.projectPoints(world, cv2.Rodrigues(view[:3, :3])[0], view[:3, 3], frame.camera.K, None)
            height = item.box_amodal_px[3] - item.box_amodal_px[1]
            for (x, y, flag), (u, v) in zip(item.key_points, pixels[:, 0].tolist(), strict=True):
                if flag:
                    apart.append(100.0 * float(np.hypot(x - u, y - v)) / height)
    return apart


def _nearest_m(frame: Frame, x: float, y: float) -> float:
    """Depth of what Blender's ray through the middle of a joint's pixel hits first."""
    view, pose = frame.camera, frame.cam_to_world
    ray = np.array([(int(x) + 0.5 - view.cx) / view.fx, (int(y) + 0.5 - view.cy) / view.fy, 1.0])
    towards = pose[:3, :3] @ ray
    scene, depsgraph = bpy.context.scene, bpy.context.evaluated_depsgraph_get()
    hit, place, *_ = scene.ray_cast(depsgraph, pose[:3, 3].tolist(), (towards / np.linalg.norm(towards)).tolist())
    return float((np.array(place) - pose[:3, 3]) @ pose[:3, 2]) if hit else float("inf")
