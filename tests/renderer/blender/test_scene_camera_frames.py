"""The camera of every frame of a user's scene: whatever moves or changes it, in the picture, the records and labels."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from blender_render import ALLOWED_SHARE, blender_depth, differing_share  # noqa: E402

from renderer.blender.engine import Engine, RenderSession  # noqa: E402
from renderer.errors import SceneError  # noqa: E402
from renderer.geometry.camera import Camera  # noqa: E402

Add = Callable[..., Any]
Save = Callable[..., Path]
ENGINES: tuple[Literal["raster", "cycles"], ...] = get_args(Engine)
ORDER = (4, 0, 2, 1, 4)
"""Indices as they are asked for: frames depend on nothing but their number."""


@pytest.fixture
def street(empty_scene: Any, add_box: Add) -> Any:
    """A marked car on a ground with posts that reach into the distance."""
    add_box("ground", (0, 40, -0.05), (60, 100, 0.1))
    for k in range(8):
        add_box(f"post {k}", (-2 + k / 2, 3 + 7 * k, 0.7), (0.3, 0.3, 1.4))
    add_box("thing", (1.2, 6, 0.5))["gis_category"] = "car"
    empty_scene.frame_end = 5
    return empty_scene


def animate(item: Any, path: str, values: dict[int, Any]) -> None:
    for frame, value in values.items():
        setattr(item, path, value)
        item.keyframe_insert(path, frame=frame)


def lens(scene: Any) -> None:
    animate(scene.camera.data, "lens", {1: 24.0, 5: 90.0})


def shift(scene: Any) -> None:
    animate(scene.camera.data, "shift_x", {1: 0.0, 5: 0.3})
    animate(scene.camera.data, "shift_y", {1: 0.1, 5: -0.2})


def sensor(scene: Any) -> None:
    scene.camera.data.sensor_fit = "VERTICAL"
    animate(scene.camera.data, "sensor_height", {1: 24.0, 5: 12.0})


def clip(scene: Any) -> None:
    animate(scene.camera.data, "clip_start", {1: 0.1, 5: 5.8})
    animate(scene.camera.data, "clip_end", {1: 100.0, 5: 30.0})


def driver(scene: Any) -> None:
    animate(scene.camera, "location", {1: (0, 0, 0.5), 5: (0.8, 0, 0.9)})
    curve = scene.camera.data.driver_add("lens")
    variable = curve.driver.variables.new()
    curve.driver.type, variable.name, curve.driver.expression = "SCRIPTED", "x", "40 + 30 * x"
    variable.targets[0].id, variable.targets[0].data_path = scene.camera, "location.x"


def markers(scene: Any) -> None:
    """Another camera from frame 3 on; it is also the one that the file was saved with."""
    data = bpy.data.cameras.new("other")
    data.lens, data.shift_x, data.clip_end = 28.0, -0.1, 20.0
    other = bpy.data.objects.new("other", data)
    other.location, other.rotation_euler = (3.0, 1.0, 2.0), (math.radians(75), 0, 0.4)
    scene.collection.objects.link(other)
    for frame, item in ((1, scene.camera), (3, other)):
        scene.timeline_markers.new(item.name, frame=frame).camera = item
    scene.camera = other


def aspect(scene: Any) -> None:
    lens(scene)
    scene.render.pixel_aspect_x, scene.render.resolution_percentage = 1.5, 75


def cropped(scene: Any) -> None:
    lens(scene)
    render = scene.render
    render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x, render.border_min_y, render.border_max_y = 0.13, 0.81, 0.27, 0.9


MOVES = (lens, shift, sensor, clip, driver, markers, aspect, cropped)


@pytest.mark.parametrize("move", MOVES, ids=lambda move: str(move.__name__))
def test_each_frame_has_its_own_camera(move: Callable[[Any], None], street: Any, save_scene: Save) -> None:
    move(street)
    path = save_scene()
    theirs = blender_depth(path, [index + 1 for index in range(5)])
    assert differing_share(theirs[0].astype(np.float32), theirs[4]) > 0.01
    for engine in ENGINES:
        with RenderSession(path, engine=engine) as session:
            frames = [(index, session.frame(index)) for index in ORDER]
        for index, frame in frames:
            assert differing_share(frame.depth_m, theirs[index]) <= ALLOWED_SHARE, (engine, index)
        assert frames[0][1].camera == frames[-1][1].camera
        assert (frames[0][1].camera != frames[1][1].camera) == (move is not clip)


def test_the_lens_in_pixels(street: Any, save_scene: Save) -> None:
    """36 mm of sensor over 96 px; keyed linearly, so that frame 3 lies in the middle."""
    lens(street)
    for curve in curves(street.camera.data):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    with RenderSession(save_scene()) as session:
        found = [session.frame(index).camera.fx for index in (0, 2, 4)]
    np.testing.assert_allclose(found, [96 * mm / 36 for mm in (24, 57, 90)], rtol=1e-6)


def curves(data: Any) -> Any:
    action = data.animation_data.action
    if hasattr(action, "fcurves"):
        return action.fcurves
    return action.layers[0].strips[0].channelbags[0].fcurves


def test_given_intrinsics_win_and_the_pose_follows_the_scene(street: Any, save_scene: Save) -> None:
    markers(street)
    path, given = save_scene(), Camera("given", 80, 48, 70.0, 75.0, 41.0, 22.0)
    with RenderSession(path) as session:
        poses = [session.frame(index).cam_to_world for index in range(5)]
    assert np.abs(poses[0] - poses[4]).max() > 1
    depths = []
    for engine in ENGINES:
        with RenderSession(path, camera=given, engine=engine) as session:
            frames = [session.frame(index) for index in range(5)]
        assert {frame.camera for frame in frames} == {given}
        np.testing.assert_allclose([frame.cam_to_world for frame in frames], poses, atol=1e-7)
        depths.append(np.stack([frame.depth_m for frame in frames]))
    assert differing_share(depths[0], depths[1].astype(np.float64)) <= ALLOWED_SHARE


def test_a_size_is_cut_out_of_each_frames_camera(street: Any, save_scene: Save) -> None:
    lens(street)
    path = save_scene()
    with RenderSession(path) as session:
        whole = [session.frame(index).camera for index in (0, 4)]
    for engine in ENGINES:
        with RenderSession(path, size=(64, 64), engine=engine) as session:
            assert [session.frame(index).camera for index in (0, 4)] == [one.fitted(64, 64) for one in whole]


@pytest.mark.parametrize("kind", ["ORTHO", "PANO"])
@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_no_perspective_camera_is_named(
    kind: str, engine: Literal["raster", "cycles"], street: Any, save_scene: Save
) -> None:
    """From the third frame on; the frames before it are rendered, before and after the refusal."""
    data = bpy.data.cameras.new("plan")
    data.type = kind
    plan = bpy.data.objects.new("the plan", data)
    plan.location = (0, 8, 20)
    street.collection.objects.link(plan)
    for frame, item in ((1, street.camera), (3, plan)):
        street.timeline_markers.new(item.name, frame=frame).camera = item
    path = save_scene()
    with RenderSession(path, engine=engine) as session:
        first = session.frame(0).depth_m
        with pytest.raises(
            SceneError, match=rf"scene\.blend: at frame 3 .*camera 'the plan' is {kind}: expected a persp"
        ):
            session.frame(2)
        np.testing.assert_array_equal(session.frame(0).depth_m, first)


def test_what_is_no_camera_at_all_is_named(street: Any, save_scene: Save) -> None:
    street.camera = bpy.data.objects["thing"]
    mesh = save_scene("mesh.blend")
    street.camera = None
    none = save_scene("none.blend")
    with pytest.raises(SceneError, match="camera 'thing' is MESH: expected a perspective camera"):
        RenderSession(mesh)
    with pytest.raises(SceneError, match="no active camera"):
        RenderSession(none)


def test_a_border_that_does_not_crop_is_said(street: Any, save_scene: Save) -> None:
    plain = save_scene("plain.blend")
    street.render.use_border = True
    street.render.border_max_x, street.render.use_multiview = 0.4, True
    with RenderSession(save_scene("border.blend")) as session:
        frame = session.frame(0)
    with RenderSession(plain) as session:
        np.testing.assert_array_equal(frame.depth_m, session.frame(0).depth_m)
        assert not any("border" in note or "stereo" in note for note in session.frame(0).notes)
    assert any("the render border cuts nothing" in note for note in frame.notes)
    assert any("stereo" in note for note in frame.notes)


def test_what_lies_beyond_the_far_plane_is_no_object(street: Any, add_box: Add, save_scene: Save) -> None:
    add_box("far one", (0, 40, 1), (2, 2, 2))["gis_category"] = "car"
    add_box("cut one", (-2, 20, 1), (2, 2, 2))["gis_category"] = "car"
    both = save_scene("both.blend")
    street.camera.data.clip_end = 20.0
    for path, wanted in ((both, {"thing", "far one", "cut one"}), (save_scene("cut.blend"), {"thing", "cut one"})):
        for engine in ENGINES:
            with RenderSession(path, engine=engine) as session:
                assert {one.model for one in session.frame(0).instances} == wanted


def test_lines_of_a_data_set_have_the_camera_of_their_frame(street: Any, save_scene: Save, tmp_path: Path) -> None:
    """And all that is checked of a data set holds with it."""
    from pipelines.dataset.validation.folder import validate
    from pipelines.synthesis.dataset_run import synthesize_dataset
    from pipelines.synthesis.options.render import RenderConfig
    from pipelines.synthesis.options.synthesize import SynthesizeConfig
    from pipelines.synthesis.passes import render

    lens(street)
    scene = save_scene()
    with RenderSession(scene) as session:
        wanted = [session.frame(index).camera for index in range(3)]
    passes = render(RenderConfig(out=tmp_path / "passes", count=3, scene=scene, workers=1))
    config = SynthesizeConfig(out=tmp_path / "set", count=3, scene=scene, model="physics", workers=2)
    for folder in (passes, synthesize_dataset(config)):
        lines = [json.loads(line) for line in (folder / "frames.jsonl").read_text().splitlines()]
        assert [line["camera"]["fx"] for line in lines] == [camera.fx for camera in wanted]
        assert [line["camera"]["K"][0][0] for line in lines] == [camera.fx for camera in wanted]
    assert not validate(tmp_path / "set").problems
