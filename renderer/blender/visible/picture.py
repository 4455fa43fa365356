"""The visible twin of a frame, by Cycles, in a scene of its own beside the opened one.

The twin's scene is emptied and filled anew for each frame, so that a picture does not depend on those before it. What
was opened stays as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...geometry.affine import world_to_local
from ...geometry.frame import Frame
from ...geometry.meshes import MeshPool
from ...random_streams import Draw, Stream
from ...thermal.conditions import Conditions
from ...visible.colours import Colours
from ...visible.daylight import Daylight, daylight, sky_picture
from ...visible.exposure import exposed, through_air
from ...visible.settings import VisibleSettings
from ...visible.weather import snow_on_object, surface_weather
from ..compat import pass_named, read_pass
from ..cycles.engine import new_eye, picture_settings, pose_eye
from ..evaluation import assign, metres_per_unit
from ..extract import PlacedMesh
from ..identity import LabelledObject
from ..scene_camera import CameraView
from ..session import quiet
from ..staging import Staged
from ..standing import Standing
from .devices import use_device
from .lamps import add_lamps, add_sun, headlamps, lights_are_on, luminaires
from .shaders import AHEAD, COLOUR, LIT, SNOW, show_snow, weather_group
from .surfaces import VisibleMeshes, is_as_stored

__all__ = ["VisibleEngine", "VisibleFrame", "look_at"]

_POSED = "gis_posed"
"""Marks meshes of one picture alone."""
_AHEAD_M = 25.0
"""Lamps nearest to this far before the camera light the picture."""
_FARTHEST_M, _BEHIND_M = 1e4, 60.0
"""Of what is seen, and of what may throw a shadow from behind the camera."""
_PATHS = 1 << 20
"""Parts of the stream from here on are of no object."""


@dataclass(frozen=True, eq=False)
class VisibleFrame:
    """What a twin shows beside its geometry."""

    view: CameraView
    depth_m: NDArray[np.float32]
    """(H, W) planar, of the infrared picture; tells how much air lies between."""
    conditions: Conditions
    colours: Mapping[int, Colours]
    """Of objects, by id."""
    sky: np.random.Generator
    """Draws the clouds."""
    noise_seed: int
    """Of the paths that Cycles traces."""
    snow: NDArray[np.bool_] | None = None
    """(H, W) where the infrared picture shows snow; None: none lies."""


def look_at(
    frame: Frame,
    view: CameraView,
    conditions: Conditions,
    draw: Draw,
    colours: Mapping[int, Colours],
    snow: NDArray[np.bool_] | None = None,
) -> VisibleFrame:
    """What the twin of an infrared frame shows; the paths of Cycles follow from the draw too."""
    rng = draw.rng(Stream.VISIBLE)
    # Clouds stay as they are over a sequence; the noise of its frames does not.
    paths = draw.rng(Stream.VISIBLE, _PATHS + (0 if draw.moment is None else draw.moment.frame))
    return VisibleFrame(view, frame.depth_m, conditions, colours, rng, int(paths.integers(1 << 31)), snow)


@dataclass
class VisibleEngine:
    """Renders visible twins in the opened file."""

    settings: VisibleSettings
    _meshes: VisibleMeshes = field(default_factory=VisibleMeshes)
    _scene: bpy.types.Scene | None = None
    _eye: bpy.types.Object | None = None

    def render(
        self, staged: Staged, standing: Standing | None, pool: MeshPool, frame: VisibleFrame
    ) -> NDArray[np.uint8]:
        """The picture, (H, W, 3) sRGB, row 0 at the top.

        Args:
            staged: what stands in the frame.
            standing: the street of its last group, where it has one.
            pool: the meshes.
            frame: light, colours and camera.
        """
        light = daylight(frame.conditions)
        _tell_weather(frame, light)
        scene = self._emptied()
        with _filled(scene.collection):
            self._put(scene.collection, staged, standing, pool, frame)
            self._add_lamps(scene.collection, staged, pool, light, frame)
            return self._picture(scene, light, frame)

    def render_scene(self, opened: bpy.types.Scene, frame: VisibleFrame) -> NDArray[np.uint8]:
        """The picture of an opened scene as it stands: its own materials and lamps, but for its sun.

        Args:
            opened: at the frame that is wanted; it stays as it is.
            frame: light and camera.
        """
        light = daylight(frame.conditions)
        _tell_weather(frame, light)
        with self._sharing(opened) as scene, _filled(scene.collection):
            return self._picture(scene, light, frame)

    def forget_places(self, but: Iterable[str]) -> None:
        """Free the meshes of places other than these."""
        self._meshes.forget_places(but)

    def _picture(self, scene: bpy.types.Scene, light: Daylight, frame: VisibleFrame) -> NDArray[np.uint8]:
        """What is in a scene, in sun and sky, through air, exposed."""
        sky = sky_picture(frame.conditions, light, frame.sky)
        add_sun(scene.collection, light)
        _set_sky(scene.world, sky)
        luminance = self._luminance(scene, frame)
        airlight = sky[len(sky) // 2 - 8 : len(sky) // 2].mean(axis=(0, 1))
        distance = frame.depth_m * np.linalg.norm(frame.view.camera.rays(), axis=-1)
        return exposed(through_air(luminance, distance, frame.conditions.visibility_m, airlight), light.is_dark)

    def _emptied(self) -> bpy.types.Scene:
        if self._scene is None:
            self._scene = bpy.data.scenes.new("gis visible")
            self._scene.world = bpy.data.worlds.new("gis visible")
            self._eye = new_eye(self._scene)
            self._scene.camera = self._eye
            _set_up(self._scene, self.settings)
        return self._scene

    @contextlib.contextmanager
    def _sharing(self, opened: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
        """A scene with all that is in the opened one, at the same moment, for as long as one is inside."""
        own = self._emptied()
        scene = opened.copy()  # its objects are those of the original
        scene.world, scene.camera = own.world, self._eye
        _set_up(scene, self.settings)
        scene.frame_set(opened.frame_current, subframe=opened.frame_subframe)
        stand_ins = self._meshes.stand_ins(scene.objects)
        hidden = [*stand_ins, *_suns(scene)]
        for item in stand_ins.values():
            scene.collection.objects.link(item)
        try:
            with _hidden(hidden):
                yield scene
        finally:
            bpy.data.batch_remove(stand_ins.values())
            bpy.data.scenes.remove(scene)

    def _put(
        self,
        home: bpy.types.Collection,
        staged: Staged,
        standing: Standing | None,
        pool: MeshPool,
        frame: VisibleFrame,
    ) -> None:
        """Put everything that stands in a frame into a collection."""
        for group in staged.groups:
            still = standing is not None and group.group is standing.group
            built = standing if still and standing is not None and standing.place else None
            whole = set[tuple[str, bytes]]()
            for k, (mesh, pose) in enumerate(zip(group.group.members, group.local_to_world, strict=True)):
                if mesh.holdout or _is_far_behind(pool.mesh(mesh.mesh).reach, pose, frame.view.cam_to_world):
                    continue
                if still and (mesh.name, pose.tobytes()) in whole:
                    continue  # a labelled part of a thing that stands there already
                whole.add((mesh.name, pose.tobytes()))
                number = int(group.instance_id[k])
                bare = still and standing is not None and k in standing.leafless
                drawn = frame.colours.get(number, {})
                item = self._of_place(built, k) if built else self._of_file(mesh, drawn, leafless=bare)
                if mesh.posed:
                    _pose(item, pool.mesh(mesh.mesh).positions)
                item.matrix_world = Matrix(pose.tolist())
                _describe(item, staged.labelled.get(number), number, pose, frame)
                home.objects.link(item)

    def _of_place(self, standing: Standing, k: int) -> bpy.types.Object:
        assert standing.place is not None
        name = standing.mesh_names[k]
        return bpy.data.objects.new("gis visible", self._meshes.of_place(standing.name, standing.place, name))

    def _of_file(self, mesh: PlacedMesh, colours: Colours, *, leafless: bool) -> bpy.types.Object:
        if is_as_stored(mesh.owner):
            data = self._meshes.of_object(mesh.owner, frozenset(colours), leafless=leafless)
            return bpy.data.objects.new("gis visible", data)
        item = mesh.owner.copy()
        item.animation_data_clear()
        item.constraints.clear()
        item.parent, item.hide_render = None, False
        return item

    def _add_lamps(
        self, home: bpy.types.Collection, staged: Staged, pool: MeshPool, light: Daylight, frame: VisibleFrame
    ) -> None:
        if light.is_dark <= 0.0:
            return
        pose = frame.view.cam_to_world
        ahead = pose[:3, 3] + _AHEAD_M * pose[:3, 2]
        members = (
            (mesh.name, pool.mesh(mesh.mesh), place)
            for group in staged.groups
            for mesh, place in zip(group.group.members, group.local_to_world, strict=True)
        )
        add_lamps(home, luminaires(members, ahead))
        add_lamps(home, headlamps(staged.labelled.values(), ahead))

    def _luminance(self, scene: bpy.types.Scene, frame: VisibleFrame) -> NDArray[np.float32]:
        """(H, W, 3) linear, by Cycles."""
        assert self._eye is not None
        pose_eye(self._eye, frame.view, metres_per_unit(scene))
        self._eye.data.clip_end = _FARTHEST_M
        assign(scene.render, picture_settings(frame.view.camera))
        scene.cycles.seed = frame.noise_seed
        shape = (frame.view.camera.height, frame.view.camera.width, -1)
        return np.ascontiguousarray(_combined(scene).reshape(shape)[::-1, :, :3])


def _pose(item: bpy.types.Object, positions: NDArray[np.float32]) -> None:
    """Give an object a mesh of its own, with its vertices (V, 3) at other places."""
    if len(positions) != len(item.data.vertices):
        return
    item.data = item.data.copy()
    item.data[_POSED] = True
    item.data.vertices.foreach_set("co", positions.reshape(-1))
    item.data.update()


def _describe(
    item: bpy.types.Object,
    labelled: LabelledObject | None,
    number: int,
    local_to_world: NDArray[np.float64],
    frame: VisibleFrame,
) -> None:
    """What shaders read of an object."""
    if labelled is None:
        return
    for zone, colour in frame.colours.get(number, {}).items():
        item[f"{COLOUR}{int(zone)}"] = colour
    driven = lights_are_on(labelled)
    item[LIT] = float(driven)
    item[SNOW] = snow_on_object(frame.conditions, driven=driven, category=labelled.category)
    to_model = world_to_local(labelled.pose) @ local_to_world
    item[AHEAD], item[f"{AHEAD}_m"] = to_model[0, :3].tolist(), float(to_model[0, 3])


def _is_far_behind(reach_m: float, pose: NDArray[np.float64], cam_to_world: NDArray[np.float64]) -> bool:
    """Whether something lies so far behind the camera that neither mirrors nor shadows show it."""
    radius = reach_m * float(np.linalg.norm(pose[:3, :3], axis=0).max())
    return float((pose[:3, 3] - cam_to_world[:3, 3]) @ cam_to_world[:3, 2]) + radius < -_BEHIND_M


def _tell_weather(frame: VisibleFrame, light: Daylight) -> None:
    show_snow(frame.snow)
    weather_group(
        surface_weather(frame.conditions) | {"dark": light.is_dark, "snow seen": float(frame.snow is not None)}
    )


def _suns(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Suns of a scene's own: the frame has one already."""
    return [item for item in scene.objects if item.type == "LIGHT" and item.data.type == "SUN" and not item.hide_render]


@contextlib.contextmanager
def _hidden(items: Iterable[bpy.types.Object]) -> Iterator[None]:
    """While inside, objects that are rendered are not."""
    items = list(items)
    for item in items:
        item.hide_render = True
    try:
        yield
    finally:
        for item in items:
            item.hide_render = False


@contextlib.contextmanager
def _filled(home: bpy.types.Collection) -> Iterator[None]:
    """While inside, a collection can be filled; after it, what was put in is gone."""
    before = set(home.objects)
    try:
        yield
    finally:
        added = [item for item in home.objects if item not in before]
        own = [item.data for item in added if item.type == "LIGHT" or (item.type == "MESH" and _POSED in item.data)]
        bpy.data.batch_remove([*added, *own])


def _set_up(scene: bpy.types.Scene, settings: VisibleSettings) -> None:
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.use_compositing = render.use_sequencer = render.use_motion_blur = render.use_persistent_data = False
    render.film_transparent = False
    render.threads_mode, render.threads = "FIXED", 1
    cycles.device = use_device(settings.device)
    cycles.samples, cycles.use_adaptive_sampling = settings.samples, False
    cycles.use_denoising = settings.denoise
    if settings.denoise:
        cycles.denoiser, cycles.denoising_input_passes = "OPENIMAGEDENOISE", "RGB_ALBEDO_NORMAL"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 8
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.use_auto_tile = 20.0, False
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5


def _set_sky(world: bpy.types.World, sky: NDArray[np.float64]) -> None:
    """Let a world show a picture of the whole sphere."""
    rows, columns, _ = sky.shape
    image = bpy.data.images.get("gis visible sky")
    if image is None:
        image = bpy.data.images.new("gis visible sky", columns, rows, float_buffer=True, is_data=True)
        _link_sky(world, image)
    flat = np.ones((rows, columns, 4), np.float32)
    flat[..., :3] = sky[::-1]
    image.pixels.foreach_set(flat.reshape(-1))
    image.update()


def _link_sky(world: bpy.types.World, image: bpy.types.Image) -> None:
    world.use_nodes = True
    tree = world.node_tree
    background = next(node for node in tree.nodes if node.type == "BACKGROUND")
    picture = tree.nodes.new("ShaderNodeTexEnvironment")
    picture.image = image
    tree.links.new(picture.outputs["Color"], background.inputs["Color"])


def _combined(scene: bpy.types.Scene) -> NDArray[np.float32]:
    """Render, and read the picture off the engine's own result: background mode gives it to nobody else."""
    import cycles

    found: list[NDArray[np.float32]] = []
    original = cycles.CyclesRender.render

    def render(self: bpy.types.RenderEngine, depsgraph: bpy.types.Depsgraph) -> None:
        original(self, depsgraph)
        found.append(read_pass(pass_named(self.get_result().layers[0].passes, "Combined")))

    cycles.CyclesRender.render = render
    try:
        with quiet():
            bpy.ops.render.render(scene=scene.name, write_still=False)
    finally:
        cycles.CyclesRender.render = original
    return found[0]
