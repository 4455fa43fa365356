"""The shipped city: what it promises to traffic, cameras and thermal physics, and that its script builds just this."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from assets import CAMERAS, CITY  # noqa: E402
from renderer.blender.traffic import apply, model_collections, model_size, read_street  # noqa: E402
from renderer.geometry.camera import read_cameras  # noqa: E402
from renderer.random_streams import Draw, Stream  # noqa: E402
from renderer.scene.traffic import sample_frame  # noqa: E402
from renderer.thermal.conditions import sample_conditions  # noqa: E402
from renderer.zones.catalogue import FIRST_ENVIRONMENT_ZONE, ZONE_ATTRIBUTE, Zone  # noqa: E402

MAX_TRIANGLES = 250_000
MAX_BYTES = 10_000_000


@pytest.fixture(scope="module")
def scene() -> Iterator[Any]:
    bpy.ops.wm.open_mainfile(filepath=str(CITY), use_scripts=False)
    yield bpy.context.scene
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def _static(scene: Any) -> list[Any]:
    """Mesh objects of the environment, without the car models, which are excluded."""
    shown = {o.name for o in bpy.context.view_layer.objects}
    return [o for o in scene.objects if o.type == "MESH" and o.data.polygons and o.name in shown]


def _zones(mesh: Any) -> np.ndarray:
    values = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.attributes[ZONE_ATTRIBUTE].data.foreach_get("value", values)
    return values


def test_nothing_that_stands_in_it_is_warm_or_moves(scene: Any) -> None:
    """What has a warmth of its own or moves is placed by frames, with a label; lamps are as warm as they are lit."""
    warm = set(range(FIRST_ENVIRONMENT_ZONE)) | {int(Zone.PERSON)}
    looked_at = 0
    for item in _static(scene):
        assert not warm & set(_zones(item.data).tolist()), item.name
        assert item.animation_data is None, item.name
        assert not item.constraints, item.name
        assert item.parent is None or item.parent.animation_data is None, item.name
        looked_at += 1
    assert looked_at > 200
    assert not bpy.data.actions


def test_every_face_has_an_environment_zone(scene: Any) -> None:
    found: set[int] = set()
    for item in _static(scene):
        assert item.data.attributes[ZONE_ATTRIBUTE].domain == "FACE"
        found |= set(_zones(item.data).tolist())
    # People are placed for each frame and labelled: nothing warm that could move stands in the street itself.
    expected = {int(zone) for zone in Zone if zone >= FIRST_ENVIRONMENT_ZONE} - {int(Zone.SKY), int(Zone.PERSON)}
    assert found == expected
    assert scene.world[ZONE_ATTRIBUTE] == Zone.SKY


def test_zones_lie_where_such_things_are(scene: Any) -> None:
    heights: dict[int, list[float]] = {}
    for item in _static(scene):
        if item.name in {"skyline"}:
            continue
        matrix = np.array(item.matrix_world)
        centres = np.array([tuple(p.center) for p in item.data.polygons]) @ matrix[:3, :3].T + matrix[:3, 3]
        for zone in np.unique(_zones(item.data)):
            heights.setdefault(int(zone), []).extend(centres[_zones(item.data) == zone, 2].tolist())
    assert max(np.abs(heights[Zone.ROAD])) < 0.01
    assert 0.0 < min(heights[Zone.ROAD_MARKING]) <= max(heights[Zone.ROAD_MARKING]) < 0.01
    assert max(heights[Zone.PAVEMENT]) < 0.2
    assert max(heights[Zone.BUILDING]) > 12.0


def test_triangle_and_file_budgets(scene: Any) -> None:
    total = sum(len(p.vertices) - 2 for item in _static(scene) for p in item.data.polygons)
    assert 100_000 < total <= MAX_TRIANGLES
    assert CITY.stat().st_size < MAX_BYTES
    # Repeated things share their mesh.
    assert len({item.data.name for item in _static(scene)}) < 0.5 * len(_static(scene))


def test_camera_stands_at_kitti_height_above_a_camera_path(scene: Any) -> None:
    street = read_street(scene)
    assert street is not None
    assert scene.camera.name == "gis_camera"
    x, y, z = scene.camera.matrix_world.translation
    assert z == pytest.approx(1.65, abs=1e-6)
    nearest = min(np.hypot(*(path[:, :2] - (x, y)).T).min() for path in street.camera_paths)
    assert nearest < 1.0
    kitti = read_cameras(CAMERAS)["kitti-object"].square(512)
    assert scene.camera.data.angle_x == pytest.approx(2 * math.atan(kitti.width / 2 / kitti.fx), rel=1e-5)


def test_street_has_lanes_both_ways_and_bays(scene: Any) -> None:
    street = read_street(scene)
    assert street is not None
    assert len(street.lanes) >= 4
    assert len(street.bays) >= 40
    assert len(street.camera_paths) >= 2
    starts = np.array([lane.points_m[0, :2] for lane in street.lanes])
    ends = np.array([lane.points_m[-1, :2] for lane in street.lanes])
    # Some lane starts where the other direction ends: 3.4 m apart.
    assert (np.abs(np.hypot(*(starts[:, None] - ends).T) - 3.4) < 0.1).any()
    assert all(1.9 < bay.width_m < 2.7 and 5.0 <= bay.length_m < 7.0 for bay in street.bays)


def test_nothing_stands_in_lanes_and_bays(scene: Any) -> None:
    street = read_street(scene)
    assert street is not None
    posts = [item for item in _static(scene) if item.users_collection[0].name in {"trees", "furniture"}]
    places = np.array([tuple(item.matrix_world.translation)[:2] for item in posts])
    for lane in street.lanes:
        line = np.concatenate([np.linspace(a, b, 8) for a, b in zip(lane.points_m, lane.points_m[1:], strict=False)])
        distance = np.abs((places @ [1, 1j])[:, None] - (line[:, :2] @ [1, 1j])).min(axis=1)
        assert distance.min() > lane.width_m / 2, posts[int(distance.argmin())].name
    for bay in street.bays:
        local = (places - (bay.x_m, bay.y_m)) @ [1, 1j] * np.exp(-1j * bay.yaw_rad)
        inside = (np.abs(local.real) < bay.length_m / 2 + 0.1) & (np.abs(local.imag) < bay.width_m / 2 + 0.1)
        assert not inside.any(), posts[int(inside.argmax())].name


def test_traffic_is_put_into_the_scene_and_taken_out_again(scene: Any) -> None:
    street, models = read_street(scene), model_collections()
    assert street is not None
    camera = read_cameras(CAMERAS)["kitti-object"].square(512)
    sizes = [model_size(collection) for collection in models.values()]
    counts = []
    for index in (0, 1, 2, 0):
        draw = Draw(5, index)
        setup = sample_frame(street, sizes, camera, draw, sample_conditions(draw.rng(Stream.CONDITIONS)))
        used = apply(scene, setup, models)
        bpy.context.view_layer.update()
        assert len(used) == len(set(used)) == len(setup.placements)
        for item, placement in zip(used, setup.placements, strict=True):
            assert item["gis_model"] == placement.model
            assert item["gis_profile"] == placement.profile
            assert item.instance_collection.get("gis_category") == item["gis_category"]
            np.testing.assert_allclose(np.array(item.matrix_world), placement.object_to_world, atol=1e-4)
        waiting = [o for o in scene.collection.children["gis_traffic"].objects if o not in used]
        view = np.linalg.inv(setup.cam_to_world)
        assert all((view @ (*o.matrix_world.translation, 1.0))[2] < -1000 for o in waiting)
        opencv = np.array(scene.camera.matrix_world) @ np.diag([1.0, -1.0, -1.0, 1.0])
        np.testing.assert_allclose(opencv, setup.cam_to_world, atol=1e-4)
        counts.append(len(scene.collection.children["gis_traffic"].objects))
    assert counts[3] == counts[2]


def test_a_car_is_in_view_of_nearly_every_frame_of_the_city(scene: Any) -> None:
    street = read_street(scene)
    assert street is not None
    sizes = {size.name: size for size in map(model_size, model_collections().values())}
    camera = read_cameras(CAMERAS)["kitti-object"].square(512)
    shown = 0
    for index in range(100):
        draw = Draw(1, index)
        setup = sample_frame(street, list(sizes.values()), camera, draw, sample_conditions(draw.rng(Stream.CONDITIONS)))
        view = np.linalg.inv(setup.cam_to_world)
        for placement in setup.placements:
            x, y, z, _ = view @ (placement.x_m, placement.y_m, 0.7, 1.0)
            if 5 < z < 60 and 0 < camera.fx * x / z + camera.cx < 512 and 0 < camera.fy * y / z + camera.cy < 512:
                shown += 1
                break
    assert shown >= 95


def _geometry(scene: Any) -> dict[str, np.ndarray]:
    """World-space vertices and zones of every environment object."""
    result = {}
    for item in _static(scene):
        points = np.empty(len(item.data.vertices) * 3, dtype=np.float32)
        item.data.vertices.foreach_get("co", points)
        matrix = np.array(item.matrix_world, dtype=np.float32)
        result[item.name] = np.concatenate([points, matrix.ravel(), _zones(item.data).astype(np.float32)])
    return result


def test_the_script_builds_the_shipped_city(scene: Any, tmp_path: Path) -> None:
    from assets.build.city.scene import build

    shipped = _geometry(scene)
    build(tmp_path / "city.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "city.blend"), use_scripts=False)
    rebuilt = _geometry(bpy.context.scene)
    assert list(tmp_path.iterdir()) == [tmp_path / "city.blend"]
    assert rebuilt.keys() == shipped.keys()
    for name, values in shipped.items():
        np.testing.assert_array_equal(rebuilt[name], values, err_msg=name)
