"""Objects whose geometry is made when the scene is evaluated: modifiers, deformation, curves, text, metaballs."""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
from scene_builder import Builder

SHAPES: dict[str, Callable[[Builder], None]] = {}


def shape(make: Callable[[Builder], None]) -> Callable[[Builder], None]:
    SHAPES[make.__name__] = make
    return make


@shape
def array(b: Builder) -> None:
    x, y = b.slot()
    modifier = b.car("arrayed", (x - 1, y, 0.6), (0.7, 0.8, 1.2)).modifiers.new("a", "ARRAY")
    modifier.count, modifier.relative_offset_displace = 3, (1.4, 0.1, 0.15)
    modifier.show_viewport = False


@shape
def mirror(b: Builder) -> None:
    x, y = b.slot()
    item = b.car("mirrored", (x, y, 0.8), (1, 1, 1.6))
    for vertex in item.data.vertices:
        vertex.co.x += b.length(0.8 + 0.2 * (vertex.co.z > 0))
    item.modifiers.new("m", "MIRROR").use_clip = True


@shape
def subdivision(b: Builder) -> None:
    x, y = b.slot()
    modifier = b.car("rounded", (x, y, 1.0), (2, 2, 2)).modifiers.new("s", "SUBSURF")
    modifier.levels, modifier.render_levels = (0, 3) if b.rng.random() < 0.5 else (3, 1)


@shape
def subdivision_under_modifier_that_is_off(b: Builder) -> None:
    x, y = b.slot()
    item = b.car("bent", (x, y, 1.0), (1.6, 1.2, 2))
    modifier = item.modifiers.new("s", "SUBSURF")
    modifier.levels, modifier.render_levels = 1, 2
    off = item.modifiers.new("only seen in the viewport", "SOLIDIFY")
    off.thickness, off.offset, off.show_render = b.length(0.7), 1, False


@shape
def boolean(b: Builder) -> None:
    x, y = b.slot()
    item, cutter = b.car("cut", (x, y, 1.0), (2, 1.6, 2)), b.box("cutter", (x + 0.3, y - 0.5, 1.4), (1, 2, 0.9))
    cutter.hide_render, cutter.display_type = True, "WIRE"
    modifier = item.modifiers.new("b", "BOOLEAN")
    modifier.object, modifier.solver = cutter, "EXACT"


@shape
def solidify(b: Builder) -> None:
    x, y = b.slot()
    sheet = b.polygons("sheet", [(-1, 0, 0), (1, 0, 0.2), (1, 0.4, 1.7), (-1, 0.2, 1.5)], [(0, 1, 2, 3)])
    item = b.truth(b.add("sheet", sheet, (x, y, 0)), "sheet", "van")
    item["gis_category"] = "van"
    item.modifiers.new("s", "SOLIDIFY").thickness = b.length(0.3)


@shape
def decimate(b: Builder) -> None:
    x, y = b.slot()
    bpy.ops.mesh.primitive_uv_sphere_add(radius=b.length(1), location=b.vector((x, y, 1)), segments=24, ring_count=16)
    item = b.truth(bpy.context.object, "stone")
    item["gis_category"] = "car"
    item.modifiers.new("d", "DECIMATE").ratio = 0.2


@shape
def simple_deform(b: Builder) -> None:
    x, y = b.slot()
    item = b.car("twisted", (x, y, 1.2), (1, 1, 2.4))
    sub = item.modifiers.new("s", "SUBSURF")
    sub.subdivision_type, sub.levels, sub.render_levels = "SIMPLE", 1, 3
    bend = item.modifiers.new("t", "SIMPLE_DEFORM")
    bend.deform_method, bend.deform_axis, bend.angle = "TWIST", "Z", 0.1
    b.animate(bend, "angle", {1: 0.4, 5: 1.5})


@shape
def skin(b: Builder) -> None:
    x, y = b.slot()
    mesh = bpy.data.meshes.new("bones")
    points = [b.vector(p) for p in ((-0.8, 0, 0.3), (0, 0, 1), (0.9, 0.2, 0.6), (0.1, 0, 1.9))]
    mesh.from_pydata(points, [(0, 1), (1, 2), (1, 3)], [])
    item = b.add("bones", mesh, (x, y, 0.1))
    item.modifiers.new("s", "SKIN")
    for corner in mesh.skin_vertices[0].data:
        corner.radius = (b.length(0.25), b.length(0.25))


@shape
def other_modifiers(b: Builder) -> None:
    """Wireframe, bevel, screw and displacement by a texture."""
    x, y = b.slot()
    item = b.car("frame", (x, y, 1), (2, 1.2, 1.8))
    item.modifiers.new("w", "WIREFRAME").thickness = b.length(0.25)
    x, y = b.slot()
    bevel = b.car("edged", (x, y, 1), (1.5, 1.2, 1.4)).modifiers.new("b", "BEVEL")
    bevel.width, bevel.segments = b.length(0.25), 3


@shape
def screw(b: Builder) -> None:
    x, y = b.slot()
    mesh = bpy.data.meshes.new("profile")
    mesh.from_pydata([b.vector(p) for p in ((0.4, 0, 0), (0.9, 0, 0.7), (0.3, 0, 1.8))], [(0, 1), (1, 2)], [])
    modifier = b.add("vase", mesh, (x, y, 0)).modifiers.new("s", "SCREW")
    modifier.steps, modifier.render_steps = 5, 11


@shape
def lattice(b: Builder) -> None:
    x, y = b.slot()
    item = b.car("latticed", (x, y, 1), (1.5, 1.5, 1.5))
    sub = item.modifiers.new("s", "SUBSURF")
    sub.subdivision_type, sub.levels, sub.render_levels = "SIMPLE", 2, 2
    cage = b.add("cage", bpy.data.lattices.new("cage"), (x, y, 1))
    cage.scale = [b.length(2)] * 3
    cage.data.points[7].co_deform.z += 0.5
    item.modifiers.new("l", "LATTICE").object = cage


@shape
def shape_keys(b: Builder) -> None:
    x, y = b.slot()
    item = b.car("breathing", (x, y, 0.8), (1.5, 1.5, 1.4))
    item.shape_key_add(name="Basis")
    key = item.shape_key_add(name="tall")
    for point in key.data:
        point.co.z *= 2
    b.animate(key, "value", {1: 0.1, 6: 1.0})


@shape
def armature(b: Builder) -> None:
    x, y = b.slot()
    item = b.car("rigged", (x, y, 0), (1, 1, 2))
    item.rotation_euler[2] = 0
    for vertex in item.data.vertices:
        vertex.co.z += b.length(1)
    rig = b.add("rig", bpy.data.armatures.new("rig"), (x, y, 0))
    b.activate(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    for number, (low, high) in enumerate(((0, 1), (1, 2))):
        bone = rig.data.edit_bones.new(f"bone{number}")
        bone.head, bone.tail = b.vector((0, 0, low)), b.vector((0, 0, high))
    bpy.ops.object.mode_set(mode="OBJECT")
    for number, part in enumerate((range(0, 8, 2), range(1, 8, 2))):
        item.vertex_groups.new(name=f"bone{number}").add(list(part), 1.0, "REPLACE")
    item.modifiers.new("a", "ARMATURE").object = rig
    pose = rig.pose.bones["bone1"]
    pose.rotation_mode = "XYZ"
    for frame, angle in ((1, 0.0), (5, 0.9)):
        pose.rotation_euler = (0, 0, angle)
        pose.location = (b.length(angle), 0, 0)
        pose.keyframe_insert("rotation_euler", frame=frame)
        pose.keyframe_insert("location", frame=frame)


@shape
def armature_as_parent(b: Builder) -> None:
    """Deformed by its parent, with no modifier in its list; the rig in its pose, saved in pose mode."""
    x, y = b.slot()
    rig = b.add("mover", bpy.data.armatures.new("mover"), (x, y, 0))
    b.activate(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("bone")
    bone.head, bone.tail = (0, 0, 0), b.vector((0, 0, 1))
    bpy.ops.object.mode_set(mode="OBJECT")
    item = b.car("moved", (0, 0, 0.7), (1.2, 1.2, 1.2))
    item.vertex_groups.new(name="bone").add([1, 3, 5, 7], 1.0, "REPLACE")
    item.parent, item.parent_type = rig, "ARMATURE"
    rig.pose.bones["bone"].location = (0, b.length(0.6), b.length(0.3))
    b.leave_in_mode("POSE", rig)


@shape
def text(b: Builder) -> None:
    x, y = b.slot()
    data = bpy.data.curves.new("sign", "FONT")
    data.body, data.size, data.extrude = "GO", b.length(2.2), b.length(0.15)
    data.resolution_u, data.render_resolution_u = 2, 8
    item = b.add("sign", data, (x - 1.4, y, 0.2))
    item.rotation_euler = (math.pi / 2, 0, 0.2)


@shape
def bevelled_curve(b: Builder) -> None:
    x, y = b.slot()
    data = bpy.data.curves.new("pipe", "CURVE")
    data.dimensions, data.bevel_depth, data.bevel_resolution = "3D", b.length(0.22), 2
    data.resolution_u, data.render_resolution_u = 2, 9
    spline = data.splines.new("BEZIER")
    spline.bezier_points.add(1)
    for point, at, handle in zip(
        spline.bezier_points, ((-1, 0, 0.3), (1, 0, 1.6)), ((0, 0, 2.5), (0, 0, -2.5)), strict=True
    ):
        point.co = b.vector(at)
        point.handle_left = b.vector([a - h for a, h in zip(at, handle, strict=True)])
        point.handle_right = b.vector([a + h for a, h in zip(at, handle, strict=True)])
    item = b.truth(b.add("pipe", data, (x, y, 0.3)), "pipe")
    item["gis_category"] = "car"


@shape
def flat_curve(b: Builder) -> None:
    """A filled curve, and one that follows another as its bevel and taper."""
    x, y = b.slot()
    bpy.ops.curve.primitive_bezier_circle_add(
        radius=b.length(1.1), location=b.vector((x, y, 1.2)), rotation=(1.2, 0, 0.3)
    )
    data = bpy.context.object.data
    data.dimensions, data.fill_mode, data.resolution_u, data.render_resolution_u = "2D", "BOTH", 3, 12
    data.extrude = b.length(0.1)


@shape
def nurbs_surface(b: Builder) -> None:
    x, y = b.slot()
    bpy.ops.surface.primitive_nurbs_surface_sphere_add(radius=b.length(1), location=b.vector((x, y, 1)))
    item = b.truth(bpy.context.object, "ball")
    item["gis_category"] = "car"
    data = item.data
    data.resolution_u = data.resolution_v = 2
    data.render_resolution_u = data.render_resolution_v = 6


@shape
def metaballs(b: Builder) -> None:
    x, y = b.slot()
    data = bpy.data.metaballs.new("drop")
    data.resolution, data.render_resolution = b.length(0.6), b.length(0.15)
    for at, radius in (((0, 0, 0), 1.0), ((0.8, 0, 0.4), 0.8)):
        element = data.elements.new()
        element.co, element.radius = b.vector(at), b.length(radius)
    b.add("drop", data, (x, y, 0.9))


@shape
def edit_mode(b: Builder) -> None:
    """Saved while two meshes are being edited, one of them with a modifier."""
    items = []
    for name in ("edited", "edited too"):
        x, y = b.slot()
        items.append(b.car(name, (x, y, 0.9), (1.5, 1, 1.6)))
    items[1].modifiers.new("s", "SUBSURF").render_levels = 2
    b.leave_in_mode("EDIT", *items)


@shape
def text_in_edit_mode(b: Builder) -> None:
    x, y = b.slot()
    data = bpy.data.curves.new("word", "FONT")
    data.body, data.size = "ABC", b.length(1.6)
    item = b.activate(b.add("word", data, (x - 1.4, y, 0.2)))
    item.rotation_euler = (math.pi / 2, 0, 0)
    b.leave_in_mode("EDIT", item)


@shape
def sculpt_mode(b: Builder) -> None:
    x, y = b.slot()
    item = b.activate(b.car("sculpted", (x, y, 0.9)))
    item.modifiers.new("s", "SUBSURF").render_levels = 2
    b.leave_in_mode("SCULPT", item)


@shape
def odd_meshes(b: Builder) -> None:
    """Empty, edges alone, a triangle without area, a concave and a bent polygon."""
    x, y = b.slot()
    b.add("empty", bpy.data.meshes.new("empty"), (x, y, 0))["gis_category"] = "car"
    loose = bpy.data.meshes.new("loose")
    loose.from_pydata([b.vector(p) for p in ((0, 0, 0), (0, 0, 3), (1, 0, 1))], [(0, 1)], [])
    b.add("loose", loose, (x, y, 0))
    points = [(-1, 0, 0), (1, 0, 0), (1, 0, 2), (0, 0.3, 0.6), (-1, 0, 2), (0, 0, 3), (0, 0, 3), (0, 0, 3)]
    item = b.add("concave", b.polygons("concave", points, [(0, 1, 2, 3, 4), (5, 6, 7)]), (x, y, 0.1))
    b.truth(item, "concave")["gis_category"] = "car"


@shape
def broken_vertices(b: Builder) -> None:
    x, y = b.slot()
    item = b.car("broken", (x, y, 1), (2, 1.6, 1.8))
    item.data.vertices[0].co = (math.nan,) * 3
    x, y = b.slot()
    item = b.car("endless", (x, y, 1), (2, 1.6, 1.8))
    item.data.vertices[7].co.x = math.inf


@shape
def nodes_that_know_the_viewport(b: Builder) -> None:
    x, y = b.slot()
    tree = b.nodes(b.car("shy", (x, y, 1)))
    switch = tree.node("GeometryNodeSwitch", input_type="GEOMETRY")
    tree.link(tree.node("GeometryNodeIsViewport").outputs[0], switch.inputs["Switch"])
    tree.link(tree.input, switch.inputs["False"])
    tree.link(switch.outputs[0], tree.output)


@shape
def nodes_that_make_meshes(b: Builder) -> None:
    """A mesh that only the nodes make, and one whose size is the time."""
    x, y = b.slot()
    tree = b.nodes(b.add("grown", bpy.data.meshes.new("grown"), (x, y, 0)))
    cone, time = tree.node("GeometryNodeMeshCone"), tree.node("GeometryNodeInputSceneTime")
    cone.inputs["Radius Bottom"].default_value = b.length(0.9)
    scale = tree.node("ShaderNodeMath", operation="MULTIPLY_ADD")
    scale.inputs[1].default_value, scale.inputs[2].default_value = b.length(0.3), b.length(0.6)
    tree.link(time.outputs["Frame"], scale.inputs[0])
    tree.link(scale.outputs[0], cone.inputs["Depth"])
    tree.link(cone.outputs[0], tree.output)
    b.truth(bpy.data.objects["grown"], "grown")["gis_category"] = "car"


@shape
def nodes_on_a_curve(b: Builder) -> None:
    """A curve object that its nodes turn into a mesh."""
    x, y = b.slot()
    data = bpy.data.curves.new("rail", "CURVE")
    data.dimensions, data.resolution_u, data.render_resolution_u = "3D", 2, 7
    spline = data.splines.new("NURBS")
    spline.points.add(3)
    spline.use_endpoint_u = True
    for point, at in zip(spline.points, ((-1, 0, 0.4), (0, 0, 2.6), (0.4, 0.5, 0), (1.2, 0, 2)), strict=True):
        point.co = (*b.vector(at), 1)
    item = b.truth(b.add("rail", data, (x, y, 0)), "rail")
    item["gis_category"] = "car"
    tree = b.nodes(item)
    tube, circle = tree.node("GeometryNodeCurveToMesh"), tree.node("GeometryNodeCurvePrimitiveCircle")
    circle.inputs["Radius"].default_value, circle.inputs["Resolution"].default_value = b.length(0.25), 7
    tree.link(tree.input, tube.inputs["Curve"])
    tree.link(circle.outputs[0], tube.inputs["Profile Curve"])
    tree.link(tube.outputs[0], tree.output)


@shape
def parents(b: Builder) -> None:
    """Below parents that are mirrored, sheared, or scaled to almost nothing and back."""
    for name, scale, turn in (
        ("mirrored parent", (-1, 1, 1), 0.0),
        ("sheared parent", (2, 1, 1), 0.6),
        ("tiny parent", (1e-3,) * 3, 0.3),
    ):
        x, y = b.slot()
        parent = b.add(name, None, (x, y, 0))
        parent.scale = scale
        child = b.car(f"below {name}", (0, 0, 0), (1.4, 0.9, 1.3))
        child.parent, child.rotation_euler = parent, (0.2, 0, turn)
        child.location = b.vector([v / s for v, s in zip((0.2, 0, 1.0), scale, strict=True)])
        child.scale = (1e3,) * 3 if name.startswith("tiny") else (-1, 1, 1.2)


@shape
def constraints_and_drivers(b: Builder) -> None:
    x, y = b.slot()
    item, leader = b.car("follower", (x, y, 0.6), (1.2, 1, 1.1)), b.add("leader", None, (x, y, 0.7))
    b.animate(leader, "location", {1: b.length(x - 1), 5: b.length(x + 1)}, index=0)
    item.constraints.new("COPY_LOCATION").target = leader
    curve = item.driver_add("scale", 2)
    curve.driver.type, variable = "SCRIPTED", curve.driver.variables.new()
    curve.driver.expression = "1 + 0.1 * frame"
    curve.driver.variables.remove(variable)


@shape
def simulated_nodes(b: Builder) -> None:
    """A simulation zone that lifts its mesh a little at every step."""
    x, y = b.slot()
    tree = b.nodes(b.car("rising", (x, y, 0.6), (1.2, 1, 1)))
    start, end = tree.node("GeometryNodeSimulationInput"), tree.node("GeometryNodeSimulationOutput")
    start.pair_with_output(end)
    move = tree.node("GeometryNodeSetPosition")
    move.inputs["Offset"].default_value = b.vector((0, 0, 0.2))
    tree.link(tree.input, start.inputs["Geometry"])
    tree.link(start.outputs["Geometry"], move.inputs["Geometry"])
    tree.link(move.outputs[0], end.inputs["Geometry"])
    tree.link(end.outputs["Geometry"], tree.output)
    b.frames = [0, 1, 4]


@shape
def rigid_body(b: Builder) -> None:
    x, y = b.slot()
    item = b.car("falling", (x, y, 3.0))
    bpy.ops.rigidbody.world_add()
    for one, kind in ((item, "ACTIVE"), (bpy.data.objects["ground"], "PASSIVE")):
        b.activate(one)
        bpy.ops.rigidbody.object_add(type=kind)
    b.frames = [0, 1, 5, 9]


@shape
def cloth(b: Builder) -> None:
    x, y = b.slot()
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=6, y_subdivisions=6, size=b.length(2), location=b.vector((x, y, 2)))
    item = b.truth(bpy.context.object, "sail")
    item["gis_category"] = "car"
    item.modifiers.new("c", "CLOTH")
    b.frames = [0, 5]


@shape
def linked_library(b: Builder) -> None:
    """Copies of a collection of another file, and an object of it."""
    home = b.collection("kit of another file", linked=False)
    marked = b.car("wagon", (0, 0, 0.5), (1.4, 0.8, 0.8), home)
    marked.rotation_euler = (0, 0, 0)
    marked.modifiers.new("s", "SUBSURF").render_levels = 2
    path = f"{bpy.app.tempdir}/library.blend"
    bpy.data.libraries.write(path, {home}, fake_user=True)
    bpy.data.objects.remove(marked)
    bpy.data.collections.remove(home)
    with bpy.data.libraries.load(path, link=True) as (there, here):
        here.collections = there.collections
    for number in range(2):
        x, y = b.slot()
        b.instance(f"wagon copy {number}", here.collections[0], (x, y, 0)).rotation_euler[2] = 0.4 * number
