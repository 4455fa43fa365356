"""Files that are no scenes, are damaged, or would run code."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.blender.session import open_blend  # noqa: E402
from renderer.errors import SceneError  # noqa: E402


def refusal(path: Path) -> str:
    """What opening the scene says; one line that names the file."""
    with pytest.raises(SceneError) as caught:
        RenderSession(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_no_such_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "missing.blend")
    (tmp_path / "folder.blend").mkdir()
    assert "no such file" in refusal(tmp_path / "folder.blend")


@pytest.mark.parametrize("content", [b"", b"BLEND", b"Dear reader,\nthis is text.\n", b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_something_else_named_blend(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.blend"
    path.write_bytes(content)
    assert "not a Blender file" in refusal(path)


@pytest.mark.parametrize("kind", ["plain", "zstd", "gzip"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_truncated_files(
    kind: str, share: float, add_box: Callable[..., Any], save_scene: Callable[..., Path], tmp_path: Path
) -> None:
    for number in range(20):
        add_box(f"car.{number}", (number, 5, 0))
    path = save_scene(compress=kind == "zstd")
    data = path.read_bytes()
    assert data[:4] == (b"\x28\xb5\x2f\xfd" if kind == "zstd" else b"BLEN")
    if kind == "gzip":
        data = gzip.compress(data)
    path = tmp_path / "cut.blend"
    path.write_bytes(data)
    RenderSession(path).close()
    path.write_bytes(data[: int(len(data) * share)])
    assert "truncated" in refusal(path)


def test_gzip_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "packed.blend"
    path.write_bytes(gzip.compress(b"this is text " * 100))
    assert "not a Blender file" in refusal(path)


def test_no_camera(empty_scene: Any, add_box: Callable[..., Any], save_scene: Callable[..., Path]) -> None:
    add_box("car", (0, 5, 0))
    empty_scene.camera = None
    assert "no active camera" in refusal(save_scene())


def test_a_camera_without_perspective(
    empty_scene: Any, add_box: Callable[..., Any], save_scene: Callable[..., Path]
) -> None:
    add_box("car", (0, 5, 0))
    empty_scene.camera.data.type = "ORTHO"
    assert "ORTHO" in refusal(save_scene())


def test_no_cars(add_box: Callable[..., Any], save_scene: Callable[..., Path]) -> None:
    add_box("house", (0, 5, 0))
    assert "nothing to label" in refusal(save_scene())


def test_nothing_in_the_file_runs(
    empty_scene: Any, add_box: Callable[..., Any], save_scene: Callable[..., Path], tmp_path: Path
) -> None:
    """A registered script and a driver with Python: opened as a user with auto-run on would, and as we do."""
    traces = [tmp_path / "script ran", tmp_path / "driver ran"]
    text = bpy.data.texts.new("start.py")
    text.write(f"import pathlib\npathlib.Path({str(traces[0])!r}).touch()\n")
    text.use_module = True
    car = add_box("car", (0, 5, 0))
    driver = car.driver_add("location", 0).driver
    driver.type = "SCRIPTED"
    driver.expression = f"__import__('pathlib').Path({str(traces[1])!r}).touch() or 0.0"
    path = save_scene("evil.blend")
    bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=True)
    for trace in traces:
        trace.unlink()  # which fails where it did not run
    with RenderSession(path) as session:
        session.frame(0)
        session.frame(1)
    assert not any(trace.exists() for trace in traces)


def test_a_file_that_is_opened_stays_as_it_was(add_box: Callable[..., Any], save_scene: Callable[..., Path]) -> None:
    add_box("car", (0, 5, 0))
    path = save_scene()
    before = path.read_bytes()
    with RenderSession(path) as session:
        session.frame(0)
    assert path.read_bytes() == before


def test_the_open_scene_is_the_files(add_box: Callable[..., Any], save_scene: Callable[..., Path]) -> None:
    add_box("car", (0, 5, 0))
    first = save_scene("first.blend")
    second = shutil.copy(first, first.with_name("second file ü.blend"))
    assert "car" in open_blend(second).objects
