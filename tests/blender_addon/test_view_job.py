"""Rendering the view in another Blender: the same result, and an end at any time that leaves nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from assets import CITY  # noqa: E402
from blender_addon.data import images  # noqa: E402
from blender_addon.jobs.view_job import VIEW, OtherBlender  # noqa: E402
from blender_addon.jobs.view_request import ViewRequest  # noqa: E402
from renderer.errors import RendererError  # noqa: E402

Scene = bpy.types.Scene
SOON_S = 1.0
"""How long a cancellation may take."""


@pytest.fixture
def city(addon: None) -> Iterator[Scene]:
    bpy.ops.wm.open_mainfile(filepath=str(CITY), load_ui=False, use_scripts=False)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 96, 100
    scene.gis_thermal.seed = 4
    bpy.ops.gis.scatter_traffic()
    yield scene
    VIEW.stop()


def workers() -> list[psutil.Process]:
    """Running processes that were started to render a view."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if any("passes_worker" in word for word in child.cmdline())]


def go_on_until(done: Callable[[], bool], limit_s: float = 120.0) -> None:
    start = time.monotonic()
    while not done() and VIEW.step():
        assert time.monotonic() - start < limit_s


def all_values() -> dict[str, np.ndarray]:
    return {name: images.values_of(f"GIS {name} Data") for name in ("Depth", "Mask", "Zones", "Thermal")}


def test_another_blender_gives_the_same(city: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    city.gis_thermal.engine = "raster"
    assert bpy.ops.gis.render_view(what="ALL") == {"FINISHED"}
    here = all_values()
    monkeypatch.setattr(VIEW, "are_kernels_compiled", False)
    VIEW.start(city, "ALL", reuse=False)
    shares = [VIEW.progress]
    while VIEW.step():
        shares.append(VIEW.progress)
        assert city.gis_thermal.is_rendering
        assert city.gis_thermal.progress == pytest.approx(shares[-1])
    assert shares == sorted(shares)
    assert len(set(shares)) >= 4
    assert not city.gis_thermal.is_rendering
    there = all_values()
    assert (there["Mask"] > 0).sum() > 500
    for name, values in here.items():
        np.testing.assert_array_equal(there[name], values, err_msg=name)
    # The thermal image alone, of the passes that are there.
    city.gis_thermal.hour, city.gis_thermal.season = 14.0, "summer"
    monkeypatch.setattr(VIEW, "are_kernels_compiled", False)
    VIEW.start(city, "THERMAL", reuse=True)
    go_on_until(lambda: False)
    there = images.values_of("GIS Thermal Data")
    assert bpy.ops.gis.render_view(what="THERMAL", reuse=True) == {"FINISHED"}
    np.testing.assert_array_equal(there, images.values_of("GIS Thermal Data"))
    assert abs(there - here["Thermal"]).mean() > 5.0


@pytest.mark.parametrize("when", ["at once", "while it renders", "while it is computed"])
def test_cancel_takes_effect_at_once(city: Scene, when: str) -> None:
    city.gis_thermal.engine = "cycles"
    VIEW.frame = None
    VIEW.start(city, "ALL", reuse=False)
    go_on_until(
        {
            "at once": lambda: bool(workers()),
            "while it renders": lambda: VIEW.progress >= 0.1,
            "while it is computed": lambda: VIEW.frame is not None,
        }[when]
    )
    (worker,) = workers()
    folder = Path(worker.cmdline()[-1]).parent
    assert (folder / "copy.blend").is_file()
    start = time.monotonic()
    assert bpy.ops.gis.cancel_render() == {"FINISHED"}
    assert time.monotonic() - start < SOON_S
    assert not worker.is_running()
    assert not folder.exists()
    assert not VIEW.is_running
    assert (VIEW.frame is not None) == (when == "while it is computed")


def test_another_file_ends_it(city: Scene) -> None:
    city.gis_thermal.engine = "cycles"
    VIEW.start(city, "ALL", reuse=False)
    go_on_until(lambda: bool(workers()))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert not workers()
    assert not bpy.context.scene.gis_thermal.is_rendering


def test_the_worker_ends_with_the_blender_that_started_it(city: Scene) -> None:
    other = OtherBlender(city, True, None, "cycles")
    assert other.process is not None
    assert other.is_running(0.0)
    other.process.stdin.close()  # as when the Blender that holds it is killed
    assert other.process.wait(10.0) != 0
    assert not other.has_frame()
    other.close()
    assert not other.folder.exists()


def test_what_goes_wrong_is_said_and_ends_it(city: Scene) -> None:
    city.gis_thermal.engine = "cycles"
    VIEW.start(city, "ALL", reuse=False)
    go_on_until(lambda: bool(workers()))
    workers()[0].kill()
    with pytest.raises(ValueError, match=r"could not be rendered: it ended with code -9"):
        go_on_until(lambda: False)
    assert not VIEW.is_running
    with pytest.raises(RendererError, match="not a Blender file"):
        ViewRequest("", str(Path(__file__)), "cycles").render()
