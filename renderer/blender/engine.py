"""Frames of a scene: open it once, then ask for frame after frame in any order."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import bpy
import numpy as np
from numpy.typing import NDArray

from ..boxes import clip_box, occlusion_level, projected_bounds, truncation, upright_box, visible_boxes
from ..camera import Camera
from ..errors import SceneError
from ..frame import Frame, Instance, Part
from ..raster import Drawing, Mesh, Rasteriser, RasterPasses
from ..thermal.conditions import Conditions, sample_conditions
from ..traffic import FrameSetup, ModelSize, Street, sample_frame
from ..zones import ZONE_ATTRIBUTE
from .cycles import CyclesEngine, CyclesPasses
from .extract import Extractor, PlacedMesh
from .models import load_models
from .objects import LabelledObject, labels_of_scene
from .session import open_blend, show_as_rendered
from .zoning import assign_zones
from .traffic import apply, model_collections, model_size, read_street

__all__ = ["Engine", "RenderSession"]

Engine = Literal["raster", "cycles"]
STREAM_CONDITIONS = 1
CAMERA_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""Blender's camera looks along -z with y up; ours looks along +z with y down."""


class RenderSession:
    """An opened scene. One per process: Blender has one file open at a time.

    Frame ``index`` is the same in every session with the same scene, camera, cars and seed, whatever was rendered
    before it.
    """

    def __init__(
        self,
        scene: Path,
        *,
        camera: Camera | None = None,
        engine: Engine = "raster",
        cars: Path | None = None,
        seed: int = 0,
    ) -> None:
        """Open a scene.

        Args:
            scene: a .blend file. One with a street (see :mod:`renderer.blender.traffic`) gets seeded traffic; any other is
                rendered as it is, frame ``index`` being its own animation frame ``frame_start + index``.
            camera: intrinsics; without it the scene's active camera at the scene's resolution.
            engine: ``raster`` (numba z-buffer) or ``cycles`` (one sample).
            cars: file or folder of car models that replace the scene's own in the traffic.
            seed: seed of traffic, camera pose and weather.

        Raises:
            SceneError: the scene cannot be read, or has no camera or nothing that is labelled.
        """
        self.path, self.seed, self.engine = scene, seed, engine
        self.scene = open_blend(scene)
        show_as_rendered(self.scene)
        self._extractor = Extractor()
        self.street: Street | None = read_street(self.scene)
        self.notes: tuple[str, ...] = ()
        self._models = self._load_models(cars)
        self._labels = labels_of_scene(self._objects())
        if not self.street and self.scene.camera is None:
            raise SceneError(f"{scene}: the scene has no active camera; add one and make it active (Ctrl+Numpad 0)")
        self.camera = camera or _scene_camera(self.scene)
        self._rasteriser = Rasteriser(self.camera, self._near_m())
        self._background_zone = int(self.scene.world.get(ZONE_ATTRIBUTE, 0)) if self.scene.world else 0
        self._cycles: CyclesEngine | None = None
        self._zoned_by = assign_zones(self._meshed_objects(), self._labels.on_car)
        if not self.street:
            self._check_labelled()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the scene."""
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)

    @property
    def model_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of the models that traffic is made of, by name."""
        return tuple(model_size(collection) for collection in self._models.values())

    def use_camera(self, camera: Camera) -> None:
        """Take other intrinsics from the next frame on."""
        self.camera = camera
        self._rasteriser = Rasteriser(camera, self._near_m())

    def frame(
        self,
        index: int,
        *,
        normals: bool = False,
        parts: bool = False,
        profile: str | None = None,
        conditions: Conditions | None = None,
    ) -> tuple[Frame, FrameSetup]:
        """Render one frame.

        Args:
            index: number of the frame, 0 or more.
            normals: also give ``Frame.normal``.
            parts: also give ``Frame.part`` and ``Frame.parts``.
            profile: thermal profile of all cars in traffic; None draws one per car.
            conditions: weather and hour; None draws them.
        """
        setup = self._setup(index, profile, conditions)
        placed, objects = self._place(setup)
        return self._render(setup, placed, objects, normals=normals, parts=parts), setup

    def frame_on_plane(
        self, setup: FrameSetup, *, camera: Camera | None = None, normals: bool = False, parts: bool = False
    ) -> Frame:
        """Render only the cars of a setup, with nothing else of the scene; pixels without a car have zone 0."""
        apply(self.scene, setup, self._models)
        placed, objects = self._place(setup, applied=True)
        keep = [k for k, found in enumerate(objects) if found is not None]
        placed, objects = [placed[k] for k in keep], [objects[k] for k in keep]
        return self._render(setup, placed, objects, normals=normals, parts=parts, camera=camera, background_zone=0)

    def _load_models(self, cars: Path | None) -> dict[str, bpy.types.Collection]:
        if cars is None:
            return model_collections()
        models, notes = load_models(cars)
        self.notes += notes
        return models

    def _objects(self) -> list[bpy.types.Object]:
        return list(bpy.context.view_layer.objects)

    def _meshed_objects(self) -> list[tuple[bpy.types.Object, bpy.types.Object | None]]:
        """Objects with a mesh, with the instancer that shows them (None: the object itself is in the scene)."""
        pairs: list[tuple[bpy.types.Object, bpy.types.Object | None]] = []
        for item in self._objects():
            if item.instance_type == "COLLECTION" and item.instance_collection:
                pairs += [(inner, item) for inner in item.instance_collection.all_objects]
            pairs.append((item, None))
        # The models that traffic will place: a model is a car wherever it stands.
        pairs += [(inner, None) for model in self._models.values() for inner in model.all_objects]
        return [(item, instancer) for item, instancer in pairs if item.type == "MESH"]

    def _near_m(self) -> float:
        return float(self.scene.camera.data.clip_start) if self.scene.camera else 0.1

    def _setup(self, index: int, profile: str | None = None, conditions: Conditions | None = None) -> FrameSetup:
        if index < 0:
            raise SceneError(f"frame {index}: expected 0 or more")
        if self.street:
            return sample_frame(
                self.street, self.model_sizes, self.camera, self.seed, index, profile, conditions=conditions
            )
        self.scene.frame_set(self.scene.frame_start + index)
        camera = self.scene.camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
        pose = np.array(camera.matrix_world.normalized(), dtype=np.float64) @ CAMERA_AXES
        return FrameSetup(index, (), pose, conditions or self._conditions(index))

    def _conditions(self, index: int) -> Conditions:
        return sample_conditions(np.random.default_rng([self.seed, index, STREAM_CONDITIONS]))

    def _place(
        self, setup: FrameSetup, *, applied: bool = False
    ) -> tuple[list[PlacedMesh], list[LabelledObject | None]]:
        """Pose the scene; its meshes in a stable order, each with the labelled object it belongs to."""
        order: dict[str, int] = {}
        if self.street or applied:
            empties = apply(self.scene, setup, self._models)
            order = {empty.name: k for k, empty in enumerate(empties)}
        bpy.context.view_layer.update()
        epoch = 0 if self.street or applied else self.scene.frame_current
        placed = self._extractor.placed(bpy.context.evaluated_depsgraph_get(), self._labels.on_car, epoch)
        if order:
            waiting = {e.name for e in self.scene.collection.children["gis_traffic"].objects} - set(order)
            placed = [one for one in placed if not one.instancer or one.instancer.name not in waiting]
        objects = [self._labels.find(one, self._extractor.pool) for one in placed]
        ranked = sorted(range(len(placed)), key=lambda k: _rank(placed[k], objects[k], order))
        return [placed[k] for k in ranked], [objects[k] for k in ranked]

    def _check_labelled(self) -> None:
        setup = self._setup(0)
        _, objects = self._place(setup)
        if not any(found is not None for found in objects):
            raise SceneError(
                f"{self.path}: nothing to label: no object or collection has the property 'gis_category', "
                "a car's name or car zones; mark one, or give --cars with a scene that has lanes"
            )

    def _render(
        self,
        setup: FrameSetup,
        placed: list[PlacedMesh],
        objects: list[LabelledObject | None],
        *,
        normals: bool,
        parts: bool,
        camera: Camera | None = None,
        background_zone: int | None = None,
    ) -> Frame:
        rasteriser = self._rasteriser
        if camera is not None and camera != rasteriser.camera:
            rasteriser = self._rasteriser = Rasteriser(camera, self._near_m())
        ids = _number(objects)
        instance_of_part = np.array([ids[found.key] if found else 0 for found in objects], dtype=np.int64)
        drawing = Drawing(
            np.array([one.mesh for one in placed], dtype=np.int64),
            np.array([one.local_to_world for one in placed], dtype=np.float64).reshape(-1, 4, 4),
            instance_of_part,
        )
        zone = self._background_zone if background_zone is None else background_zone
        pool = self._extractor.pool
        passes: RasterPasses | CyclesPasses = rasteriser.draw(
            pool, drawing, setup.cam_to_world, background_zone=zone, normals=normals
        )
        amodal_px = passes.amodal_px
        if self.engine == "cycles":
            passes = self._cycles_engine(zone).render(placed, instance_of_part)
        found_by_id = {ids[found.key]: found for found in objects if found}
        instances = self._instances(rasteriser, drawing, passes.instance_id, amodal_px, found_by_id, setup.cam_to_world)
        made = tuple(
            Part(one.name, int(number), one.local_to_world)
            for one, number in zip(placed, instance_of_part, strict=True)
        )
        return Frame(
            index=setup.index,
            camera=rasteriser.camera,
            cam_to_world=setup.cam_to_world,
            depth_m=passes.depth_m,
            instance_id=passes.instance_id,
            zone=passes.zone,
            instances=instances,
            normal=passes.normal if normals else None,
            part=passes.part if parts else None,
            parts=made if parts else (),
            notes=self.notes + self._labels.notes + self._zone_notes(),
        )

    def _cycles_engine(self, background_zone: int) -> CyclesEngine:
        camera = self._rasteriser.camera
        made = self._cycles
        if made is None or made.camera != camera or made.background_zone != background_zone:
            made = self._cycles = CyclesEngine(self.scene, camera, self._near_m(), background_zone)
        return made

    def _zone_notes(self) -> tuple[str, ...]:
        guessed = sorted(self._zoned_by.items())
        told = {"materials": "read from the names of its materials", "geometry": "guessed from its geometry"}
        return tuple(f"zones of {name!r} {told[how]}" for name, how in guessed)

    def _instances(
        self,
        rasteriser: Rasteriser,
        drawing: Drawing,
        instance_id: NDArray[np.uint16],
        amodal_px: NDArray[np.int64],
        found: dict[int, LabelledObject],
        cam_to_world: NDArray[np.float64],
    ) -> tuple[Instance, ...]:
        visible = visible_boxes(instance_id, max(found, default=0))
        world_to_px = rasteriser.camera.K @ np.linalg.inv(cam_to_world)[:3]
        made = []
        for number, labelled in sorted(found.items()):
            members = np.flatnonzero(drawing.instance_id == number)
            meshes = [(self._extractor.pool.mesh(int(drawing.mesh[k])), drawing.local_to_world[k]) for k in members]
            instance = _instance(
                number, labelled, meshes, rasteriser, world_to_px, cam_to_world, visible[number],
                int(amodal_px[members].sum()),
            )  # fmt: skip
            if instance is not None:
                made.append(instance)
        return tuple(made)


def _instance(
    number: int,
    labelled: LabelledObject,
    meshes: list[tuple[Mesh, NDArray[np.float64]]],
    rasteriser: Rasteriser,
    world_to_px: NDArray[np.float64],
    cam_to_world: NDArray[np.float64],
    visible: NDArray[np.int64],
    amodal_px: int,
) -> Instance | None:
    """Everything known of one object; None where it is outside the camera's view."""
    bounds = [
        projected_bounds(mesh.positions, mesh.triangles, world_to_px @ pose, rasteriser.near_m) for mesh, pose in meshes
    ]
    boxes = np.array([box for box in bounds if box is not None])
    if not len(boxes):
        return None
    left, top, right, bottom = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    amodal = (left, top, right, bottom)
    if clip_box(amodal, rasteriser.camera) is None:
        return None
    seen = (float(visible[1]), float(visible[2]), float(visible[3]), float(visible[4])) if visible[0] else None
    return Instance(
        id=number,
        category=labelled.category,
        model=labelled.model,
        profile=labelled.profile,
        object_to_world=labelled.pose,
        box_3d=upright_box(meshes, labelled.pose, cam_to_world),
        box_amodal_px=amodal,
        box_visible_px=seen,
        visible_px=int(visible[0]),
        amodal_px=amodal_px,
        truncation=truncation(amodal, rasteriser.camera),
        occlusion=occlusion_level(int(visible[0]), amodal_px),
    )


def _rank(placed: PlacedMesh, found: LabelledObject | None, order: dict[str, int]) -> tuple[bool, int, str, str, bytes]:
    """Sort key that depends on the scene and the frame's setup alone, not on what was rendered before."""
    top = placed.instancer.name if placed.instancer else ""
    place = order.get(top, -1)
    return (found is None, place, "" if place >= 0 else top, placed.name, placed.local_to_world.tobytes())


def _number(objects: list[LabelledObject | None]) -> dict[str, int]:
    """Ids from 1 in the order of the labelled objects."""
    ids: dict[str, int] = {}
    for found in objects:
        if found is not None:
            ids.setdefault(found.key, len(ids) + 1)
    if len(ids) > np.iinfo(np.uint16).max:
        raise SceneError(f"{len(ids)} labelled objects: the instance pass holds at most 65535")
    return ids


def _scene_camera(scene: bpy.types.Scene) -> Camera:
    """The active camera at the scene's render resolution.

    Raises:
        SceneError: the camera is not a perspective one.
    """
    render = scene.render
    width = int(render.resolution_x * render.resolution_percentage / 100)
    height = int(render.resolution_y * render.resolution_percentage / 100)
    data = scene.camera.data
    if data.type != "PERSP":
        raise SceneError(f"camera {scene.camera.name!r} is {data.type}: expected a perspective camera")
    depsgraph = bpy.context.evaluated_depsgraph_get()
    matrix = scene.camera.evaluated_get(depsgraph).calc_matrix_camera(
        depsgraph, x=width, y=height, scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y
    )
    p = np.array(matrix, dtype=np.float64)
    return Camera(
        name=str(scene.camera.name),
        width=width,
        height=height,
        fx=float(p[0, 0] * width / 2),
        fy=float(p[1, 1] * height / 2),
        cx=float(width / 2 * (1 - p[0, 2])),
        cy=float(height / 2 * (1 + p[1, 2])),
    )
