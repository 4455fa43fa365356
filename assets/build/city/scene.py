"""Build ``assets/city.blend``: a street in a European town, ready for traffic, with a thermal zone on every face.

Run ``python -m assets.build.city``. The geometry is the same at every run; cars come from ``assets/cars.blend``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bpy

from assets import CITY
from assets.build.street_scene import (
    add_camera,
    add_cars,
    add_collection,
    add_light,
    add_street,
    save,
    show_first_frame,
)

from . import layout as plan
from .buildings import build_house, lots
from .furniture import FURNITURE, furniture
from .ground import ground, markings, pavements, skyline
from .mesh import MeshBuilder, link
from .plants import TREES, bush, hedge, tree
from .props import Prop, all_props

__all__ = ["build", "main"]


def main() -> None:
    """Write ``assets/city.blend``, through a temporary file beside it."""
    build(CITY)
    print(f"{CITY}: {CITY.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


def build(path: Path) -> None:
    """Build the scene from nothing and save it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.name = "city"
    _build_static(scene)
    _build_props(scene)
    add_street(scene, plan.lanes(), plan.bays(), plan.camera_paths())
    add_cars(scene)
    add_light(scene)
    x, y = plan.place(20.0, -plan.LANE_M / 2).tolist()
    add_camera(scene, x, y, float(plan.axis(20.0)[1]))
    show_first_frame(scene)
    save(path)


def _build_static(scene: bpy.types.Scene) -> None:
    """Ground and houses."""
    home = add_collection(scene, "ground")
    for name, make in (("road", ground), ("markings", markings), ("pavements", pavements), ("skyline", skyline)):
        link(home, make().build(name), name)
    home = add_collection(scene, "houses")
    for lot in lots():
        mesh, matrix = build_house(lot)
        link(home, mesh.build(f"house.{lot.name}"), f"house.{lot.name}", matrix)


# --- repeated things --------------------------------------------------------------------------------------------------


def _build_props(scene: bpy.types.Scene) -> None:
    """Trees and furniture: one mesh each, shared by all its objects."""
    makers: dict[str, dict[str, Callable[[], MeshBuilder]]] = {
        "trees": {**{f"tree.{kind}": partial(tree, kind) for kind in TREES}, "hedge": hedge, "bush": bush},
        "furniture": {name: partial(furniture, name) for name in FURNITURE},
    }
    chosen: dict[str, list[Prop]] = {}
    for prop in all_props():
        chosen.setdefault(prop.name, []).append(prop)
    for group, table in makers.items():
        home = add_collection(scene, group)
        for name, make in table.items():
            mesh = make().build(name)
            for k, prop in enumerate(chosen.get(name, [])):
                link(home, mesh, f"{name}.{k:03d}", prop.matrix)
