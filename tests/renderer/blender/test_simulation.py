"""State that builds up over frames: the same whoever renders which frames in which order, and as Blender steps it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from renderer.blender.engine import RenderSession  # noqa: E402

Box = Callable[..., Any]

# A process that knows nothing of gis: it steps through the frames and keeps what Cycles says of the depth.
_PLAIN = """
import os, sys
import bpy, cycles
import numpy as np
path, out, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
wanted = [int(number) for number in sys.argv[4:]]
bpy.ops.wm.open_mainfile(filepath=path, load_ui=False, use_scripts=False)
scene = bpy.context.scene
scene.render.engine = "CYCLES"
settings = scene.cycles
settings.device, settings.samples, settings.use_adaptive_sampling, settings.use_denoising = "CPU", 1, False, False
settings.pixel_filter_type, settings.filter_width, settings.max_bounces = "GAUSSIAN", 0.01, 0
scene.render.use_compositing = scene.render.use_sequencer = scene.render.use_motion_blur = False
bpy.context.view_layer.use_pass_z = True
render, got = cycles.CyclesRender.render, []

def catching(self, depsgraph):
    render(self, depsgraph)
    result = self.get_result()
    depth = next(one for one in result.layers[0].passes if one.name == "Depth")
    values = np.zeros(len(depth.rect) * depth.channels, np.float32)
    depth.rect.foreach_get(values)
    got.append(values.reshape(result.resolution_y, result.resolution_x)[::-1])

cycles.CyclesRender.render = catching
for number in range(first, max(wanted) + 1):
    scene.frame_set(number)
    if number in wanted:
        bpy.ops.render.render(write_still=False)
np.save(out, np.where(np.stack(got) < 1e9, np.stack(got), np.inf))
os._exit(0)
"""


def blender_depths(scene: Path, frames: Sequence[int], first: int = 1) -> NDArray[np.float32]:
    """(N, H, W) depth of those frames of the scene, stepped through from the first on."""
    out = scene.with_suffix(".npy")
    arguments = [str(scene), str(out), str(first), *map(str, frames)]
    subprocess.run([sys.executable, "-c", _PLAIN, *arguments], check=False, capture_output=True, timeout=200)
    depths: NDArray[np.float32] = np.load(out)
    return depths


def depths(scene: Path, indices: Sequence[int]) -> list[NDArray[np.float32]]:
    """Depth of those frames, by one session."""
    with RenderSession(scene) as session:
        return [session.frame(index).depth_m.copy() for index in indices]


def select(item: Any) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = item
    item.select_set(True)


def grid(name: str, size: float, height: float) -> Any:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=12, y_subdivisions=12, size=size, location=(0, 6, height))
    bpy.context.object.name = name
    return bpy.context.object


def rigid_body(add_box: Box) -> None:
    for name, kind in (("Car", "ACTIVE"), ("ground", "PASSIVE")):
        select(bpy.data.objects[name])
        bpy.ops.rigidbody.object_add(type=kind)
    bpy.data.objects["Car"].location.z = 3.0


def cloth(add_box: Box) -> None:
    sheet = grid("sheet", 3.0, 2.0)
    sheet.modifiers.new("cloth", "CLOTH")
    bpy.data.objects["Car"].modifiers.new("collision", "COLLISION")


def soft_body(add_box: Box) -> None:
    sheet = grid("sheet", 3.0, 2.0)
    soft = sheet.modifiers.new("soft", "SOFT_BODY")
    soft.settings.use_goal = False


def particles(add_box: Box) -> None:
    sheet = grid("source", 2.0, 3.0)
    system = sheet.modifiers.new("particles", "PARTICLE_SYSTEM").particle_system.settings
    system.count, system.frame_start, system.frame_end, system.lifetime = 60, 1, 20, 100
    system.render_type, system.instance_object, system.particle_size = "OBJECT", add_box("grain", (0, -30, 0)), 0.2
    sheet.modifiers.move(0, 0)


def simulation_nodes(add_box: Box) -> None:
    """Each frame moves the geometry a little further than the last."""
    tree = bpy.data.node_groups.new("sim", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    start, end = (tree.nodes.new(f"GeometryNodeSimulation{side}") for side in ("Input", "Output"))
    start.pair_with_output(end)
    enter, leave, move = (
        tree.nodes.new(kind) for kind in ("NodeGroupInput", "NodeGroupOutput", "GeometryNodeTransform")
    )
    move.inputs["Translation"].default_value = (0.1, 0.0, 0.05)
    tree.links.new(enter.outputs[0], start.inputs["Geometry"])
    tree.links.new(start.outputs["Geometry"], move.inputs[0])
    tree.links.new(move.outputs[0], end.inputs["Geometry"])
    tree.links.new(end.outputs["Geometry"], leave.inputs[0])
    add_box("moved", (-1.5, 5.0, 0.8)).modifiers.new("nodes", "NODES").node_group = tree


KINDS = {
    rigid_body: "rigid body",
    cloth: "cloth of 'sheet'",
    soft_body: "soft body of 'sheet'",
    particles: "particles of 'source'",
    simulation_nodes: "simulation nodes of 'moved'",
}


@pytest.fixture
def simulated(empty_scene: Any, add_box: Box, save_scene: Callable[..., Path]) -> Callable[..., Path]:
    """Makes the scene of a kind, saved where its simulation was seen last: in its middle."""

    def make(kind: Callable[[Box], None]) -> Path:
        empty_scene.camera.location = (0.0, -3.0, 1.7)
        add_box("Car", (0.0, 6.0, 0.75), (2.0, 1.8, 1.5))
        add_box("ground", (0.0, 10.0, -0.05), (60.0, 80.0, 0.1))
        kind(add_box)
        empty_scene.frame_start = 1
        for number in (1, 2, 3):
            empty_scene.frame_set(number)
        return save_scene()

    return make


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_frames_depend_on_nothing_but_the_scene(kind: Callable[[Box], None], simulated: Callable[..., Path]) -> None:
    path = simulated(kind)
    everything = depths(path, range(8))
    assert not np.array_equal(everything[0], everything[7]), "the scene does not move"
    for order in ([1, 4, 7], [6, 0, 7]):
        for index, depth in zip(order, depths(path, order), strict=True):
            np.testing.assert_array_equal(depth, everything[index], err_msg=f"frame {index} of {order}")
    with RenderSession(path) as session:
        assert any(KINDS[kind] in note and "stepped through from frame 1" in note for note in session.notes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_frames_are_those_that_blender_steps_through(
    kind: Callable[[Box], None], simulated: Callable[..., Path]
) -> None:
    path = simulated(kind)
    for ours, theirs in zip(depths(path, [6]), blender_depths(path, [7]), strict=True):
        both = np.isfinite(ours) & np.isfinite(theirs)
        far = np.isfinite(ours) != np.isfinite(theirs)
        far[both] = np.abs(ours[both] - theirs[both]) > 1e-3 * theirs[both]
        assert far.mean() < 2e-3, f"{int(far.sum())} pixels differ"


@pytest.mark.parametrize("kind", [rigid_body, simulation_nodes], ids=lambda kind: kind.__name__)
def test_both_engines_see_the_same_state(kind: Callable[[Box], None], simulated: Callable[..., Path]) -> None:
    path = simulated(kind)
    (raster,) = depths(path, [6])
    with RenderSession(path, engine="cycles") as session:
        traced = session.frame(6).depth_m
    agree = np.isfinite(raster) == np.isfinite(traced)
    assert np.isclose(raster, traced, rtol=1e-3)[agree].mean() > 0.998
    assert agree.mean() > 0.998


def test_what_is_baked_is_not_stepped_through(simulated: Callable[..., Path], save_scene: Callable[..., Path]) -> None:
    path = simulated(cloth)
    cache = bpy.data.objects["sheet"].modifiers["cloth"].point_cache
    cache.frame_end = 20
    with bpy.context.temp_override(point_cache=cache):
        bpy.ops.ptcache.bake(bake=True)
    baked = save_scene("baked.blend")
    stepped = depths(path, [6])
    with RenderSession(baked) as session:
        assert not any("stepped" in note for note in session.notes)
        np.testing.assert_allclose(session.frame(6).depth_m, stepped[0], rtol=1e-5)


def test_a_scene_that_only_moves_is_not_stepped_through(
    empty_scene: Any, add_box: Box, save_scene: Callable[..., Path]
) -> None:
    car = add_box("Car", (0.0, 8.0, 0.75), (2.0, 1.8, 1.5))
    for frame, x in ((1, 0.0), (10, 3.0)):
        car.location.x = x
        car.keyframe_insert("location", frame=frame)
    with RenderSession(save_scene()) as session:
        assert not session.notes


@pytest.mark.slow
def test_workers_and_a_resumed_run_give_the_same_files(simulated: Callable[..., Path], tmp_path: Path) -> None:
    path = simulated(rigid_body)

    def render(out: str, count: int, workers: int) -> dict[str, bytes]:
        command = [sys.executable, "-m", "pipelines.cli", "render", "--scene", str(path), "--out", str(tmp_path / out)]
        run = [*command, "--count", str(count), "--workers", str(workers)]
        subprocess.run(run, check=True, capture_output=True, timeout=200)
        return {file.name: file.read_bytes() for file in (tmp_path / out / "passes").iterdir()}

    one = render("one", 8, 1)
    assert one == render("two", 8, 2) == render("three", 8, 3)
    render("resumed", 3, 1)
    assert one == render("resumed", 8, 2)
