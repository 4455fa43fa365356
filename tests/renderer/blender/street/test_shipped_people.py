"""People and two-wheelers that ship, with and without riders, near and far: the z-buffer against Cycles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from test_engine_equality import assert_equal, both_engines  # noqa: E402

from assets import PEOPLE_ARRAYS, TWO_WHEELER_ARRAYS  # noqa: E402
from renderer.blender.library.model_arrays import ModelLibrary  # noqa: E402
from renderer.geometry.camera import Camera  # noqa: E402
from renderer.scene.cars import FrameSetup, Placement  # noqa: E402
from renderer.zones.catalogue import Zone  # noqa: E402

ALONE = (
    "person_02.walk_04", "person_04.run_01", "person_08.stand", "person_16.walk_07", "person_21.wait",
    "person_24.push_04",
)  # fmt: skip
TOGETHER = (("bicycle_02", "bicycle_02.rider_06"), ("motorcycle_01", "motorcycle_01.rider_07"))
CAMERA = Camera("near", 320, 320, 400.0, 400.0, 160.0, 160.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "models.blend"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for file, names in ((PEOPLE_ARRAYS, ALONE), (TWO_WHEELER_ARRAYS, [name for pair in TOGETHER for name in pair])):
        for collection in ModelLibrary(file).add(names).values():
            bpy.context.scene.collection.children.link(collection)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    return path


def setup(index: int, nearest_m: float) -> FrameSetup:
    """Camera at 1.5 m that looks along y, before three rows."""
    to_world = np.eye(4)
    to_world[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    to_world[2, 3] = 1.5
    rows = [(name, -2.5 + number, nearest_m, 0.7 * number) for number, name in enumerate(ALONE)]
    for number, pair in enumerate(TOGETHER):
        rows += [(name, -1.5 + 3 * number, nearest_m + 2.5, 0.4 + number) for name in pair]
    return FrameSetup(index, tuple(Placement(name, x, y, 0.0, yaw, "driving") for name, x, y, yaw in rows), to_world)


def test_both_engines_see_the_same_people_and_riders(models: Path) -> None:
    setups = [setup(0, 6.0), setup(1, 20.0)]
    ours, theirs = both_engines(
        lambda session: [session.frame_on_plane(one, normals=True, parts=True) for one in setups],
        camera=CAMERA, cars=models,
    )  # fmt: skip
    assert_equal(ours, theirs, touching=True)
    assert {item.category for item in ours[0].instances if item.visible_px > 20} == {"person", "bicycle", "motorcycle"}
    zones = set(np.unique(ours[0].zone).tolist())
    assert {Zone.SKIN, Zone.HANDS, Zone.SHOES, Zone.CARRIED, Zone.FRAME, Zone.TYRE, Zone.ENGINE} <= zones
