"""The add-on registered once for all tests: Blender 4.5 hangs at exit when a class stays registered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")


@pytest.fixture(scope="session")
def addon() -> Iterator[None]:
    import blender_addon

    blender_addon.register()
    yield
    blender_addon.unregister()


@pytest.fixture
def empty(addon: None) -> bpy.types.Scene:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return bpy.context.scene
