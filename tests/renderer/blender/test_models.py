"""Car models from files of every kind, made alike: metres, x forward, z up, on the ground."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fresh_blender
import numpy as np
import pytest
from numpy.typing import NDArray

from assets import CARS, CITY
from renderer.scene.model_pose import LENGTHS_M, ModelPose, end_from_name, is_wheel, model_pose
from renderer.zones.catalogue import Zone

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from renderer.blender import models as blender_models  # noqa: E402
from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.blender.models import load_models  # noqa: E402
from renderer.errors import SceneError  # noqa: E402
from renderer.scene.cars import FrameSetup  # noqa: E402

FILES = {
    "kenney_car_kit/taxi.glb": "car",
    "kenney_car_kit/garbage-truck.glb": "truck",
    "gazebo/suv/meshes/suv.obj": "car",
    "gazebo/bus/meshes/bus.obj": "bus",
    "gazebo/prius_hybrid/meshes/Hybrid.obj": "car",
    "quaternius/basic_car_pack/FBX/CopCar.fbx": "car",
    "quaternius/public_transport/FBX/SchoolBus.fbx": "bus",
    "quaternius/public_transport/Blends/Ambulance.blend": "van",
}


@pytest.fixture
def empty_file() -> Iterator[None]:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    yield
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def points_of(collection: Any) -> NDArray[np.float64]:
    """All vertices of a model in its own axes."""
    found = []
    for item in collection.objects:
        flat = np.empty(len(item.data.vertices) * 3, np.float32)
        item.data.vertices.foreach_get("co", flat)
        matrix = np.array(item.matrix_basis)
        found.append(flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3])
    return np.concatenate(found)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.usefixtures("empty_file")
def test_real_models(file: str, shared_data: Path) -> None:
    path = shared_data / "meshes" / file
    models, notes = load_models(path)
    (model,) = models.values()
    category = model["gis_category"]
    assert (path.stem, category) == (model["gis_model"], FILES[file])
    assert all(path.stem in note for note in notes)
    points = points_of(model)
    low, high = points.min(axis=0), points.max(axis=0)
    length, width, height = high - low
    np.testing.assert_allclose(
        (length, width, height), [model[f"gis_{side}_m"] for side in ("length", "width", "height")], rtol=1e-4
    )
    shortest, longest = LENGTHS_M[category]
    # Toy-like models are so wide that they are made shorter than any real one.
    assert 0.85 * shortest <= length <= longest
    assert 1.2 < width < 3.6 < length + 1
    assert 1.0 < height < 4.6
    assert length > width
    np.testing.assert_allclose([low[2], low[0] + high[0], low[1] + high[1]], 0, atol=1e-3)
    # Mirror images left to right.
    assert np.abs(np.sort(points[:, 1]) - np.sort(-points[:, 1])).mean() < 0.1
    assert not bpy.context.scene.objects


# Where the fronts of the files are, in Blender after import, seen in pictures: grilles, lamps, driver's doors.
FRONTS = {
    "gazebo/*/meshes/*.obj": (0, 0, -1),
    "gazebo/fire_truck/meshes/*.obj": (0, 0, 1),
    "gazebo/suv/meshes/*.obj": (0, 0, 1),
    "kenney_car_kit/*.glb": (0, -1, 0),
    "quaternius/*/FBX/*.fbx": (0, -1, 0),
    "quaternius/*/Blends/*.blend": (0, -1, 0),
    "quaternius/public_transport/*/*Bus.[fb]*": (-1, 0, 0),
    "quaternius/car_pack_2016/Blends/SimpleCar.blend": (1, 0, 0),
    "quaternius/car_pack_2016/Blends/Truck.blend": (1, 0, 0),
}


@pytest.mark.usefixtures("empty_file")
def test_the_front_is_told_by_the_shape_alone(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All models there are, also turned round, without what the format or names say."""
    seen: list[tuple[NDArray[np.float64], NDArray[np.float64], str]] = []

    def spy(points: NDArray[np.float64], edges: NDArray[np.float64], category: str, forward: object) -> ModelPose:
        seen.append((points, edges, category))
        return model_pose(points, edges, category)

    monkeypatch.setattr(blender_models, "model_pose", spy)
    found = {path: front for pattern, front in FRONTS.items() for path in (shared_data / "meshes").glob(pattern)}
    cars = {path: front for path, front in found.items() if "Traffic" not in path.name}
    assert len(cars) > 35
    wrong = []
    for path, front in cars.items():
        load_models(path)
        points, edges, category = seen.pop()
        # Models that stand upright (z or y up) are only turned about what is up in them.
        for turn in (np.eye(3), np.diag([-1.0, -1.0, 1.0] if front[2] == 0 else [-1.0, 1.0, -1.0])):
            pose = model_pose(points @ turn, edges @ turn, category)
            forward = pose.transform[:3, :3] @ turn.T @ np.array(front)
            wrong += [path.name] if forward[0] < 0.9 * np.linalg.norm(forward) else []
    assert not wrong


@pytest.mark.usefixtures("empty_file")
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_shipped_cars_face_forward_by_their_shape(sign: float) -> None:
    models, _ = load_models(CARS)
    assert len(models) == 26
    for name, model in models.items():
        points, edges = [], []
        for item in model.objects:
            matrix = np.array(item.matrix_basis)
            for read, into in ((blender_models._positions, points), (blender_models._edges, edges)):
                into.append(sign * (read(item.data) @ matrix[:3, :3].T + matrix[:3, 3]) * (1.0, 1.0, sign))
        pose = model_pose(np.concatenate(points), np.concatenate(edges), model["gis_category"])
        assert np.sign(pose.transform[0, 0]) == sign, name


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("FrontWheels.001", "front"),
        ("wheel-back-left", "rear"),
        ("Head_Lights", "front"),
        ("headlight.L", "front"),
        ("brakeLight", "rear"),
        ("brake_disc", None),
        ("rear windscreen", "rear"),
        ("Windshield", "front"),
        ("rearview_mirror", None),
        ("hatchback", None),
        ("TAIL LAMPS", "rear"),
        ("Material.004", None),
        ("", None),
    ],
)
def test_ends_by_name(name: str, end: str | None) -> None:
    assert end_from_name(name) == end


@pytest.mark.parametrize("material", ["headlights", "Taillight", "paint"])
@pytest.mark.usefixtures("empty_file")
def test_one_named_end_is_enough(material: str, tmp_path: Path) -> None:
    """A box with a lamp at its -x end, named by the lamp's material."""
    for name, x, size in (("body", 0.0, (2.1, 0.9, 0.5)), ("lamp", -2.0, (0.1, 0.2, 0.1))):
        bpy.ops.mesh.primitive_cube_add(location=(x, 0, 0.5), scale=size)
        bpy.context.object.data.materials.append(bpy.data.materials.new("paint" if name == "body" else material))
        bpy.context.object.name = name.replace("lamp", "part")
    path = tmp_path / "thing.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    models, _ = load_models(path)
    part = next(item for item in models["thing"].objects if item.name.endswith("part"))
    at = np.mean([vertex.co.x for vertex in part.data.vertices]) + part.location.x
    assert np.sign(at) == (1.0 if material == "headlights" else -1.0)


@pytest.mark.parametrize("file", ["kenney_car_kit/sedan.glb", "gazebo/hatchback/meshes/hatchback.obj"])
@pytest.mark.usefixtures("empty_file")
def test_real_cars_look_forward(file: str, shared_data: Path) -> None:
    """In a car with a bonnet the cabin (all that is above three quarters of its height) is behind the middle."""
    models, _ = load_models(shared_data / "meshes" / file)
    (model,) = models.values()
    points = points_of(model)
    cabin = points[points[:, 2] > 0.8 * points[:, 2].max(), 0]
    assert cabin.min() + cabin.max() < 0


WEDGE = np.array(
    # A car's side view, front at +x: bonnet low, windscreen sloped, rear upright. (x, z)
    [(2.2, 0.0), (2.2, 0.7), (1.0, 0.8), (0.3, 1.4), (-1.7, 1.4), (-2.1, 0.8), (-2.2, 0.0)]
)


def wedge() -> NDArray[np.float64]:
    """That side view at many places across, 1.7 m wide."""
    along = np.concatenate([np.linspace(a, b, 12) for a, b in zip(WEDGE, np.roll(WEDGE, -1, axis=0), strict=True)])
    across = np.linspace(-0.85, 0.85, 15)
    return np.array([(x, y, z) for x, z in along for y in across])


def all_edges(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """An edge from every point to the next."""
    return np.stack([points, np.roll(points, -1, axis=0)], axis=1)


TURNS = {
    "as it is": np.eye(3),
    "backwards": np.diag([-1.0, -1.0, 1.0]),
    "to the left": np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "y up": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]) @ np.diag([1.0, 1, 1]),
    "y up, z forward": np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("unit", [1.0, 0.01, 0.0254, 37.0])
def test_a_wedge_comes_back_from_any_axes_and_unit(turn: str, unit: float) -> None:
    points = wedge() @ TURNS[turn].T / unit + (3.0, 2.0, 5.0)
    pose = model_pose(points, all_edges(points), "car")
    back = points @ pose.transform[:3, :3].T + pose.transform[:3, 3]
    assert np.linalg.det(pose.transform[:3, :3]) > 0
    expected = wedge() * (1.0 if unit < 30 else pose.size_m[0] / 4.4)
    np.testing.assert_allclose(np.sort(back[:, 0]), np.sort(expected[:, 0]), atol=1e-6)
    np.testing.assert_allclose(np.sort(back[:, 2]), np.sort(expected[:, 2]), atol=1e-6)
    top = back[back[:, 2] > 0.99 * back[:, 2].max(), 0]
    assert top.mean() < 0
    assert (not pose.notes) == (turn == "as it is" and unit == 1.0)


@pytest.mark.usefixtures("empty_file")
def test_own_models_come_as_they_are() -> None:
    models, notes = load_models(CARS)
    assert not notes
    assert {"hatchback", "saloon", "van", "bus"} <= set(models)
    for model in models.values():
        assert model["gis_length_m"] > model["gis_width_m"]


@pytest.mark.usefixtures("empty_file")
def test_a_folder_of_models(shared_data: Path, tmp_path: Path) -> None:
    for file in ("taxi.glb", "van.glb"):
        (tmp_path / file).write_bytes((shared_data / "meshes/kenney_car_kit" / file).read_bytes())
    (tmp_path / "readme.txt").write_text("no model", encoding="utf-8")
    models, _ = load_models(tmp_path)
    assert {name: model["gis_category"] for name, model in models.items()} == {"taxi": "car", "van": "van"}
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "van.glb").write_bytes((tmp_path / "van.glb").read_bytes())
    with pytest.raises(SceneError, match=r"second model is called 'van'"):
        load_models(tmp_path)


BROKEN = {
    "car.3ds": (b"MM", "unknown kind"),
    "car.stl": (b"solid", "could not be imported|no mesh"),
    "car.ply": (b"ply\n", "could not be imported|no mesh"),
    "car.glb": (b"glTF" + bytes(40), "could not be imported"),
    "text.glb": (b"hello", "could not be imported"),
    "car.gltf": (b"{", "could not be imported"),
    "car.fbx": (b"Kaydara", "could not be imported|no mesh"),
    "car.obj": (b"v 1 2 3\n", "no mesh"),
    "faces.obj": (b"v 0 0 0\nf 1 2 3\n", "no mesh|could not be imported"),
    "car.usd": (b"PXR", "could not be imported|no mesh"),
    "car.blend": (b"BLENDER-v305", "truncated"),
    "none.glb": (None, "no such file"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.usefixtures("empty_file")
def test_broken_files(name: str, tmp_path: Path) -> None:
    content, message = BROKEN[name]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SceneError, match=message) as caught:
        load_models(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("suffix", ["ply", "stl"])
@pytest.mark.usefixtures("empty_file")
def test_bare_meshes(suffix: str, tmp_path: Path) -> None:
    mesh = bpy.data.meshes.new("wedge")
    corners = [(x, y, z) for y in (-0.85, 0.85) for x, z in WEDGE]
    count = len(WEDGE)
    walls = [(k, (k + 1) % count, count + (k + 1) % count, count + k) for k in range(count)]
    mesh.from_pydata(corners, [], [tuple(range(count))[::-1], tuple(range(count, 2 * count)), *walls])
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("wedge", mesh))
    path = tmp_path / f"car.{suffix}"
    getattr(bpy.ops.wm, f"{suffix}_export")(filepath=str(path), forward_axis="Y", up_axis="Z")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    (model,) = load_models(path)[0].values()
    size = [model[f"gis_{side}_m"] for side in ("length", "width", "height")]
    assert size == pytest.approx([4.4, 1.7, 1.4], abs=1e-4)


def test_a_blender_without_an_importer_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "car.glb"
    path.touch()
    monkeypatch.setitem(blender_models._IMPORTERS, ".glb", (("import_scene", "gone"),))
    with pytest.raises(SceneError, match=r"no importer for \.glb files.*Add-ons"):
        load_models(path)


def test_the_reason_is_the_error_not_its_place() -> None:
    traceback = "Error: Python: Traceback (most recent call last):\n  File 'a', line 1\n    np.bool\n       ^^^\n"
    said = blender_models._reason(
        f"{traceback}AttributeError: no attribute 'bool'.\nSee the notes\nLocation: ops.py:1\n"
    )
    assert said == "AttributeError: no attribute 'bool'."
    assert blender_models._reason("Error: Bad glTF: no magic\n") == "Bad glTF: no magic"
    assert blender_models._reason("") == "no reason given"


GLB_IN_OLD_BLENDER = """
import os, sys, traceback
sys.path.insert(0, {root!r})
try:
    import numpy as np
    from pathlib import Path
    from renderer.blender.models import load_models
    had = "bool" in vars(np)
    models, notes = load_models(Path({path!r}))
    assert ("bool" in vars(np)) == had
    print("FACES", sum(len(item.data.polygons) for item in models["taxi"].objects), flush=True)
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
os._exit(0)
"""


@pytest.mark.skipif(fresh_blender.PROGRAM is None, reason=fresh_blender.NO_PROGRAM)
@pytest.mark.usefixtures("empty_file")
def test_glb_in_the_blender_program(shared_data: Path, tmp_path: Path) -> None:
    path, script = shared_data / "meshes/kenney_car_kit/taxi.glb", tmp_path / "use.py"
    script.write_text(GLB_IN_OLD_BLENDER.format(root=str(Path(__file__).parents[3]), path=str(path)), encoding="utf-8")
    if not fresh_blender.has_numpy(tmp_path):
        pytest.skip(fresh_blender.NO_NUMPY)
    done = fresh_blender.run(fresh_blender.program("-P", str(script)), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (model,) = load_models(path)[0].values()
    assert f"FACES {sum(len(item.data.polygons) for item in model.objects)}\n" in done.stdout


@pytest.mark.usefixtures("empty_file")
def test_a_folder_without_models(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="no car model in this folder"):
        load_models(tmp_path)


def test_a_truncated_real_model(shared_data: Path, tmp_path: Path) -> None:
    for file in ("kenney_car_kit/taxi.glb", "quaternius/public_transport/Blends/Bus.blend"):
        data = (shared_data / "meshes" / file).read_bytes()
        path = tmp_path / Path(file).name
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(SceneError, match=path.name):
            load_models(path)


def test_zones_of_a_foreign_model_in_a_frame(shared_data: Path, setup_of: Callable[..., FrameSetup]) -> None:
    """A car with no zones of its own: they are guessed, that is said, and the windows are above the tyres."""
    path = shared_data / "meshes/gazebo/hatchback/meshes/hatchback.obj"
    with RenderSession(CITY, cars=path) as session:
        frame = session.frame_on_plane(setup_of(("hatchback", 9.0, 1.0, 0.5)))
    assert any("zones of" in note and "hatchback" in note for note in frame.notes)
    rows = {zone: np.nonzero(frame.zone == zone)[0] for zone in (Zone.GLASS, Zone.TYRE, Zone.BODY)}
    total = frame.instances[0].visible_px
    for found in rows.values():
        assert len(found) > 0.02 * total
    assert np.median(rows[Zone.GLASS]) < np.median(rows[Zone.BODY]) < np.median(rows[Zone.TYRE])


def box_points(low: tuple[float, float, float], high: tuple[float, float, float]) -> NDArray[np.float64]:
    """Points all over a box."""
    axes = [np.linspace(a, b, 9) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("forward", [1.0, -1.0])
@pytest.mark.parametrize(
    "upper",
    [((0.4, -0.9, 1.0), (1.6, 0.9, 1.8)), ((-3.0, -0.9, 1.0), (1.2, 0.9, 3.0))],
    ids=["pickup: a short cab in front", "lorry: a long box behind"],
)
def test_trucks_face_their_cab(
    upper: tuple[tuple[float, float, float], tuple[float, float, float]], forward: float
) -> None:
    points = np.concatenate([box_points((-3, -1, 0), (3, 1, 1)), box_points(*upper)])
    points *= (forward, forward, 1.0)
    pose = model_pose(points, all_edges(points), "truck")
    assert np.sign(pose.transform[0, 0]) == forward


def test_wheels_alone_and_two_on_an_axle() -> None:
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack([0.3 * np.cos(turn), np.zeros(24), 0.3 + 0.3 * np.sin(turn)], axis=-1)
    one = np.concatenate([rim + np.array([1.2, y, 0.0]) for y in (0.6, 0.8)])
    two = np.concatenate([one, one * (1, -1, 1)])
    size_m = (4.2, 1.8, 1.5)
    assert is_wheel(one, size_m)
    assert is_wheel(two, size_m)
    assert not is_wheel(np.concatenate([two, [(1.2, 0.0, 0.3)]]), size_m)  # an axle, or a drum, between them
    assert not is_wheel(one + np.array([0.0, 0.0, 0.6]), size_m)


@pytest.mark.usefixtures("empty_file")
def test_the_front_is_where_the_parts_called_front_are(tmp_path: Path) -> None:
    for name, x in (("body", 0.0), ("FrontAxle", -1.5), ("BackAxle", 1.5)):
        bpy.ops.mesh.primitive_cube_add(location=(x, 0, 0.5))
        bpy.context.object.name = name
        bpy.context.object.scale = (2.1, 0.9, 0.5) if name == "body" else (0.2, 0.8, 0.2)
    path = tmp_path / "thing.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    (model,) = load_models(path)[0].values()
    front = next(item for item in model.objects if "FrontAxle" in item.name)
    assert np.mean([vertex.co.x for vertex in front.data.vertices]) + front.location.x > 1.0
