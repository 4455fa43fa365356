"""Build ``assets/city.blend``: a street in a European town, ready for traffic, with a thermal zone on every face.

Run ``python -m assets.build.city``. The geometry is the same at every run; cars come from ``assets/cars.blend``.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from assets import CAMERAS, CARS, CITY
from renderer.blender.traffic import apply, model_collections, model_size, read_street
from renderer.camera import read_cameras
from renderer.traffic import sample_frame
from renderer.zones import ZONE_ATTRIBUTE, Zone

from . import city_layout as plan
from .city_buildings import CORNER_GAP_M, build_house, lots
from .city_furniture import FURNITURE, PEOPLE, furniture, person
from .city_ground import OPENING_M, PARK_U_M, ZEBRAS_U_M, ground, markings, pavements, skyline
from .city_mesh import MeshBuilder, link, pose
from .city_plants import TREES, bush, hedge, tree

__all__ = ["build", "main"]

Array = NDArray[np.float64]
Prop = tuple[str, float, float, float, float]
"""``(mesh, u, d, turn against the street's heading in radians, scale)``."""

SUN_ELEVATION_DEG, SUN_AZIMUTH_DEG = 42.0, 200.0
LAMP_SPACING_M = 27.0


def main() -> None:
    """Write ``assets/city.blend``, through a temporary file beside it."""
    build(CITY)
    print(f"{CITY}: {CITY.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


def build(path: Path) -> None:
    """Build the scene from nothing and save it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.name = "city"
    _build_static(scene)
    _build_props(scene)
    _build_street(scene)
    _build_cars(scene)
    _build_light(scene)
    _build_camera(scene)
    _first_frame(scene)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        bpy.context.preferences.filepaths.save_version = 0
        bpy.ops.wm.save_as_mainfile(filepath=str(temporary), compress=True, relative_remap=False)
        os.replace(temporary, path)


def _collection(scene: bpy.types.Scene, name: str) -> bpy.types.Collection:
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    return collection


def _build_static(scene: bpy.types.Scene) -> None:
    """Ground and houses."""
    home = _collection(scene, "ground")
    for name, make in (("road", ground), ("markings", markings), ("pavements", pavements), ("skyline", skyline)):
        link(home, make().build(name), name)
    home = _collection(scene, "houses")
    for lot in lots():
        mesh, matrix = build_house(lot)
        link(home, mesh.build(f"house.{lot.name}"), f"house.{lot.name}", matrix)


# --- repeated things --------------------------------------------------------------------------------------------------


def _build_props(scene: bpy.types.Scene) -> None:
    """Trees, furniture and people: one mesh each, shared by all its objects."""
    makers = {
        "trees": {**{f"tree.{name}": (tree, name) for name in TREES}, "hedge": (_hedge, ""), "bush": (_bush, "")},
        "furniture": {name: (furniture, name) for name in FURNITURE},
        "people": {f"person.{name}": (person, name) for name in PEOPLE},
    }
    props = list(_all_props())
    for group, table in makers.items():
        home = _collection(scene, group)
        for name, (make, argument) in table.items():
            mesh = make(argument).build(name)
            chosen = [prop for prop in props if prop[0] == name]
            for k, (_, u, d, yaw, scale) in enumerate(chosen):
                (x, y), heading = plan.place(u, d), float(plan.axis(u)[1])
                link(home, mesh, f"{name}.{k:03d}", pose(float(x), float(y), _ground_m(u, d), heading + yaw, scale))


def _hedge(_: str) -> MeshBuilder:
    return hedge()


def _bush(_: str) -> MeshBuilder:
    return bush()


def _ground_m(u_m: float, d_m: float) -> float:
    """Height of the ground where things stand: pavements, or the park's grass."""
    in_park = PARK_U_M[0] < u_m < PARK_U_M[1] and d_m < -plan.FACADE_M - 0.3
    return 0.06 if in_park else plan.PAVEMENT_Z_M


def _all_props() -> Iterator[Prop]:
    rng = np.random.default_rng(53)
    yield from _lamps()
    yield from _street_trees(rng)
    yield from _park(rng)
    yield from _crossing_props()
    yield from _pavement_props(rng)
    yield from _people(rng)


def _kerb_m(u_m: float, side: int) -> float:
    corners = plan.kerb_line(side)
    return float(np.interp(u_m, corners[:, 0], corners[:, 1]))


def _free(u_m: float, margin_m: float = 1.5) -> bool:
    """Not in the crossing and not on a zebra crossing."""
    zebra = any(start - margin_m < u_m < start + 3.2 + margin_m for start in ZEBRAS_U_M)
    return abs(u_m - plan.CROSSING_U_M) > OPENING_M + margin_m and not zebra


def _facing(side: int) -> float:
    """Turn that makes x the traffic's direction, and y point away from the lane, on the right; mirrored on the left."""
    return math.pi if side < 0 else 0.0


def _lamps() -> Iterator[Prop]:
    for k, u in enumerate(np.arange(-44.0, 344.0, LAMP_SPACING_M / 2)):
        side = -1 if k % 2 else 1
        if _free(float(u)):
            yield "lamp", float(u), side * (_kerb_m(float(u), side) + 0.45), _facing(side), 1.0


def _street_trees(rng: np.random.Generator) -> Iterator[Prop]:
    """Trees where the pavement is wide, mostly between bays, and beyond the corners."""
    right = (-6.0, 4.0, 47.5, 114.5, 162.0, 195.0, 270.5, 279.0, 316.0)
    left = (-3.0, 0.5, 32.0, 81.5, 117.0, 190.0, 230.0, 280.0, 312.5, 324.0, 338.0)
    for side, places in ((-1, right), (1, left)):
        for u in places:
            kind = str(rng.choice(["lime", "maple", "plane"], p=[0.4, 0.4, 0.2]))
            yield f"tree.{kind}", u, side * (_kerb_m(u, side) + 1.1), _angle(rng), float(rng.uniform(0.85, 1.1))
    for u in np.arange(44.0, 78.0, 9.0):
        yield "tree.maple", float(u), plan.PLAZA_KERB_M + 1.6, _angle(rng), float(rng.uniform(0.85, 1.05))


def _angle(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.0, 2 * math.pi))


def _park(rng: np.random.Generator) -> Iterator[Prop]:
    """Hedge along the pavement with a gap, trees on the grass behind it."""
    a, b = PARK_U_M
    for u in np.arange(a + 1.5, b - 1.0, 1.95):
        if abs(u - (a + b) / 2) > 2.5:
            yield "hedge", float(u), -plan.FACADE_M - 0.5, 0.0, 1.0
    for k in range(15):
        u, d = a + 4.0 + k * (b - a - 8.0) / 14, -14.0 - 9.0 * (k % 3) - float(rng.uniform(0, 5))
        kind = str(rng.choice(["lime", "plane", "poplar"], p=[0.4, 0.35, 0.25]))
        yield f"tree.{kind}", u, d, _angle(rng), float(rng.uniform(0.9, 1.25))
    for _ in range(10):
        yield "bush", float(rng.uniform(a + 3, b - 3)), -float(rng.uniform(11, 34)), _angle(rng), float(rng.uniform(0.8, 1.4))
    for u in (a + 16.0, b - 18.0):
        yield "bench", u, -10.9, math.pi, 1.0


def _crossing_props() -> Iterator[Prop]:
    """Signals and signs at the crossing, trees at the ends of the side street."""
    x, gap = plan.CROSSING_U_M, OPENING_M + 0.3
    yield "signal", x - gap, -plan.LANE_M - 0.7, 0.0, 1.0
    yield "signal", x + gap, plan.LANE_M + 0.7, math.pi, 1.0
    yield "signal", x + plan.SIDE_HALF_M + 0.6, -9.0, math.pi / 2, 1.0
    yield "signal", x - plan.SIDE_HALF_M - 0.6, 9.0, -math.pi / 2, 1.0
    for sign in (1, -1):
        for d in (26.0, 44.0, 62.0):
            yield "tree.maple", x + CORNER_GAP_M - 1.5, sign * d, 0.3 * d, 0.8
            yield "lamp", x - CORNER_GAP_M + 2.0, sign * (d - 8.0), -math.pi / 2, 0.85
        yield "tree.poplar", x - 5.2, sign * (plan.SIDE_END_M - 2.0), 1.0, 0.9
    for u in (plan.CROSSING_U_M - 10.0, plan.CROSSING_U_M - 8.6, plan.CROSSING_U_M + 8.6, plan.CROSSING_U_M + 10.0):
        for side in (-1, 1):
            yield "bollard", u, side * (plan.LANE_M + 0.55), 0.0, 1.0


def _pavement_props(rng: np.random.Generator) -> Iterator[Prop]:
    """Bus stop, cafe, bicycles, and the small things along the kerbs and the fronts."""
    yield "shelter", 274.0, -plan.LANE_M - 2.2, math.pi, 1.0
    for k in range(4):
        yield "cafe", 46.0 + 4.2 * k, 12.3 - 0.5 * (k % 2), 0.4 * k, 1.0
    for k in range(5):
        yield "bicycle", 64.0 + 0.9 * k, 13.2, math.pi / 2 + 0.1, 1.0
        yield "bicycle", 163.0, -(7.0 + 0.7 * (k % 2)), 0.1 * k, 1.0
    yield "column", 84.5, 6.4, 0.0, 1.0
    yield "column", 314.5, -6.8, 0.0, 1.0
    for u in (46.0, 49.0, 161.0, 192.5, 281.0):
        yield "planter", u, -_kerb_m(u, -1) - 1.0, 0.0, 1.0
        yield "bush", u, -_kerb_m(u, -1) - 1.0, u, 0.75
    for side in (-1, 1):
        for name, step, inset in (("sign_parking", 41.0, 0.4), ("sign_limit", 97.0, 0.4), ("bin", 34.0, 0.5)):
            for u in np.arange(7.0 + 3 * side + len(name), 312.0, step):
                if _free(float(u)):
                    yield name, float(u), side * (_kerb_m(float(u), side) + inset), 0.0 if side < 0 else math.pi, 1.0
        for name, step in (("wheelie_bins", 52.0), ("cabinet", 78.0)):
            for u in np.arange(14.0 + 9 * side + len(name), 190.0, step) + rng.uniform(-3, 3):
                if _free(float(u), 4.0) and not (side > 0 and 28 < u < 84):
                    yield name, float(u), side * (plan.FACADE_M - 0.45), 0.0 if name == "cabinet" else math.pi / 2, 1.0


def _people(rng: np.random.Generator) -> Iterator[Prop]:
    """People on the pavements, at the crossing, at the bus stop and in front of the cafe."""
    walking = ("walking_man", "walking_woman", "walking_child")
    for u in np.arange(6.0, 316.0, 17.0):
        side = int(rng.choice([-1, 1]))
        where = float(u + rng.uniform(-5, 5))
        if not _free(where, 0.5):
            continue
        d = side * float(rng.uniform(plan.KERB_M + 1.2, plan.FACADE_M - 0.9))
        if side > 0 and plan.PLAZA_U_M[0] - 6 < where < plan.PLAZA_U_M[1] + 6:
            d = plan.PLAZA_KERB_M + 3.6
        name = str(rng.choice(walking, p=[0.45, 0.42, 0.13]))
        yield f"person.{name}", where, d, float(rng.choice([0.0, math.pi]) + rng.normal(0, 0.2)), float(rng.uniform(0.95, 1.05))
    standing = ((271.5, -6.0, 1.4), (275.2, -5.2, 2.0), (94.0, -4.5, 1.5), (95.1, -4.9, 1.3), (94.5, 4.6, -1.5), (230.5, -4.6, 1.6),
                (58.0, 12.9, 2.0), (170.0, 8.0, -0.5), (171.0, 8.3, 2.6), (113.5, -7.8, 1.0))  # fmt: skip
    for k, (u, d, yaw) in enumerate(standing):
        yield f"person.{('standing_man', 'standing_woman')[k % 2]}", u, d, yaw, 1.0


# --- what traffic and camera need -------------------------------------------------------------------------------------


def _build_street(scene: bpy.types.Scene) -> None:
    """Lanes, bays and camera paths as marked objects that are never rendered."""
    home = _collection(scene, "gis_street")
    for name, (points, width) in plan.lanes().items():
        _polyline(home, f"lane.{name}", points)["gis_lane"] = width
    for name, points in plan.camera_paths().items():
        label = "camera_path" if name == "out" else f"camera_path.{name}"
        _polyline(home, label, points)["gis_camera_path"] = True
    for k, bay in enumerate(plan.bays()):
        item = bpy.data.objects.new(f"bay.{k:03d}", None)
        item.empty_display_type = "ARROWS"
        item.matrix_world = Matrix(pose(bay.x_m, bay.y_m, 0.0, bay.yaw_rad).tolist())
        item["gis_bay"] = 1
        item["gis_length_m"], item["gis_width_m"] = bay.length_m, bay.width_m
        home.objects.link(item)


def _polyline(home: bpy.types.Collection, name: str, points: Array) -> bpy.types.Object:
    """Object whose mesh is a line of edges."""
    mesh = bpy.data.meshes.new(name)
    vertices = np.column_stack([points, np.zeros(len(points))]).tolist()
    mesh.from_pydata(vertices, [(k, k + 1) for k in range(len(points) - 1)], [])
    item = link(home, mesh, name)
    item.hide_render = True
    return item


def _build_cars(scene: bpy.types.Scene) -> None:
    """Append the car models, or boxes in their place where there is no cars.blend yet; hide the originals."""
    home = _collection(scene, "cars")
    if CARS.is_file():
        with bpy.data.libraries.load(str(CARS), link=False) as (source, target):
            target.collections = list(source.collections)
        for collection in target.collections:
            if "gis_category" in collection:
                home.children.link(collection)
    else:
        for name, (category, length, width, height) in _PLACEHOLDERS.items():
            _box_model(home, name, category, length, width, height)
    layer = bpy.context.view_layer.layer_collection.children["cars"]
    layer.exclude = True


_PLACEHOLDERS = {
    "hatchback": ("car", 4.0, 1.75, 1.46), "saloon": ("car", 4.7, 1.82, 1.45), "suv": ("car", 4.6, 1.88, 1.68),
    "van": ("van", 5.3, 1.98, 2.0), "lorry": ("truck", 8.2, 2.5, 3.4), "bus": ("bus", 12.0, 2.55, 3.1),
}  # fmt: skip


def _box_model(
    home: bpy.types.Collection, name: str, category: str, length_m: float, width_m: float, height_m: float
) -> None:
    mesh = MeshBuilder()
    a, b = length_m / 2, width_m / 2
    mesh.box((-a, -b, 0.25), (a, b, height_m * 0.6), "steel")
    mesh.box((-a * 0.6, -b * 0.85, height_m * 0.6), (a * 0.6, b * 0.85, height_m), "glass", skip="-z")
    collection = bpy.data.collections.new(name)
    home.children.link(collection)
    data = mesh.build(name)
    data.attributes[ZONE_ATTRIBUTE].data.foreach_set("value", np.full(len(data.polygons), Zone.BODY, dtype=np.int32))
    link(collection, data, name)
    collection["gis_category"], collection["gis_model"] = category, name
    collection["gis_length_m"], collection["gis_width_m"], collection["gis_height_m"] = length_m, width_m, height_m


def _build_light(scene: bpy.types.Scene) -> None:
    """Sun, and a world that is sky for the thermal camera too."""
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = 4.0, math.radians(0.53)
    item = bpy.data.objects.new("sun", sun)
    item.rotation_euler = (math.radians(90 - SUN_ELEVATION_DEG), 0.0, math.radians(SUN_AZIMUTH_DEG + 90))
    _collection(scene, "light").objects.link(item)
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.42, 0.58, 0.8, 1.0)
    background.inputs["Strength"].default_value = 0.9
    world[ZONE_ATTRIBUTE] = int(Zone.SKY)
    scene.world = world


def _build_camera(scene: bpy.types.Scene) -> None:
    """The rig: KITTI's camera, 1.65 m above the lane, square crop."""
    camera = read_cameras(CAMERAS)["kitti-object"].square(512)
    lens = camera.blender_lens()
    data = bpy.data.cameras.new("gis_camera")
    data.sensor_fit, data.sensor_width, data.lens = "HORIZONTAL", lens.sensor_width_mm, lens.lens_mm
    data.shift_x, data.shift_y = lens.shift_x, lens.shift_y
    data.clip_start, data.clip_end = 0.1, 2000.0
    item = bpy.data.objects.new("gis_camera", data)
    (x, y), heading = plan.place(20.0, -plan.LANE_M / 2), float(plan.axis(20.0)[1])
    item.location = (float(x), float(y), camera.height_m)
    item.rotation_euler = (math.pi / 2, 0.0, heading - math.pi / 2)
    scene.collection.objects.link(item)
    scene.camera = item
    scene.render.resolution_x, scene.render.resolution_y = camera.width, camera.height
    scene.render.resolution_percentage = 100
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 64
    scene.view_settings.view_transform = "Standard"


def _first_frame(scene: bpy.types.Scene) -> None:
    """Show the cars of one frame, so that the scene is not empty when it is opened."""
    bpy.context.view_layer.update()
    street = read_street(scene)
    models = model_collections()
    if street is None or not models:
        raise RuntimeError("the city has no street or no cars: its build is broken")
    camera = read_cameras(CAMERAS)["kitti-object"].square(512)
    rig = scene.camera.matrix_world.copy()
    setup = sample_frame(street, [model_size(c) for c in models.values()], camera, seed=0, index=3)
    apply(scene, setup, models)
    scene.camera.matrix_world = rig


if __name__ == "__main__":
    main()
