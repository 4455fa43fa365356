"""What is in a frame of a street, and where: the camera, cars, people and all else, as its draw says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ...errors import SceneError
from ...geometry.camera import Camera
from ...random_streams import Draw, Stream
from ...scene.camera_car import vary_mount
from ...scene.cars import FrameSetup, ModelSize
from ...scene.distances import Traffic
from ...scene.pedestrians import PeopleMix, people_on_street, those_out
from ...scene.road_users.companions import COMPANION_CATEGORIES, companions, walking_without_pram
from ...scene.road_users.seated import seated_people, sits
from ...scene.road_users.trailers import TRAILER, TRAILERS, trailers_on_street
from ...scene.road_users.trams import TRAM, TRAMS, trams_on_street
from ...scene.road_users.two_wheelers import TwoWheelerMix, two_wheelers_on_street
from ...scene.sequences.plan import RoadUsers, SequencePlan, draw_plan
from ...scene.slopes import on_slope
from ...scene.street import Street
from ...scene.traffic import sample_frame, without_room
from ...thermal.conditions import Conditions, sample_conditions
from ...zones.categories import PEOPLE_AND_ANIMALS
from ..standing import Standing
from .known_models import KnownModels

__all__ = ["FramePlanner", "Wanted"]


@dataclass(frozen=True)
class Wanted:
    """What a frame is to have, see :meth:`renderer.blender.engine.RenderSession.frame`."""

    profile: str | None
    """Thermal profile of all cars; None draws one per car."""
    conditions: Conditions | None
    """None draws them."""
    people: int | None
    """At most; None as many as real streets have."""
    others: Mapping[str, int | None]
    """At most of each kind, alike."""


@dataclass(frozen=True)
class _Situation:
    """What all steps of a plan know."""

    standing: Standing
    camera: Camera
    """Before its mount varies."""
    draw: Draw
    weather: Conditions
    wanted: Wanted

    @property
    def street(self) -> Street:
        return self.standing.street


class FramePlanner:
    """Plans frames of streets; the same plan for the same draw, whatever was planned before."""

    def __init__(self, models: KnownModels, traffic: Traffic, mount_variety: float) -> None:
        """Take what frames are made of.

        Args:
            models: what can be placed.
            traffic: how many cars a street gets, and how far away.
            mount_variety: how far height and pitch of the camera differ from frame to frame, 0-1.
        """
        self._models, self._traffic, self._mount_variety = models, traffic, mount_variety
        self._planned: tuple[object, SequencePlan] | None = None
        self._room_checked = False

    def check_room(self, street: Street, source: Path) -> tuple[str, ...]:
        """Once: a set in which nothing can be placed is an error, and models that find no place are named.

        Raises:
            SceneError: no model fits anywhere.
        """
        if self._room_checked:
            return ()
        self._room_checked = True
        models = self._models.vehicles
        lost = without_room(street, models)
        sizes = ", ".join(f"{size.name} ({size.length_m:.3g} x {size.width_m:.3g} m)" for size in lost[:4])
        if lost and len(lost) == len(models):
            widest = max((lane.width_m for lane in street.lanes), default=0.0)
            raise SceneError(f"{source}: no model fits a lane (at most {widest:.3g} m wide) or a bay: {sizes}")
        return (f"{len(lost)} of {len(models)} models fit no lane and no bay: {sizes}",) if lost else ()

    def plan(self, standing: Standing, camera: Camera, draw: Draw, wanted: Wanted) -> FrameSetup:
        """The setup of a draw's frame, on the slopes of its street.

        Args:
            standing: the street.
            camera: that drives along it.
            draw: of the frame; with a moment it is one of a sequence.
            wanted: what it is to have.
        """
        weather = wanted.conditions or sample_conditions(draw.rng(Stream.CONDITIONS))
        here = _Situation(standing, camera, draw, weather, wanted)
        mounted = vary_mount(camera, self._mount_variety, draw)
        if draw.moment is not None:
            setup = self._sequence(here, mounted).setup(draw.index, draw.moment.time_s)
        else:
            setup = sample_frame(
                here.street,
                self._models.vehicles,
                mounted,
                draw,
                weather,
                profile=wanted.profile,
                traffic=self._traffic,
            )
            for add in (self._with_trams_and_trailers, self._with_people, self._with_others, self._with_seated):
                setup = add(setup, here)
        return on_slope(setup, here.street, self._has_wheels)

    def _has_wheels(self, name: str) -> bool:
        """Whether a model is no person and no animal."""
        return self._models.category_of.get(name) not in PEOPLE_AND_ANIMALS

    def _sequence(self, here: _Situation, camera: Camera) -> SequencePlan:
        """The plan of a draw's sequence; the last one is kept."""
        draw, weather, wanted = here.draw, here.weather, here.wanted
        assert draw.moment is not None
        sequence = draw.moment.sequence, draw.moment.duration_s, draw.attempt
        key = (*sequence, weather, wanted.profile, wanted.people, tuple(wanted.others.items()))
        if self._planned is None or self._planned[0] != key:
            models, standing = self._models, here.standing
            users = RoadUsers(
                those_out(models.people, weather),
                wanted.people,
                self._two_wheelers.dressed_for(weather, draw),
                wanted.others,
                models.others,
                weather,
                lambda: standing.seats,
                lambda: standing.ground,
                models.key_points_m,
            )
            plan = draw_plan(here.street, models.vehicles, camera, draw, weather, self._traffic, wanted.profile, users)
            self._planned = key, plan
        return self._planned[1]

    def _with_trams_and_trailers(self, setup: FrameSetup, here: _Situation) -> FrameSetup:
        """The setup with trams behind its cars, and trailers behind both, where any are asked for."""
        street, camera, draw, most = here.street, here.camera, here.draw, here.wanted.others
        sizes = {size.name: size for size in self._models.vehicles}
        trams, trailers = (
            [size for size in self._on_request if size.category == category] for category in (TRAM, TRAILER)
        )
        setup = trams_on_street(setup, street, sizes, trams, camera, draw, most.get(TRAMS) or 0)
        sizes |= {size.name: size for size in trams}
        return trailers_on_street(setup, street, sizes, trailers, camera, draw, most.get(TRAILERS) or 0)

    def _with_people(self, setup: FrameSetup, here: _Situation) -> FrameSetup:
        """The setup, and people after its cars: no id and no draw of a car changes with them."""
        most, street = here.wanted.people, here.street
        if most == 0 or not self._people or not street.has_people:
            return setup
        cars = {size.name: size for size in (*self._models.vehicles, *self._on_request)}
        ground, mix = here.standing.ground, self._people.dressed_for(here.weather)
        people = people_on_street(setup, ground, street, cars, mix, here.camera, here.draw, most)
        return replace(setup, placements=(*setup.placements, *people))

    def _with_others(self, setup: FrameSetup, here: _Situation) -> FrameSetup:
        """The setup, and two-wheelers, animals and prams after its cars and people."""
        standing, camera, draw, most = here.standing, here.camera, here.draw, here.wanted.others
        sizes, all_sizes = self._sizes_by_name
        if not self._models.others or not any(count != 0 for count in most.values()):
            return replace(setup, placements=walking_without_pram(setup.placements, sizes))
        parking, mix = standing.parking, self._two_wheelers.dressed_for(here.weather, draw)
        riders = here.wanted.people != 0
        placed = two_wheelers_on_street(setup, parking, here.street, sizes, mix, camera, draw, most, riders=riders)
        setup = replace(setup, placements=(*setup.placements, *placed))
        beside = companions(setup, all_sizes, self._companions, camera, draw, most, standing.height_m)
        return replace(setup, placements=walking_without_pram((*setup.placements, *beside), all_sizes))

    def _with_seated(self, setup: FrameSetup, here: _Situation) -> FrameSetup:
        """The setup, and people on benches after all else."""
        most, camera, draw = here.wanted.people, here.camera, here.draw
        if most == 0 or not self._people or not here.street.has_people:
            return setup
        sizes = self._sizes_by_name[1]
        seated = seated_people(setup, here.standing.seats, sizes, self._sitting, camera, draw, here.weather, most)
        return replace(setup, placements=(*setup.placements, *seated))

    @cached_property
    def _on_request(self) -> tuple[ModelSize, ...]:
        """Trams and trailers."""
        sizes = (*self._models.own_sizes, *self._models.others)
        return tuple(size for size in sizes if size.category in (TRAM, TRAILER))

    @cached_property
    def _sizes_by_name(self) -> tuple[dict[str, ModelSize], dict[str, ModelSize]]:
        """Sizes by name: of cars, trams, trailers and people, and of these and all others."""
        models = self._models
        sizes = {size.name: size for size in (*models.vehicles, *self._on_request, *models.people)}
        return sizes, sizes | {size.name: size for size in models.others}

    @cached_property
    def _sitting(self) -> tuple[ModelSize, ...]:
        """People who sit on benches."""
        return tuple(size for size in self._models.people if sits(size))

    @cached_property
    def _companions(self) -> tuple[ModelSize, ...]:
        """Animals and prams."""
        return tuple(size for size in self._models.others if size.category in COMPANION_CATEGORIES)

    @cached_property
    def _two_wheelers(self) -> TwoWheelerMix:
        return TwoWheelerMix(self._models.others)

    @cached_property
    def _people(self) -> PeopleMix:
        return PeopleMix(self._models.people)
