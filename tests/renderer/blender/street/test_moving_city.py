"""A sequence in the shipped city, as it is rendered: boxes move with their speed, flow leads to the next frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

import assets
from renderer.blender.engine import RenderSession
from renderer.geometry.frame import Frame
from renderer.random_streams import Moment
from renderer.scene.road_users.two_wheelers import KINDS, NO_OTHERS
from renderer.scene.sequences import companions, cyclists

pytestmark = pytest.mark.slow
FPS, FRAMES = 10.0, 40
LIBRARIES = {"people": assets.PEOPLE_ARRAYS, "others": (assets.TWO_WHEELER_ARRAYS, assets.ANIMAL_ARRAYS)}
OTHERS = dict.fromkeys(("bicycles", "motorcycles", "scooters", "dogs", "strollers"), 8)


def _frame(session: RenderSession, number: int, others: Mapping[str, int | None] = NO_OTHERS) -> Frame:
    moment = Moment(0, number, FRAMES, FPS)
    return session.frame(number, parts=True, people=None, others=others, flow=True, moment=moment)


@pytest.fixture(scope="module")
def frames() -> dict[int, Frame]:
    """Pairs of frames of a sequence with cars, people who walk, and a camera that drives."""
    with RenderSession(assets.CITY, size=(384, 384), seed=46, **LIBRARIES) as session:  # type: ignore[arg-type]
        return {number: _frame(session, number) for number in (21, 20, 34, 35)}


@pytest.fixture(scope="module")
def busy() -> Iterator[dict[int, Frame]]:
    """A pair of frames with riders and dogs too; frame -1 is the second of them, made by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cyclists, "KINDS", {kind: one._replace(mean=2.0, ridden=1.0) for kind, one in KINDS.items()})
        patch.setattr(companions, "ANIMALS", {"dogs": ("dog", 2.0)})
        with RenderSession(assets.CITY, size=(512, 512), seed=46, **LIBRARIES) as session:  # type: ignore[arg-type]
            made = {number: _frame(session, number, OTHERS) for number in (8, 9)}
        with RenderSession(assets.CITY, size=(512, 512), seed=46, **LIBRARIES) as session:  # type: ignore[arg-type]
            made[-1] = _frame(session, 9, OTHERS)
        yield made


def _moved(one: Frame, other: Frame) -> np.ndarray:
    """(H, W, 3) where each point of a frame is before the other's camera, if its part keeps its shape."""
    depth = np.where(np.isfinite(one.depth_m), one.depth_m, 0.0)
    world = one.camera.rays() * depth[..., None] @ one.cam_to_world[:3, :3].T + one.cam_to_world[:3, 3]
    later: dict[tuple[int, str], list[np.ndarray]] = {}
    for part in other.parts:
        later.setdefault((part.instance_id, part.name), []).append(part.local_to_world)
    met: Counter[tuple[int, str]] = Counter()
    for number, part in enumerate(one.parts, start=1):
        key = part.instance_id, part.name
        chosen = one.part == number
        if part.instance_id and chosen.any() and met[key] < len(later.get(key, [])):
            step = later[key][met[key]] @ np.linalg.inv(part.local_to_world)
            world[chosen] = world[chosen] @ step[:3, :3].T + step[:3, 3]
        met[key] += 1
    return np.asarray((world - other.cam_to_world[:3, 3]) @ other.cam_to_world[:3, :3])


@pytest.mark.parametrize("first", [20, 34])
def test_flow_leads_to_the_ids_of_the_next_frame(frames: dict[int, Frame], first: int) -> None:
    one, other = frames[first], frames[first + 1]
    assert one.flow is not None
    rows, columns = np.indices(one.depth_m.shape)
    x = np.floor(columns + 0.5 + one.flow.flow_px[..., 0]).astype(int)
    y = np.floor(rows + 0.5 + one.flow.flow_px[..., 1]).astype(int)
    inside = one.flow.valid & np.isfinite(one.depth_m) & (x >= 0) & (x < 384) & (y >= 0) & (y < 384)
    bending = [item.id for item in one.instances if item.category in ("person", "dog")]
    walks = np.isin(one.instance_id, bending)[inside]
    # Both see a point where the next frame has its depth, to a half row of the road; limbs move by themselves.
    apart = np.abs(1 / other.depth_m[y[inside], x[inside]] - 1 / _moved(one, other)[inside][:, 2])
    seen = apart < np.where(walks, 0.01, 0.6 / (one.camera.fy * 1.65))
    same = one.instance_id[inside] == other.instance_id[y[inside], x[inside]]
    assert seen.sum() > 50_000
    assert (seen & walks).sum() > 20
    assert same[seen].mean() >= 0.999
    assert same[seen & walks].mean() >= 0.95


@pytest.mark.parametrize("first", [20, 34])
def test_boxes_move_by_their_speed(frames: dict[int, Frame], first: int) -> None:
    places: list[dict[int, np.ndarray]] = []
    for frame in (frames[first], frames[first + 1]):
        centres = {item.id: frame.cam_to_world @ [*item.box_3d.centre_m, 1.0] for item in frame.instances}
        places.append({number: centre[:2] for number, centre in centres.items()})
    moving = 0
    for item in frames[first].instances:
        if item.id in places[1]:
            assert item.speed_m_s is not None
            way = float(np.hypot(*(places[1][item.id] - places[0][item.id])))
            assert way == pytest.approx(item.speed_m_s / FPS, abs=1e-3)
            moving += item.speed_m_s > 0
    assert moving >= 3


def test_flow_leads_to_turning_wheels_and_pedals_too(busy: dict[int, Frame]) -> None:
    one, other = busy[8], busy[9]
    assert one.flow is not None
    rows, columns = np.indices(one.depth_m.shape)
    x = np.floor(columns + 0.5 + one.flow.flow_px[..., 0]).astype(int)
    y = np.floor(rows + 0.5 + one.flow.flow_px[..., 1]).astype(int)
    inside = one.flow.valid & np.isfinite(one.depth_m) & (x >= 0) & (x < 512) & (y >= 0) & (y < 512)
    bending = [item.id for item in one.instances if item.category in ("person", "dog")]
    rigid = ~np.isin(one.instance_id, bending)[inside]
    apart = np.abs(1 / other.depth_m[y[inside], x[inside]] - 1 / _moved(one, other)[inside][:, 2])
    seen = apart < np.where(rigid, 0.6 / (one.camera.fy * 1.65), 0.01)
    same = one.instance_id[inside] == other.instance_id[y[inside], x[inside]]
    assert same[seen].mean() >= 0.999
    assert same[seen & rigid].mean() >= 0.999
    assert {"person", "bicycle"} <= {item.category for item in one.instances}
    turning = [number for number, part in enumerate(one.parts, start=1) if ".wheel" in part.name]
    assert (np.isin(one.part, turning)[inside] & seen).sum() > 100


def test_a_frame_does_not_depend_on_what_was_rendered_before(busy: dict[int, Frame]) -> None:
    assert any(item.rides for item in busy[9].instances)
    assert np.array_equal(busy[-1].depth_m, busy[9].depth_m)
    assert np.array_equal(busy[-1].instance_id, busy[9].instance_id)


def test_an_animation_is_played_at_its_own_speed(tmp_path: Path) -> None:
    """A scene without a street: at 4 frames a second of a film of 24, every sixth of its frames; flow is that of it."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.frame_start, scene.frame_end = 24, 1, 48
    bpy.ops.mesh.primitive_cube_add(size=2.0)
    cube = bpy.context.object
    cube["gis_category"] = "car"
    for at, x in ((1, -3.0), (49, 3.0)):
        cube.location = (x, 12.0, 0.0)
        cube.keyframe_insert("location", frame=at)
    for curve in cube.animation_data.action.fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.rotation_euler = (np.pi / 2, 0.0, 0.0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film.blend"))
    with RenderSession(tmp_path / "film.blend", size=(160, 120)) as session:
        shown = [session.frame(k, parts=True, flow=True, moment=Moment(0, k, 8, 4.0)) for k in (3, 4, 7)]
    places = [frame.instances[0].object_to_world[0, 3] for frame in shown]
    assert places == pytest.approx([-3.0 + 0.75 * k for k in (3, 4, 7)], abs=1e-4)
    assert shown[0].instances[0].speed_m_s is None
    flow = shown[0].flow
    assert flow is not None
    cube_px = shown[0].instance_id > 0
    assert flow.valid[cube_px].all()
    face = cube_px & (shown[0].depth_m < 11.01)
    assert np.median(flow.flow_px[face][:, 0]) == pytest.approx(0.75 * shown[0].camera.fx / 11.0, rel=1e-3)
    assert shown[2].flow is None
