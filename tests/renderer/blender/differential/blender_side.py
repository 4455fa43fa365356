"""What Blender itself makes of scenes, in a process that knows nothing of gis: ``python blender_side.py JOBS.json``.

JOBS.json is a list of tables with ``scene`` (a .blend) and ``out`` (.npz). Depth is Cycles' own at one sample through
each pixel's centre. Which copy a pixel shows is looked up apart from Cycles and its passes: of all surfaces of the
depsgraph that the render was made from, the one that lies at the point that Cycles saw.
"""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import bpy
import cycles
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from mathutils.bvhtree import BVHTree

TRUTH = "truth"
SAME_DEPTH = 3e-5
"""Share of the depth: how near a surface has to be to the point that Cycles saw."""
COINCIDENT = 4e-6
"""Share of the depth: of two surfaces that are so near each other either may be drawn."""
_NO_NUMBER = 2**31 - 1
_CYCLES_RENDER = cycles.CyclesRender.render


class Copies:
    """All surfaces of a depsgraph in one tree, each with the number of the thing that it is part of."""

    def __init__(self, depsgraph: Any) -> None:
        self.things: list[str] = ["environment"]
        points, triangles, owner, first = [], [], [], 0
        for entry in depsgraph.object_instances:
            local = _triangles(entry)
            if local is None:
                continue
            positions, corners = local
            matrix = np.array(entry.matrix_world, np.float64)
            points.append(positions @ matrix[:3, :3].T + matrix[:3, 3])
            triangles.append(corners + first)
            owner.append(np.full(len(corners), self._thing(entry)))
            first += len(positions)
        self.points, self.owner = np.concatenate(points), np.concatenate(owner)
        self.triangles = np.concatenate(triangles)
        self.tree = BVHTree.FromPolygons(self.points.tolist(), self.triangles.tolist(), all_triangles=True)

    def _thing(self, entry: Any) -> int:
        name = _thing_name(entry)
        if name not in self.things:
            self.things.append(name)
        return self.things.index(name)

    def at(self, point: Vector, depth: float) -> tuple[int, bool]:
        """The thing whose surface is at a point, -1 for none; and whether two are, so that either answer is right."""
        nearest: dict[int, float] = {}
        for _, _, index, distance in self.tree.find_nearest_range(point, SAME_DEPTH * depth):
            thing = int(self.owner[index])
            nearest[thing] = min(nearest.get(thing, math.inf), distance)
        order = sorted(nearest, key=lambda thing: nearest[thing])
        if not order:
            return -1, False
        return order[0], len(order) > 1 and nearest[order[1]] - nearest[order[0]] < COINCIDENT * depth


def _triangles(entry: Any) -> tuple[Any, Any] | None:
    """Points and triangles of a copy; None for what has none that are finite."""
    item = entry.object
    if not entry.show_self or item.type not in {"MESH", "CURVE", "SURFACE", "FONT", "META"}:
        return None
    mesh = item.to_mesh()
    if mesh is None:
        return None
    mesh.calc_loop_triangles()
    positions, corners = np.empty(len(mesh.vertices) * 3), np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.vertices.foreach_get("co", positions)
    mesh.loop_triangles.foreach_get("vertices", corners)
    item.to_mesh_clear()
    positions, corners = positions.reshape(-1, 3), corners.reshape(-1, 3)
    corners = corners[np.isfinite(positions[corners]).all(axis=(1, 2))]
    positions = np.where(np.isfinite(positions), positions, 0)
    return (positions, corners) if len(corners) else None


def _thing_name(entry: Any) -> str:
    """``category|name|copy`` of what a copy is part of, else ``environment``."""
    item = entry.object.original
    holder = entry.parent.original if entry.is_instance and entry.parent else None
    if holder == item:
        holder = None  # not a copy but what the object's own geometry is made of: curves, text, nodes
    text = next((one[TRUTH] for one in (holder, item) if one is not None and TRUTH in one), None)
    if text is None:
        return "environment"
    category, name, levels = text.split("|")
    numbers = [number for number in list(entry.persistent_id)[int(levels) :] if number != _NO_NUMBER]
    return f"{category}|{name}|{holder.name} {numbers}" if holder else f"{category}|{name}"


def _set_up(scene: Any) -> None:
    render, settings = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.use_persistent_data = render.use_motion_blur = render.use_compositing = render.use_sequencer = False
    for name in ("resolution_x", "resolution_y"):  # functions of bpy_extras count in full pixels
        setattr(render, name, int(getattr(render, name) * render.resolution_percentage / 100))
    render.resolution_percentage = 100
    render.threads_mode, render.threads = "FIXED", 1
    settings.device, settings.samples, settings.use_adaptive_sampling, settings.use_denoising = "CPU", 1, False, False
    settings.pixel_filter_type, settings.filter_width, settings.max_bounces = "GAUSSIAN", 0.01, 0
    for layer in scene.view_layers:
        layer.use_pass_z = True
    for item in bpy.data.cameras:
        item.dof.use_dof = False  # a pinhole is what gis promises


def _render(scene: Any) -> dict[str, Any]:
    got: dict[str, Any] = {}

    def catching(self: Any, depsgraph: Any) -> None:
        try:
            look(depsgraph)
        except Exception:  # which Blender would pass over
            got["error"] = traceback.format_exc()
        _CYCLES_RENDER(self, depsgraph)
        result = self.get_result()
        depth = next(one for one in result.layers[0].passes if one.name == "Depth")
        values = np.zeros(len(depth.rect) * depth.channels, np.float32)
        depth.rect.foreach_get(values)
        got["depth"] = values.reshape(result.resolution_y, result.resolution_x)[::-1].astype(np.float64)

    def look(depsgraph: Any) -> None:
        got["copies"] = Copies(depsgraph)
        got["camera"] = depsgraph.scene_eval.camera.evaluated_get(depsgraph).matrix_world.normalized()
        got["pixels"] = _pixels_of_probes(depsgraph.scene_eval, got["copies"])

    cycles.CyclesRender.render = catching
    bpy.ops.render.render(write_still=False)
    if "error" in got:
        raise RuntimeError(got["error"])
    return got


def _pixels_of_probes(scene: Any, copies: Copies) -> Any:
    """Where Blender's camera sees points of the scene: (N, 5) x, y, z in metres of the world, and column and row."""
    render, rows = scene.render, []
    size = render.resolution_x, render.resolution_y
    for point in copies.points[:: max(1, len(copies.points) // 60)]:
        x, y, depth = world_to_camera_view(scene, scene.camera, Vector(point))
        if depth > scene.camera.data.clip_start and max(abs(x), abs(y)) < 3:
            rows.append([*(point * scene.unit_settings.scale_length), x * size[0], (1 - y) * size[1]])
    return np.array(rows)


def _things_of_pixels(scene: Any, got: dict[str, Any]) -> tuple[Any, Any]:
    """Number of the thing that each pixel shows (-1: none was found), and where two are equally near."""
    depth, copies = got["depth"], got["copies"]
    height, width = depth.shape
    frame = scene.camera.data.view_frame(scene=scene)
    right, top = max(p.x for p in frame), max(p.y for p in frame)
    left, bottom, away = min(p.x for p in frame), min(p.y for p in frame), -frame[0].z
    turn, origin = got["camera"].to_3x3(), got["camera"].translation
    things, doubtful = np.zeros(depth.shape, np.int32), np.zeros(depth.shape, bool)
    for row in range(height):
        y = (top + (bottom - top) * (row + 0.5) / height) / away
        for column in range(width):
            if depth[row, column] < 1e9:
                x = (left + (right - left) * (column + 0.5) / width) / away
                point = origin + turn @ Vector((x, y, -1)) * depth[row, column]
                things[row, column], doubtful[row, column] = copies.at(point, depth[row, column])
    return things, doubtful


def _near_what_is_hard(scene: Any, names: list[str], pad: float) -> Any:
    """(H, W) bool: pixels of the boxes, ``pad`` wider on all sides, round objects that a z-buffer cannot draw."""
    mask = np.zeros((scene.render.resolution_y, scene.render.resolution_x), bool)
    for item in (bpy.data.objects[name] for name in names if name in bpy.data.objects):
        corners = np.array([item.matrix_world @ Vector(corner) for corner in item.bound_box])
        low, high = corners.min(axis=0) - pad, corners.max(axis=0) + pad
        points = [Vector((x, y, z)) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
        seen = np.array([world_to_camera_view(scene, scene.camera, point)[:2] for point in points])
        columns, rows = seen[:, 0] * mask.shape[1], (1 - seen[:, 1]) * mask.shape[0]
        left, right, top, bottom = (int(max(v, 0)) for v in (columns.min(), columns.max(), rows.min(), rows.max()))
        mask[top : bottom + 1, left : right + 1] = True
    return mask


def render_scene(job: dict[str, Any]) -> None:
    expected = json.loads(Path(job["scene"]).with_suffix(".json").read_text())
    bpy.ops.wm.open_mainfile(filepath=job["scene"], load_ui=False, use_scripts=False)
    scene, out = bpy.context.scene, {}
    _set_up(scene)
    for number in range(1, scene.frame_start + max(expected["frames"]) + 1):
        scene.frame_set(number)  # step by step, as a simulation needs it
        index = number - scene.frame_start
        if index not in expected["frames"]:
            continue
        got = _render(scene)
        if scene.camera.data.type == "PERSP":
            things, doubtful = _things_of_pixels(scene, got)
        else:
            things, doubtful = np.zeros(got["depth"].shape, np.int32), np.zeros(got["depth"].shape, bool)
        unit = scene.unit_settings.scale_length
        passes = {
            "depth": np.where(got["depth"] < 1e9, got["depth"] * unit, np.inf),
            "things": things,
            "doubtful": doubtful,
            "hard": _near_what_is_hard(scene, expected["noted"], 1.3 / unit),
            "names": np.array(got["copies"].things),
            "probes": got["pixels"],
        }
        out |= {f"{name}_{index}": values for name, values in passes.items()}
    np.savez_compressed(job["out"], **out)


def main() -> None:
    for job in json.loads(Path(sys.argv[1]).read_text()):
        try:
            render_scene(job)
        except Exception:
            np.savez(job["out"], error=traceback.format_exc())
    sys.stdout.flush()
    os._exit(0)  # bpy sometimes hangs at its end


if __name__ == "__main__":
    main()
