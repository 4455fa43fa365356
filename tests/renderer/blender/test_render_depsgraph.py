"""The evaluated scene is that of Blender's render, in both engines: what is shown, how finely, and by which layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from blender_render import ALLOWED_SHARE, blender_depth, differing_share  # noqa: E402

from renderer.blender.engine import Engine, RenderSession  # noqa: E402
from renderer.errors import SceneError  # noqa: E402
from renderer.geometry.frame import Frame  # noqa: E402

Add = Callable[..., Any]
Save = Callable[..., Path]
ENGINES: tuple[Literal["raster", "cycles"], ...] = get_args(Engine)


@pytest.fixture
def street(empty_scene: Any, add_box: Add) -> Any:
    """A marked car on a ground, by two kinds of things that a test adds."""
    add_box("ground", (0, 10, -0.05), (60, 40, 0.1))
    add_box("thing", (1.2, 6, 0.5))["gis_category"] = "car"
    return empty_scene


def assert_as_blender(path: Path, *, differs_from: Path | None = None) -> dict[str, Frame]:
    """Both engines show what Blender's render does; and that is not what another scene shows."""
    (theirs,) = blender_depth(path, [1])
    if differs_from is not None:
        assert differing_share(blender_depth(differs_from, [1])[0].astype(np.float32), theirs) > 10 * ALLOWED_SHARE
    frames = {}
    for engine in ENGINES:
        with RenderSession(path, engine=engine) as session:
            frames[engine] = session.frame(0)
        assert differing_share(frames[engine].depth_m, theirs) <= ALLOWED_SHARE, engine
    np.testing.assert_array_equal(frames["raster"].instance_id == 0, frames["cycles"].instance_id == 0)
    return frames


def metaball(scene: Any) -> Any:
    data = bpy.data.metaballs.new("ball")
    data.resolution, data.render_resolution = 0.9, 0.12
    data.elements.new().radius = 1.2
    item = bpy.data.objects.new("ball", data)
    item.location = (-1, 5, 0.7)
    scene.collection.objects.link(item)
    return data


def curve(scene: Any) -> Any:
    data = bpy.data.curves.new("pipe", "CURVE")
    data.dimensions, data.bevel_depth, data.resolution_u, data.render_resolution_u = "3D", 0.25, 1, 24
    data.bevel_resolution = 3
    spline = data.splines.new("BEZIER")
    spline.bezier_points.add(1)
    for point, x in zip(spline.bezier_points, (-1.6, 0.4), strict=True):
        point.co, point.handle_left, point.handle_right = (x, 0, 0), (x - 1, 0, 2), (x + 1, 0, 2)
    item = bpy.data.objects.new("pipe", data)
    item.location = (0, 6, 0)
    scene.collection.objects.link(item)
    return data


def test_metaballs_in_the_resolution_of_renders(street: Any, save_scene: Save) -> None:
    ball = metaball(street)
    wanted = save_scene("render.blend")
    ball.render_resolution = ball.resolution
    assert_as_blender(wanted, differs_from=save_scene("viewport.blend"))


def test_curves_in_the_resolution_of_renders(street: Any, save_scene: Save) -> None:
    pipe = curve(street)
    wanted = save_scene("render.blend")
    pipe.render_resolution_u = pipe.resolution_u
    assert_as_blender(wanted, differs_from=save_scene("viewport.blend"))


def emitter(scene: Any, leaf: Any) -> Any:
    """Settings of particles that show a leaf on a wall across the picture."""
    mesh = bpy.data.meshes.new("hedge")
    mesh.from_pydata([(-3, 9, 0), (3, 9, 0), (3, 9, 2), (-3, 9, 2)], [], [(0, 1, 2, 3)])
    item = bpy.data.objects.new("hedge", mesh)
    scene.collection.objects.link(item)
    item.modifiers.new("leaves", "PARTICLE_SYSTEM")
    settings = item.particle_systems[0].settings
    settings.type, settings.count, settings.use_advanced_hair, settings.hair_length = "HAIR", 60, True, 1
    settings.render_type, settings.instance_object, settings.particle_size = "OBJECT", leaf, 1
    return settings


@pytest.mark.parametrize("few", ["display percentage", "children", "simplify"])
def test_particles_in_the_number_of_renders(few: str, street: Any, add_box: Add, save_scene: Save) -> None:
    settings = emitter(street, add_box("leaf", (0, 0, -20), (0.3, 0.3, 0.5)))
    if few == "display percentage":
        settings.display_percentage = 5
    else:
        settings.child_type, settings.child_percent, settings.rendered_child_count = "SIMPLE", 1, 8
    if few == "simplify":
        street.render.use_simplify, street.render.simplify_child_particles = True, 1.0
        street.render.simplify_child_particles_render = 0.25
    wanted = save_scene("render.blend")
    settings.count = 1
    assert_as_blender(wanted, differs_from=save_scene("other.blend"))


@pytest.mark.parametrize("most", [0, 1, 6])
def test_subdivision_and_what_simplify_leaves_of_it(most: int, street: Any, add_box: Add, save_scene: Save) -> None:
    rock = add_box("rock", (-1, 6, 0.7), (1.6, 1.6, 1.6))
    modifier = rock.modifiers.new("round", "SUBSURF")
    modifier.levels, modifier.render_levels = 5, 3
    street.render.use_simplify, street.render.simplify_subdivision = True, 2
    street.render.simplify_subdivision_render = most
    assert_as_blender(save_scene())


def test_what_makes_copies_is_shown_as_in_renders(street: Any, add_box: Add, save_scene: Save) -> None:
    mesh = bpy.data.meshes.new("sheet")
    mesh.from_pydata([(-2, 0, 0), (2, 0, 0), (2, 0, 2), (-2, 0, 2)], [], [(0, 1, 2, 3)])
    sheet = bpy.data.objects.new("sheet", mesh)
    sheet.location, sheet.instance_type = (0, 8, 0), "VERTS"
    street.collection.objects.link(sheet)
    add_box("post", (0, 0, 0), (0.3, 0.3, 1)).parent = sheet
    sheet.show_instancer_for_render, sheet.show_instancer_for_viewport = False, True
    wanted = save_scene("render.blend")
    sheet.show_instancer_for_render = True
    assert_as_blender(wanted, differs_from=save_scene("shown.blend"))


@pytest.mark.parametrize("how", ["rays", "indirect", "holdout", "holdout collection"])
def test_what_the_camera_does_not_see(how: str, street: Any, add_box: Add, save_scene: Save) -> None:
    """A card before the car: not there; or, as a holdout, a hole."""
    cards = bpy.data.collections.new("cards")
    street.collection.children.link(cards)
    card = add_box("card", (1.2, 3, 0.6), (0.7, 0.05, 0.8), collection=cards)
    shown = save_scene("shown.blend")
    layer = bpy.context.view_layer.layer_collection.children["cards"]
    if how == "rays":
        card.visible_camera = False
    elif how == "indirect":
        layer.indirect_only = True
    elif how == "holdout":
        card.is_holdout = True
    else:
        layer.holdout = True
    frames = assert_as_blender(save_scene("render.blend"), differs_from=shown)
    for frame in frames.values():
        assert ((frame.instance_id == 0) | np.isfinite(frame.depth_m)).all()
        assert [one.visible_px > 0 for one in frame.instances] == [True]


def test_a_layer_without_surfaces_is_refused(street: Any, save_scene: Save) -> None:
    bpy.context.view_layer.use_solid = False
    with pytest.raises(SceneError, match="view layer 'ViewLayer' renders no surfaces"):
        RenderSession(save_scene())


@pytest.mark.parametrize("by_view_too", [False, True])
def test_what_simplify_takes_away_by_distance(by_view_too: bool, street: Any, add_box: Add, save_scene: Save) -> None:
    """Cycles' culling: by the distance alone, or of what is out of the picture too (then it shows in none)."""
    for k in range(6):
        post = add_box(f"post {k}", (-1.5 + k / 2, 3 + 2 * k, 0.8), (0.2, 0.2, 1.6))
        post.cycles.use_distance_cull, post.cycles.use_camera_cull = True, True
    street.render.use_simplify, street.cycles.use_distance_cull, street.cycles.distance_cull_margin = True, True, 8
    street.cycles.use_camera_cull = by_view_too
    wanted = save_scene("culled.blend")
    street.cycles.use_distance_cull = False
    assert_as_blender(wanted, differs_from=None if by_view_too else save_scene("all.blend"))


def hair(card: Any) -> None:
    card.modifiers.new("hair", "PARTICLE_SYSTEM")
    card.particle_systems[0].settings.type = "HAIR"


def shader(card: Any, kind: str, output: str, **inputs: float) -> None:
    material = bpy.data.materials.new("paint")
    material.use_nodes = True
    tree = material.node_tree
    if output == "Volume":
        tree.nodes.remove(tree.nodes["Principled BSDF"])
    node = tree.nodes.new(kind)
    for name, value in inputs.items():
        node.inputs[name].default_value = value
    tree.links.new(node.outputs[0], tree.nodes["Material Output"].inputs[output])
    material.displacement_method = "DISPLACEMENT"
    card.data.materials.append(material)


BEYOND: dict[str, tuple[Callable[[Any], None], str]] = {
    "hair": (hair, "leaves out 'card' (hair)"),
    "transparent": (lambda card: shader(card, "ShaderNodeBsdfTransparent", "Surface"), "solid"),
    "alpha": (lambda card: shader(card, "ShaderNodeBsdfPrincipled", "Surface", Alpha=0.2), "solid"),
    "volume": (lambda card: shader(card, "ShaderNodeVolumePrincipled", "Volume"), "solid"),
    "displaced": (lambda card: shader(card, "ShaderNodeDisplacement", "Displacement", Height=1.0), "displaces"),
}


@pytest.mark.parametrize("kind", BEYOND)
def test_what_the_z_buffer_cannot_draw_is_named(kind: str, street: Any, add_box: Add, save_scene: Save) -> None:
    card = add_box("card", (0.9, 3, 0.6), (0.7, 0.05, 0.8))
    plain = save_scene("plain.blend")
    give, said = BEYOND[kind]
    give(card)
    path = save_scene("beyond.blend")
    with RenderSession(plain) as session:
        assert not any("engine raster" in note for note in session.frame(0).notes)
    with RenderSession(path) as session:
        (note,) = [note for note in session.frame(0).notes if "engine raster" in note]
    assert said in note
    assert "'card'" in note
    with RenderSession(path, engine="cycles") as session:
        frame = session.frame(0)
    assert not any("engine raster" in note for note in frame.notes)
    assert differing_share(frame.depth_m, blender_depth(path, [1])[0]) <= ALLOWED_SHARE


def test_a_labelled_holdout_is_no_object(street: Any, save_scene: Save, add_box: Add) -> None:
    other = add_box("other", (-1.2, 6, 0.5))
    other["gis_category"], other.is_holdout = "car", True
    for frame in assert_as_blender(save_scene()).values():
        assert [one.model for one in frame.instances] == ["thing"]


def test_the_first_layer_that_is_rendered_is_the_pictures(street: Any, add_box: Add, save_scene: Save) -> None:
    """Blender's picture shows the first layer that is used."""
    homes = [bpy.data.collections.new(name) for name in ("left", "right")]
    for home, x in zip(homes, (-1.4, 0.2), strict=True):
        street.collection.children.link(home)
        add_box(home.name, (x, 4, 0.5), collection=home)
    street.view_layers[0].use = False
    layers = [street.view_layers.new(home.name) for home in homes]
    for layer, home in zip(layers, homes, strict=True):
        for child in layer.layer_collection.children:
            child.exclude = child.name != home.name
    both = save_scene("both.blend")
    layers[0].use = False
    second = save_scene("second.blend")
    frame = assert_as_blender(both, differs_from=second)["raster"]
    assert any("of 2 view layers 'left' is rendered" in note for note in frame.notes)
    assert not any("view layer" in note for note in assert_as_blender(second)["raster"].notes)


def test_a_scene_without_a_layer_that_is_rendered_is_refused(street: Any, save_scene: Save) -> None:
    street.view_layers[0].use = False
    with pytest.raises(SceneError, match="no view layer is rendered"):
        RenderSession(save_scene("none.blend"))


def test_a_scene_in_the_background_of_another(street: Any, add_box: Add, save_scene: Save) -> None:
    other = bpy.data.scenes.new("set")
    add_box("backdrop", (0, 9, 1), (8, 0.2, 3), collection=other.collection)
    without = save_scene("without.blend")
    street.background_set = other
    assert_as_blender(save_scene("with.blend"), differs_from=without)


def test_animated_visibility(street: Any, add_box: Add, save_scene: Save) -> None:
    """Frames in any order, so that nothing of one is left in the next."""
    for attribute, x in (("hide_render", -1.2), ("visible_camera", 0.0)):
        box = add_box(attribute, (x, 4, 0.4), (0.6, 0.6, 0.6))
        for frame, value in ((1, False), (3, True)):
            setattr(box, attribute, value)
            box.keyframe_insert(attribute, frame=frame)
    path = save_scene()
    theirs = blender_depth(path, [1, 2, 3])
    assert differing_share(theirs[0].astype(np.float32), theirs[2]) > 10 * ALLOWED_SHARE
    for engine in ENGINES:
        with RenderSession(path, engine=engine) as session:
            for index in (2, 0, 1, 0, 2):
                assert differing_share(session.frame(index).depth_m, theirs[index]) <= ALLOWED_SHARE, (engine, index)


def test_reading_a_scene_leaves_no_engine_behind(street: Any, save_scene: Save) -> None:
    """Blender hangs at its end where a class of ours is left."""
    with RenderSession(save_scene()) as session:
        session.frame(0)
        assert "GIS_SCENE_READER" in engines()
    assert "GIS_SCENE_READER" not in engines()


def engines() -> set[str]:
    classes = bpy.types.RenderEngine.__subclasses__()
    return {str(getattr(cls, "bl_idname", "")) for cls in classes if getattr(cls, "is_registered", False)}


def test_errors_while_reading_are_errors(street: Any, save_scene: Save) -> None:
    from renderer.blender.evaluation import evaluated_for_render

    def fail(depsgraph: Any) -> None:
        raise SceneError("no such thing")

    with RenderSession(save_scene()) as session, pytest.raises(SceneError, match="no such thing"):
        evaluated_for_render(session.scene, fail)
