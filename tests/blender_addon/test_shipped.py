"""The shipped cars as the add-on makes them, in this Blender and in an old one, against ``cars.blend``."""

from __future__ import annotations

from pathlib import Path

import fresh_blender
import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from shipped_reader import read_models  # noqa: E402

from assets import CAR_ARRAYS, CARS  # noqa: E402
from assets.build.arrays import write_arrays  # noqa: E402
from assets.build.models import MODELS  # noqa: E402
from blender_addon.data import shipped_models  # noqa: E402

ROOT = Path(__file__).parents[2]
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def expected(addon: None) -> Arrays:
    bpy.ops.wm.open_mainfile(filepath=str(CARS), load_ui=False, use_scripts=False)
    return read_models()


def is_the_same(models: Arrays, expected: Arrays, normals_to: float) -> None:
    assert sorted(models) == sorted(expected)
    assert len(models) > 8 * len(MODELS)
    for name, values in expected.items():
        if name.endswith("/normals"):
            np.testing.assert_allclose(models[name], values, atol=normals_to, err_msg=name)
        else:
            np.testing.assert_array_equal(models[name], values, err_msg=name)


def test_this_blender(empty: bpy.types.Scene, expected: Arrays) -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert shipped_models.model_names() == sorted(MODELS)
    shipped_models.add_models(set(MODELS))
    is_the_same(read_models(), expected, 1e-6)
    assert not any(mesh.validate() for mesh in bpy.data.meshes)


@pytest.mark.skipif(fresh_blender.PROGRAM is None, reason=fresh_blender.NO_PROGRAM)
def test_the_blender_program(expected: Arrays, tmp_path: Path) -> None:
    script, out = Path(__file__).with_name("shipped_reader.py"), tmp_path / "made.npz"
    if not fresh_blender.has_numpy(tmp_path):
        pytest.skip(fresh_blender.NO_NUMPY)
    done = fresh_blender.run(fresh_blender.program("-P", str(script), "--", str(ROOT), str(out)), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    with np.load(out, allow_pickle=False) as stored:
        is_the_same(dict(stored), expected, 2e-3)  # corner normals are 16 bits in 3.4


def test_the_arrays_are_those_of_the_file(addon: None, tmp_path: Path) -> None:
    write_arrays(tmp_path / "cars.npz")
    assert [entry.name for entry in tmp_path.iterdir()] == ["cars.npz"]
    with (
        np.load(tmp_path / "cars.npz", allow_pickle=False) as built,
        np.load(CAR_ARRAYS, allow_pickle=False) as shipped,
    ):
        assert built.files == shipped.files
        for name in shipped.files:
            np.testing.assert_array_equal(built[name], shipped[name])
            assert built[name].dtype == shipped[name].dtype
    assert CAR_ARRAYS.stat().st_size < 2_000_000


def test_a_model_comes_alone_and_twice_is_two(empty: bpy.types.Scene) -> None:
    shipped_models.add_models({"bus"})
    assert [collection.name for collection in bpy.data.collections] == ["bus"]
    materials = len(bpy.data.materials)
    shipped_models.add_models({"bus"})
    assert len(bpy.data.collections) == 2
    assert len(bpy.data.materials) == materials, "materials of a name are shared"
    assert not any(material.node_tree is None for material in bpy.data.materials)
