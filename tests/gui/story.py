"""What a user does in Blender's window, from an empty scene to a data set; started by Blender itself."""

import math
import os
import sys
import time
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hands import Hands, Stuck, area_of, click, drag, play, sidebar, wait_for, xdotool

OUT = Path(os.environ["GIS_GUI_OUT"])
HANDS = Hands(OUT)
FRAMES = 4
MANY = 4000
"""More than are made before the story cancels."""


def panel():
    return bpy.context.scene.gis_thermal


def dataset():
    return bpy.context.scene.gis_dataset


def processes(word):
    """Command lines of running programs that hold a word; no zombies, which have none."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if word in line and "xdotool" not in line:
            lines.append(line[:200])
    return lines


def temporary_files():
    """What the add-on has left in the folder for temporary files."""
    return sorted(path.name for path in Path(os.environ["TMPDIR"]).glob("gis-*"))


# --- the scene that an artist starts with ---------------------------------------------------------------------------


def _material(name, color):
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*color, 1.0)
    return material


def _box(low, high):
    """Corners and faces of a box."""
    corners = [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    return corners, [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def _wheel(x, y, radius=0.33, width=0.22, sides=24):
    """Corners and faces of a wheel with its axle along y."""
    corners = []
    for side in (-0.5, 0.5):
        for k in range(sides):
            angle = 2 * math.pi * k / sides
            corners.append((x + radius * math.cos(angle), y + side * width, radius + radius * math.sin(angle)))
    faces = [(k, (k + 1) % sides, sides + (k + 1) % sides, sides + k) for k in range(sides)]
    return corners, [*faces, tuple(range(sides)), tuple(range(2 * sides - 1, sides - 1, -1))]


def build_car(at):
    """An artist's own car: one mesh, materials with the usual names, no zones."""
    parts = [
        (_box((-2.1, -0.85, 0.3), (2.1, 0.85, 0.9)), 0),
        (_box((-1.5, -0.75, 0.9), (0.8, 0.75, 1.35)), 1),
        (_box((-1.4, -0.72, 1.35), (0.7, 0.72, 1.45)), 0),
        *((_wheel(x, y), 2) for x in (-1.3, 1.3) for y in (-0.78, 0.78)),
    ]
    corners, faces, slots = [], [], []
    for (own, sides), slot in parts:
        faces += [tuple(number + len(corners) for number in face) for face in sides]
        corners += own
        slots += [slot] * len(sides)
    mesh = bpy.data.meshes.new("my car")
    mesh.from_pydata(corners, [], faces)
    for name, color in (("car paint", (0.5, 0.05, 0.05)), ("glass", (0.1, 0.2, 0.3)), ("tyre", (0.03, 0.03, 0.03))):
        mesh.materials.append(_material(name, color))
    mesh.polygons.foreach_set("material_index", slots)
    mesh.update()
    item = bpy.data.objects.new("my car", mesh)
    item.location, item.rotation_euler.z = at, math.radians(165)
    bpy.context.collection.objects.link(item)
    return item


def build_scene():
    """A road, a wall and the artist's car in place of Blender's cube."""
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    bpy.ops.mesh.primitive_plane_add(size=80)
    bpy.context.object.name = "road"
    bpy.context.object.data.materials.append(_material("asphalt road", (0.08, 0.08, 0.08)))
    brick = _material("brick wall", (0.4, 0.2, 0.15))
    for x in (-14, 30):
        bpy.ops.mesh.primitive_cube_add(size=1, location=(x, 0, 3), scale=(1, 40, 6))
        bpy.context.object.name = "house"
        bpy.context.object.data.materials.append(brick)
    car = build_car((10.0, 2.8, 0.0))
    for item in bpy.context.selected_objects:
        item.select_set(False)
    bpy.context.view_layer.update()
    return car


def look_at(center, distance):
    """Turn the 3-D viewport's own view."""
    view = area_of("VIEW_3D").spaces.active.region_3d
    view.view_location, view.view_distance = center, distance
    from mathutils import Euler

    view.view_rotation = Euler((math.radians(68), 0, math.radians(118))).to_quaternion()


def open_image_editor():
    """Show images where Blender's properties were."""
    area = area_of("PROPERTIES")
    area.type = "IMAGE_EDITOR"
    yield 0.2
    yield from drag((area.x - 1, area.y + area.height // 3), (area.x - 170, area.y + area.height // 3))


def fit_image():
    """Let the image fill its editor."""
    area = area_of("IMAGE_EDITOR")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region):
        bpy.ops.image.view_all(fit_view=True)


def shading():
    """What the 3-D viewport shows: kind, colours."""
    shown = area_of("VIEW_3D").spaces.active.shading
    return [shown.type, shown.color_type, shown.light]


def picture_windows():
    """Images in the Image Editors of all windows."""
    editors = [
        area.spaces.active.image
        for window in bpy.context.window_manager.windows
        for area in window.screen.areas
        if area.type == "IMAGE_EDITOR"
    ]
    return [image.name for image in editors if image]


def view_job():
    """The module of the installed add-on that renders the view."""
    return next(module for name, module in sys.modules.items() if name.endswith("gis_thermal.jobs.view_job"))


def rendering(seconds, what):
    """Wait for the end of a rendering; returns what the panel said meanwhile."""
    seen = []
    yield from wait_for(lambda: panel().is_rendering, 30, "rendering")
    end = time.monotonic() + seconds
    while panel().is_rendering:
        view = view_job().VIEW
        if not seen or seen[-1][0] != view.stage:
            seen.append([view.stage, view.left_s is not None])
        if time.monotonic() > end:
            raise Stuck(f"{what}: not within {seconds} s")
        yield 0.05
    return seen


def toggle_zones():
    """Click on the header of the panel of zones, which is the first below the messages."""
    side, was_open = sidebar(), "GIS_PT_zones" in HANDS.drawn
    for down in range(70, 125, 9):
        HANDS.drawn.discard("GIS_PT_zones")
        yield from click(side.x + 60, side.y + side.height - down)
        yield 0.4
        HANDS.drawn.discard("GIS_PT_zones")
        HANDS.redraw()
        yield 0.4
        if ("GIS_PT_zones" in HANDS.drawn) != was_open:
            return
    raise Stuck("the panel of zones does not open or close")


def spread(name):
    """Standard deviation of an image's first channel."""
    image = bpy.data.images.get(name)
    if image is None:
        return 0.0
    flat = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(flat)
    return float(flat[::4].std())


def mean(name):
    image = bpy.data.images[name]
    flat = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(flat)
    return float(flat[::4].mean())


# --- the story ------------------------------------------------------------------------------------------------------


def open_panel():
    yield from HANDS.open_tab()
    yield from HANDS.look("1-panel")
    closed = sorted(HANDS.drawn)
    yield from toggle_zones()
    HANDS.note("panel", closed=closed, drawn=sorted(HANDS.drawn), version=bpy.app.version_string)


def add_cars():
    own = build_scene()
    look_at((9, 1.2, 0.3), 9)
    bpy.context.scene.cursor.location = (9.0, -1.2, 0.0)
    bpy.ops.gis.add_car(model="saloon")
    added = bpy.context.object
    yield 0.5
    own.select_set(True)
    added.select_set(False)
    bpy.context.view_layer.objects.active = own
    yield from HANDS.press("gis.mark_car(clear=False)", 0.6, 410)
    bpy.context.scene.cursor.location = (11.0, 0.4, 0.0)
    bpy.ops.gis.add_person(person="person_05", pose="walk_03")
    walker = bpy.context.object
    yield 0.5
    bpy.context.scene.cursor.location = (13.0, -3.0, 0.0)
    bpy.ops.gis.add_two_wheeler(model="bicycle_01.rider_22")
    rider = bpy.context.object
    yield 0.5
    yield from HANDS.look("1-people")
    HANDS.note(
        "people",
        walker=[walker.get("gis_model", ""), walker.get("gis_category", "")],
        rider=[rider.get("gis_model", ""), rider.parent.get("gis_category", "") if rider.parent else ""],
    )
    for item in (walker, rider, rider.parent):
        bpy.data.objects.remove(item)
    bpy.context.view_layer.objects.active = own
    HANDS.note(
        "cars",
        added=added.get("gis_model", ""),
        category=added.get("gis_category", ""),
        shown=len(added.instance_collection.all_objects) if added.instance_collection else 0,
        own=own.get("gis_category", ""),
    )


def import_car():
    """A car from a file, its zones guessed and painted: it is a copy of a model, and no mesh itself."""
    path = OUT / "imported.obj"
    corners, faces = _box((-2.0, -0.8, 0.0), (2.0, 0.8, 1.4))
    lines = [f"v {x} {z} {-y}" for x, y, z in corners] + ["f " + " ".join(str(k + 1) for k in face) for face in faces]
    path.write_text("\n".join(lines), encoding="utf-8")
    bpy.context.scene.cursor.location = (16.0, -6.0, 0.0)
    panel().car_file = str(path)
    yield from HANDS.press("gis.import_car()", 0.88, 405)
    copy = bpy.context.object
    mesh = copy.instance_collection.all_objects[0].data
    before = zones_of(mesh)
    yield from HANDS.press("gis.guess_zones()", 0.4, 200)
    guessed = zones_of(mesh)
    yield from HANDS.press("gis.edit_faces()", 0.88, 200)
    mode, active = bpy.context.mode, bpy.context.object
    bpy.ops.mesh.select_all(action="SELECT")
    panel().zone = "glass"
    yield from HANDS.press("gis.assign_zone(target='FACES')", 0.17, 175)
    bpy.ops.object.mode_set(mode="OBJECT")
    yield from HANDS.look("1-imported")
    HANDS.note(
        "import",
        before=before,
        guessed=guessed,
        mode=mode,
        same_mesh=active.data == mesh,
        painted=zones_of(mesh),
        parent=active.parent == copy and copy.get("gis_category", ""),
    )
    for item in (active, copy):
        bpy.data.objects.remove(item)
    bpy.context.view_layer.objects.active = bpy.data.objects["my car"]
    bpy.ops.ed.undo_push(message="the imported car is gone")


def zones_of(mesh):
    """Numbers of the zones in a mesh."""
    attribute = mesh.attributes.get("thermal_zone")
    return sorted({one.value for one in attribute.data}) if attribute else []


def guess_zones():
    for item in bpy.context.scene.objects:
        item.select_set(item.type == "MESH")
    yield from HANDS.press("gis.guess_zones()", 0.4, 200)
    yield from HANDS.press("gis.show_overlay(kind='ZONES')", 0.2, 248)
    yield from HANDS.look("2-zones")
    rows = {row.name: row.faces for row in panel().zone_rows}
    HANDS.note("zones", rows=rows, overlay=panel().overlay)
    yield from undo_overlay()
    yield from HANDS.press("gis.show_overlay(kind='TEMPERATURE')", 0.6, 248)
    yield from HANDS.look("3-temperature")
    HANDS.note("temperature", low=panel().overlay_low_C, high=panel().overlay_high_C)
    panel().hour, panel().weather, panel().season = 14.0, "clear", "summer"
    yield from HANDS.look("4-temperature-noon")
    HANDS.note("noon", low=panel().overlay_low_C, high=panel().overlay_high_C)


def undo_overlay():
    """Back to before the overlay, and forward again; what the panel of data sets holds stays."""
    dataset().count, dataset().out = 77, str(OUT / "kept")
    shown, view = shading(), area_of("VIEW_3D")
    seen = {}
    for step, key in (("undone", "ctrl+z"), ("redone", "ctrl+shift+z")):
        xdotool("mousemove", view.x + view.width // 3, bpy.context.window_manager.windows[0].height // 2)
        yield 0.3
        xdotool("key", key)
        yield 1.5
        yield from HANDS.look(f"2-zones-{step}")
        seen[step] = [panel().overlay, shading(), dataset().count, dataset().out]
    HANDS.note("undo", shown=shown, **seen)


def render():
    bpy.context.scene.cursor.location = (0, 0, 0)
    panel().camera = "flir-one-pro"
    yield from HANDS.press("gis.add_camera()", 0.75, 611)
    HANDS.note("camera", name=bpy.context.scene.camera.name)
    yield from open_image_editor()
    panel().hour, panel().season = 22.0, "winter"
    yield from HANDS.press("gis.render_view(what='ALL')", 0.5, 831)
    first = yield from rendering(400, "first thermal image")
    HANDS.note("first-rendering", stages=first)
    yield from HANDS.press("gis.render_view(what='ALL')", 0.5, 831)
    yield from wait_for(lambda: panel().is_rendering, 30, "rendering")
    yield from HANDS.look("5-rendering")
    HANDS.note("second-rendering", stages=(yield from rendering(400, "thermal image")))
    fit_image()
    yield from HANDS.look("6-thermal")
    HANDS.note(
        "thermal",
        message=panel().message,
        spread=spread("GIS Thermal"),
        kelvin=mean("GIS Thermal Data"),
        shown=area_of("IMAGE_EDITOR").spaces.active.image.name,
    )
    panel().hour, panel().season = 14.0, "summer"
    yield from HANDS.press("gis.render_view(what='THERMAL', reuse=True)", 0.5, 868)
    yield from wait_for(lambda: panel().is_rendering, 30, "rendering")
    yield from wait_for(lambda: not panel().is_rendering, 200, "second thermal image")
    yield from HANDS.look("7-thermal-noon")
    HANDS.note("thermal-noon", kelvin=mean("GIS Thermal Data"))


def cancel_render():
    yield from HANDS.press("gis.render_view(what='ALL')", 0.5, 828)
    yield from wait_for(lambda: panel().is_rendering, 30, "rendering")
    yield from HANDS.press("gis.cancel_render()", 0.88, 62)
    yield from wait_for(lambda: not panel().is_rendering, 60, "cancelled rendering")
    yield 0.5
    HANDS.note(
        "render-cancelled", message=panel().message, processes=processes("passes_worker"), left=temporary_files()
    )


def synthesize():
    yield from toggle_zones()  # the data set's buttons are on the screen without them
    yield from HANDS.look("8-dataset")
    yield from HANDS.press("gis.find_environment()", 0.46, 591)
    yield from HANDS.press("gis.check_environment()", 0.72, 591)
    yield from wait_for(lambda: dataset().state not in ("CHECKING", "IDLE"), 200, "check of gis")
    HANDS.note("check", state=dataset().state, message=dataset().message)
    dataset().count, dataset().out = FRAMES, str(OUT / "dataset")
    yield from HANDS.press("gis.synthesize_dataset()", 0.5, 820)
    rising = [dataset().progress]
    started = time.monotonic()
    while dataset().state == "RUNNING" and time.monotonic() < started + 300:
        if dataset().progress != rising[-1]:
            rising.append(dataset().progress)
        yield 0.02
    rising.append(dataset().progress)
    yield from HANDS.scroll(30)
    yield from HANDS.look("9-synthesized")
    HANDS.note(
        "dataset", state=dataset().state, message=dataset().message, progress=rising, seconds=time.monotonic() - started
    )


def cancel_dataset():
    dataset().count, dataset().out = MANY, str(OUT / "cancelled")
    yield from HANDS.press("gis.synthesize_dataset()", 0.5, 556)
    yield from wait_for(lambda: dataset().state == "RUNNING", 30, "second data set")
    rising = [dataset().progress]
    end = time.monotonic() + 200
    while len(rising) < 5 and dataset().state == "RUNNING" and time.monotonic() < end:
        if dataset().progress != rising[-1]:
            rising.append(dataset().progress)
        yield 0.02
    yield from HANDS.scroll(30)
    yield from HANDS.look("10-running")
    running = processes("cancelled")
    yield from HANDS.press("gis.cancel_dataset()", 0.5, 690)
    started = time.monotonic()
    yield from wait_for(lambda: dataset().state not in ("RUNNING", "CANCELLING"), 60, "cancelled data set")
    HANDS.note(
        "cancelled",
        state=dataset().state,
        message=dataset().message,
        running=running,
        progress=rising,
        left=processes(str(OUT / "cancelled")),
        seconds=time.monotonic() - started,
    )
    yield from HANDS.look("11-cancelled")


def refuse():
    (OUT / "a-file").write_text("not a folder", encoding="utf-8")
    dataset().count, dataset().out = 2, str(OUT / "a-file")
    yield from HANDS.scroll(-30)  # what is scrolled to its end moves when its end does
    yield from HANDS.press("gis.synthesize_dataset()", 0.5, 820)
    yield 1.0
    places = [HANDS.seen["presses"][-1][2]]
    xdotool("mousemove", 300, 400)  # away from the error that Blender shows at the mouse
    yield 1.0
    yield from HANDS.look("12-refused")
    yield from HANDS.press("gis.synthesize_dataset()", 0.5, places[0])
    yield 1.0
    places.append(HANDS.seen["presses"][-1][2])
    HANDS.note("refused", state=dataset().state, message=dataset().message, panel=panel().message, places=places)


def show_picture():
    """Render where no Image Editor is open; last, because without a window manager the next clicks may be lost."""
    area_of("IMAGE_EDITOR").type = "PROPERTIES"
    yield 0.5
    yield from HANDS.press("gis.render_view(what='ALL')", 0.5, 520)
    yield from rendering(400, "thermal image in a window")
    yield 3.0
    HANDS.note(
        "picture",
        windows=len(bpy.context.window_manager.windows),
        shown=picture_windows(),
        message=panel().message,
    )
    yield from HANDS.look("13-window")


def leave():
    module = "gis_thermal" if bpy.app.version < (4, 2, 0) else "bl_ext.user_default.gis_thermal"
    bpy.ops.preferences.addon_disable(module=module)
    yield 0.5
    HANDS.note(
        "disabled",
        types=[name for name in dir(bpy.types) if name.startswith("GIS_")],
        left=temporary_files(),
        scene=hasattr(bpy.types.Scene, "gis_thermal"),
    )


def story():
    yield from wait_for(lambda: bpy.context.window_manager.windows, 30, "window")
    yield 2.0
    HANDS.watch_panels()
    HANDS.free_the_keys()
    only = os.environ.get("GIS_GUI_STEPS")
    for step in (
        open_panel,
        add_cars,
        import_car,
        guess_zones,
        render,
        cancel_render,
        synthesize,
        cancel_dataset,
        refuse,
        show_picture,
        leave,
    ):
        if not only or step.__name__ in only.split():
            yield from step()


play(HANDS, story())
