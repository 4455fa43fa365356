"""Data sets from the panel, made by the real ``gis`` in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import fresh_blender
import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from blender_addon.data import pass_files  # noqa: E402
from blender_addon.jobs import process  # noqa: E402
from blender_addon.jobs.dataset_job import RUNNER  # noqa: E402
from blender_addon.ui import dataset_watch, preferences, thumbnails  # noqa: E402

FINISHED, CANCELLED = {"FINISHED"}, {"CANCELLED"}
Scene = bpy.types.Scene


@pytest.fixture(autouse=True)
def nothing_stays(addon: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GIS_PYTHON", sys.executable)
    yield
    dataset_watch.stop()


@pytest.fixture
def two_cars(empty: Scene) -> Scene:
    bpy.ops.mesh.primitive_plane_add(size=200.0)
    empty.gis_thermal.zone = "road"
    bpy.ops.gis.assign_zone(target="OBJECT")
    for x, y, model in ((10.0, -2.0, "hatchback"), (16.0, 2.5, "taxi")):
        empty.cursor.location = (x, y, 0.0)
        bpy.ops.gis.add_car(model=model)
    empty.cursor.location = (0.0, 0.0, 0.0)
    empty.gis_thermal.camera = "flir-one-pro"
    bpy.ops.gis.add_camera()
    empty.gis_dataset.model = "PHYSICS"  # which loads no network
    return empty


def refusal(operator: object) -> str:
    with pytest.raises(RuntimeError) as error:
        operator()  # type: ignore[operator]
    return str(error.value)


def begin(scene: Scene, what: str = "synthesize") -> process.Job:
    """Start as a window does: without waiting."""
    from blender_addon.operators.dataset import command_of_scene

    dataset_watch.start(command_of_scene(scene, what))
    assert RUNNER.job is not None
    return RUNNER.job


def tick_until(condition: object, seconds: float = 120.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < limit
        dataset_watch.tick()
        time.sleep(0.02)


def records(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "frames.jsonl").read_text(encoding="utf-8").splitlines()]


def test_cars_of_the_users_scene_are_labelled(two_cars: Scene, tmp_path: Path) -> None:
    mine = tmp_path / "mine.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(mine), check_existing=False)
    before = mine.read_bytes(), set(tmp_path.iterdir())
    two_cars.cursor.location = (5.0, 5.0, 0.0)
    settings = two_cars.gis_dataset
    settings.out, settings.count, settings.seed = "//new/set", 2, 3
    assert bpy.ops.gis.synthesize_dataset() == FINISHED
    out = tmp_path / "new" / "set"
    assert (settings.state, settings.progress) == ("DONE", 1.0)
    assert settings.message.startswith(f"2 frames in {out}")
    assert "same view" in settings.message
    frames = records(out)
    assert [record["scene"] for record in frames] == ["mine.blend"] * 2
    for record in frames:
        cars = record["instances"]
        assert isinstance(cars, list)
        assert {car["model"] for car in cars} == {"hatchback", "taxi"}
        assert all(car["labelled"] and car["visible_px"] > 100 for car in cars)
        assert record["sensor"] == "flir-one-pro"
    assert json.loads((out / "annotations" / "coco.json").read_text(encoding="utf-8"))["annotations"]
    # The user's file is as it was, and still the open one.
    assert (mine.read_bytes(), Path(bpy.data.filepath)) == (before[0], mine)
    assert set(tmp_path.iterdir()) - before[1] == {tmp_path / "new"}
    assert (tmp_path / "new" / "set.log").is_file()


def model_options(scene: Scene) -> list[str]:
    """What the command for a scene says of the model."""
    from blender_addon.operators.dataset import command_of_scene

    command = command_of_scene(scene, "synthesize")
    shutil.rmtree(command.folder)
    words = iter(command.arguments)
    return [part for word in words if word in ("--model", "--weights") for part in (word, next(words))]


def test_the_model_is_named_only_where_the_user_names_it(two_cars: Scene, tmp_path: Path) -> None:
    settings = two_cars.gis_dataset
    settings.out = str(tmp_path / "out")
    settings.property_unset("model")
    assert model_options(two_cars) == []
    settings.model = "PHYSICS"
    assert model_options(two_cars) == ["--model", "physics"]
    settings.model, settings.weights = "NAMED", str(tmp_path / "mine.safetensors")
    with pytest.raises(ValueError, match="Name the translation model"):
        model_options(two_cars)
    settings.model_name = "cut"
    assert model_options(two_cars) == ["--model", "cut", "--weights", str(tmp_path / "mine.safetensors")]


def test_the_button_makes_what_the_command_makes(two_cars: Scene, tmp_path: Path) -> None:
    """Nothing chosen but the seed: the same records and pixels."""
    settings, mine = two_cars.gis_dataset, tmp_path / "mine.blend"
    settings.out, settings.count, settings.seed = str(tmp_path / "panel"), 1, 3
    settings.property_unset("model")
    bpy.ops.wm.save_as_mainfile(filepath=str(mine), check_existing=False)
    assert bpy.ops.gis.synthesize_dataset() == FINISHED
    options = ["--scene", str(mine), "--count", "1", "--seed", "3", "--out", str(tmp_path / "command")]
    gis = [*preferences.gis_command(), "synthesize", *options]
    done = fresh_blender.run(gis, tmp_path)  # without this process's PYTHONPATH, as the panel's command
    assert done.returncode == 0, done.stderr
    panel, command = tmp_path / "panel", tmp_path / "command"
    (ours,), (theirs,) = records(panel), records(command)
    assert ours.pop("files").keys() == theirs.pop("files").keys()  # type: ignore[attr-defined]
    for record in (ours, theirs):
        record.pop("record_sha256", None)  # of the files' hashes too
    assert ours == theirs
    for name in ("images/000000.png", "masks/000000.png"):
        pixels = (cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for folder in (panel, command))
        np.testing.assert_array_equal(*pixels)


def test_passes_are_those_of_the_panels_view(two_cars: Scene, tmp_path: Path) -> None:
    from blender_addon.data import images
    from pipelines.io.exr import read_exr

    settings = two_cars.gis_dataset
    settings.out, settings.count = str(tmp_path / "passes"), 1
    assert bpy.ops.gis.render_dataset() == FINISHED
    assert bpy.ops.gis.render_view(what="PASSES") == FINISHED
    path = tmp_path / "passes" / "passes" / "000000.exr"
    stored = read_exr(path)
    for name, values in stored.items():
        np.testing.assert_array_equal(pass_files.read_pass(path, name), values)
    with pytest.raises(ValueError, match="channel none"):
        pass_files.read_pass(path, "none")
    path.with_suffix(".cut").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="expected passes"):
        pass_files.read_pass(path.with_suffix(".cut"), "zone")
    assert len(thumbnails.icons("last")) == 1
    np.testing.assert_array_equal(stored["zone"], images.values_of("GIS Zones Data"))
    depth = images.values_of("GIS Depth Data")
    np.testing.assert_allclose(np.where(np.isfinite(stored["Z"]), stored["Z"], 0.0), depth, rtol=1e-5)
    assert (stored["instance"] > 0).sum() > 100


def test_killed_in_the_middle_then_continued_is_complete(two_cars: Scene, tmp_path: Path) -> None:
    settings, out = two_cars.gis_dataset, tmp_path / "out"
    settings.out, settings.count = str(out), 40
    job = begin(two_cars)
    assert (settings.state, settings.progress) == ("RUNNING", 0.0)
    assert not bpy.ops.gis.synthesize_dataset.poll()
    tick_until(lambda: settings.progress > 0)
    assert 0 < settings.progress < 1
    os.kill(job.process.pid, signal.SIGKILL)
    tick_until(lambda: settings.state != "RUNNING", 20)
    assert settings.state == "FAILED"
    assert "SIGKILL" in settings.message
    assert "\n" not in settings.message
    assert dataset_watch.tick() is None
    assert 0 < len(records(out)) < 40
    assert "holds files" in refusal(bpy.ops.gis.synthesize_dataset)
    bpy.data.objects["Plane"].location.z = -1.0  # an edit made since must not mix two scenes
    assert bpy.ops.gis.continue_dataset() == FINISHED
    assert settings.state == "DONE"
    assert [record["index"] for record in records(out)] == list(range(40))
    assert not bpy.ops.gis.continue_dataset.poll()


def test_cancelled_undone_and_another_file_opened(two_cars: Scene, tmp_path: Path) -> None:
    bpy.context.preferences.edit.use_global_undo = True
    settings = two_cars.gis_dataset
    settings.out, settings.count = str(tmp_path / "out"), 900
    job = begin(two_cars)
    bpy.ops.ed.undo_push(message="while it runs")
    bpy.context.scene.gis_dataset.seed = 5
    bpy.ops.ed.undo_push(message="seed")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "running.blend"), check_existing=False)
    tick_until(lambda: job.progress > 0)
    assert bpy.ops.gis.cancel_dataset() == FINISHED
    assert bpy.context.scene.gis_dataset.state == "CANCELLING"
    tick_until(lambda: not RUNNER.is_running, 30)
    bpy.ops.ed.undo()
    assert bpy.context.scene.gis_dataset.state == "CANCELLED"
    assert bpy.context.scene.gis_dataset.message.startswith("Cancelled after")
    assert 0 < len(records(tmp_path / "out")) < 900
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "running.blend"))
    assert bpy.context.scene.gis_dataset.state == "CANCELLED"
    assert bpy.ops.gis.continue_dataset.poll()
    assert job.process.poll() is not None


def test_folder_that_cannot_be_written(two_cars: Scene, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="ascii")
    settings = two_cars.gis_dataset
    for out, why in (("/proc/none", "cannot be written"), (str(tmp_path / "file" / "out"), "is a file")):
        settings.out = out
        for operator in (bpy.ops.gis.synthesize_dataset, bpy.ops.gis.render_dataset):
            assert why in refusal(operator)
            assert settings.state == "FAILED"
            assert why in settings.message
            assert settings.message == two_cars.gis_thermal.message
    settings.out = str(tmp_path / "fine")
    assert bpy.ops.gis.synthesize_dataset.poll()  # and the next try is free


def test_environment_without_gis(two_cars: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python3"
    bare.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} -I -S -m pipelines.cli "$@"\n', encoding="ascii")
    bare.chmod(0o755)
    monkeypatch.setenv("GIS_PYTHON", str(bare))
    settings = two_cars.gis_dataset
    settings.out = str(tmp_path / "out")
    for operator in (bpy.ops.gis.check_environment, bpy.ops.gis.synthesize_dataset):
        assert "this Python has no gis" in refusal(operator)
        assert (settings.state, settings.message.split(":")[0]) == ("FAILED", "this Python has no gis")
    assert not bpy.ops.gis.continue_dataset.poll()
    monkeypatch.setattr(preferences, "known_program", lambda: "")
    assert "No Python with gis" in refusal(bpy.ops.gis.synthesize_dataset)
    assert "No Python with gis" in refusal(bpy.ops.gis.find_environment)


def _planted(folder: Path) -> Path:
    """Programs where a search might come by, each of which leaves a file that tells of it; returns that file."""
    canary = folder / "canary"
    text = f"#!/bin/sh\necho $0 >> '{canary}'\n"
    for place in (folder, *list(folder.parents)[:3]):
        for name in ("gis", "bin/gis", ".venv/bin/gis", "venv/bin/gis", ".venv/bin/python", "venv/bin/python"):
            path = place / name
            if place.is_relative_to(folder.parents[1]) and not path.parent.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="ascii")
                path.chmod(0o755)
    return canary


def test_nothing_beside_the_open_file_is_started(
    two_cars: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = tmp_path / "archive" / "scenes"
    brought.mkdir(parents=True)
    canary = _planted(brought)
    monkeypatch.delenv("GIS_PYTHON")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", ":.:.venv/bin:/usr/bin:/bin")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "none"))
    monkeypatch.chdir(brought)
    bpy.ops.wm.save_as_mainfile(filepath=str(brought / "scene.blend"))
    two_cars = bpy.context.scene
    two_cars.gis_dataset.out = str(tmp_path / "out")
    for operator in (bpy.ops.gis.find_environment, bpy.ops.gis.check_environment, bpy.ops.gis.synthesize_dataset):
        assert "No Python with gis" in refusal(operator)
    named = SimpleNamespace(program="//.venv/bin/gis")
    monkeypatch.setattr(preferences, "preferences", lambda: named)
    for operator in (bpy.ops.gis.check_environment, bpy.ops.gis.synthesize_dataset):
        assert "relative to the open file" in refusal(operator)
    assert not canary.exists()
    named.program = str(brought / ".venv")  # which the user named: the plant itself works
    refusal(bpy.ops.gis.check_environment)
    assert canary.read_text(encoding="ascii").strip() == str(brought / ".venv" / "bin" / "gis")


def test_check_and_find(empty: Scene) -> None:
    assert bpy.ops.gis.find_environment() == FINISHED
    assert bpy.ops.gis.check_environment() == FINISHED
    assert empty.gis_dataset.state == "DONE"
    assert empty.gis_dataset.message.startswith("gis is ready: Blender")


def test_what_gis_itself_refuses_is_told_in_one_line(two_cars: Scene, tmp_path: Path) -> None:
    settings = two_cars.gis_dataset
    settings.out = str(tmp_path / "out")
    for item in [item for item in two_cars.objects if item.instance_type == "COLLECTION"]:
        bpy.data.objects.remove(item)
    assert "nothing to label" in refusal(bpy.ops.gis.render_dataset)
    assert settings.message.startswith("untitled.blend: nothing to label")


ALL = """
for item in list(bpy.data.objects):
    bpy.data.objects.remove(item)
scene = bpy.context.scene
bpy.ops.mesh.primitive_plane_add(size=200)
scene.gis_thermal.zone = "road"
bpy.ops.gis.assign_zone(target="OBJECT")
bpy.ops.mesh.primitive_cube_add(size=1.6, location=(12, -2, 0.8))
bpy.ops.gis.mark_car()
scene.gis_thermal.camera = "flir-one-pro"
bpy.ops.gis.add_camera()
bpy.ops.gis.find_environment()
assert bpy.context.preferences.addons[module].preferences.program == python
settings = scene.gis_dataset
bpy.ops.gis.check_environment()
assert settings.message.startswith("gis is ready"), settings.message
settings.out, settings.count = out, 2
assert bpy.ops.gis.synthesize_dataset() == {"FINISHED"}
assert (settings.state, settings.progress, bpy.data.filepath) == ("DONE", 1.0, "")
settings.out = "/proc/none"
try:
    bpy.ops.gis.render_dataset()
except RuntimeError as error:
    assert "cannot be written" in str(error)
assert settings.state == "FAILED"
bpy.ops.preferences.addon_disable(module=module)
assert not hasattr(bpy.types.Scene, "gis_dataset")
"""


@pytest.mark.parametrize("blender", ["module", pytest.param("program", marks=pytest.mark.slow)])
def test_through_the_installed_zip(tmp_path: Path, blender: str) -> None:
    from pipelines.setup.addon_zip import build_addon

    if blender == "program" and fresh_blender.PROGRAM is None:
        pytest.skip(fresh_blender.NO_PROGRAM)
    if blender == "program" and not fresh_blender.has_numpy(tmp_path):
        pytest.skip(fresh_blender.NO_NUMPY)
    out, script = tmp_path / "out", tmp_path / "all.py"
    story = fresh_blender.script(build_addon(tmp_path), ALL, out=str(out), python=sys.executable)
    script.write_text(story, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", str(script)]
    done = fresh_blender.run(fresh_blender.program("-P", str(script)) if blender == "program" else command, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RAN" in done.stdout
    assert len(records(out)) == 2
    assert (out / "preview.png").is_file()


def test_backgrounds_get_shipped_cars_and_the_panels_weather(empty: Scene, tmp_path: Path) -> None:
    (tmp_path / "road").mkdir()
    rows = np.repeat(np.linspace(90, 160, 120)[:, None], 160, axis=1)
    noise = np.random.default_rng(1).normal(0, 3, rows.shape)
    assert cv2.imwrite(str(tmp_path / "road" / "a.png"), np.clip(rows + noise, 0, 255).astype(np.uint8))
    bpy.ops.mesh.primitive_cube_add(size=1.6, location=(9.0, 0.0, 0.8))
    bpy.ops.gis.mark_car()
    empty.gis_thermal.camera = "flir-one-pro"
    bpy.ops.gis.add_camera()
    settings = empty.gis_dataset
    settings.out, settings.count, settings.backgrounds = str(tmp_path / "out"), 1, str(tmp_path / "road")
    settings.conditions, physics = "PANEL", empty.gis_thermal
    physics.hour, physics.weather, physics.season, physics.profile = 6.5, "fog", "winter", "cold_soaked"
    assert bpy.ops.gis.synthesize_dataset() == FINISHED
    assert "view" not in settings.message
    (record,) = records(tmp_path / "out")
    background = record["background"]
    assert isinstance(background, dict)
    assert background["name"] == "a.png"
    conditions = record["conditions"]
    assert isinstance(conditions, dict)
    assert (conditions["weather"], conditions["hour"], record["profile"]) == ("fog", 6.5, "cold_soaked")


def test_read_only_and_empty_objects_are_refused_by_every_operator(empty: Scene, tmp_path: Path) -> None:
    """A car that is linked from another file, as a plain object and as a collection, beside one without faces."""
    bpy.ops.mesh.primitive_cube_add()
    home = bpy.data.collections.new("linked car")
    home.objects.link(bpy.context.object)
    library = tmp_path / "library.blend"
    bpy.data.libraries.write(str(library), {home})
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    with bpy.data.libraries.load(str(library), link=True) as (_, target):
        target.collections = ["linked car"]
    scene.collection.children.link(target.collections[0])
    bare = bpy.data.objects.new("bare", bpy.data.meshes.new("bare"))
    scene.collection.objects.link(bare)
    linked = target.collections[0].objects[0]
    for item, why in ((linked, "linked"), (bare, "no faces")):
        bpy.context.view_layer.objects.active = item
        item.select_set(True)
        for operator in (bpy.ops.gis.assign_zone, bpy.ops.gis.guess_zones, bpy.ops.gis.select_zone):
            assert why in refusal(operator)
    bare.select_set(False)
    assert "linked" in refusal(bpy.ops.gis.mark_car)
    assert "linked" in scene.gis_thermal.message  # not only in the status bar
    assert scene.gis_thermal.is_refusal
    bpy.context.view_layer.active_layer_collection = bpy.context.view_layer.layer_collection.children["linked car"]
    assert "linked" in refusal(lambda: bpy.ops.gis.mark_car(what="COLLECTION"))
    assert "no mesh with faces" in refusal(lambda: bpy.ops.gis.show_overlay(kind="ZONES"))
    assert bpy.ops.gis.count_zones() == FINISHED
    assert scene.gis_thermal.message == ""  # what went well takes the last refusal away
    for operator in (bpy.ops.gis.add_camera, bpy.ops.gis.add_car, bpy.ops.gis.import_car):
        assert "linked" in refusal(operator)  # into a linked collection nothing can be put
    bpy.context.view_layer.active_layer_collection = bpy.context.view_layer.layer_collection
    assert bpy.ops.gis.add_camera() == FINISHED
    assert bpy.ops.gis.render_view(what="PASSES") == FINISHED


def test_refusals_of_poll(empty: Scene) -> None:
    assert "no active camera" in refusal(bpy.ops.gis.synthesize_dataset)
    bpy.ops.gis.add_camera()
    assert "output folder" in refusal(bpy.ops.gis.synthesize_dataset)
    empty.gis_dataset.out = "//here"
    assert "Save the file" in refusal(bpy.ops.gis.render_dataset)
    assert "No command runs" in refusal(bpy.ops.gis.cancel_dataset)
    assert "nothing to continue" in refusal(bpy.ops.gis.continue_dataset)


def test_unregistering_ends_what_runs(two_cars: Scene, tmp_path: Path) -> None:
    import blender_addon

    two_cars.gis_dataset.out, two_cars.gis_dataset.count = str(tmp_path / "out"), 200
    job = begin(two_cars)
    folder = RUNNER.command.folder  # type: ignore[union-attr]
    dataset_watch.watch()
    assert folder.is_dir()
    blender_addon.unregister()
    try:
        assert job.process.poll() is not None
        assert not folder.exists()
        assert not bpy.app.timers.is_registered(dataset_watch.tick)
    finally:
        blender_addon.register()


def test_pictures_are_spread_over_the_folder(empty: Scene, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    pictures = thumbnails.pictures_of(tmp_path, 3)
    assert [path.name for path in pictures] == ["0.jpg", "3.jpg", "6.jpg"]
    assert thumbnails.pictures_of(tmp_path / "none", 3) == []
    empty.gis_dataset.backgrounds = str(tmp_path)  # empty files: no error, no picture
    assert len(thumbnails.icons("backgrounds")) == 4
    empty.gis_dataset.backgrounds = ""
    assert thumbnails.icons("backgrounds") == []


def test_a_car_put_into_the_street_is_labelled_beside_the_traffic(addon: None, tmp_path: Path) -> None:
    from assets import CITY
    from renderer.blender.engine import RenderSession

    with RenderSession(CITY, seed=4) as session:
        before = session.frame(0)
    bpy.ops.wm.open_mainfile(filepath=str(CITY), load_ui=False, use_scripts=False)
    scene = bpy.context.scene
    place = before.cam_to_world @ (1.0, 0.0, 9.0, 1.0)  # nine metres ahead
    scene.cursor.location = (place[0], place[1], 0.1)
    assert bpy.ops.gis.add_car(model="taxi") == FINISHED
    home = bpy.data.collections.new("my own")  # marked, but of no known size: no model for the traffic
    home["gis_category"] = "van"
    scene.collection.children.link(home)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "copy.blend"), copy=True)
    with RenderSession(tmp_path / "copy.blend", seed=4) as session:
        after = session.frame(0)
    old, new = ({item.id: item for item in frame.instances} for frame in (before, after))
    (added,) = set(new) - set(old)
    assert added > max(old)
    assert (new[added].model, new[added].category) == ("taxi", "car")
    assert new[added].visible_px > 2000
    # All that has changed is where the taxi is; the traffic is what it was.
    np.testing.assert_array_equal(after.cam_to_world, before.cam_to_world)
    same = after.instance_id != added
    np.testing.assert_array_equal(after.instance_id[same], before.instance_id[same])
    np.testing.assert_array_equal(after.depth_m[same], before.depth_m[same])
    assert (after.depth_m[~same] < before.depth_m[~same]).all()
    assert np.median(after.depth_m[~same]) == pytest.approx(9.0, abs=2.5)
