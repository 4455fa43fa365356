"""State that builds up over frames, and everything in a .blend that would write files while a scene is evaluated.

A simulation that is not baked has the right state only where every frame before was evaluated, one by one. So its
frames are stepped through from the start, in every process: a frame then depends neither on the number of workers nor
on what was rendered before.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator

import bpy

__all__ = ["Timeline", "nothing_written", "turn_off_writers"]

_SIMULATION_NODE = "GeometryNodeSimulationOutput"


class Timeline:
    """Brings a scene to any of its frames, in any order."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        """Look for what builds up; nothing is evaluated yet."""
        self._scene = scene
        self._at: int | None = None
        found = dict(_building_up(scene))
        self._first = min([scene.frame_start, *found.values()])
        self.notes: tuple[str, ...] = ()
        if found:
            named = ", ".join(sorted(found))
            self.notes = (f"{named}: not baked, so the frames are stepped through from frame {self._first} on",)

    def start_again(self) -> None:
        """Forget how far the scene was stepped through: something in it was changed, which loses what had built up."""
        self._at = None

    def go_to(self, frame: float) -> None:
        """Evaluate the scene at a frame, and where something builds up, at every frame before it first.

        What builds up does so in whole frames: between two of them it shows the first.
        """
        whole = math.floor(frame)
        if not self.notes:
            self._scene.frame_set(whole, subframe=frame - whole)
            return
        frame = whole
        if self._at is None or frame < self._at:
            self._scene.frame_set(self._first)
            self._at = self._first
        while self._at < frame:
            self._at += 1
            self._scene.frame_set(self._at)


def _building_up(scene: bpy.types.Scene) -> Iterator[tuple[str, int]]:
    """What has a state that is not baked, in words, with the frame at which it starts."""
    world = scene.rigidbody_world
    if world and world.enabled and not world.point_cache.is_baked:
        yield "rigid body simulation", int(world.point_cache.frame_start)
    for item in bpy.data.objects:
        for modifier in item.modifiers:
            for kind, cache in _caches(modifier):
                if not cache.is_baked:
                    yield f"{kind} of {item.name!r}", int(cache.frame_start)
            if modifier.type == "NODES" and _simulates(modifier.node_group):
                yield f"simulation nodes of {item.name!r}", scene.frame_start
        solver = item.pose.ik_param if item.pose and item.pose.ik_solver == "ITASC" else None
        if solver and solver.mode == "SIMULATION":
            yield f"inverse kinematics (iTaSC) of {item.name!r}", scene.frame_start


def _caches(modifier: bpy.types.Modifier) -> Iterator[tuple[str, bpy.types.PointCache]]:
    """The point caches of a modifier, each with what it simulates."""
    if modifier.type in ("CLOTH", "SOFT_BODY"):
        yield {"CLOTH": "cloth", "SOFT_BODY": "soft body"}[modifier.type], modifier.point_cache
    elif modifier.type == "PARTICLE_SYSTEM":
        system = modifier.particle_system
        if system.settings.type != "HAIR" or system.use_hair_dynamics:
            yield "particles", system.point_cache


def _simulates(tree: bpy.types.NodeTree | None) -> bool:
    """Whether geometry nodes have a simulation zone, in a group inside them too."""
    seen: set[str] = set()
    waiting = [tree] if tree else []
    while waiting:
        group = waiting.pop()
        seen.add(group.name)
        if any(node.bl_idname == _SIMULATION_NODE for node in group.nodes):
            return True
        inner = [node.node_tree for node in group.nodes if getattr(node, "node_tree", None)]
        waiting += [item for item in inner if item.name not in seen]
    return False


@contextlib.contextmanager
def nothing_written(notes: list[str]) -> Iterator[None]:
    """While inside, a file that is opened can write nothing: a fluid domain would do so while it is loaded.

    Args:
        notes: gets a line for each thing that was turned off.
    """

    @bpy.app.handlers.persistent
    def after_reading(*_: object) -> None:
        """Runs when the file is read and before anything in it is evaluated."""
        notes.extend(turn_off_writers(bpy.data.objects, bpy.data.scenes))

    bpy.app.handlers.load_post.append(after_reading)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            bpy.app.handlers.load_post.remove(after_reading)


def turn_off_writers(objects: Iterable[bpy.types.Object], scenes: Iterable[bpy.types.Scene]) -> list[str]:
    """Turn off what writes files when objects are evaluated or scenes rendered; in memory only.

    Returns:
        what was turned off.
    """
    notes: list[str] = []
    for item in objects:
        notes += _turn_off_fluids(item) + _turn_off_paint(item)
        for modifier in item.modifiers:
            for kind, cache in _caches(modifier):
                notes += _keep_in_memory(cache, f"{kind} of {item.name!r}")
    for scene in scenes:
        notes += _turn_off_outputs(scene)
        world = scene.rigidbody_world
        if world and world.enabled and world.point_cache.use_disk_cache:
            world.enabled = False  # Blender (4.5) crashes where the cache of a world is taken off the disk
            notes.append("the rigid body simulation is off: its cache would be written to the disk")
    return notes


def _turn_off_fluids(item: bpy.types.Object) -> list[str]:
    """A domain writes its cache wherever the file says, whenever it is evaluated; without it it is a plain box."""
    domains = [mod for mod in item.modifiers if mod.type == "FLUID" and mod.fluid_type == "DOMAIN"]
    for modifier in domains:
        modifier.show_viewport = modifier.show_render = False
        item.modifiers.remove(modifier)
    if not domains:
        return []
    item.hide_render = item.hide_viewport = True
    return [
        f"the fluid domain {item.name!r} is left out: gis runs no fluid simulation and reads none of its caches "
        "(export its mesh to Alembic to have it in the picture)"
    ]


def _turn_off_paint(item: bpy.types.Object) -> list[str]:
    """Dynamic paint has no cache in memory: what it has painted so far it keeps in files beside the .blend."""
    canvases = [mod for mod in item.modifiers if mod.type == "DYNAMIC_PAINT" and mod.canvas_settings]
    open_ones = [mod for mod in canvases if not all(one.point_cache.is_baked for one in _surfaces(mod))]
    for modifier in open_ones:
        modifier.show_viewport = modifier.show_render = False
    if not open_ones:
        return []
    return [f"dynamic paint of {item.name!r} is off: it would keep its state in files beside the .blend; bake it there"]


def _surfaces(canvas: bpy.types.DynamicPaintModifier) -> list[bpy.types.DynamicPaintSurface]:
    return list(canvas.canvas_settings.canvas_surfaces)


def _keep_in_memory(cache: bpy.types.PointCache, what: str) -> list[str]:
    """Frames that lie on the disk are read into memory; new ones are written nowhere."""
    if not cache.use_disk_cache:
        return []
    cache.use_disk_cache = False
    return [f"{what}: its cache on disk is read and not written"]


def _turn_off_outputs(scene: bpy.types.Scene) -> list[str]:
    """What a render would run or write beside the picture: compositor, sequencer, Freestyle and OSL scripts."""
    render = scene.render
    render.use_compositing = render.use_sequencer = False
    if hasattr(render, "use_freestyle"):
        render.use_freestyle = False
    if hasattr(scene, "cycles"):
        scene.cycles.shading_system = False
    outputs = list(_output_nodes(scene))
    return [f"compositing of scene {scene.name!r} is off: its File Output nodes write nothing"] if outputs else []


def _output_nodes(scene: bpy.types.Scene) -> Iterator[bpy.types.Node]:
    tree = getattr(scene, "compositing_node_group", None) or getattr(scene, "node_tree", None)
    yield from (node for node in (tree.nodes if tree else ()) if node.type == "OUTPUT_FILE")
