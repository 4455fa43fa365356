"""Frames of a scene: open it once, then ask for frame after frame in any order."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

import bpy
import numpy as np
from numpy.typing import NDArray

from ..copies import with_values
from ..errors import SceneError
from ..geometry.camera import Camera
from ..geometry.frame import Frame
from ..geometry.lens import Lens
from ..geometry.rig import Mount
from ..random_streams import Draw, Moment
from ..scene.cars import FrameSetup, ModelSize
from ..scene.distances import ORDINARY, Traffic
from ..scene.furniture import Furniture
from ..scene.place import Places
from ..scene.road_users.two_wheelers import NO_OTHERS
from ..scene.street import Street
from ..thermal.conditions import Conditions
from ..visible.colours import colours_of
from ..visible.settings import VisibleSettings
from .evaluation import raster_notes, scene_notes, stop_evaluating
from .frames.animation import Animation, check_index
from .frames.drawer import Extras, FrameDrawer, StagedFrame
from .frames.inventory import Inventory
from .frames.known_models import KnownModels
from .frames.planner import FramePlanner, Wanted
from .frames.scene_reader import SceneReader
from .frames.stager import TrafficStager
from .frames.street_places import StreetPlaces
from .library.model_arrays import ModelLibrary
from .models import load_models
from .scene_camera import CameraView, Planes
from .session import open_blend
from .simulation import Timeline
from .traffic import model_collections, read_street
from .visible.picture import VisibleEngine, look_at

if TYPE_CHECKING:
    from typing import Self  # Python 3.11

__all__ = ["Engine", "RenderSession"]

Engine = Literal["raster", "cycles"]


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
        by_cycles = engine == "cycles"
        turned_off: list[str] = []
        self.scene = open_blend(scene, turned_off)
        self.street: Street | None = read_street(self.scene)
        timeline = Timeline(self.scene)
        stepped = () if self.street else timeline.notes
        self.notes: tuple[str, ...] = (*turned_off, *stepped, *scene_notes(self.scene, cropped=camera is None))
        own, notes = (model_collections(), ()) if cars is None else load_models(cars)
        self.notes += notes
        self._models = KnownModels(
            own,
            people=None if people is None else ModelLibrary(people),
            others=[ModelLibrary(path) for path in others],
            shares=traffic.shares,
            unit_m=None if cars is None else 1.0,
        )
        self._reader = SceneReader(self.scene, scene, by_cycles=by_cycles, camera=camera, size=size, lens=lens)
        if not by_cycles:
            self.notes += raster_notes(self.scene, self._reader.shown_objects())
        self._animation, self._mount = Animation(self._reader, timeline), mount
        view = self._animation.view(0) if self.street is None else self._reader.evaluated(self._reader.view_in)
        self.camera, self._planes = view.camera, view.planes
        self._drawer = FrameDrawer(
            self._reader,
            self.picture_camera.covering,
            self._planes,
            by_cycles=by_cycles,
            by_name=self.street is None,
        )
        self._background_zone = self._reader.background_zone
        self._visible: VisibleEngine | None = None
        self._reader.assign_zones(self._models.own.values(), copies=self.street is None)
        inventory = Inventory(self._reader, self._models)
        self._stager = TrafficStager(self._models, inventory, self._reader.extractor, by_cycles=by_cycles)
        self._planner = FramePlanner(self._models, traffic, mount_variety)
        self._places: StreetPlaces | None = None
        if self.street is not None:
            self._places = StreetPlaces(
                self.street,
                self._reader,
                inventory,
                by_cycles=by_cycles,
                places=places,
                furniture=furniture,
                unlabelled=unlabelled,
            )
        else:
            if by_cycles:
                self._drawer.set_up_cycles(self._background_zone)
            view, sizes = self._animation.find_labelled()
            self.camera, self._planes = view.camera, view.planes
            self.notes += sizes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the scene."""
        self._models.close()
        stop_evaluating()
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)

    @property
    def model_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of the cars that traffic is made of, by name."""
        return self._models.vehicles

    @property
    def people_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of the people, and of what else is no car, by name."""
        return self._models.people

    @property
    def other_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of two-wheelers and their riders, of animals and prams, by name."""
        return self._models.others

    @property
    def has_traffic(self) -> bool:
        """Whether cars are drawn for each frame; else the scene moves by its own animation."""
        return self.street is not None

    @property
    def picture_camera(self) -> Camera:
        """The camera that frames are seen through."""
        return self.camera if self._mount is None else self._mount.camera

    def _mounted(self, cam_to_world: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pose of that camera, by that of the one that is driven."""
        return cam_to_world if self._mount is None else cam_to_world @ self._mount.pose

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

        def stage(at: Moment | None) -> StagedFrame:
            if self._places is None:
                view, staged = self._animation.stage(self._animation.scene_frame(index, at))
                self.camera, self._planes = view.camera, view.planes
                return StagedFrame(index, self.picture_camera, self._mounted(view.cam_to_world), staged)
            setup = self.setup(index, attempt, profile, conditions, people, others, at)
            staged = self._stager.stage(setup, self._places.standing(index, conditions, at))
            return StagedFrame(setup.index, self.picture_camera, self._mounted(setup.cam_to_world), staged)

        shown = stage(moment)
        camera = _shrunk(shown.camera, shrink)
        if camera.lens is not None and self.engine == "cycles":
            raise SceneError("a camera whose lens distorts is drawn by the engine raster alone: leave cycles out")
        self._drawer.look_through(camera.covering, self._planes)
        later = moment.next if flow and moment is not None else None
        frame = self._drawer.draw(
            shown,
            self._background_zone,
            # Over real frames cars are softened as a whole in place of edges (renderer.insertion.outline).
            Extras(normals, parts, amodal, edges and normals and parts),
            notes=self._all_notes,
            lens_camera=camera,
            following=None if later is None else functools.partial(stage, later),
        )
        if self._places is None:
            return frame
        covers = self._places.standing(index, conditions, moment).street.covers
        return replace(frame, covers=covers) if covers else frame

    @property
    def _all_notes(self) -> tuple[str, ...]:
        """Of the session, and of what was read last."""
        return self.notes + self._reader.notes

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
        if self._places is None:
            self._animation.go_to(self._animation.scene_frame(draw.index, draw.moment))
            return self._visible.render_scene(self.scene, look_at(frame, view, conditions, draw, {}))
        setup = self.setup(draw.index, draw.attempt, profile, conditions, people, others, draw.moment)
        standing = self._places.standing(draw.index, conditions, draw.moment)
        staged = self._stager.stage(setup, standing)
        painted = {
            number: colours_of(draw, number, item.category, (absorptances or {}).get(number))
            for number, item in staged.labelled.items()
        }
        self._visible.forget_places(self._places.built)
        return self._visible.render(
            staged, standing, self._reader.extractor.pool, look_at(frame, view, conditions, draw, painted, snow)
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
        camera = camera or self.camera
        self._drawer.look_through(camera, Planes(self._planes.near_m))
        stored = _as_stored(setup)
        with self._stager.street_hidden():
            shown = StagedFrame(stored.index, camera, stored.cam_to_world, self._stager.stage(stored, None))
            return self._drawer.draw(shown, 0, Extras(normals, parts, amodal), notes=self._all_notes)

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
        if self._places is None:
            view = self._animation.view(self._animation.scene_frame(index, moment))
            return FrameSetup(index, (), view.cam_to_world)
        if moment is None:
            check_index(index)
        standing = self._places.standing(index, conditions, moment)
        self.notes += self._planner.check_room(standing.street, self.path)
        draw, wanted = Draw(self.seed, index, attempt, moment), Wanted(profile, conditions, people, others)
        return _as_stored(self._planner.plan(standing, self.camera.covering, draw, wanted))


def _as_stored(setup: FrameSetup) -> FrameSetup:
    """The setup with the precision of Blender's matrices (float32): what is drawn is what Blender would draw."""
    placements = tuple(
        with_values(car, x_m=float(np.float32(car.x_m)), y_m=float(np.float32(car.y_m)), z_m=float(np.float32(car.z_m)))
        for car in setup.placements
    )
    cam_to_world = setup.cam_to_world.astype(np.float32).astype(np.float64)
    return replace(setup, placements=placements, cam_to_world=cam_to_world)


def _shrunk(camera: Camera, times: int) -> Camera:
    return camera if times == 1 else camera.fitted(max(1, camera.width // times), max(1, camera.height // times))
