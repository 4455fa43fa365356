"""Every operator of the installed zip, on the shipped city and on a car from a file, then away with it."""

from __future__ import annotations

import sys
from pathlib import Path

import fresh_blender
import pytest

from assets import CITY
from pipelines.setup.addon_zip import build_addon

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

STORY = """
FINISHED = {"FINISHED"}
ran = set()

def run(name, **options):
    assert getattr(bpy.ops.gis, name)(**options) == FINISHED, name
    ran.add(name)

def datasets(out, count):
    settings = bpy.context.scene.gis_dataset
    settings.count, settings.out = count, str(out / "set")
    run("find_environment")
    run("check_environment")
    run("synthesize_dataset")
    assert settings.state == "DONE", settings.message
    assert len(list((out / "set" / "images").iterdir())) == count
    settings.out = str(out / "passes")
    run("render_dataset")
    assert settings.state == "DONE", settings.message
    # Nothing runs and nothing was cut short: these three refuse.
    for name in ("continue_dataset", "cancel_dataset", "cancel_render"):
        assert not getattr(bpy.ops.gis, name).poll(), name
        ran.add(name)

def view():
    run("render_view", what="ALL")
    for name in ("GIS Depth", "GIS Mask", "GIS Zones", "GIS Thermal"):
        assert name in bpy.data.images, name

out = Path(out)
bpy.ops.wm.open_mainfile(filepath=city)
scene = bpy.context.scene
run("add_car", model="taxi")
run("scatter_traffic")
run("add_person", person="person_05", pose="walk_03")
run("add_two_wheeler", model="bicycle_01.rider_22")
run("add_other", model="deer_01.stand")
scene.gis_thermal.camera = "kitti-object"
run("add_camera")
run("count_zones")
view()
scene.render.resolution_x, scene.render.resolution_y = 160, 120
datasets(out / "city", 1)

bpy.ops.wm.read_homefile(use_empty=True)
scene = bpy.context.scene
scene.gis_thermal.car_file = car
scene.cursor.location = (10.0, 0.0, 0.0)
run("import_car")
bpy.ops.mesh.primitive_cube_add(location=(9.0, 3.0, 1.0))  # the imported car is an instance of its collection
run("guess_zones")
scene.gis_thermal.zone = "glass"
run("assign_zone", target="OBJECT")
run("edit_faces")
assert bpy.context.mode == "EDIT_MESH"
bpy.ops.object.mode_set(mode="OBJECT")
run("mark_car")
run("count_zones")
run("select_zone", zone=3)
run("show_overlay", kind="ZONES")
run("show_overlay", kind="TEMPERATURE")
run("hide_overlay")
run("show_message")
scene.cursor.location = (0.0, 0.0, 0.0)
scene.gis_thermal.camera = "flir-one-pro"
run("add_camera")
view()
datasets(out / "car", 1)

offered = set(dir(bpy.ops.gis))
assert offered == ran, offered ^ ran
bpy.ops.preferences.addon_disable(module=module)
assert not hasattr(bpy.types.Scene, "gis_thermal")
folder = Path(bpy.utils.user_resource("EXTENSIONS")) / "user_default" / "gis_thermal"
assert folder.is_dir()
bpy.ops.extensions.package_uninstall(repo_index=[
    repo.module for repo in bpy.context.preferences.extensions.repos
].index("user_default"), pkg_id="gis_thermal")
assert not folder.exists()
"""


@pytest.mark.slow
def test_every_operator_of_the_installed_zip(tmp_path: Path, shared_data: Path) -> None:
    car = sorted((shared_data / "meshes" / "kenney_car_kit").rglob("*taxi*.glb"))[0]
    story = fresh_blender.script(build_addon(tmp_path), STORY, city=str(CITY), car=str(car), out=str(tmp_path))
    done = fresh_blender.run([sys.executable, "-c", story], tmp_path, 400, GIS_PYTHON=sys.executable)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert "RAN" in done.stdout
