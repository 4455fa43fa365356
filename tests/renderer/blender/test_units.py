"""Metres of a scene in other units: everything that has a length, in both engines, with traffic and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pytest

from assets import CITY
from renderer.geometry.camera import Camera

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from blender_render import ALLOWED_SHARE, blender_depth, differing_share  # noqa: E402

from renderer.blender.engine import Engine, RenderSession  # noqa: E402

ENGINES: tuple[Literal["raster", "cycles"], ...] = get_args(Engine)
UNITS = {"cm": (0.01, "METRIC"), "inch": (0.0254, "IMPERIAL"), "km": (1000.0, "METRIC"), "none": (0.001, "NONE")}


@pytest.fixture
def street_in(empty_scene: Any, save_scene: Callable[..., Path], tmp_path: Path) -> Callable[[str], Path]:
    """Writes one and the same street, in metres, in a unit: a car of 4.2 x 1.8 x 1.5 m, a ground, a camera."""

    def write(unit: str) -> Path:
        metres, system = UNITS.get(unit, (1.0, "METRIC"))
        empty_scene.unit_settings.system, empty_scene.unit_settings.scale_length = system, metres
        camera = empty_scene.camera
        camera.location = (0, 0, 1.6 / metres)
        camera.data.clip_start, camera.data.clip_end = 0.2 / metres, 60 / metres
        for name, place, size in (
            ("ground", (0, 40, -0.05), (30, 100, 0.1)),
            ("hatchback car", (0.5, 12, 0.75), (4.2, 1.8, 1.5)),
        ):
            item = bpy.data.objects.get(name) or bpy.data.objects.new(name, box_mesh())
            item.location = [value / metres for value in place]
            item.scale = [value / metres for value in size]
            if item.name not in empty_scene.collection.objects:
                empty_scene.collection.objects.link(item)
        return save_scene(f"{unit}.blend")

    return write


def box_mesh() -> Any:
    mesh = bpy.data.meshes.new("box")
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh.from_pydata(corners, [], faces)
    return mesh


@pytest.mark.parametrize("unit", UNITS)
def test_metres_of_a_scene_in_other_units(unit: str, street_in: Callable[[str], Path]) -> None:
    """As in metres; the oracle is Blender's depth times the length of its unit."""
    path, reference = street_in(unit), street_in("m")
    (theirs,) = blender_depth(path, [1], UNITS[unit][0])
    with RenderSession(reference) as session:
        wanted = session.frame(0, parts=True, normals=True)
    for engine in ENGINES:
        with RenderSession(path, engine=engine) as session:
            frame = session.frame(0, parts=True, normals=True)
        assert differing_share(frame.depth_m, theirs) <= ALLOWED_SHARE
        assert differing_share(frame.depth_m, wanted.depth_m.astype(np.float64)) <= ALLOWED_SHARE
        np.testing.assert_allclose(frame.cam_to_world, wanted.cam_to_world, rtol=1e-6, atol=1e-6)
        (one,), (other,) = frame.instances, wanted.instances
        box = one.box_3d
        np.testing.assert_allclose((box.length_m, box.width_m, box.height_m), (4.2, 1.8, 1.5), rtol=1e-5)
        np.testing.assert_allclose(box.centre_m, other.box_3d.centre_m, atol=1e-5)
        np.testing.assert_allclose(one.object_to_world, other.object_to_world, atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(one.object_to_world[:3, :3], axis=0), 1, atol=1e-6)
        np.testing.assert_allclose(one.box_amodal_px, other.box_amodal_px, atol=1e-3)
        said = any("shows no units" in note for note in frame.notes)
        assert said == (unit == "none")


def test_temperatures_are_those_of_the_scene_in_metres(street_in: Callable[[str], Path], tmp_path: Path) -> None:
    """Air, patterns and shadows know metres alone: pictures of the two files are the same but for rounding."""
    from pipelines.synthesis.frame_maker import FrameInputs, open_frame_maker
    from pipelines.synthesis.options.synthesize import SynthesizeConfig
    from pipelines.synthesis.session import open_session
    from renderer.random_streams import Draw

    images = []
    for scene in [street_in(unit) for unit in ("m", "cm")]:
        config = SynthesizeConfig(out=tmp_path / scene.stem, count=1, scene=scene, model="physics", seed=4)
        with open_frame_maker(config, FrameInputs(), open_session) as maker:
            frame = maker.make_frame(Draw(4, 0))
        assert frame.span_K is not None
        images.append(frame.span_K[0] + frame.image16 / 65535.0 * (frame.span_K[1] - frame.span_K[0]))
    assert np.abs(images[0] - images[1]).mean() < 0.01


@pytest.fixture
def city_in_cm(tmp_path: Path) -> Path:
    """The shipped city in centimetres: a hundred times as large; what shows a collection, by what is in it."""
    bpy.ops.wm.open_mainfile(filepath=str(CITY), load_ui=False, use_scripts=False)
    scene = bpy.context.scene
    scene.unit_settings.scale_length = 0.01
    for item in bpy.data.objects:
        if item.parent is None:
            item.location = item.location * 100
            item.scale = item.scale * (1 if item.instance_collection else 100)
    for one in bpy.data.collections:
        one.instance_offset = one.instance_offset * 100
    for data in bpy.data.cameras:
        data.clip_start, data.clip_end = data.clip_start * 100, data.clip_end * 100
    path = tmp_path / "city_cm.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False, check_existing=False)
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_a_street_in_centimetres(engine: Literal["raster", "cycles"], city_in_cm: Path, kitti_square: Camera) -> None:
    camera = kitti_square.resize(192, 192)
    with RenderSession(CITY, camera=camera, seed=9) as session:
        wanted = session.frame(2, normals=True)
    with RenderSession(city_in_cm, camera=camera, seed=9, engine=engine) as session:
        frame = session.frame(2, normals=True)
    assert [one.model for one in frame.instances] == [one.model for one in wanted.instances]
    assert differing_share(frame.depth_m, wanted.depth_m.astype(np.float64)) <= 2e-4
    assert float((frame.instance_id != wanted.instance_id).mean()) <= 2e-4
    for one, other in zip(frame.instances, wanted.instances, strict=True):
        np.testing.assert_allclose(one.box_3d.centre_m, other.box_3d.centre_m, atol=1e-3)
        np.testing.assert_allclose(one.object_to_world, other.object_to_world, atol=1e-4)


@pytest.mark.parametrize(("size", "said"), [(4.2, False), (150.0, True), (0.2, True)])
def test_sizes_that_no_car_has_are_named(size: float, said: bool, empty_scene: Any, save_scene: Any) -> None:
    for name, scale in (("usual", 4.0), ("odd one", size)):
        item = bpy.data.objects.new(name, box_mesh())
        item["gis_category"], item.location, item.scale = "car", (0, 200, 0), (scale, scale / 2, scale / 3)
        empty_scene.collection.objects.link(item)
    with RenderSession(save_scene()) as session:
        notes = [note for note in session.frame(0).notes if "no such thing has" in note]
    assert bool(notes) == said
    if said:
        assert notes[0].startswith("1 of 2 labelled objects")
        assert f"'odd one' is a car of {size:g} x" in notes[0]
