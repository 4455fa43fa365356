"""The z-buffer against Cycles, Blender's path tracer: the same ids, zones, depths and normals at every pixel centre."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from assets import CITY
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.scene.cars import FrameSetup

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

import bmesh  # noqa: E402

from renderer.blender.engine import RenderSession  # noqa: E402

# A pixel's centre may lie on an edge within rounding: Cycles computes in float32, the z-buffer in float64.
ALLOWED_SHARE = 1e-5
DEPTH_RELATIVE = 1e-4

Render = Callable[[RenderSession], list[Frame]]


def part_faces(collections: Iterable[Any]) -> None:
    """Give each face its own vertices and keep the normals.

    Cycles has one normal per vertex and drops custom normals of faces that meet at one without a sharp edge between
    them, which imported models have. Apart, every face is drawn with the normals that the file gives it.
    """
    for mesh in {item.data for collection in collections for item in collection.objects}:
        normals = np.empty(len(mesh.loops) * 3, np.float32)
        mesh.corner_normals.foreach_get("vector", normals)
        edit = bmesh.new()
        edit.from_mesh(mesh)
        bmesh.ops.split_edges(edit, edges=edit.edges[:])
        edit.to_mesh(mesh)
        edit.free()
        mesh.normals_split_custom_set(normals.reshape(-1, 3).tolist())


def both_engines(render: Render, **session: Any) -> tuple[list[Frame], list[Frame]]:
    """The same frames by each engine, each in a session of its own."""
    engines: tuple[Literal["raster", "cycles"], ...] = ("raster", "cycles")
    frames = []
    for engine in engines:
        with RenderSession(CITY, engine=engine, **session) as opened:
            # glTF has one normal per vertex itself; and this one has faces on top of each other, whose order matters.
            if engine == "cycles" and "cars" in session and session["cars"].suffix != ".glb":
                part_faces(collection for collection in bpy.data.collections if "gis_length_m" in collection)
            frames.append(render(opened))
    return frames[0], frames[1]


def coincident(a: Frame, b: Frame) -> np.ndarray[Any, Any]:
    """Pixels with two meshes of the same object at one depth, where either answer is right."""
    assert a.part is not None
    assert b.part is not None
    with np.errstate(invalid="ignore"):
        close = np.abs(a.depth_m - b.depth_m) < 3e-6 * b.depth_m
    return close & (a.part != b.part) & (a.instance_id == b.instance_id)


def assert_equal(
    ours: Sequence[Frame], theirs: Sequence[Frame], *, normal_mean: float = 2e-3, touching: bool = False
) -> None:
    """Differing pixels, counted over all frames; ``touching`` lets meshes of an object lie on each other."""
    total = differing = zones = depths = 0
    turned: list[float] = []
    for a, b in zip(ours, theirs, strict=True):
        assert a.normal is not None
        assert b.normal is not None
        same = (a.instance_id == b.instance_id) & (np.isfinite(a.depth_m) == np.isfinite(b.depth_m))
        hit = same & (a.zone == b.zone) & np.isfinite(a.depth_m)
        relative = np.abs(a.depth_m[hit].astype(np.float64) - b.depth_m[hit]) / b.depth_m[hit]
        total += a.depth_m.size
        differing += int((~same).sum())
        zones += int(((a.zone != b.zone) & ~(coincident(a, b) & touching)).sum())
        depths += int((relative > DEPTH_RELATIVE).sum())
        turned.append(float(np.abs(a.normal[hit] - b.normal[hit]).mean()))
        assert hit.any()
    print(f"{total} px: {differing} ids, {zones} zones, {depths} depths differ, normals by {np.mean(turned):.2e}")
    assert differing <= ALLOWED_SHARE * total
    assert zones <= ALLOWED_SHARE * total
    assert depths <= ALLOWED_SHARE * total
    assert np.mean(turned) < normal_mean


def frames_of(indices: Sequence[int]) -> Render:
    return lambda session: [session.frame(index, normals=True, parts=True) for index in indices]


def on_plane(setups: Sequence[FrameSetup]) -> Render:
    return lambda session: [session.frame_on_plane(setup, normals=True, parts=True) for setup in setups]


def test_city(kitti_square: Camera) -> None:
    indices = [int(n) for n in np.random.default_rng(20).integers(0, 100_000, 4)]
    ours, theirs = both_engines(frames_of(indices), camera=kitti_square, seed=4)
    assert sum(len(frame.instances) for frame in ours) >= 8
    assert_equal(ours, theirs)


def test_camera_that_is_off_centre_and_not_square(kitti_square: Camera) -> None:
    camera = replace(kitti_square, width=384, height=320, fx=410.0, fy=300.0, cx=250.3, cy=90.7)
    assert_equal(*both_engines(frames_of([3, 4, 5]), camera=camera, seed=5))


def round_the_camera(model: str, setup_of: Callable[..., FrameSetup]) -> list[FrameSetup]:
    """Cars of one model from all sides, near and far, one before the other, and one that the camera stands in."""
    rows = [
        tuple((model, 9.0 + 4.5 * k, (-1) ** k * 1.7 * (k % 3), k * math.pi / 5 + 0.13) for k in range(6)),
        ((model, 3.2, 1.9, 0.4), (model, 7.1, -1.3, 2.1), (model, 16.3, 2.2, math.pi / 2)),
        ((model, 0.4, 0.3, 0.35), (model, 9.2, 2.4, -0.6)),
    ]
    return [setup_of(*cars, height_m=height_m) for cars, height_m in zip(rows, (1.65, 2.4, 0.9), strict=True)]


@pytest.mark.parametrize("model", ["saloon", "bus"])
def test_own_models_across_the_near_plane(
    model: str, kitti_square: Camera, setup_of: Callable[..., FrameSetup]
) -> None:
    ours, theirs = both_engines(on_plane(round_the_camera(model, setup_of)), camera=kitti_square)
    assert ours[2].instances[0].truncation > 0.5
    assert_equal(ours, theirs)


@pytest.fixture(scope="module")
def usd_file(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A car that this test writes as USD, since none was to be had."""
    path = tmp_path_factory.mktemp("usd") / "hatchback.usd"
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.obj_import(filepath=str(shared_data / "meshes/gazebo/hatchback/meshes/hatchback.obj"))
    bpy.ops.wm.usd_export(filepath=str(path), export_materials=True, export_textures_mode="KEEP")
    return path


IMPORTED = [
    "kenney_car_kit/taxi.glb",
    "gazebo/suv/meshes/suv.obj",
    pytest.param("quaternius/basic_car_pack/FBX/CopCar.fbx", marks=pytest.mark.slow),
    pytest.param("quaternius/public_transport/Blends/Bus.blend", marks=pytest.mark.slow),
    "usd",
]


@pytest.mark.parametrize("file", IMPORTED)
def test_imported_models(
    file: str,
    shared_data: Path,
    request: pytest.FixtureRequest,
    kitti_square: Camera,
    setup_of: Callable[..., FrameSetup],
) -> None:
    path: Path = request.getfixturevalue("usd_file") if file == "usd" else shared_data / "meshes" / file
    setups = round_the_camera(path.stem, setup_of)
    ours, theirs = both_engines(on_plane(setups), camera=kitti_square, cars=path)
    assert all(frame.instances for frame in ours)
    # The taxi's wheels touch the insides of their arches.
    assert_equal(ours, theirs, touching=True)
