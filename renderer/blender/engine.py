"""Frames of a scene: open it once, then ask for frame after frame in any order."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from ..copies import with_values
from ..errors import SceneError
from ..geometry.affine import world_to_local
from ..geometry.boxes import (
    clip_box,
    extent_m,
    heading_frame,
    nearest_depth_m,
    occlusion_level,
    parts_of,
    projected_boxes,
    truncation,
    upright_box_from,
    visible_boxes,
)
from ..geometry.camera import Camera, places_in_covering
from ..geometry.edge_samples import LARGEST_PX, EdgeSamples
from ..geometry.flow import Flow
from ..geometry.frame import Box2D, Box3D, Frame, Instance
from ..geometry.key_points import project_key_points
from ..geometry.lens import Lens
from ..geometry.lens_boxes import distorted_box
from ..geometry.meshes import Mesh
from ..geometry.rig import Mount
from ..random_streams import Draw, Moment, Stream
from ..raster.distorted import Rays, rays_by_cell
from ..raster.rasterizer import MAX_PARTS, Rasteriser, RasterPasses
from ..scene.camera_car import vary_mount
from ..scene.cars import FrameSetup, ModelSize, Placement, with_shares
from ..scene.distances import ORDINARY, Traffic
from ..scene.furniture import Furniture
from ..scene.object_sizes import size_note
from ..scene.pedestrians import PeopleMix, people_on_street, those_out
from ..scene.place import Places
from ..scene.road_users.companions import COMPANION_CATEGORIES, companions, walking_without_pram
from ..scene.road_users.seated import seated_people, sits
from ..scene.road_users.trailers import TRAILER, TRAILERS, trailers_on_street
from ..scene.road_users.trams import TRAM, TRAMS, trams_on_street
from ..scene.road_users.two_wheelers import NO_OTHERS, TwoWheelerMix, two_wheelers_on_street
from ..scene.sequences.plan import RoadUsers, SequencePlan, draw_plan
from ..scene.slopes import on_slope
from ..scene.street import Street
from ..scene.traffic import sample_frame, without_room
from ..thermal.conditions import Conditions, sample_conditions
from ..thermal.weather.season import trees_are_bare
from ..visible.colours import colours_of
from ..visible.settings import VisibleSettings
from ..zones.catalogue import ZONE_ATTRIBUTE
from ..zones.categories import PEOPLE_AND_ANIMALS, VEHICLES
from .copies import shown_objects
from .cycles import CyclesEngine, CyclesPasses
from .evaluation import (
    evaluated_for_render,
    left_out_note,
    matrix_in_metres,
    metres_per_unit,
    pose_in_metres,
    raster_notes,
    rendered_layer,
    scene_notes,
    stop_evaluating,
)
from .extract import Extractor, PlacedMesh
from .identity import LabelledObject
from .library.model_arrays import ModelLibrary
from .models import load_models
from .motion.flow import Before, flow_to
from .motion.moving import MovingModels, Shown
from .objects import category_of, labels_of_scene
from .scene_camera import CameraView, Planes, read_view
from .session import open_blend
from .simulation import Timeline
from .staging import Group, Numbers, PlacedGroup, Staged
from .standing import (
    MOST_BUILT,
    Standing,
    build_standing,
    drop_leaves,
    forget_standing,
    label_furniture,
    without_unlabelled,
)
from .traffic import apply, is_traffic, model_collections, model_size, read_street
from .visible.picture import VisibleEngine, look_at
from .zoning import assign_zones

if TYPE_CHECKING:
    from typing import Self  # Python 3.11

__all__ = ["Engine", "RenderSession"]

Engine = Literal["raster", "cycles"]
T = TypeVar("T")
_BARE = "without leaves"
_NEAR_PX = 150
"""Longer side of the visible box of a vehicle from which its edges are drawn finer than pixels."""
_Pair = tuple[PlacedMesh, LabelledObject | None]
"""A mesh of the evaluated scene, and the labelled object that it belongs to."""


@dataclass(frozen=True)
class _Inventory:
    """What a scene with a street is made of."""

    models: dict[str, Group]
    """By name, relative to the model's origin."""
    extents_m: dict[str, NDArray[np.float64]]
    """Sizes of the models."""
    street: Group
    """Everything that stands still."""
    marked: tuple[LabelledObject | None, ...]
    """The labelled object that each mesh of the street belongs to."""
    key_points_m: dict[str, NDArray[np.float64] | None] = field(default_factory=dict)
    """Of models that came from the library, in their own axes."""


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
        size: tuple[int, int] | None = None,
        engine: Engine = "raster",
        cars: Path | None = None,
        people: Path | None = None,
        others: Sequence[Path] = (),
        seed: int = 0,
        traffic: Traffic = ORDINARY,
        mount_variety: float = 0.0,
        places: Places | None = None,
        furniture: Furniture | None = None,
        unlabelled: Collection[str] = frozenset(),
        lens: Lens | None = None,
        mount: Mount | None = None,
    ) -> None:
        """Open a scene.

        Args:
            scene: a .blend file. One with a street (see :mod:`renderer.blender.traffic`) gets seeded traffic; any other
                is rendered as it is, frame ``index`` being its own animation frame ``frame_start + index``.
            camera: intrinsics of all frames; without it each frame has those of the scene's active camera, at the
                scene's resolution. Pose and clip planes are the active camera's in any case.
            size: width and height of the pictures, cut and scaled out of the active camera's; not beside ``camera``.
            engine: ``raster`` (numba z-buffer) or ``cycles`` (one sample).
            cars: file or folder of car models that replace the scene's own in the traffic.
            people: file of people (see :mod:`renderer.blender.library.model_arrays`).
            others: such files of two-wheelers with their riders, of animals and prams.
            seed: seed of traffic, camera pose and weather.
            traffic: how many cars a street gets, and how far away.
            places: other places than the file's own street, and which frame is made where; for ``raster`` alone.
            furniture: what of the street's lights, signs, parked bicycles and the like is labelled; None: of them
                only what is marked. For ``raster`` alone.
            unlabelled: categories of ``furniture`` that stand in :attr:`Frame.unlabelled` in place of a label.
            mount_variety: how far height and pitch of the camera in a street differ from frame to frame, 0-1.
            lens: how the active camera's lens distorts, where no ``camera`` is given, which has its own.
            mount: another camera beside that one, through which the frames are seen: the first is driven and has the
                traffic placed before it.

        Raises:
            SceneError: the scene cannot be read, or has no camera or nothing that is labelled.
        """
        self.path, self.seed, self.engine = scene, seed, engine
        self.traffic, self.mount_variety = traffic, mount_variety
        self._places, self._furniture, self._unlabelled = places, furniture, unlabelled
        self._lens, self._mount = lens, mount
        self._built: dict[str, Standing] = {}
        self._planned: tuple[object, SequencePlan] | None = None
        self._reaches: dict[tuple[str, str], NDArray[np.float64] | None] = {}
        turned_off: list[str] = []
        self.scene = open_blend(scene, turned_off)
        self._extractor = Extractor()
        self.street: Street | None = read_street(self.scene)
        self._timeline, self._room_checked = Timeline(self.scene), False
        stepped = () if self.street else self._timeline.notes
        self.notes: tuple[str, ...] = (*turned_off, *stepped, *scene_notes(self.scene, cropped=camera is None))
        self._models = self._load_models(cars)
        self._library = None if people is None else ModelLibrary(people)
        self._others = tuple(ModelLibrary(path) for path in others)
        self._model_unit_m = None if cars is None else 1.0
        if engine == "raster":
            self.notes += raster_notes(self.scene, self._shown_objects())
        self._labels = labels_of_scene(self._objects(), self.path)
        self._given_camera, self._size = camera, size
        if not self.street:
            self._go_to(0)
        view = self._evaluated(self._read_view)
        self.camera, self._planes = view.camera, view.planes
        self._rasteriser = Rasteriser(self.picture_camera.covering, view.planes.near_m, view.planes.far_m)
        self._background_zone = int(self.scene.world.get(ZONE_ATTRIBUTE, 0)) if self.scene.world else 0
        self._cycles: CyclesEngine | None = None
        self._visible: VisibleEngine | None = None
        self._numbers, self._numbered = Numbers(), 0
        self._left_out: tuple[str, ...] = ()
        self._zoned_by = assign_zones(self._meshed_objects(), self._labels.category_at)
        if not self.street:
            if engine == "cycles":
                self._cycles_engine(self._background_zone)
            self._timeline.start_again()
            self._check_labelled()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the scene."""
        for library in (() if self._library is None else (self._library,)) + self._others:
            library.close()
        stop_evaluating()
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)

    @cached_property
    def model_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of the cars that traffic is made of, by name."""
        return with_shares([size for size in self._own_sizes if size.category in VEHICLES], self.traffic.shares)

    @cached_property
    def people_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of the people, and of what else is no car, by name."""
        own = tuple(size for size in self._own_sizes if size.category not in VEHICLES)
        return own if self._library is None else (*own, *self._library.sizes)

    @cached_property
    def other_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of two-wheelers and their riders, of animals and prams, by name."""
        return tuple(size for library in self._others for size in library.sizes)

    @cached_property
    def _own_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of the models that the scene, or the file of cars, has."""
        return tuple(model_size(collection) for collection in self._models.values())

    @property
    def has_traffic(self) -> bool:
        """Whether cars are drawn for each frame; else the scene moves by its own animation."""
        return self.street is not None

    @property
    def picture_camera(self) -> Camera:
        """The camera that frames are seen through."""
        return self.camera if self._mount is None else self._mount.camera

    def _mounted(self, setup: FrameSetup) -> FrameSetup:
        """The setup with the pose of that camera."""
        return setup if self._mount is None else replace(setup, cam_to_world=setup.cam_to_world @ self._mount.pose)

    def frame(
        self,
        index: int,
        *,
        attempt: int = 0,
        normals: bool = False,
        parts: bool = False,
        profile: str | None = None,
        conditions: Conditions | None = None,
        people: int | None = 0,
        others: Mapping[str, int | None] = NO_OTHERS,
        moment: Moment | None = None,
        flow: bool = False,
        amodal: bool = False,
        shrink: int = 1,
        edges: bool = False,
    ) -> Frame:
        """Render one frame.

        Args:
            index: number of the frame, 0 or more.
            attempt: how many earlier draws of the frame were rejected; a scene without a street looks the same in all.
            normals: also give ``Frame.normal``.
            parts: also give ``Frame.part`` and ``Frame.parts``.
            profile: thermal profile of all cars in traffic; None draws one per car.
            conditions: weather and hour, which tell how parked cars were heated; None draws them.
            people: most people in the street; None as many as real streets have.
            others: most of each of :data:`.road_users.two_wheelers.KINDS` and
                :data:`.road_users.companions.COMPANIONS`, alike; of ``trams`` and ``trailers`` none where nothing is
                said.
            moment: where the frame lies in a sequence; None: it is of none.
            flow: also give ``Frame.flow``, of all frames of a sequence but the last.
            amodal: also give ``Frame.amodal``.
            shrink: how many times narrower and lower than the camera's the picture is: for a glance.
            edges: also give ``Frame.edges`` of near vehicles, for a picture; only with normals and parts.
        """

        def stage(at: Moment | None) -> tuple[FrameSetup, Staged]:
            if not self.street:
                animated, staged = self._stage_frame(index, self._scene_frame(index, at))
                return self._mounted(animated), staged
            setup = self.setup(index, attempt, profile, conditions, people, others, at)
            place = self._standing(index if at is None else at.sequence, conditions)
            return self._mounted(setup), self._stage_traffic(setup, place)

        setup, staged = stage(moment)
        camera = _shrunk(self.picture_camera, shrink)
        if camera.lens is not None and self.engine == "cycles":
            raise SceneError("a camera whose lens distorts is drawn by the engine raster alone: leave cycles out")
        self._rasteriser.look_through(camera.covering, self._planes.near_m, self._planes.far_m)
        later = moment.next if flow and moment is not None else None
        following = None if later is None else functools.partial(stage, later)
        # Over real frames cars are softened as a whole in place of edges (renderer.insertion.outline).
        asked = {"normals": normals, "parts": parts, "amodal": amodal, "edges": edges and normals and parts}
        frame = self._render(setup, staged, self._background_zone, camera=camera, following=following, **asked)
        covers = (
            self._standing(index if moment is None else moment.sequence, conditions).street.covers
            if self.street
            else ()
        )
        return replace(frame, covers=covers) if covers else frame

    def visible(
        self,
        frame: Frame,
        draw: Draw,
        conditions: Conditions,
        settings: VisibleSettings,
        *,
        profile: str | None = None,
        people: int | None = 0,
        others: Mapping[str, int | None] = NO_OTHERS,
        absorptances: Mapping[int, float] | None = None,
        snow: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.uint8]:
        """The visible twin of a frame: what a colour camera sees from where the infrared one stands, (H, W, 3) sRGB.

        Args:
            frame: of :meth:`frame`, with the same draw and the same arguments.
            draw: of the frame; it draws colours and clouds too.
            conditions: weather and hour, which decide sun, sky and lamps.
            settings: of Cycles; those of the first call hold for all of a session.
            profile: as for :meth:`frame`, like people and others.
            people: most people.
            others: most of other things.
            absorptances: of the paint of cars for sunlight, by id, which their colours agree with.
            snow: (H, W) where snow lies in the infrared picture; None: nowhere.
        """
        if self._visible is None:
            self._visible = VisibleEngine(settings)
        view = CameraView(frame.camera, frame.cam_to_world, self._planes)
        if not self.street:
            self._go_to(self._scene_frame(draw.index, draw.moment))
            return self._visible.render_scene(self.scene, look_at(frame, view, conditions, draw, {}))
        setup = self.setup(draw.index, draw.attempt, profile, conditions, people, others, draw.moment)
        standing = self._standing(draw.index if draw.moment is None else draw.moment.sequence, conditions)
        staged = self._stage_traffic(setup, standing)
        painted = {
            number: colours_of(draw, number, item.category, (absorptances or {}).get(number))
            for number, item in staged.labelled.items()
        }
        self._visible.forget_places(self._built)
        return self._visible.render(
            staged, standing, self._extractor.pool, look_at(frame, view, conditions, draw, painted, snow)
        )

    def frame_on_plane(
        self,
        setup: FrameSetup,
        *,
        camera: Camera | None = None,
        normals: bool = False,
        parts: bool = False,
        amodal: bool = False,
    ) -> Frame:
        """Render only the cars of a setup, with nothing else of the scene; pixels without a car have zone 0."""
        self._rasteriser.look_through(camera or self.camera, self._planes.near_m)
        stored = _as_stored(setup)
        with self._street_hidden():
            staged = self._stage_traffic(stored, None)
            return self._render(stored, staged, 0, normals=normals, parts=parts, amodal=amodal)

    @contextlib.contextmanager
    def _street_hidden(self) -> Iterator[None]:
        """Keep what stands still out of renderings by Cycles, which draws whatever is in the file."""
        meshes = self._inventory.street.members if self.engine == "cycles" else ()
        holders = {holder.name: holder for holder in (mesh.instancer or mesh.owner for mesh in meshes)}
        for holder in holders.values():
            holder.hide_render = True
        try:
            yield
        finally:
            for holder in holders.values():
                holder.hide_render = False

    def _load_models(self, cars: Path | None) -> dict[str, bpy.types.Collection]:
        if cars is None:
            return model_collections()
        models, notes = load_models(cars)
        self.notes += notes
        return models

    def _objects(self) -> list[bpy.types.Object]:
        layer = rendered_layer(self.scene)
        layer.update()  # what an import removed is still listed before
        return [item for item in layer.objects if item]

    def _shown_objects(self) -> list[bpy.types.Object]:
        """Objects of the scene, and those of the collections that it shows copies of."""
        own = self._objects()
        collections = {item.instance_collection for item in own if item.instance_type == "COLLECTION"} - {None}
        return own + [item for one in collections for item in one.all_objects]

    def _meshed_objects(self) -> list[tuple[bpy.types.Object, Sequence[bpy.types.Object]]]:
        """Objects with a mesh, with the instancers that show them (none: the object itself is in the scene)."""
        pairs: list[tuple[bpy.types.Object, Sequence[bpy.types.Object]]] = []
        if not self.street:
            pairs += self._evaluated(shown_objects)
        for item in self._objects():
            if item.instance_type == "COLLECTION" and item.instance_collection:
                pairs += [(inner, (item,)) for inner in item.instance_collection.all_objects]
            pairs.append((item, ()))
        # The models that traffic will place: a model is a car wherever it stands.
        pairs += [(inner, ()) for model in self._models.values() for inner in model.all_objects]
        return [(item, instancers) for item, instancers in pairs if item.type == "MESH"]

    def setup(
        self,
        index: int,
        attempt: int = 0,
        profile: str | None = None,
        conditions: Conditions | None = None,
        people: int | None = 0,
        others: Mapping[str, int | None] = NO_OTHERS,
        moment: Moment | None = None,
    ) -> FrameSetup:
        """Where the camera, the cars and the people of a frame are; arguments as for :meth:`frame`.

        A scene without a street is brought to the frame of its own animation, and has no cars to be placed.

        Raises:
            SceneError: the number is below 0.
        """
        if self.street:
            standing = self._standing(int(_checked(index)) if moment is None else moment.sequence, conditions)
            self._check_room(standing.street)
            draw = Draw(self.seed, index, attempt, moment)
            weather = conditions or sample_conditions(draw.rng(Stream.CONDITIONS))
            camera = vary_mount(self.camera.covering, self.mount_variety, draw)
            if moment is not None:
                plan = self._plan(draw, standing, camera, weather, profile, people, others)
                return _as_stored(on_slope(plan.setup(index, moment.time_s), standing.street, self._has_wheels))
            setup = sample_frame(
                standing.street, self.model_sizes, camera, draw, weather, profile=profile, traffic=self.traffic
            )
            setup = self._with_trams_and_trailers(setup, standing, draw, others)
            setup = self._with_people(setup, standing, draw, people, weather)
            setup = self._with_others(setup, standing, draw, others, weather, riders=people != 0)
            setup = self._with_seated(setup, standing, draw, people, weather)
            return _as_stored(on_slope(setup, standing.street, self._has_wheels))
        self._go_to(self._scene_frame(index, moment))
        return FrameSetup(index, (), self._evaluated(self._read_view).cam_to_world)

    def _scene_frame(self, index: int, moment: Moment | None) -> float:
        """Which frame of its own animation a scene without a street shows: a sequence plays it at its own speed."""
        if moment is None:
            return index
        render = self.scene.render
        return moment.time_s * float(render.fps) / float(render.fps_base)

    def _plan(
        self,
        draw: Draw,
        standing: Standing,
        camera: Camera,
        conditions: Conditions,
        profile: str | None,
        people: int | None,
        others: Mapping[str, int | None],
    ) -> SequencePlan:
        """The plan of a draw's sequence; the last one is kept."""
        assert draw.moment is not None
        moment = draw.moment
        key = (moment.sequence, moment.duration_s, draw.attempt, conditions, profile, people, tuple(others.items()))
        if self._planned is None or self._planned[0] != key:
            users = RoadUsers(
                those_out(self.people_sizes, conditions),
                people,
                self._two_wheelers.dressed_for(conditions, draw),
                others,
                self.other_sizes,
                conditions,
                lambda: standing.seats,
                lambda: standing.ground,
                self._key_points,
            )
            street, traffic = standing.street, self.traffic
            plan = draw_plan(street, self.model_sizes, camera, draw, conditions, traffic, profile, users)
            self._planned = key, plan
        return self._planned[1]

    def _has_wheels(self, name: str) -> bool:
        """Whether a model is no person and no animal."""
        return self._category_of.get(name) not in PEOPLE_AND_ANIMALS

    @cached_property
    def _category_of(self) -> dict[str, str]:
        sizes = (*self._own_sizes, *self.people_sizes, *self.other_sizes)
        return {size.name: size.category for size in sizes}

    def _key_points(self, name: str) -> NDArray[np.float64] | None:
        """Joints of a model of the library in its own axes, where they are known."""
        library = self._library_of.get(name)
        return None if library is None else library.key_points_m(name)

    def _with_trams_and_trailers(
        self, setup: FrameSetup, standing: Standing, draw: Draw, most: Mapping[str, int | None]
    ) -> FrameSetup:
        """The setup with trams behind its cars, and trailers behind both, where any are asked for."""
        sizes, street, camera = {size.name: size for size in self.model_sizes}, standing.street, self.camera.covering
        trams, trailers = (
            [size for size in self._on_request if size.category == category] for category in (TRAM, TRAILER)
        )
        setup = trams_on_street(setup, street, sizes, trams, camera, draw, most.get(TRAMS) or 0)
        sizes |= {size.name: size for size in trams}
        return trailers_on_street(setup, street, sizes, trailers, camera, draw, most.get(TRAILERS) or 0)

    @cached_property
    def _on_request(self) -> tuple[ModelSize, ...]:
        """Trams and trailers."""
        return tuple(size for size in (*self._own_sizes, *self.other_sizes) if size.category in (TRAM, TRAILER))

    def _with_people(
        self, setup: FrameSetup, standing: Standing, draw: Draw, most: int | None, weather: Conditions
    ) -> FrameSetup:
        """The setup, and people after its cars: no id and no draw of a car changes with them."""
        if most == 0 or not self._people or not standing.street.has_people:
            return setup
        cars = {size.name: size for size in (*self.model_sizes, *self._on_request)}
        ground, street = standing.ground, standing.street
        mix = self._people.dressed_for(weather)
        people = people_on_street(setup, ground, street, cars, mix, self.camera.covering, draw, most)
        return replace(setup, placements=(*setup.placements, *people))

    def _with_seated(
        self, setup: FrameSetup, standing: Standing, draw: Draw, most: int | None, weather: Conditions
    ) -> FrameSetup:
        """The setup, and people on benches after all else."""
        if most == 0 or not self._people or not standing.street.has_people:
            return setup
        sizes, people, camera = self._sizes_by_name[1], self._sitting, self.camera.covering
        seated = seated_people(setup, standing.seats, sizes, people, camera, draw, weather, most)
        return replace(setup, placements=(*setup.placements, *seated))

    def _with_others(
        self,
        setup: FrameSetup,
        standing: Standing,
        draw: Draw,
        most: Mapping[str, int | None],
        weather: Conditions,
        *,
        riders: bool,
    ) -> FrameSetup:
        """The setup, and two-wheelers, animals and prams after its cars and people."""
        sizes, all_sizes = self._sizes_by_name
        if not self.other_sizes or not any(count != 0 for count in most.values()):
            return replace(setup, placements=walking_without_pram(setup.placements, sizes))
        parking, street, mix = standing.parking, standing.street, self._two_wheelers.dressed_for(weather, draw)
        camera = self.camera.covering
        placed = two_wheelers_on_street(setup, parking, street, sizes, mix, camera, draw, most, riders=riders)
        setup = replace(setup, placements=(*setup.placements, *placed))
        beside = companions(setup, all_sizes, self._companions, camera, draw, most, standing.height_m)
        return replace(setup, placements=walking_without_pram((*setup.placements, *beside), all_sizes))

    @cached_property
    def _sizes_by_name(self) -> tuple[dict[str, ModelSize], dict[str, ModelSize]]:
        """Sizes by name: of cars, trams, trailers and people, and of these and all others."""
        sizes = {size.name: size for size in (*self.model_sizes, *self._on_request, *self.people_sizes)}
        return sizes, sizes | {size.name: size for size in self.other_sizes}

    @cached_property
    def _sitting(self) -> tuple[ModelSize, ...]:
        """People who sit on benches."""
        return tuple(size for size in self.people_sizes if sits(size))

    @cached_property
    def _companions(self) -> tuple[ModelSize, ...]:
        """Animals and prams."""
        return tuple(size for size in self.other_sizes if size.category in COMPANION_CATEGORIES)

    @cached_property
    def _two_wheelers(self) -> TwoWheelerMix:
        return TwoWheelerMix(self.other_sizes)

    @cached_property
    def _people(self) -> PeopleMix:
        return PeopleMix(self.people_sizes)

    @cached_property
    def _own_standing(self) -> Standing:
        """The street of the file."""
        assert self.street is not None
        inventory = self._inventory
        own = Standing(self.street, inventory.street, inventory.marked, self._extractor.pool)
        return self._with_furniture("", own)

    def _with_furniture(self, name: str, standing: Standing) -> Standing:
        if self._furniture is None:
            return standing
        return label_furniture(name, standing, self._furniture, self._unlabelled)

    @cached_property
    def _own_bare_standing(self) -> Standing:
        """The street of the file in winter."""
        return self._own_standing if self.engine == "cycles" else drop_leaves(self._own_standing)

    def _standing(self, index: int, conditions: Conditions | None) -> Standing:
        """The street that a frame is made in, bare trees and all in winter; the last few stay built."""
        bare, plain = trees_are_bare(conditions), None if self._places is None else self._places.name(index)
        name = None if plain is None else f"{plain} {_BARE}" if bare else plain
        if name in self._built:
            self._built[name] = self._built.pop(name)  # the latest stands last
            return self._built[name]
        place = None if self._places is None or plain is None else self._places.make(plain)
        if place is None or name is None:
            return self._own_bare_standing if bare else self._own_standing
        place = place.without_leaves() if bare else place
        _ = self._inventory  # reads the file, which keeps nothing that was built before
        if len(self._built) >= MOST_BUILT:
            oldest = next(iter(self._built))
            del self._built[oldest]
            forget_standing(oldest, self._extractor)
        built = build_standing(name, place, self._extractor, self.scene.camera)
        self._built[name] = self._with_furniture(name, built)
        return self._built[name]

    def _check_room(self, street: Street) -> None:
        """Once: a set in which nothing can be placed is an error, and models that find no place are named."""
        if self._room_checked:
            return
        self._room_checked = True
        lost = without_room(street, self.model_sizes)
        sizes = ", ".join(f"{size.name} ({size.length_m:.3g} x {size.width_m:.3g} m)" for size in lost[:4])
        if lost and len(lost) == len(self.model_sizes):
            widest = max((lane.width_m for lane in street.lanes), default=0.0)
            raise SceneError(f"{self.path}: no model fits a lane (at most {widest:.3g} m wide) or a bay: {sizes}")
        if lost:
            self.notes += (f"{len(lost)} of {len(self.model_sizes)} models fit no lane and no bay: {sizes}",)

    def _go_to(self, index: float) -> None:
        """Bring a scene without a street to a frame of its own animation."""
        self._timeline.go_to(self.scene.frame_start + _checked(index))
        if self.scene.camera is None:
            raise SceneError(f"{self.path}: the scene has no active camera; add one and make it active (Ctrl+Numpad 0)")

    def _stage_frame(self, index: int, scene_frame: float) -> tuple[FrameSetup, Staged]:
        """A scene without a street at a frame of its animation, and its camera there."""
        self._go_to(scene_frame)
        view, pairs = self._evaluated(self._read_all)
        if self._numbers.lacks(item for _, item in pairs) and self._numbered < scene_frame:
            self._number_earlier_frames(math.ceil(scene_frame))
            self._go_to(scene_frame)
            view, pairs = self._evaluated(self._read_all)
        self.camera, self._planes = view.camera, view.planes
        return FrameSetup(index, (), view.cam_to_world), self._stage_scene(pairs)

    def _read_all(self, depsgraph: bpy.types.Depsgraph) -> tuple[CameraView, list[_Pair]]:
        return self._read_view(depsgraph), self._read_from(depsgraph)

    def _read_view(self, depsgraph: bpy.types.Depsgraph) -> CameraView:
        """The camera as it is now, with the intrinsics or the size that are asked for."""
        view = read_view(depsgraph, self.path, self._given_camera)
        camera = view.camera.fitted(*self._size) if self._size else view.camera
        return replace(view, camera=replace(camera, lens=self._lens) if self._lens else camera)

    def _evaluated(self, read: Callable[[bpy.types.Depsgraph], T]) -> T:
        """What ``read`` finds in the evaluated scene."""
        return evaluated_for_render(self.scene, read)

    def _read_from(self, depsgraph: bpy.types.Depsgraph) -> list[_Pair]:
        """Every mesh of the evaluated scene with the labelled object it belongs to, cars first."""
        placed = self._extractor.placed(depsgraph, self._labels.category_at)
        lacking = left_out_note(self._extractor.left_out) if self.engine == "raster" else ()
        self._left_out = (*self._extractor.notes, *lacking)
        found = self._labels.find_all(placed, self._extractor.pool, depsgraph)
        pairs = [(mesh, None if mesh.holdout else item) for mesh, item in zip(placed, found, strict=True)]
        return sorted(_in_metres(pairs, metres_per_unit(depsgraph.scene)), key=_rank)

    def _stage_scene(self, pairs: Sequence[_Pair]) -> Staged:
        """The scene as it was read."""
        ids = self._numbers.of([item for _, item in pairs], self.path)
        everything = PlacedGroup(Group(tuple(mesh for mesh, _ in pairs)), ids)
        return Staged([everything], {int(k): item for k, (_, item) in zip(ids, pairs, strict=True) if item})

    def _number_earlier_frames(self, index: int) -> None:
        """Number what appears before a frame, frame by frame: ids follow from the scene alone."""
        for earlier in range(self._numbered, index):
            self._go_to(earlier)
            self._numbers.of([item for _, item in self._evaluated(self._read_from)], self.path)
        self._numbered = max(self._numbered, index + 1)

    @cached_property
    def _inventory(self) -> _Inventory:
        """Meshes of each model (relative to its origin) and of everything that stands still, read once.

        Traffic poses models and nothing else, so that what the depsgraph says of one copy holds for all.
        """
        at_origin = tuple(Placement(name, 0.0, 0.0, 0.0, 0.0, "driving") for name in self._models)
        empties = apply(self.scene, FrameSetup(0, at_origin, np.eye(4)), self._models, model_unit_m=self._model_unit_m)
        model_of = {empty.name: name for empty, name in zip(empties, self._models, strict=True)}
        models: dict[str, list[PlacedMesh]] = {name: [] for name in self._models}
        street = []
        for mesh, item in self._evaluated(self._read_from):
            if mesh.instancer and mesh.instancer.name in model_of:
                models[model_of[mesh.instancer.name]].append(mesh)
            elif not (mesh.instancer and is_traffic(mesh.instancer)):
                street.append((mesh, item if self._labels.by_mark else None))
        return _Inventory(
            {name: Group(tuple(members)) for name, members in models.items()},
            {name: self._extent_of(members) for name, members in models.items()},
            Group(tuple(mesh for mesh, _ in street)),
            tuple(item for _, item in street),
        )

    def _extent_of(self, meshes: Sequence[PlacedMesh]) -> NDArray[np.float64]:
        """Size of a model that stands at the origin."""
        pool = self._extractor.pool
        return extent_m(((pool.mesh(mesh.mesh), mesh.local_to_world) for mesh in meshes), np.eye(4))

    def _stage_traffic(self, setup: FrameSetup, standing: Standing | None) -> Staged:
        """The models of a setup, then what stands still; of that, what is marked is labelled too."""
        self._take_from_library(name for one in setup.placements for name in (one.model, *one.cycle))
        self._moving.begin()
        empties: Sequence[bpy.types.Object | None] = [None] * len(setup.placements)
        if self.engine == "cycles":
            empties = apply(self.scene, setup, self._models, model_unit_m=self._model_unit_m)
        groups, labelled = [], {}
        for number, (placement, empty) in enumerate(zip(setup.placements, empties, strict=True), start=1):
            ridden = setup.placements[number - 1 - placement.rides] if placement.rides else None
            shown = self._shown(placement, ridden)
            labelled[number] = item = self._labelled(number, placement, ridden, shown)
            ids = np.full(len(shown.group.members), number)
            groups.append(PlacedGroup(shown.group, ids, item.pose, empty, shown.local_to_group))
        surroundings = PlacedGroup(Group(()), np.zeros(0, np.int64))
        if standing is not None:
            surroundings, marked = standing.numbered(len(setup.placements))
            labelled |= marked
        groups.append(surroundings)
        return Staged(groups, labelled)

    @cached_property
    def _moving(self) -> MovingModels:
        return MovingModels(self._extractor, self._library_of.get, self._inventory.models)

    def _shown(self, placement: Placement, ridden: Placement | None) -> Shown:
        """A model as it moves; Cycles draws the collections of the file, in which nothing turns."""
        if self.engine == "cycles":
            return Shown(self._inventory.models[placement.model])
        return self._moving.shown(placement, ridden, self._inventory.key_points_m)

    def _reach_m(self, placement: Placement, ridden: Placement | None) -> NDArray[np.float64]:
        """Lowest and highest corner of a placed model over all that it does."""
        extents = self._inventory.extents_m
        if placement.motion is not None and ridden is not None and self.engine != "cycles":
            key = placement.model, ridden.model
            if key not in self._reaches:
                self._reaches[key] = self._moving.reach_of_rider(*key)
            own = extents[placement.model]
            return own if (reach := self._reaches[key]) is None else _extent_of_all([own, reach])
        return _extent_of_all([extents[one] for one in placement.cycle or (placement.model,)])

    def _labelled(self, number: int, placement: Placement, ridden: Placement | None, shown: Shown) -> LabelledObject:
        """What is known of a placed model."""
        inventory, name = self._inventory, placement.model
        return LabelledObject(
            f"{number}",
            category_of(self._models[name]),
            name,
            placement.profile,
            placement.object_to_world,
            self._reach_m(placement, ridden),
            inventory.key_points_m.get(name) if shown.key_points_m is None else shown.key_points_m,
            number - placement.rides if placement.rides else None,
            placement.speed_m_s,
            self._clo_of.get(name),
        )

    def _take_from_library(self, names: Iterable[str]) -> None:
        """Make the models that are asked for and are not there yet; they are read as they are stored."""
        inventory = self._inventory
        _ = self._own_sizes  # before models of the library stand among them
        for name in names:
            library = self._library_of.get(name)
            if library is None or name in self._models:
                continue
            collection = library.collection(name)
            items = sorted(collection.all_objects, key=lambda item: str(item.name))
            members = tuple(self._extractor.unplaced(item, number) for number, item in enumerate(items))
            self._models[name] = collection
            inventory.models[name] = Group(members)
            inventory.extents_m[name] = self._extent_of(members)
            inventory.key_points_m[name] = library.key_points_m(name)

    @cached_property
    def _clo_of(self) -> dict[str, float]:
        """Insulation of the clothes of models that have any, by name."""
        return {size.name: size.clo for size in (*self.people_sizes, *self.other_sizes) if size.clo is not None}

    @cached_property
    def _library_of(self) -> dict[str, ModelLibrary]:
        """The file that has a model, by the model's name."""
        libraries = (() if self._library is None else (self._library,)) + self._others
        return {name: library for library in libraries for name in library.names}

    def _check_labelled(self) -> None:
        for index in range(max(1, self.scene.frame_end - self.scene.frame_start + 1) if self._labels.any else 1):
            staged = self._stage_frame(index, index)[1]
            if staged.labelled:
                self.notes += self._size_note(staged)
                return
        raise SceneError(
            f"{self.path}: nothing to label: no object or collection has the property 'gis_category', "
            "a car's name or car zones; mark one, or give --cars with a scene that has lanes"
        )

    def _size_note(self, staged: Staged) -> tuple[str, ...]:
        sized = []
        for number, item in sorted(staged.labelled.items()):
            length, width, height = np.ptp(self._extent_m(staged, number), axis=0).tolist()
            sized.append((item.model, item.category, (length, width, height)))
        return size_note(sized)

    @np.errstate(divide="ignore", over="ignore", invalid="ignore")  # as numba has it, where the loops run as Python
    def _render(
        self,
        setup: FrameSetup,
        staged: Staged,
        background_zone: int,
        *,
        normals: bool,
        parts: bool,
        amodal: bool = False,
        camera: Camera | None = None,
        following: Callable[[], tuple[FrameSetup, Staged]] | None = None,
        edges: bool = False,
    ) -> Frame:
        """Draw a frame.

        Args:
            setup: camera's pose.
            staged: what stands there.
            background_zone: where nothing is hit.
            normals: also give them; ``parts`` and ``amodal`` alike.
            parts: see normals.
            amodal: see normals.
            camera: of the picture, where its lens distorts what the rasteriser's camera sees.
            following: stages the next frame of its sequence, for the flow to it.
            edges: also give those of near vehicles, for which normals must be given too.
        """
        rasteriser, pool = self._rasteriser, self._extractor.pool
        count = len(staged.drawing.mesh)
        if parts and count > MAX_PARTS:
            raise SceneError(f"{self.path}: {count} meshes in the frame; parts hold at most {MAX_PARTS}")
        drawn = rasteriser.draw(
            pool,
            staged.drawing,
            setup.cam_to_world,
            background_zone=background_zone,
            normals=normals,
            triangles=following is not None,
        )
        passes: RasterPasses | CyclesPasses = drawn
        if self.engine == "cycles":
            view = CameraView(rasteriser.camera, setup.cam_to_world, Planes(rasteriser.near_m, rasteriser.far_m))
            engine = self._cycles_engine(background_zone)
            passes = engine.render(staged.placed(), staged.drawing.instance_id, view, drawn, pool)
        frame = Frame(
            index=setup.index,
            camera=rasteriser.camera,
            cam_to_world=setup.cam_to_world,
            depth_m=passes.depth_m,
            instance_id=passes.instance_id,
            zone=passes.zone,
            instances=self._instances(staged, passes, drawn.amodal_px, setup.cam_to_world),
            normal=passes.normal if normals else None,
            part=passes.part if parts else None,
            parts=staged.parts() if parts else (),
            notes=self.notes + self._labels.notes + self._zone_notes() + self._left_out,
        )
        if edges and drawn is passes:
            frame = replace(frame, edges=self._edges(frame, staged, drawn))
        frame = without_unlabelled(frame, staged.labelled)
        if camera is not None and camera.lens is not None:
            frame, passes = self._distorted(frame, staged, camera, background_zone, amodal=amodal)
        elif amodal:
            frame = replace(frame, amodal=self._amodal_masks(frame, staged))
        return frame if following is None else replace(frame, flow=self._flow(frame, staged, passes, following))

    def _edges(self, frame: Frame, staged: Staged, drawn: RasterPasses) -> EdgeSamples | None:
        """Edges of near vehicles, where there are any."""
        near, windows = np.zeros(len(drawn.amodal_px), np.bool_), []
        for item in frame.instances:
            box = item.box_visible_px
            if item.category in VEHICLES and box is not None and max(box[2] - box[0], box[3] - box[1]) >= _NEAR_PX:
                near[item.id] = True
                left, top, right, bottom = map(int, box)
                width, height = frame.camera.width, frame.camera.height
                windows.append((max(top - 1, 0), min(bottom + 1, height), max(left - 1, 0), min(right + 1, width)))
        if not windows or max(frame.camera.width, frame.camera.height) > LARGEST_PX:
            return None
        return self._rasteriser.edges(
            self._extractor.pool, staged.drawing, frame.cam_to_world, drawn, near, np.array(windows)
        )

    def _distorted(
        self, wide: Frame, staged: Staged, camera: Camera, background_zone: int, *, amodal: bool
    ) -> tuple[Frame, RasterPasses]:
        """What a camera whose lens distorts sees of what was drawn: each pixel by its own ray; labels alike."""
        rays, pose = _rays_of(camera), wide.cam_to_world
        passes = self._rasteriser.distorted(
            self._extractor.pool,
            staged.drawing,
            pose,
            rays,
            (camera.height, camera.width),
            background_zone=background_zone,
            normals=wide.normal is not None,
        )
        frame = replace(
            wide,
            camera=camera,
            depth_m=passes.depth_m,
            instance_id=passes.instance_id,
            zone=passes.zone,
            instances=self._distorted_instances(wide, staged, camera, passes),
            normal=passes.normal,
            part=None if wide.part is None else passes.part,
            edges=None,
            undistorted=wide,
        )
        frame = without_unlabelled(frame, staged.labelled)
        return (replace(frame, amodal=self._amodal_masks(frame, staged)) if amodal else frame), passes

    def _distorted_instances(
        self, wide: Frame, staged: Staged, camera: Camera, passes: RasterPasses
    ) -> tuple[Instance, ...]:
        """The objects of the pinhole camera's frame that are in the distorted picture too, as they are there.

        Also those of the street that only the distorted picture shows: it has other pixels, and one of them may hit
        what all of the pinhole camera's miss.
        """
        pose, instances = wide.cam_to_world, []
        world_to_camera = world_to_local(pose)
        seen = visible_boxes(passes.instance_id, len(passes.amodal_px) - 1).tolist()
        boxes_3d = {item.id: item.box_3d for item in wide.instances}
        for number, labelled in sorted(staged.labelled.items()):
            if number not in boxes_3d:
                if not labelled.of_street or labelled.unlabelled or not seen[number][0]:
                    continue
                boxes_3d[number] = self._box_3d(staged, number, world_to_camera)
            box = distorted_box(self._meshes_of(staged, number, world_to_camera), camera, self._rasteriser.near_m)
            if box is not None and clip_box(box, camera) is not None:
                whole_px = int(passes.amodal_px[number])
                one = _instance(number, labelled, camera, boxes_3d[number], box, seen[number], whole_px)
                instances.append(_with_key_points(one, labelled, camera, pose, passes.depth_m))
        return _with_rides(instances, staged.labelled)

    def _meshes_of(
        self, staged: Staged, number: int, world_to_camera: NDArray[np.float64]
    ) -> Iterator[tuple[Mesh, NDArray[np.float64]]]:
        """Meshes of an object with the matrices that take them into the camera's axes."""
        drawing = staged.drawing
        for k in np.flatnonzero(drawing.instance_id == number):
            yield self._extractor.pool.mesh(int(drawing.mesh[k])), world_to_camera @ drawing.local_to_world[k]

    def _amodal_masks(self, frame: Frame, staged: Staged) -> dict[int, NDArray[np.bool_]]:
        """What each visible object would cover if it stood there alone; see :attr:`Frame.amodal`."""
        masks, pose, camera = {}, frame.cam_to_world, frame.camera
        for item in frame.instances:
            drawn = self._extractor.pool, staged.drawing.of_instance(item.id), pose
            if item.visible_px == item.amodal_px > 0:
                masks[item.id] = frame.instance_id == item.id
            elif item.visible_px and camera.lens is None:
                masks[item.id] = self._rasteriser.mask(*drawn)
            elif item.visible_px:
                shape = camera.height, camera.width
                masks[item.id] = self._rasteriser.distorted_mask(*drawn, _rays_of(camera), shape)
        return masks

    def _flow(
        self,
        frame: Frame,
        staged: Staged,
        passes: RasterPasses | CyclesPasses,
        following: Callable[[], tuple[FrameSetup, Staged]],
    ) -> Flow:
        """Optical flow from a frame that was drawn to the next one, which is staged for it."""
        pool, by_name = self._extractor.pool, self.street is None
        triangle = passes.triangle if isinstance(passes, RasterPasses) else None
        pose, depth_m = frame.cam_to_world, frame.depth_m
        before = Before.of(staged, pool, frame.camera, pose, depth_m, passes.part, triangle, by_name=by_name)
        setup, later = following()
        return flow_to(before, later, pool, self.picture_camera, setup.cam_to_world, by_name=by_name)

    def _cycles_engine(self, background_zone: int) -> CyclesEngine:
        if self._cycles is None or self._cycles.background_zone != background_zone:
            self._cycles = CyclesEngine(self.scene, background_zone)
        return self._cycles

    def _zone_notes(self) -> tuple[str, ...]:
        guessed = sorted(self._zoned_by.items())
        sources = {"materials": "read from the names of its materials", "geometry": "guessed from its geometry"}
        return tuple(f"zones of {name!r} {sources[how]}" for name, how in guessed)

    def _instances(
        self,
        staged: Staged,
        passes: RasterPasses | CyclesPasses,
        amodal_px: NDArray[np.int64],
        cam_to_world: NDArray[np.float64],
    ) -> tuple[Instance, ...]:
        camera, near_m = self._rasteriser.camera, self._rasteriser.near_m
        visible = visible_boxes(passes.instance_id, len(amodal_px) - 1).tolist()
        listed = {
            number: item
            for number, item in sorted(staged.labelled.items())
            if not item.of_street or (visible[number][0] and not item.unlabelled)
        }
        parts = parts_of(staged.drawing.seen_by(camera, cam_to_world), listed)
        boxes = projected_boxes(self._extractor.pool.flat(), parts, near_m)
        world_to_camera, instances = world_to_local(cam_to_world), []
        for number, labelled in listed.items():
            amodal = boxes[number]
            if amodal is not None and clip_box(amodal, camera) is not None:
                box_3d = self._box_3d(staged, number, world_to_camera)
                if nearest_depth_m(box_3d) > self._rasteriser.far_m:
                    continue
                seen = visible[number]
                one = _instance(number, labelled, camera, box_3d, amodal, seen, int(amodal_px[number]))
                instances.append(_with_key_points(one, labelled, camera, cam_to_world, passes.depth_m))
        return _with_rides(instances, staged.labelled)

    def _box_3d(self, staged: Staged, number: int, world_to_camera: NDArray[np.float64]) -> Box3D:
        """Upright box around an object, in the camera's axes."""
        return upright_box_from(
            self._extent_m(staged, number), heading_frame(staged.labelled[number].pose), world_to_camera
        )

    def _extent_m(self, staged: Staged, number: int) -> NDArray[np.float64]:
        """Size of a labelled object along upright axes: as known of its model if that stands upright, else measured."""
        labelled, drawing = staged.labelled[number], staged.drawing
        if labelled.extent_m is not None and labelled.pose[2, 2] == 1.0:
            return labelled.extent_m
        members = np.flatnonzero(drawing.instance_id == number)
        meshes = ((self._extractor.pool.mesh(int(drawing.mesh[k])), drawing.local_to_world[k]) for k in members)
        return extent_m(meshes, heading_frame(labelled.pose))


def _extent_of_all(extents_m: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Lowest and highest corner (2, 3) of all models of a gait, so that a box does not breathe with the steps."""
    if len(extents_m) == 1:
        return extents_m[0]
    corners = np.stack(extents_m)
    return np.stack([corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)])


def _as_stored(setup: FrameSetup) -> FrameSetup:
    """The setup with the precision of Blender's matrices (float32): what is drawn is what Blender would draw."""
    placements = tuple(
        with_values(car, x_m=float(np.float32(car.x_m)), y_m=float(np.float32(car.y_m)), z_m=float(np.float32(car.z_m)))
        for car in setup.placements
    )
    cam_to_world = setup.cam_to_world.astype(np.float32).astype(np.float64)
    return replace(setup, placements=placements, cam_to_world=cam_to_world)


def _instance(
    number: int,
    labelled: LabelledObject,
    camera: Camera,
    box_3d: Box3D,
    amodal: Box2D,
    visible: list[int],
    amodal_px: int,
) -> Instance:
    """Everything known of one object; ``visible`` is its row of :func:`renderer.geometry.boxes.visible_boxes`."""
    count, left, top, right, bottom = visible
    return Instance(
        id=number,
        category=labelled.category,
        model=labelled.model,
        profile=labelled.profile,
        object_to_world=labelled.pose,
        box_3d=box_3d,
        box_amodal_px=amodal,
        box_visible_px=(float(left), float(top), float(right), float(bottom)) if count else None,
        visible_px=count,
        amodal_px=amodal_px,
        truncation=truncation(amodal, camera),
        occlusion=occlusion_level(count, amodal_px),
        speed_m_s=labelled.speed_m_s,
        clo=labelled.clo,
    )


def _with_key_points(
    instance: Instance,
    labelled: LabelledObject,
    camera: Camera,
    cam_to_world: NDArray[np.float64],
    depth_m: NDArray[np.float32],
) -> Instance:
    """The object with its joints in the picture, where they are known."""
    if labelled.key_points_m is None:
        return instance
    points_m = labelled.key_points_m @ labelled.pose[:3, :3].T + labelled.pose[:3, 3]
    return with_values(instance, key_points=project_key_points(points_m, camera, cam_to_world, depth_m))


def _with_rides(instances: Sequence[Instance], labelled: Mapping[int, LabelledObject]) -> tuple[Instance, ...]:
    """The objects, riders with what they ride where that is in view too."""
    in_view = {item.id for item in instances}
    rides = (labelled[item.id].rides for item in instances)
    pairs = zip(instances, rides, strict=True)
    return tuple(item if number not in in_view else with_values(item, rides=number) for item, number in pairs)


@functools.lru_cache(maxsize=4)
def _rays_of(camera: Camera) -> Rays:
    """Where the rays of a camera with a lens meet the picture of the one that covers it."""
    wide = camera.covering
    return rays_by_cell(places_in_covering(camera), wide.height, wide.width)


def _shrunk(camera: Camera, times: int) -> Camera:
    return camera if times == 1 else camera.fitted(max(1, camera.width // times), max(1, camera.height // times))


def _checked(index: float) -> float:
    if index < 0:
        raise SceneError(f"frame {index}: expected 0 or more")
    return index


def _in_metres(pairs: Sequence[_Pair], metres: float) -> list[_Pair]:
    """Where meshes and objects stand, in metres instead of units of the scene."""
    objects: dict[int, LabelledObject] = {}
    for _, item in pairs:
        if item is not None and id(item) not in objects:
            objects[id(item)] = replace(item, pose=pose_in_metres(item.pose, metres))
    return [(_mesh_in_metres(mesh, metres), objects.get(id(item))) for mesh, item in pairs]


def _mesh_in_metres(mesh: PlacedMesh, metres: float) -> PlacedMesh:
    if metres == 1.0:
        return mesh
    return replace(mesh, local_to_world=matrix_in_metres(mesh.local_to_world, metres))


def _rank(pair: _Pair) -> tuple[bool, str, str, tuple[int, ...], bytes]:
    """Sort key that depends on the scene alone: labelled objects first, by name; equal names by copy, then by pose."""
    placed, item = pair
    top = placed.instancer.name if placed.instancer else ""
    return (item is None, item.key if item else top, placed.name, placed.path, placed.local_to_world.tobytes())
