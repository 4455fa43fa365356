"""Every operator without a window, on small scenes, the shipped city and an imported car."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from assets import CITY  # noqa: E402
from blender_addon import adapter  # noqa: E402
from blender_addon.data import images, mesh_zones, thermal_image  # noqa: E402
from blender_addon.jobs.view_job import VIEW  # noqa: E402
from blender_addon.ui import overlay  # noqa: E402
from renderer.zones.catalogue import Zone  # noqa: E402

FINISHED, CANCELLED = {"FINISHED"}, {"CANCELLED"}
Scene = bpy.types.Scene


@pytest.fixture
def cube(empty: Scene) -> bpy.types.Object:
    bpy.ops.mesh.primitive_cube_add(size=2.0)
    return bpy.context.active_object


@pytest.fixture
def city(addon: None) -> Scene:
    bpy.ops.wm.open_mainfile(filepath=str(CITY), load_ui=False, use_scripts=False)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 96, 100
    return scene


def test_registering_twice_leaves_nothing(addon: None) -> None:
    import blender_addon

    blender_addon.unregister()
    before = (set(dir(bpy.types)), set(dir(bpy.ops.gis)), len(bpy.app.handlers.load_post), set(dir(bpy.types.Scene)))
    for _ in range(2):
        blender_addon.register()
        blender_addon.unregister()
    after = (set(dir(bpy.types)), set(dir(bpy.ops.gis)), len(bpy.app.handlers.load_post), set(dir(bpy.types.Scene)))
    blender_addon.register()
    assert after == before
    assert not any(name.startswith("GIS_") for name in before[0])


def test_every_property_is_named_and_described(addon: None) -> None:
    from blender_addon.ui.dataset_properties import GIS_PG_dataset
    from blender_addon.ui.properties import CLASSES

    operators = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("GIS_OT")]
    assert len(operators) >= 15
    for group in (*CLASSES, GIS_PG_dataset, *operators):
        for field in group.bl_rna.properties:
            if field.identifier not in {
                "rna_type",
                "name",
                "properties",
                "has_reports",
                "layout",
                "options",
                "macros",
            } and not field.identifier.startswith("bl_"):
                assert all((field.name, field.description)), (group, field.identifier)


def test_zone_of_object_material_and_faces(cube: bpy.types.Object) -> None:
    settings = bpy.context.scene.gis_thermal
    settings.zone = "body"
    assert bpy.ops.gis.assign_zone(target="OBJECT") == FINISHED
    assert (mesh_zones.read(cube.data) == Zone.BODY).all()
    cube.data.materials.append(bpy.data.materials.new("plain"))
    cube.data.materials.append(bpy.data.materials.new("black"))
    cube.data.polygons[2].material_index, cube.active_material_index = 1, 1
    settings.zone = "tyre"
    assert bpy.ops.gis.assign_zone(target="MATERIAL") == FINISHED
    assert mesh_zones.read(cube.data).tolist() == [1, 1, 6, 1, 1, 1]
    bpy.context.tool_settings.mesh_select_mode = (False, False, True)
    for elements in (cube.data.vertices, cube.data.edges):
        elements.foreach_set("select", np.zeros(len(elements), np.bool_))
    cube.data.polygons.foreach_set("select", np.arange(6) == 4)
    bpy.ops.object.mode_set(mode="EDIT")
    settings.zone = "glass"
    assert bpy.ops.gis.assign_zone(target="FACES") == FINISHED
    assert cube.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert mesh_zones.read(cube.data).tolist() == [1, 1, 6, 1, 3, 1]
    assert {row.name: row.faces for row in settings.zone_rows} == {"body": 4, "tyre": 1, "glass": 1}
    assert bpy.ops.gis.select_zone(zone=6) == FINISHED
    assert mesh_zones.selected_faces(cube.data).tolist() == [False, False, True, False, False, False]


def test_unassigned_faces_are_listed(cube: bpy.types.Object) -> None:
    assert bpy.ops.gis.count_zones() == FINISHED
    (row,) = bpy.context.scene.gis_thermal.zone_rows
    assert (row.zone, row.faces) == (0, 6)


def test_guess_keeps_what_is_assigned_and_names_tell(cube: bpy.types.Object) -> None:
    cube.data.materials.append(bpy.data.materials.new("brick wall"))
    mesh_zones.write(cube.data, np.array([Zone.WINDOW, 0, 0, 0, 0, 0], np.int32))
    assert bpy.ops.gis.guess_zones(kind="STREET") == FINISHED
    assert mesh_zones.read(cube.data).tolist() == [Zone.WINDOW] + [Zone.BUILDING] * 5
    assert bpy.ops.gis.guess_zones(kind="STREET", keep=False) == FINISHED
    assert (mesh_zones.read(cube.data) == Zone.BUILDING).all()


def test_guess_can_be_undone(cube: bpy.types.Object) -> None:
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.gis.guess_zones("EXEC_DEFAULT", True, kind="CAR") == FINISHED
    assert mesh_zones.read(bpy.context.active_object.data).any()
    bpy.ops.ed.undo()
    assert not mesh_zones.read(bpy.context.active_object.data).any()


def _refusal(operator: object, **options: object) -> str:
    with pytest.raises(RuntimeError) as error:
        operator(**options)  # type: ignore[operator]
    return str(error.value)


def test_refusals_say_why(empty: Scene, tmp_path: Path) -> None:
    settings = empty.gis_thermal
    assert not bpy.ops.gis.assign_zone.poll()
    assert "no active camera" in _refusal(bpy.ops.gis.render_view)
    assert "No rendering runs" in _refusal(bpy.ops.gis.cancel_render)
    assert "No overlay" in _refusal(bpy.ops.gis.hide_overlay)
    assert "no mesh" in _refusal(bpy.ops.gis.show_overlay)
    assert "model file" in _refusal(bpy.ops.gis.import_car)
    settings.car_file = str(tmp_path / "none.glb")
    assert "no such file" in _refusal(bpy.ops.gis.import_car)
    bpy.context.collection.objects.link(bpy.data.objects.new("bare", bpy.data.meshes.new("bare")))
    bpy.context.view_layer.objects.active = bpy.data.objects["bare"]
    assert "no faces" in _refusal(bpy.ops.gis.guess_zones)
    assert bpy.ops.gis.add_camera() == FINISHED
    assert "no street" in _refusal(bpy.ops.gis.scatter_traffic)
    empty.camera.data.type = "ORTHO"
    assert "perspective" in _refusal(bpy.ops.gis.render_view)


def test_linked_object_is_refused(cube: bpy.types.Object, tmp_path: Path) -> None:
    path = tmp_path / "library.blend"
    bpy.data.libraries.write(str(path), {cube})
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, target):
        target.objects = ["Cube"]
    linked = target.objects[0]
    bpy.context.collection.objects.link(linked)
    bpy.context.view_layer.objects.active = linked
    assert "linked" in _refusal(bpy.ops.gis.assign_zone)


@pytest.mark.parametrize("name", ["kitti-object", "kitti-360", "flir-one-pro", "flir-adas"])
def test_camera_rig_has_the_presets_intrinsics(empty: Scene, name: str) -> None:
    empty.cursor.location = (3.0, 2.0, 0.5)
    empty.gis_thermal.camera = name
    assert bpy.ops.gis.add_camera() == FINISHED
    bpy.context.view_layer.update()
    from renderer.blender.scene_camera import scene_camera

    preset, camera = adapter.cameras()[name], scene_camera(empty)
    assert (camera.width, camera.height) == (preset.width, preset.height)
    np.testing.assert_allclose(camera.K, preset.K, atol=2e-3)
    matrix = np.array(empty.camera.matrix_world)
    np.testing.assert_allclose(matrix[:3, 3], (3.0, 2.0, 0.5 + preset.height_m), atol=1e-5)
    looks = -matrix[:3, 2]
    assert np.degrees(np.arcsin(-looks[2])) == pytest.approx(preset.pitch_deg, abs=1e-3)
    assert looks[0] > 0.99


def test_shipped_car_is_added_and_marked(empty: Scene) -> None:
    empty.cursor.location = (1.0, 2.0, 0.0)
    assert bpy.ops.gis.add_car(model="taxi") == FINISHED
    assert bpy.ops.gis.add_car(model="taxi") == FINISHED
    cars = [item for item in empty.objects if item.instance_type == "COLLECTION"]
    assert [item["gis_category"] for item in cars] == ["car", "car"]
    assert cars[0].instance_collection == cars[1].instance_collection
    assert tuple(cars[0].location) == (1.0, 2.0, 0.0)


def test_objects_and_collections_are_marked(cube: bpy.types.Object) -> None:
    scene = bpy.context.scene
    scene.gis_thermal.category = "van"
    assert bpy.ops.gis.mark_car() == FINISHED
    assert cube["gis_category"] == "van"
    assert bpy.ops.gis.mark_car(clear=True) == FINISHED
    assert "gis_category" not in cube
    assert "active" in _refusal(bpy.ops.gis.mark_car, what="COLLECTION")
    home = bpy.data.collections.new("my van")
    scene.collection.children.link(home)
    bpy.context.view_layer.active_layer_collection = bpy.context.view_layer.layer_collection.children["my van"]
    assert bpy.ops.gis.mark_car(what="COLLECTION") == FINISHED
    assert home["gis_category"] == "van"


def test_imported_car_is_rendered(empty: Scene, shared_data: Path) -> None:
    model = sorted((shared_data / "meshes" / "kenney_car_kit").rglob("*taxi*.glb"))[0]
    empty.gis_thermal.car_file = str(model)
    empty.cursor.location = (10.0, 0.0, 0.0)
    assert bpy.ops.gis.import_car() == FINISHED
    assert "scaled to a length of" in empty.gis_thermal.message  # the panel tells what was taken for what
    empty.cursor.location = (0.0, 0.0, 0.0)
    empty.gis_thermal.camera = "flir-one-pro"
    assert bpy.ops.gis.add_camera() == FINISHED
    bpy.context.view_layer.update()
    assert bpy.ops.gis.render_view() == FINISHED
    (instance,) = VIEW.frame.instances
    assert instance.visible_px > 300
    zones = set(np.unique(images.values_of("GIS Zones Data")).astype(int))
    assert {Zone.GLASS, Zone.TYRE} <= zones
    assert bpy.ops.gis.show_overlay(kind="ZONES") == FINISHED


def _renderers_frame(path: Path, index: int):  # type: ignore[no-untyped-def]
    """The same view by the renderer's own way, from the stored scene."""
    from renderer.blender.engine import RenderSession
    from renderer.blender.scene_camera import scene_camera

    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    camera = scene_camera(bpy.context.scene)
    with RenderSession(CITY, camera=camera, seed=4) as session:
        return session.frame(index)


def test_passes_equal_the_renderers(city: Scene, tmp_path: Path) -> None:
    city.gis_thermal.seed, city.gis_thermal.index = 4, 2
    assert bpy.ops.gis.scatter_traffic() == FINISHED
    assert bpy.ops.gis.render_view(what="PASSES") == FINISHED
    depth, mask, zone = (images.values_of(f"GIS {name} Data") for name in ("Depth", "Mask", "Zones"))
    frame = _renderers_frame(tmp_path / "copy.blend", 2)
    assert (frame.instance_id > 0).sum() > 500
    np.testing.assert_array_equal(zone, frame.zone)
    # Blender takes the camera's pose apart into angles, in float32.
    np.testing.assert_allclose(depth, np.where(np.isfinite(frame.depth_m), frame.depth_m, 0), rtol=1e-4)
    # Ids are numbered in another order; which pixels belong together is the same.
    pairs = np.unique(np.stack([mask.ravel().astype(int), frame.instance_id.ravel().astype(int)]), axis=1)
    assert len(set(pairs[0])) == len(set(pairs[1])) == pairs.shape[1]


@pytest.mark.filterwarnings("ignore")
def test_cycles_gives_the_same_passes_and_changes_nothing(empty: Scene) -> None:
    empty.gis_thermal.camera = "flir-one-pro"
    assert bpy.ops.gis.add_camera() == FINISHED
    empty.cursor.location = (9.0, 1.0, 0.0)
    assert bpy.ops.gis.add_car(model="hatchback") == FINISHED
    bpy.context.view_layer.update()
    shots = {}
    for engine in ("raster", "cycles"):
        empty.gis_thermal.engine = engine
        nodes = {m.name: len(m.node_tree.nodes) if m.node_tree else 0 for m in bpy.data.materials}
        assert bpy.ops.gis.render_view(what="ALL") == FINISHED
        assert nodes == {m.name: len(m.node_tree.nodes) if m.node_tree else 0 for m in bpy.data.materials}
        shots[engine] = {name: images.values_of(f"GIS {name} Data") for name in ("Depth", "Mask", "Zones")}
    assert empty.render.engine != "CYCLES"
    for name in ("Mask", "Zones"):
        assert (shots["raster"][name] != shots["cycles"][name]).mean() < 1e-3
    assert (shots["raster"]["Mask"] > 0).sum() > 500


def test_thermal_image_follows_profile_hour_and_weather(city: Scene) -> None:
    settings = city.gis_thermal
    settings.seed = 4
    bpy.ops.gis.scatter_traffic()
    pixels = {}
    for profile in ("driving", "cold_soaked"):
        settings.profile, settings.hour, settings.season = profile, 23.0, "winter"
        assert bpy.ops.gis.render_view(what="ALL") == FINISHED
        pixels[profile] = images.values_of("GIS Thermal Data")
    cars = images.values_of("GIS Mask Data") > 0
    assert (pixels["driving"] - pixels["cold_soaked"])[cars].mean() > 1.0
    settings.hour, settings.season = 14.0, "summer"
    assert bpy.ops.gis.render_view(what="THERMAL", reuse=True) == FINISHED
    assert images.values_of("GIS Thermal Data").mean() > pixels["driving"].mean() + 10.0
    assert bpy.data.images["GIS Thermal"].size[:] == (320, 96)


def test_overlay_of_zones_and_temperatures(cube: bpy.types.Object) -> None:
    scene = bpy.context.scene
    mesh_zones.write(cube.data, np.array([Zone.BODY, Zone.EXHAUST, 0, 1, 1, 1], np.int32))
    assert bpy.ops.gis.show_overlay(kind="ZONES") == FINISHED
    colors = cube.data.color_attributes[overlay.ATTRIBUTE].data
    first = cube.data.polygons[1].loop_start
    np.testing.assert_allclose(np.array(colors[first].color_srgb[:3]) * 255, (255, 30, 30), atol=1.0)
    assert bpy.ops.gis.show_overlay(kind="TEMPERATURE") == FINISHED
    settings = scene.gis_thermal
    assert settings.overlay_high_C > settings.overlay_low_C + 3.0  # an exhaust is far above the body
    assert bpy.ops.gis.hide_overlay() == FINISHED
    assert overlay.ATTRIBUTE not in cube.data.color_attributes
    assert settings.overlay == ""


def test_face_temperatures_follow_the_physics(addon: None) -> None:
    """A level road under an overcast sky: the face's temperature is near that of the picture's road."""
    from renderer.thermal.conditions import sample_conditions
    from renderer.thermal.faces import face_temperatures_K
    from renderer.thermal.physics import road_temperature_K

    at = sample_conditions(np.random.default_rng(1), weather="overcast", hour=12.0)
    kelvin = face_temperatures_K(np.array([Zone.ROAD], np.uint8), np.array([[0.0, 0, 1]]), at, adapter.profiles())
    assert kelvin[0] == pytest.approx(road_temperature_K(at, adapter.profiles()), abs=2.0)


def test_coarser_frame_keeps_its_rays(city: Scene) -> None:
    bpy.ops.gis.render_view(what="PASSES")
    frame = VIEW.frame
    cut = thermal_image.coarser(frame, 3)
    np.testing.assert_allclose(cut.camera.rays(), frame.camera.rays()[1::3, 1::3], atol=1e-5)


def _added(scene: Scene) -> list[bpy.types.Object]:
    return sorted((item for item in scene.objects if item.instance_type == "COLLECTION"), key=lambda item: item.name)


def test_shipped_people_are_added_in_their_poses(empty: Scene) -> None:
    empty.cursor.location = (3.0, -1.0, 0.1)
    assert bpy.ops.gis.add_person(person="person_05", pose="walk_03") == FINISHED
    assert bpy.ops.gis.add_person(person="person_22") == FINISHED
    walks, stands = _added(empty)
    assert (walks["gis_model"], walks["gis_category"], walks["gis_profile"]) == (
        "person_05.walk_03",
        "person",
        "walking",
    )
    assert (stands["gis_model"], stands["gis_profile"]) == ("person_22.stand", "standing")
    assert tuple(walks.location) == pytest.approx((3.0, -1.0, 0.1))
    heights = [mesh.dimensions.z for mesh in walks.instance_collection.all_objects]
    assert max(heights) == pytest.approx(1.86, abs=0.12)


def test_a_rider_comes_with_what_it_rides(empty: Scene) -> None:
    assert bpy.ops.gis.add_two_wheeler(model="bicycle_01") == FINISHED
    assert bpy.ops.gis.add_two_wheeler(model="motorcycle_01.rider_07") == FINISHED
    added = {item["gis_model"]: item for item in _added(empty)}
    assert {name: item["gis_category"] for name, item in added.items()} == {
        "bicycle_01": "bicycle", "motorcycle_01": "motorcycle", "motorcycle_01.rider_07": "person",
    }  # fmt: skip
    rider, below = added["motorcycle_01.rider_07"], added["motorcycle_01"]
    assert rider.parent == below
    bpy.context.view_layer.update()
    np.testing.assert_allclose(np.array(rider.matrix_world), np.array(below.matrix_world), atol=1e-6)
    assert added["bicycle_01"]["gis_profile"] == "cold_soaked"


def test_animals_prams_trailers_and_trams_are_added(empty: Scene) -> None:
    wanted = {
        "deer_02.graze": ("deer", "standing"), "boar_01.walk_01": ("boar", "walking"),
        "stroller_01": ("stroller", "bicycle_parked"), "trailer_01": ("trailer", "stationary"),
        "tram_01": ("tram", "tram_in_service"),
    }  # fmt: skip
    for model in wanted:
        assert bpy.ops.gis.add_other(model=model) == FINISHED
    found = {item["gis_model"]: (item["gis_category"], item["gis_profile"]) for item in _added(empty)}
    assert found == wanted


def test_people_in_the_file_drive_no_traffic(empty: Scene) -> None:
    assert bpy.ops.gis.add_person(person="person_01") == FINISHED
    from blender_addon.operators import cars
    from renderer.blender.traffic import model_collections

    assert list(model_collections()) == ["person_01.stand"]
    assert cars._vehicles(model_collections()) == {}


@pytest.mark.parametrize(
    ("category", "zones"),
    [
        ("person", {Zone.SHOES, Zone.LOWER_CLOTHES, Zone.UPPER_CLOTHES, Zone.SKIN, Zone.HAIR}),
        ("dog", {Zone.FUR}), ("deer", {Zone.FUR}), ("bicycle", {Zone.FRAME}), ("motorcycle", {Zone.FRAME}),
        ("hydrant", {Zone.METAL}), ("traffic_light", {Zone.METAL}), ("traffic_sign", {Zone.METAL}),
        ("street_lamp", {Zone.METAL}), ("boar", {Zone.FUR}),
    ],
)  # fmt: skip
def test_any_mesh_can_be_marked_as_anything_and_is_no_car(empty: Scene, category: str, zones: set[Zone]) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(segments=16, ring_count=40)
    item = bpy.context.object
    empty.gis_thermal.category = category
    assert bpy.ops.gis.mark_car() == FINISHED
    assert item["gis_category"] == category
    assert bpy.ops.gis.guess_zones() == FINISHED
    assert set(mesh_zones.read(item.data).tolist()) == zones


def test_a_category_that_there_is_not_gets_one_line(empty: Scene) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object["gis_category"] = "unicorn"
    line = _refusal(bpy.ops.gis.guess_zones)
    assert "'Cube' has gis_category = 'unicorn': expected one of car, van" in line
    assert line.count("\n") <= 1
