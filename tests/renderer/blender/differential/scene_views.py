"""Cameras that move and change, and settings of the whole scene."""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
from scene_builder import Builder

CAMERAS: dict[str, Callable[[Builder], None]] = {}
SETTINGS: dict[str, Callable[[Builder], None]] = {}


def camera(make: Callable[[Builder], None]) -> Callable[[Builder], None]:
    CAMERAS[make.__name__] = make
    return make


def setting(make: Callable[[Builder], None]) -> Callable[[Builder], None]:
    SETTINGS[make.__name__] = make
    return make


@camera
def plain(b: Builder) -> None:
    """As it was made."""


@camera
def moving(b: Builder) -> None:
    x = b.camera.location[0]
    b.animate(b.camera, "location", {1: x, 5: x + b.length(1.5)}, index=0)


@camera
def zoom(b: Builder) -> None:
    b.animate(b.camera.data, "lens", {1: 24.0, 5: 70.0})


@camera
def shifting(b: Builder) -> None:
    b.animate(b.camera.data, "shift_x", {1: 0.0, 5: 0.3})
    b.animate(b.camera.data, "shift_y", {1: 0.02, 5: -0.1})


@camera
def sensors(b: Builder) -> None:
    data = b.camera.data
    data.sensor_fit, data.sensor_height = str(b.rng.choice(["AUTO", "HORIZONTAL", "VERTICAL"])), 20.0
    b.animate(data, "sensor_width", {1: 36.0, 5: 25.0})
    b.scene.render.resolution_x, b.scene.render.resolution_y = (120, 160) if b.rng.random() < 0.5 else (160, 90)


@camera
def field_of_view(b: Builder) -> None:
    b.camera.data.lens_unit, b.camera.data.angle = "FOV", 1.0


@camera
def pixels(b: Builder) -> None:
    """Not square, and at a share of the resolution."""
    render = b.scene.render
    render.pixel_aspect_x, render.pixel_aspect_y = (1.0, 1.4) if b.rng.random() < 0.5 else (1.25, 1.0)
    render.resolution_x, render.resolution_y, render.resolution_percentage = 301, 223, 50


@camera
def clip_planes(b: Builder) -> None:
    """What is too near is cut off, and what is too far."""
    b.animate(b.camera.data, "clip_start", {1: b.length(0.1), 5: b.length(12.5)})
    b.animate(b.camera.data, "clip_end", {1: b.length(300), 5: b.length(22)})


@camera
def cut_to_another(b: Builder) -> None:
    """Markers switch between cameras with other lenses."""
    other = b.add_camera("Second", (9.0, -9.0, 4.0), (math.radians(78), 0, 0.7), 50.0)
    other.data.shift_x = 0.1
    for frame, item in ((1, b.camera), (3, other)):
        b.scene.timeline_markers.new(f"to {item.name}", frame=frame).camera = item


@camera
def driven_lens(b: Builder) -> None:
    curve = b.camera.data.driver_add("lens")
    driver, variable = curve.driver, curve.driver.variables.new()
    driver.type, variable.name = "SCRIPTED", "x"
    variable.targets[0].id, variable.targets[0].data_path = b.camera, "location.x"
    driver.expression = f"30 + 9 * x / {b.units}"
    x = b.camera.location[0]
    b.animate(b.camera, "location", {1: x, 5: x + b.length(1.5)}, index=0)


@camera
def tracking(b: Builder) -> None:
    target = b.add("target", None, (-2, 4, 1))
    b.animate(target, "location", {1: b.length(-2), 5: b.length(3)}, index=0)
    track = b.camera.constraints.new("TRACK_TO")
    track.target, track.track_axis, track.up_axis = target, "TRACK_NEGATIVE_Z", "UP_Y"


@camera
def on_a_scaled_parent(b: Builder) -> None:
    parent = b.add("dolly", None, (0, 0, 0))
    parent.scale, parent.rotation_euler[2] = (1.0, 1.1, 1.2), 0.06
    b.camera.parent = parent
    b.camera.scale = (0.5, 0.5, 0.5)
    b.animate(parent, "location", {1: 0.0, 5: b.length(1)}, index=0)


@camera
def on_a_path(b: Builder) -> None:
    data = bpy.data.curves.new("track", "CURVE")
    data.dimensions, data.use_path = "3D", True
    spline = data.splines.new("POLY")
    spline.points.add(1)
    for point, at in zip(spline.points, ((-2, -13, 3), (3, -12, 3.4)), strict=True):
        point.co = (*b.vector(at), 1)
    track = b.add("track", data)
    b.camera.location = (0, 0, 0)
    follow = b.camera.constraints.new("FOLLOW_PATH")
    follow.target, follow.use_fixed_location = track, True
    b.animate(follow, "offset_factor", {1: 0.1, 5: 0.8})


@camera
def hidden(b: Builder) -> None:
    """A camera that is hidden, in a collection that is not rendered, films all the same."""
    home = b.collection("cameras")
    b.scene.collection.objects.unlink(b.camera)
    home.objects.link(b.camera)
    home.hide_render = home.hide_viewport = True
    b.camera.hide_render = True
    b.animate(b.camera.data, "lens", {1: 30.0, 5: 40.0})


@camera
def out_of_focus(b: Builder) -> None:
    dof = b.camera.data.dof
    dof.use_dof, dof.focus_distance, dof.aperture_fstop = True, b.length(3), 0.3
    b.scene.render.use_motion_blur = True
    b.animate(b.camera.data, "lens", {1: 30.0, 5: 40.0})


@camera
def becomes_orthographic(b: Builder) -> None:
    """No pinhole camera from the third frame on."""
    other = b.add_camera("Plan", (0, 0, 30), (0, 0, 0))
    other.data.type, other.data.ortho_scale = "ORTHO", b.length(30)
    for frame, item in ((1, b.camera), (3, other)):
        b.scene.timeline_markers.new(f"to {item.name}", frame=frame).camera = item
    b.refused = (3, "ORTHO")


@setting
def nothing_special(b: Builder) -> None:
    """As it was made."""


@setting
def simplify(b: Builder) -> None:
    render = b.scene.render
    render.use_simplify = True
    render.simplify_subdivision, render.simplify_subdivision_render = 0, int(b.rng.integers(0, 3))
    render.simplify_child_particles, render.simplify_child_particles_render = 0.0, 0.5


@setting
def two_scenes(b: Builder) -> None:
    """Another scene is first in the file; the one that is open at the end counts."""
    other = bpy.data.scenes.new("A first scene")
    for item in (bpy.data.objects["ground"], b.camera):
        other.collection.objects.link(item)
    other.render.resolution_x, other.camera = 64, b.camera


@setting
def two_view_layers(b: Builder) -> None:
    """The second view layer is not used for rendering."""
    unused = b.scene.view_layers.new("A layer that is off")
    unused.use = False
    home = b.collection("of one layer")
    x, y = b.slot()
    b.car("in one layer", (x, y, 0.8), collection=home)
    unused.layer_collection.children["of one layer"].exclude = True


@setting
def world_and_layer_overrides(b: Builder) -> None:
    """A material override, other samples, a threshold: nothing of it moves a surface."""
    b.scene.world = bpy.data.worlds.new("World")
    material, output = b.material("clay")
    shader = material.node_tree.nodes.new("ShaderNodeBsdfDiffuse")
    material.node_tree.links.new(shader.outputs[0], output.inputs["Surface"])
    bpy.context.view_layer.material_override = material
    b.scene.render.engine = str(b.rng.choice(["BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH", "CYCLES"]))
    b.scene.render.film_transparent, b.scene.render.use_persistent_data = True, True


@setting
def late_start(b: Builder) -> None:
    """The animation is rendered from frame 4 on; simulations start at 1."""
    b.scene.frame_start = 4
    b.scene.frame_set(9)
