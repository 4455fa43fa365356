"""The car models: sizes against published tables, closed surfaces, zones, silhouettes, and the file that ships."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="the models are written and read by Blender")

from mathutils.bvhtree import BVHTree  # noqa: E402

from assets import CARS  # noqa: E402
from assets.build.car import CarModel, build_car  # noqa: E402
from assets.build.cars import write_cars  # noqa: E402
from assets.build.mesh import PolyMesh  # noqa: E402
from assets.build.models import MODELS  # noqa: E402
from renderer.zones.catalogue import ZONE_ATTRIBUTE, Zone  # noqa: E402

# Published length, width without mirrors, height, wheelbase in mm; tyre; detector class. Typed from the makers' data
# sheets a second time, not taken from the models.
INCH = 25.4
PUBLISHED = {
    "hatchback": (4255, 1799, 1452, 2637, "205/55R16", "car"),
    "saloon": (4624, 1811, 1429, 2810, "205/60R16", "car"),
    "estate": (4767, 1832, 1516, 2786, "215/55R17", "car"),
    "suv": (4486, 1839, 1643, 2681, "235/55R18", "car"),
    "pickup": (5359, 1850, 1815, 3220, "265/65R17", "car"),
    "van": (4904, 1904, 1990, 3000, "205/65R16", "van"),
    "lorry": (8550, 2550, 3600, 4760, "265/70R19.5", "truck"),
    "bus": (11950, 2550, 3076, 5845, "275/70R22.5", "bus"),
    "city_car": (3546, 1627, 1488, 2300, "175/65R14", "car"),
    "coupe": (4178, 1842, 1352, 2468, "245/45R17", "car"),
    "taxi": (4868, 1854, 1470 + 120, 2874, "225/55R16", "car"),
    "delivery_van": (5986, 2040, 2590, 3640, "235/65R16", "van"),
    "supermini": (3970, 1682, 1462, 2470, "185/60R15", "car"),
    "liftback": (4460, 1745, 1490, 2700, "195/65R15", "car"),
    "compact_saloon": (4620, 1775, 1460, 2700, "195/65R15", "car"),
    "midsize_saloon": (189.2 * INCH, 71.7 * INCH, 57.9 * INCH, 109.3 * INCH, "205/65R16", "car"),
    "large_saloon": (212.0 * INCH, 78.2 * INCH, 56.8 * INCH, 114.7 * INCH, "225/60R16", "car"),
    "minivan": (201.0 * INCH, 77.1 * INCH, 68.8 * INCH, 118.1 * INCH, "235/65R16", "car"),
    "crossover": (177.9 * INCH, 71.6 * INCH, 66.1 * INCH, 103.1 * INCH, "225/65R17", "car"),
    "large_suv": (202.0 * INCH, 79.0 * INCH, 76.9 * INCH, 116.0 * INCH, "265/70R17", "car"),
    "off_roader": (4662, 1760, 1951, 2850, "265/60R18", "car"),
    "fullsize_pickup": (231.9 * INCH, 78.9 * INCH, 76.2 * INCH, 144.5 * INCH, "235/75R17", "car"),
    "small_van": (4406, 1794, 1823, 2682, "195/65R15", "van"),
    "box_truck": (6600, 2320, 3150, 132.5 * INCH, "215/85R16", "truck"),
    "rack_pickup": (5359, 1850, 1815 + 235, 3220, "265/65R17", "car"),
    "loaded_estate": (4767, 1832, 1476 + 410, 2786, "215/55R17", "car"),
}
CAR_ZONES = {*range(1, 12), int(Zone.TRIM)}
SCALE_PX_M = 60.0


@cache
def model(name: str) -> CarModel:
    return build_car(MODELS[name])


@cache
def vertices(name: str) -> np.ndarray:
    own = model(name)
    return np.concatenate([own.body.vertices, *(place.vertices for place in own.wheels)])


@cache
def faces(name: str) -> list[tuple[int, ...]]:
    own, out, start = model(name), [], 0
    for mesh in [own.body, *(place.mesh for place in own.wheels)]:
        out += [tuple(i + start for i in face) for face in mesh.faces]
        start += mesh.count
    return out


def silhouette(points: np.ndarray, polygons: list[tuple[int, ...]], size: tuple[int, int]) -> np.ndarray:
    """Filled outline of polygons in pixel coordinates (N, 2)."""
    image = np.zeros(size, dtype=np.uint8)
    for face in polygons:
        cv2.fillPoly(image, [np.round(points[list(face)] * 16).astype(np.int32)], 1, shift=4)
    return image.astype(bool)


@cache
def side_view(name: str) -> np.ndarray:
    """Side silhouette at true scale, nose to the right, standing on the bottom row, rears aligned."""
    v = vertices(name)
    points = np.stack([v[:, 0] - v[:, 0].min(), 4.0 - v[:, 2]], axis=1) * SCALE_PX_M
    return silhouette(points, faces(name), (240, 760))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_the_models_are_those_of_the_table() -> None:
    assert set(MODELS) == set(PUBLISHED)
    assert all(spec.source for spec in MODELS.values())


@pytest.mark.parametrize("name", PUBLISHED)
def test_sizes_are_published_ones(name: str) -> None:
    length, width, height, wheelbase, _, category = PUBLISHED[name]
    v = vertices(name)
    below_mirrors = v[v[:, 2] < 0.45 * height / 1000]
    measured = np.array([np.ptp(v[:, 0]), np.ptp(below_mirrors[:, 1]), np.ptp(v[:, 2])]) * 1000
    np.testing.assert_allclose(measured, (length, width, height), rtol=0.02)
    hubs = sorted({place.hub_m[0] for place in model(name).wheels})
    assert hubs[-1] - hubs[0] == pytest.approx(wheelbase / 1000, rel=0.002)
    spec = model(name).spec
    assert (spec.length_m, spec.width_m, spec.height_m) == pytest.approx(
        np.array((length, width, height)) / 1000, rel=5e-4
    )
    assert spec.category == category
    assert abs(v[:, 0].max() + v[:, 0].min()) < 0.02, "the origin is below the middle"
    assert abs(v[:, 1].max() + v[:, 1].min()) < 0.02


@pytest.mark.parametrize("name", PUBLISHED)
def test_triangles(name: str) -> None:
    assert 2_000 <= model(name).triangles <= 20_000


@pytest.mark.parametrize("name", PUBLISHED)
def test_wheels_are_round_and_stand_on_the_ground(name: str) -> None:
    code = PUBLISHED[name][4]
    width, rest = code.split("/")
    ratio, rim = rest.split("R")
    diameter = float(rim) * 25.4 + 2 * float(width) * float(ratio) / 100
    wheels = model(name).wheels
    assert len(wheels) == 4
    for place in wheels:
        assert place.vertices[:, 2].min() == pytest.approx(0.0, abs=1e-9)
        radius = np.hypot(place.mesh.vertices[:, 0], place.mesh.vertices[:, 2])
        assert 2000 * radius.max() == pytest.approx(diameter, abs=1.0)
        tread = place.mesh.vertices[radius > radius.max() - 1e-3]
        angle = np.unique(np.round(np.arctan2(tread[:, 2], tread[:, 0]), 3))
        gaps = np.diff(np.concatenate([angle, angle[:1] + 2 * math.pi]))
        # Flats of n edges cut the circle by 1 - cos(half a gap): under 1 % of the radius.
        assert 1 - math.cos(gaps.max() / 2) < 0.01
        assert abs(place.mesh.vertices[:, [0, 2]].mean(axis=0)).max() < 2e-3, "the origin is the hub"
        assert {Zone.TYRE, Zone.BRAKE} <= set(place.mesh.zones)
    assert {math.copysign(1, place.hub_m[1]) for place in wheels} == {1.0, -1.0}


@pytest.mark.parametrize("name", PUBLISHED)
def test_zones(name: str) -> None:
    own = model(name)
    assert len(own.body.zones) == len(own.body.faces)
    present = set(own.body.zones) | {zone for place in own.wheels for zone in place.mesh.zones}
    assert present <= CAR_ZONES
    assert present >= CAR_ZONES - {Zone.INTERIOR}, "only a load bed shows an interior: glass is opaque in the infrared"


@pytest.mark.parametrize("name", PUBLISHED)
def test_geometry_is_sound(name: str) -> None:
    v = vertices(name)
    assert np.isfinite(v).all()
    for face in faces(name):
        corners = v[list(face)]
        area = 0.5 * np.linalg.norm(np.cross(corners, np.roll(corners, -1, axis=0)).sum(axis=0))
        longest = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1).max()
        assert len(set(face)) == len(face)
        assert area > 1e-9 or longest < 0.05, "a long face without area"
        assert area < 25.0


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_face_is_seen_from_behind(name: str) -> None:
    from mathutils import Vector
    from mathutils.bvhtree import BVHTree

    spec = model(name).spec
    tree = BVHTree.FromPolygons(vertices(name).tolist(), faces(name))
    rng = np.random.default_rng(5)
    hits, behind = 0, 0
    for azimuth, elevation, *target in rng.uniform(size=(4000, 5)):
        phi, theta = 2 * math.pi * azimuth, math.radians(-3 + 38 * elevation)
        to_eye = np.array([math.cos(phi) * math.cos(theta), math.sin(phi) * math.cos(theta), math.sin(theta)])
        at = (np.array(target) - (0.5, 0.5, 0.0)) * (spec.length_m, spec.width_m, spec.height_m)
        _, normal, face, _ = tree.ray_cast(Vector(at + 30 * to_eye), Vector(-to_eye))
        hits += face is not None
        behind += face is not None and normal.dot(Vector(-to_eye)) > 0.02
    assert hits > 2500
    assert behind / hits < 2e-3


AMERICAN = {"midsize_saloon", "compact_saloon", "large_saloon", "liftback", "crossover", "large_suv", "fullsize_pickup",
            "pickup", "rack_pickup", "minivan"}  # fmt: skip
UNFRAMED = {"coupe", "lorry", "bus", "off_roader", "small_van", "box_truck"}
FRAMES = [(name, side) for name in sorted(set(PUBLISHED) - UNFRAMED) for side in (1.0, -1.0)]
FRAMES.remove(("van", -1.0))  # it lies across the gap between two doors


@pytest.mark.parametrize(("name", "side"), FRAMES)
def test_plates_lie_within_whole_frames(name: str, side: float) -> None:
    """Seen straight on, bright metal goes around an area of a plate's size (520 x 112 mm, or 12 x 6 inches)."""
    zones, (step, reach_m) = model(name).body.zones, (0.009, 20.0)
    tree = BVHTree.FromPolygons(model(name).body.vertices.tolist(), model(name).body.faces)
    heights, across = np.arange(0.35, 1.2, step), np.arange(-0.33, 0.33, step)
    metal = np.zeros((len(heights), len(across)), np.uint8)
    for row, z in enumerate(heights):
        for column, y in enumerate(across):
            face = tree.ray_cast((side * reach_m, y, z), (-side, 0.0, 0.0))[2]
            metal[row, column] = face is not None and zones[face] == Zone.TRIM
    outlines, nesting = cv2.findContours(metal, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    holes = [one for one, links in zip(outlines, nesting[0], strict=True) if links[3] >= 0]
    plate_m2 = 12 * 6 * (INCH / 1000) ** 2 if name in AMERICAN else 0.520 * 0.112
    areas = [cv2.contourArea(one) * step**2 for one in holes]
    assert any(0.75 < area / plate_m2 < 1.4 for area in areas), areas


def test_silhouettes_differ() -> None:
    names = list(PUBLISHED)
    pairs = {(a, b): iou(side_view(a), side_view(b)) for i, a in enumerate(names) for b in names[:i] if b != a}
    # Cars of one class are alike from the side: a Corolla's outline covers 95 % of a 3 Series' of the same length.
    close = {pair: round(value, 3) for pair, value in pairs.items() if value > 0.97}
    assert not close


def roof_line(name: str, share: float) -> float:
    """Height of the silhouette's upper edge at a share of the length from the rear, over the greatest height."""
    view = side_view(name)
    top = len(view) - np.argmax(view, axis=0)[view.any(axis=0)]
    return float(top[round(share * (len(top) - 1))] / top.max())


def test_silhouettes_are_those_of_their_kind() -> None:
    for name in ("saloon", "taxi", "coupe"):
        assert roof_line(name, 0.08) < 0.78, "a boot"
    for name in ("hatchback", "estate", "suv", "city_car"):
        assert roof_line(name, 0.18) > 0.9, "a tailgate"
    assert roof_line("estate", 0.08) > roof_line("hatchback", 0.08) + 0.05
    assert roof_line("pickup", 0.25) < 0.7, "an open bed"
    assert roof_line("pickup", 0.5) > 0.95, "a cabin before it"
    for name in ("van", "delivery_van", "bus"):
        assert roof_line(name, 0.05) > 0.9, "the roof runs to the tail"
    assert roof_line("bus", 0.96) > 0.9, "no bonnet"
    assert roof_line("van", 0.95) < 0.6, "a short bonnet"
    assert min(roof_line("lorry", share) for share in np.linspace(0.7, 0.8, 25)) < 0.35, "a gap between box and cab"


def read_obj(path: Path) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    lines = path.read_text().splitlines()
    points = np.array([[float(x) for x in line.split()[1:4]] for line in lines if line.startswith("v ")])
    polygons = [tuple(int(c.split("/")[0]) - 1 for c in line.split()[1:]) for line in lines if line.startswith("f ")]
    return points, polygons


def fitted(along: np.ndarray, up: np.ndarray, polygons: list[tuple[int, ...]]) -> np.ndarray:
    """Silhouette stretched to a box of 300 x 100 pixels."""
    x, z = ((value - value.min()) / np.ptp(value) for value in (along, up))
    return silhouette(np.stack([2 + 300 * x, 2 + 100 * (1 - z)], axis=1), polygons, (104, 304))


@pytest.mark.parametrize(("kind", "least"), [("hatchback", 0.9), ("suv", 0.8), ("bus", 0.9)])
def test_a_mesh_made_elsewhere_resembles_its_own_kind_most(kind: str, least: float, shared_data: Path) -> None:
    path = shared_data / "meshes" / "gazebo" / kind / "meshes" / f"{kind}.obj"
    if not path.is_file():
        pytest.skip(f"real data not found: expected {path}")
    points, polygons = read_obj(path)
    other = [fitted(sign * points[:, 1], points[:, 2], polygons) for sign in (1, -1)]
    scores = {}
    for name in PUBLISHED:
        own = fitted(vertices(name)[:, 0], vertices(name)[:, 2], faces(name))
        scores[name] = max(iou(own, image) for image in other)
    alike = {"hatchback": {"hatchback", "supermini"}, "suv": {"suv", "crossover"}}.get(kind, {kind})
    assert max(scores, key=lambda name: scores[name]) in alike
    assert scores[kind] > least


def test_a_rebuild_gives_the_same_arrays() -> None:
    again = build_car(MODELS["saloon"])
    np.testing.assert_array_equal(again.body.vertices, model("saloon").body.vertices)
    assert again.body.faces == model("saloon").body.faces
    assert again.body.zones == model("saloon").body.zones


def _area_by_zone(points: np.ndarray, corners: np.ndarray, zones: np.ndarray) -> dict[int, float]:
    """Square metres of each zone; corners (T, 3)."""
    a, b, c = points[corners].swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return {int(zone): float(area[zones == zone].sum()) for zone in np.unique(zones)}


def _is_the_same_surface(mesh: Any, built: PolyMesh) -> None:
    """Vertices of the file are vertices of the model; the others lie within 25 mm of the file's surface."""
    mesh.calc_loop_triangles()
    points = np.array([vertex.co[:] for vertex in mesh.vertices])
    corners = np.array([triangle.vertices[:] for triangle in mesh.loop_triangles])
    zone_of = np.array([item.value for item in mesh.attributes[ZONE_ATTRIBUTE].data])
    zones = zone_of[[triangle.polygon_index for triangle in mesh.loop_triangles]]
    known = {tuple(vertex) for vertex in np.asarray(built.vertices, np.float32).tolist()}
    assert {tuple(vertex) for vertex in points.astype(np.float32).tolist()} <= known
    tree = BVHTree.FromPolygons(points.tolist(), corners.tolist())
    assert max(tree.find_nearest(vertex)[3] for vertex in built.vertices.tolist()) < 0.025
    fans = [(face[0], face[k], face[k + 1]) for face in built.faces for k in range(1, len(face) - 1)]
    owners = [zone for face, zone in zip(built.faces, built.zones, strict=True) for _ in range(len(face) - 2)]
    expected = _area_by_zone(np.asarray(built.vertices), np.array(fans), np.array(owners))
    assert _area_by_zone(points, corners, zones) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("rebuilt", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["shipped", "written"])
def test_the_file_holds_the_models(rebuilt: bool, tmp_path: Path) -> None:
    path = CARS
    if rebuilt:
        path = tmp_path / "cars.blend"
        write_cars(path)
        assert [entry.name for entry in tmp_path.iterdir()] == ["cars.blend"]
    assert path.stat().st_size < 4_000_000
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False)
    for name, spec in MODELS.items():
        collection = bpy.data.collections[name]
        own = model(name)
        assert collection["gis_category"] == PUBLISHED[name][5]
        assert collection["gis_model"] == name
        assert collection["gis_source"] == spec.source
        assert collection["gis_share"] == spec.share > 0
        assert collection["gis_length_m"] == pytest.approx(PUBLISHED[name][0] / 1000, rel=5e-4)
        expected = {name, *(f"{name}.wheel.{end}{side}" for end in "FR" for side in "LR")}
        assert {item.name for item in collection.objects} == expected
        _is_the_same_surface(bpy.data.objects[name].data, own.body)
        assert np.array(bpy.data.objects[name].matrix_world) == pytest.approx(np.eye(4))
        for place in own.wheels:
            wheel = bpy.data.objects[place.name]
            _is_the_same_surface(wheel.data, place.mesh)
            assert tuple(wheel.matrix_world.translation) == pytest.approx(place.hub_m, abs=1e-5)
        names = {slot.material.name.split(".")[0] for item in collection.objects for slot in item.material_slots}
        assert names <= {f"gis_{Zone(zone).name.lower()}" for zone in CAR_ZONES}


def test_glass_mirrors_and_creases_are_sharp() -> None:
    """Corner normals: even over a bonnet, broken at the edge of a lorry's box."""
    bpy.ops.wm.open_mainfile(filepath=str(CARS), load_ui=False, use_scripts=False)

    def spread(name: str, zone: Zone) -> float:
        mesh = bpy.data.objects[name].data
        normals = np.array([tuple(item.vector) for item in mesh.corner_normals])
        angles = [
            math.degrees(math.acos(min(1.0, float(normals[i] @ np.array(tuple(face.normal))))))
            for face, zone_of in zip(mesh.polygons, mesh.attributes[ZONE_ATTRIBUTE].data, strict=True)
            if zone_of.value == zone
            for i in face.loop_indices
        ]
        return float(np.percentile(angles, 95))

    assert spread("hatchback", Zone.BONNET) < 15.0
    assert spread("lorry", Zone.ROOF) < 25.0
