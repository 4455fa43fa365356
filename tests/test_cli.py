"""The commands as a user types them: exit codes, one line per mistake, nothing half-written."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from assets import CARS, CITY

ROOT = Path(__file__).resolve().parent.parent
HAS_BLENDER = shutil.which("true") is not None and __import__("importlib.util").util.find_spec("bpy") is not None
needs_blender = pytest.mark.skipif(not HAS_BLENDER, reason="bpy is not installed")
SMALL = ("--size", "96", "--workers", "1")


def gis(*arguments: object, cwd: Path = ROOT, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=environment, check=False, timeout=300, **options
    )


def refused(done: subprocess.CompletedProcess[str], said: str, code: int = 1) -> None:
    """One line on standard error that says what is wrong."""
    assert done.returncode == code, done.stderr
    assert re.search(said, done.stderr), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, pipelines.cli\n"
        "heavy = {'numpy', 'cv2', 'bpy', 'torch', 'numba', 'tqdm', 'tifffile', 'OpenEXR'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    done = gis("--help")
    assert done.returncode == 0
    for command in ("render", "synthesize", "train", "translate", "evaluate", "models", "validate", "doctor"):
        assert command in done.stdout
    assert gis("synthesize", "--help").returncode == 0


def test_usage_errors_are_code_two() -> None:
    assert gis("synthesize").returncode == 2
    assert gis("synthesize", "--count", "many", "--out", "x").returncode == 2
    assert gis("dream").returncode == 2


@pytest.mark.parametrize(
    ("missing", "extra", "command"),
    [
        ("torch", "gan", ("train", "--data", "data", "--out", "out")),
        ("torch", "gan", ("compare", "--data", "data", "--models", "pix2pix", "--out", "out")),
        ("torch", "gan", ("translate", "--weights", "file", "--input", "images", "--out", "out", "--engine", "torch")),
        ("torch", "gan", ("evaluate", "--real", "images", "--generated", "images", "--lpips", "none")),
        ("lightning_fabric", "gan", ("train", "--data", "data", "--out", "out")),
        ("bpy", "render", ("synthesize", "--count", "1", "--workers", "1", "--model", "physics", "--out", "out")),
    ],
)
def test_a_missing_extra_is_one_line(missing: str, extra: str, command: tuple[str, ...], tmp_path: Path) -> None:
    for folder in ("images", "data/visible", "data/infrared"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("a.png", "b.png"):
            cv2.imwrite(str(tmp_path / folder / name), np.zeros((64, 64), np.uint8))
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / f"{missing}.py").write_text(f"raise ModuleNotFoundError('none', name={missing!r})")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'without'}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *command],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    refused(done, rf"^gis {command[0]}: .*{missing} is not installed: pip install 'gis-thermal\[{extra}\]'")
    assert not (tmp_path / "out" / "frames.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--count", 0), "count is 0: expected 1 or more"),
        (("--count", -3), "count is -3"),
        (("--seed", -1), "seed is -1"),
        (("--workers", 0), "workers is 0"),
        (("--size", "0x20"), "size is '0x20'"),
        (("--size", "large"), "size is 'large'"),
        (("--engine", "eevee"), "unknown engine 'eevee': expected one of raster, cycles"),
        (("--camera", "kity"), "unknown camera 'kity': expected one of kitti-object, "),
        (("--camera", "missing.toml"), "missing.toml: intrinsics could not be read"),
        (("--model", "pix3pix"), "unknown model 'pix3pix': expected one of auto, physics, "),
        (("--model", "cyclegan"), "model cyclegan needs --weights"),
        (("--model", "pix2pix", "--weights", "none.safetensors"), "none.safetensors: no such file"),
        (("--profile", "flying"), "unknown profile 'flying': expected one of .*driving"),
        (("--weather", "hail"), "unknown weather 'hail'"),
        (("--hour", 24), "hour is 24"),
        (("--cars", "none.glb"), "none.glb: no such file or folder"),
        (("--scene", "none.blend"), "none.blend: no such file"),
        (("--backgrounds", "nowhere"), "nowhere: no such folder"),
    ],
)
def test_bad_options_are_one_line(options: tuple[object, ...], said: str, tmp_path: Path) -> None:
    refused(gis("synthesize", "--out", tmp_path / "out", *options, cwd=tmp_path), said)
    assert list(tmp_path.iterdir()) == []


def _bad_backgrounds(folder: Path, kind: str) -> None:
    folder.mkdir()
    if kind == "empty":
        (folder / "a.png").write_bytes(b"")
    elif kind == "unreadable":
        (folder / "a.png").write_text("this is no image")
    elif kind == "one pixel":
        cv2.imwrite(str(folder / "a.png"), np.zeros((1, 1), np.uint8))
    elif kind == "NaN":
        tifffile.imwrite(folder / "a.tif", np.full((64, 64), np.nan, np.float16))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("nothing", "bg holds no images"),
        ("empty", r"a\.png: the file is empty"),
        ("unreadable", r"a\.png: (not a picture|a PNG that cannot be decoded)"),
        ("one pixel", r"a\.png: is 1x1 pixels"),
        ("NaN", r"a\.tif: holds 4096 pixels that are no number"),
    ],
)
def test_bad_backgrounds_are_one_line(kind: str, said: str, tmp_path: Path) -> None:
    _bad_backgrounds(tmp_path / "bg", kind)
    refused(gis("synthesize", "--out", tmp_path / "out", "--backgrounds", tmp_path / "bg"), said)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes that cannot be used, made by Blender in a process of its own."""
    folder = tmp_path_factory.mktemp("scenes")
    code = f"""
import bpy, os
def save(name):
    bpy.ops.wm.save_as_mainfile(filepath=os.path.join({str(folder)!r}, name), check_existing=False)
bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
bpy.ops.mesh.primitive_cube_add(location=(0, 8, 0))
bpy.context.object.name = "hatchback"
save("no_camera.blend")
bpy.ops.object.camera_add(rotation=(1.57, 0, 0))
bpy.context.scene.camera = bpy.context.object
save("no_street.blend")
bpy.data.objects["hatchback"].name = "pebble"
save("no_car.blend")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    whole = CITY.read_bytes()
    (folder / "truncated.blend").write_bytes(whole[: len(whole) // 2])
    (folder / "text.blend").write_text("a scene, they said")
    (folder / "empty.blend").write_bytes(b"")
    return folder


@needs_blender
@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("render", "no_camera"),
        ("synthesize", "no_car"),
        ("render", "truncated"),
        ("synthesize", "text"),
        ("render", "empty"),
    ],
)
def test_bad_scenes_are_one_line(command: str, name: str, scenes: Path, tmp_path: Path) -> None:
    done = gis(command, "--scene", scenes / f"{name}.blend", "--count", 2, "--out", tmp_path / "out")
    refused(done, f"{name}.blend")
    assert not (tmp_path / "out").exists()


@needs_blender
def test_cars_without_lanes_are_one_line(scenes: Path, tmp_path: Path) -> None:
    make = ("--scene", scenes / "no_street.blend", "--count", 1, "--size", 64)
    refused(gis("render", *make, "--cars", CARS, "--out", tmp_path / "out"), "no_street.blend has no lanes")
    assert not (tmp_path / "out").exists()
    assert gis("render", *make, "--out", tmp_path / "out").returncode == 0


@needs_blender
def test_render_writes_passes(tmp_path: Path) -> None:
    from pipelines.io.exr import read_exr

    out = tmp_path / "out"
    options = ("render", "--scene", "city.blend", "--count", 3, "--out", out, "--camera", "kitti-object", "--seed", 5)
    done = gis(*options, "--size", "160x96", "--workers", 2, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "frames.jsonl", "passes"]
    records = [json.loads(line) for line in (out / "frames.jsonl").read_text().splitlines()]
    assert [record["index"] for record in records] == [0, 1, 2]
    for record in records:
        passes = read_exr(out / "passes" / f"{record['index']:06d}.exr")
        assert set(passes) == {"Z", "instance", "zone"}
        assert passes["Z"].shape == (96, 160)
        assert passes["Z"].min() > 0
        seen = {entry["id"] for entry in record["instances"] if entry["visible_px"]}
        assert set(np.unique(passes["instance"])) - {0.0} == seen
        assert record["camera"]["fy"] == pytest.approx(721.5377 * 96 / 375)
    assert gis("validate", out).returncode == 0
    refused(gis(*options, "--size", "96x96"), "holds another configuration: configuration.camera")


@needs_blender
def test_a_data_set_from_the_shipped_city(tmp_path: Path) -> None:
    """One worker, two workers, and two workers of which the run is killed half-way: the same bytes."""
    make = ("synthesize", "--count", 6, "--seed", 11, "--size", 128, "--tensors")
    done = gis(*make, "--out", tmp_path / "one", "--workers", 1)
    assert (done.returncode, done.stderr) == (0, "")
    checked = gis("validate", tmp_path / "one")
    assert checked.returncode == 0, checked.stderr
    assert "6 frames" in checked.stdout
    wanted = contents(tmp_path / "one")

    out = tmp_path / "two"
    command = [sys.executable, "-m", "pipelines.cli", *map(str, make), "--out", str(out), "--workers", "2"]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = out / "frames.jsonl"
    deadline = time.monotonic() + 120
    while run.poll() is None and not (log.is_file() and log.read_bytes().count(b"\n")):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    run.send_signal(signal.SIGKILL)
    run.wait()
    again = gis(*make, "--out", out, "--workers", "2")
    assert again.returncode == 0, again.stderr
    assert contents(out) == wanted

    report = gis("validate", out)
    assert report.returncode == 0
    (out / "masks" / "000002.png").write_bytes(b"")
    spoiled = gis("validate", out)
    assert spoiled.returncode == 1
    assert "masks/000002.png" in spoiled.stderr


@needs_blender
def test_interrupt_is_clean(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "pipelines.cli", "render", "--count", "5000", "--size", "64", "--out", str(out)]
    run = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (out / "frames.jsonl").is_file():
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said == "gis render: stopped; the same command goes on where it stopped\n"
    assert not list(out.rglob("*.tmp"))
    assert (out / "frames.jsonl").read_bytes().endswith(b"\n")


@needs_blender
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_one_line_and_leaves_whole_files(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        # Some 30 frames fit; a disk for a handful was full before the first was complete where the workers were slow.
        make = ("synthesize", "--count", 200, "--size", 128, "--seed", 2, "--workers", 2)
        refused(gis(*make, "--out", disk / "out"), "No space left on device")
        complete = len((disk / "out" / "frames.jsonl").read_text().splitlines())
        assert 0 < complete < 200
        assert not list(disk.rglob("*.tmp"))
        for line in (disk / "out" / "frames.jsonl").read_text().splitlines():
            assert all((disk / "out" / name).stat().st_size for name in json.loads(line)["files"])
    finally:
        subprocess.run(["umount", disk], check=True)


def test_doctor_names_what_is_missing() -> None:
    from pipelines.setup.doctor import LIBRARIES, missing_libraries

    def load(name: str) -> object:
        if name in ("libXi.so.6", "libSM.so.6"):
            raise OSError(name)
        return object()

    assert [LIBRARIES[name] for name in missing_libraries(load)] == ["libxi6", "libsm6"]
    done = gis("doctor")
    assert "Python" in done.stdout + done.stderr
    if HAS_BLENDER:
        assert done.returncode == 0, done.stderr
        assert gis("doctor", "--quiet").stdout == ""
