"""Apparent temperatures of a frame: what an ideal thermal camera would read, pixel by pixel.

A pixel's radiance is what its surface emits, plus what it reflects of sky, street and ground, seen through the air:

    L = tau [ e(theta) B(T) + (1 - e(theta)) (m L_mirror + (1 - m) L_around) ] + (1 - tau) B(T_air)

``T`` is air temperature, plus the balance with sun and sky, plus what the thermal profile adds, plus the pattern inside
the zone. ``e(theta)`` falls towards grazing incidence (Schlick's approximation of Fresnel's formula), which is why
a bonnet at 8 degC shows the cold sky. Glass is opaque in this band: windows are mirrors.
See docs/explanation/thermal.md.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.affine import world_to_local
from ..geometry.frame import Frame, Instance
from ..geometry.view import camera_view
from ..random_streams import Draw, Stream
from ..zones.catalogue import FIRST_ENVIRONMENT_ZONE, ZONES, Zone
from .atmosphere import clear_sky_emissivity, path_transmittance, sky_emissivity
from .balance import SKY_VIEW, Balance, cloud_closure, surface_balance, transfer_W_m2K
from .conditions import Conditions
from .finish import Finish, draw_finish
from .ground import GroundEffects, ground_effects
from .kernels import Cars, Parts, Passes, Scene, Surfaces, Surroundings, Tables, transmittance_distances_m
from .people import sample_person, zone_temperatures_K
from .pixels.edges import blend_edges
from .pixels.frame import render
from .planck import LWIR, Band, BandTable, band_radiance, band_table
from .profiles import OBJECT_ZONES, CarProfile, Profiles
from .surface import lattice
from .tyre_tracks import add_tyre_tracks
from .under_covers import hidden_by_covers, shelter
from .weather.apply import WeatheredFrame
from .weather.reflected_sun import add_reflected_sun, reflects_sun
from .weather.snow import snow_in

__all__ = ["ThermalImage", "paint_absorptances", "render_thermal", "road_temperature_K", "snow_coat"]

_LAMP_HEAT_K = 11.0
"""Street lamp while lit, above air (assumed)."""
_INDOOR_K = 293.15
_CANOPY = (0.4, 1.6)
"""How fast trees and houses give way to the sky with the sine of elevation: an avenue, an open road (assumed)."""
_LIT_BELOW_DEG = 4.0
"""Elevation of the sun below which cars drive with their lamps lit; above it half of the lamps' heat is there, since
some countries ask for lamps by day (assumed)."""
_SKY_ROWS = 512
_HEADING_STEP_RAD = math.pi / 12

_Float = NDArray[np.float64]

_CLOTH = [Zone.HEADWEAR, Zone.UPPER_CLOTHES, Zone.LOWER_CLOTHES, Zone.CARRIED]
_SUN_ON_CLOTH = (0.5, 1.35)
"""Sun that cloth absorbs in terms of what its material says: white cloth takes 0.3, black 0.8 of it."""
_FOLDS_IN_SUN = 0.12
"""Amplitude of the pattern of clothes in terms of what the sun warms them by where it falls straight on them: a fold
that leans by 15 degrees takes a quarter more or less, and half of the body is in its own shadow."""
_CLOTH_VARIATION, _BODY_VARIATION = 0.36, 0.22
"""Amplitude of patterns in terms of how much warmer than the air somebody is. Where cloth lies on the skin it lacks the
air below it, a third of its insulation, and is so much warmer (assumed)."""
_OBJECT_COLUMNS = np.array(OBJECT_ZONES)


@dataclass(frozen=True)
class ThermalImage:
    """What an ideal camera reads."""

    apparent_temperature_K: NDArray[np.float32]
    """(H, W): temperature of the black body that would give the pixel's radiance in the band."""


def render_thermal(
    frame: Frame, conditions: Conditions, profiles: Profiles, draw: Draw, band: Band = LWIR, *, cars_only: bool = False
) -> ThermalImage:
    """Apparent temperature of every pixel at the aperture.

    Args:
        frame: passes; with normals and parts the picture is better, without normals they are taken from depth.
        conditions: weather and hour.
        profiles: materials and car profiles.
        draw: seed of the dataset and number of the frame; what varies between objects follows from them.
        band: of the detector.
        cars_only: leave all pixels without an instance at air temperature.

    Raises:
        ThermalError: an instance has a profile that the file lacks.
    """
    scene, ground = _scene_and_ground(frame, conditions, profiles, draw, band)
    out, passes = np.empty(frame.zone.shape, dtype=np.float32), _passes(frame)
    weathered = _weathered(frame, scene, conditions, profiles, draw, band)
    if weathered is not None:
        passes = weathered.before(passes, ground)
    render(passes, ground, scene, cars_only, out)
    if frame.edges is not None and not _is_coated(frame, conditions, band) and not cars_only:
        blend_edges(frame.edges, scene, out)
    if frame.covers:
        shelter(frame, passes, ground, scene, out, cars_only=cars_only)
    if reflects_sun(band):
        covered = hidden_by_covers(frame, scene.balance)[1] if frame.covers else None
        add_reflected_sun(out, passes, ground.shade, scene, conditions, band, covered=covered, cars_only=cars_only)
    if weathered is not None:
        weathered.after(passes, out)
    return ThermalImage(out)


def _is_coated(frame: Frame, conditions: Conditions, band: Band) -> bool:
    """Whether more than a surface, its sky and its sun decide what objects show: edges stay what centres hit there."""
    effects = conditions.effects
    coated = effects is not None and (effects.snow_depth_m is not None or effects.deposit is not None)
    return coated or bool(frame.covers) or reflects_sun(band)


def snow_coat(frame: Frame, conditions: Conditions, profiles: Profiles, draw: Draw) -> NDArray[np.bool_] | None:
    """Where snow lies in a frame, (H, W), as :func:`render_thermal` has it with the same arguments; None: nowhere."""
    scene, ground = _scene_and_ground(frame, conditions, profiles, draw, LWIR)
    weathered = _weathered(frame, scene, conditions, profiles, draw, LWIR)
    if weathered is None or weathered.effects.snow_depth_m is None:
        return None
    return snow_in(weathered.before(_passes(frame), ground))


def _weathered(
    frame: Frame, scene: Scene, conditions: Conditions, profiles: Profiles, draw: Draw, band: Band
) -> WeatheredFrame | None:
    """The frame in its weather, where that has effects."""
    effects = conditions.effects
    return None if effects is None else WeatheredFrame(frame, scene, conditions, effects, profiles, draw, band)


def _scene_and_ground(
    frame: Frame, conditions: Conditions, profiles: Profiles, draw: Draw, band: Band
) -> tuple[Scene, GroundEffects]:
    """All that a frame's temperatures follow from, and what its cars do to the ground."""
    table = band_table(band)
    balance = surface_balance(conditions, profiles)  # temperatures are what they are, whichever band looks at them
    rng, finish = draw.rng(Stream.SURFACE), draw.rng(Stream.FINISH)
    surfaces = _surfaces(conditions, profiles, rng)
    on_wheels = [item for item in frame.instances if profiles.is_of_car(item.profile)]
    own = _OwnGenerators(draw)
    finishes = _finishes(on_wheels, own, finish)
    scene = Scene(
        camera_view(frame),
        _street_heading_rad(frame),
        lattice(draw.seed),
        surfaces,
        balance,
        _objects(frame.instances, conditions, profiles, balance, _Generators(rng, draw), iter(finishes), own),
        _parts(frame),
        _surroundings(conditions, surfaces, balance, table, canopy=finish.uniform(*_CANOPY)),
        Tables(_transmittance(conditions), table.forward, table.inverse),
    )
    spread = [own.of(item, _GROUND_PART, rng).standard_normal() for item in on_wheels]
    trams = [item for item in frame.instances if profiles.warms_ground(item.profile)]
    spread += [own.of(item, _GROUND_PART, draw.rng(Stream.OTHER_HEAT, item.id)).standard_normal() for item in trams]
    ground = ground_effects(frame, [*on_wheels, *trams], profiles, balance, spread)
    if draw.moment is not None:
        road_K = _level_K(surfaces, balance, Zone.ROAD)
        tyres_K = scene.cars.base_K[scene.cars.row_of_id[[item.id for item in on_wheels]], Zone.TYRE]
        add_tyre_tracks(frame, on_wheels, (tyres_K - road_K).tolist(), ground.heat_K)
    return scene, ground


def paint_absorptances(instances: Sequence[Instance], profiles: Profiles, draw: Draw) -> dict[int, float]:
    """Share of sunlight, 0-1, that the paint of each car in a frame takes up, by the car's id."""
    on_wheels = [item for item in instances if profiles.is_of_car(item.profile)]
    finishes = _finishes(on_wheels, _OwnGenerators(draw), draw.rng(Stream.FINISH))
    return {item.id: finish.absorptance for item, finish in zip(on_wheels, finishes, strict=True)}


def _finishes(cars: Sequence[Instance], own: _OwnGenerators, shared: np.random.Generator) -> list[Finish]:
    return [draw_finish(own.of(item, _FINISH_PART, shared)) for item in cars]


def road_temperature_K(conditions: Conditions, profiles: Profiles) -> float:
    """Temperature of the open road under these conditions, without its pattern."""
    return _level_K(_surfaces(conditions, profiles, None), surface_balance(conditions, profiles), Zone.ROAD)


def normals_from_depth(frame: Frame) -> NDArray[np.float32]:
    """World normals facing the camera from differences of neighbouring points: (H, W, 3); 0 where nothing was hit."""
    depth = np.where(np.isfinite(frame.depth_m), frame.depth_m, 0.0)
    points = frame.camera.rays() * depth[..., None]
    down, right = np.gradient(points, axis=(0, 1))
    normal = np.cross(right, down)
    normal *= np.where((normal * points).sum(axis=-1) > 0, -1.0, 1.0)[..., None]
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    normal[depth == 0] = 0.0
    return np.ascontiguousarray(normal @ frame.cam_to_world[:3, :3].T, dtype=np.float32)


# --- what the kernels take --------------------------------------------------------------------------------------------


def _passes(frame: Frame) -> Passes:
    """A frame's passes; what it lacks is filled in."""
    normal = frame.normal if frame.normal is not None else normals_from_depth(frame)
    part = frame.part if frame.part is not None else np.zeros(frame.zone.shape, np.uint16)
    return Passes(frame.depth_m, frame.zone, frame.instance_id, part, normal)


def _surfaces(conditions: Conditions, profiles: Profiles, rng: np.random.Generator | None) -> Surfaces:
    """Each zone's optical constants and its temperature before sun and sky; ``rng`` None: the mean one."""
    surfaces = Surfaces(*np.zeros((len(Surfaces._fields), 256)))
    wet = conditions.sky == "rain"
    air_K = conditions.air_temperature_K
    spread = np.zeros(256) if rng is None else np.clip(rng.standard_normal(256), -2.5, 2.5)
    for info in ZONES:
        zone, material = info.zone, profiles.materials[info.zone]
        base = air_K + material.heat.mean_K + material.heat.deviation_K * spread[zone]
        base += material.indoor * max(0.0, _INDOOR_K - air_K)
        mirror, grazing, variation = material.mirror, material.grazing, material.heat.variation_K
        if wet and zone in (Zone.ROAD, Zone.PAVEMENT, Zone.ROAD_MARKING):
            # A film of water is smooth, and evens temperatures out.
            mirror, grazing = 0.8, 0.9
        if wet or conditions.sky == "fog":
            variation *= 0.5
        if zone == Zone.LUMINAIRE and conditions.sun_elevation_deg < -1.0:
            base += _LAMP_HEAT_K
        surfaces.emissivity[zone], surfaces.mirror[zone], surfaces.grazing[zone] = material.emissivity, mirror, grazing
        surfaces.base_K[zone], surfaces.variation_K[zone] = base, variation
    surfaces.base_K[Zone.PERSON] = air_K
    return surfaces


def _level_K(surfaces: Surfaces, balance: Balance, zone: Zone) -> float:
    """Temperature of a level surface of that zone in the open street."""
    sun = float((balance.sun_K[zone] * np.maximum(balance.sun_world[:, 2], 0.0)).sum())
    return float(surfaces.base_K[zone] + sun + balance.diffuse_K[zone] - SKY_VIEW * balance.sky_loss_K[zone])


@dataclass(frozen=True)
class _Generators:
    """One for each kind of object: none of a kind changes with how many others there are."""

    cars: np.random.Generator
    draw: Draw | None
    """Draws the others where the first of their kind is met; None: all is the first one's."""

    def _of(self, stream: Stream) -> np.random.Generator:
        return self.cars if self.draw is None else self.draw.rng(stream)

    @functools.cached_property
    def people(self) -> np.random.Generator:
        return self._of(Stream.PEOPLE_HEAT)

    @functools.cached_property
    def two_wheelers(self) -> np.random.Generator:
        return self._of(Stream.TWO_WHEELER_HEAT)

    @functools.cached_property
    def others(self) -> np.random.Generator:
        return self._of(Stream.OTHER_HEAT)

    @functools.cached_property
    def trips(self) -> np.random.Generator:
        return self._of(Stream.TRIPS)


_FINISH_PART, _GROUND_PART, _HEAT_PART, _PARTS = 0, 1, 2, 3
"""Parts of an object's own random stream, and how many there are."""


@dataclass(frozen=True)
class _OwnGenerators:
    """In a sequence, and before a rig, each object has its own: it stays as it is whichever others are in view."""

    draw: Draw

    def of(self, item: Instance, part: int, shared: np.random.Generator) -> np.random.Generator:
        """The generator for one thing of an object: in a single frame of one camera the shared one."""
        if not self.draw.by_object:
            return shared
        return self.draw.rng(Stream.TRACK, item.id * _PARTS + part)

    def heat(self, item: Instance, shared: _Generators) -> _Generators:
        """Those for its warmth."""
        if not self.draw.by_object:
            return shared
        rng = self.of(item, _HEAT_PART, shared.cars)
        return _Generators(rng, None)


def _objects(
    instances: Sequence[Instance],
    conditions: Conditions,
    profiles: Profiles,
    balance: Balance,
    shared: _Generators,
    finishes: Iterator[Finish],
    own: _OwnGenerators,
) -> Cars:
    """Warmth, size and place of each object; of cars, their finish."""
    count, zones = len(instances) + 1, FIRST_ENVIRONMENT_ZONE
    cars = Cars(
        np.zeros(65536, np.int32), np.zeros((count, 3, 4)), np.zeros((count, zones)), np.zeros((count, zones)),
        *np.ones((2, count, zones)), *np.ones((5, count)),
    )  # fmt: skip
    # An id that no instance explains is a surface at air temperature.
    cars.base_K[0] = conditions.air_temperature_K
    # What is driven goes on to warm up over a sequence.
    gone_min = 0.0 if own.draw.moment is None else own.draw.moment.time_s / 60.0
    for row, instance in enumerate(instances, start=1):
        cars.row_of_id[instance.id] = row
        cars.world_to_model[row] = world_to_local(instance.object_to_world)
        box = instance.box_3d
        cars.half_length_m[row], cars.half_width_m[row] = box.length_m / 2, box.width_m / 2
        cars.height_m[row] = box.height_m
        rngs = own.heat(instance, shared)
        if instance.profile in profiles.people:
            _warm_person(cars, row, instance, conditions, profiles, rngs.people)
            cars.variation_K[row, _CLOTH] += _FOLDS_IN_SUN * balance.sun_K[_CLOTH, :].sum(axis=1)
        elif instance.profile in profiles.two_wheelers:
            profile, finish = profiles.two_wheelers[instance.profile], draw_finish(rngs.two_wheelers)
            _warm_car(cars, row, profile, finish, conditions, profiles, rngs.two_wheelers, rngs.trips, gone_min)
        elif instance.profile in profiles.others:
            profile, finish = profiles.others[instance.profile], draw_finish(rngs.others)
            _warm_car(cars, row, profile, finish, conditions, profiles, rngs.others, rngs.trips, gone_min)
        else:
            profile, finish = profiles.car(instance.profile), next(finishes)
            _warm_car(cars, row, profile, finish, conditions, profiles, rngs.cars, rngs.trips, gone_min)
    return cars


def _warm_car(
    cars: Cars,
    row: int,
    profile: CarProfile,
    finish: Finish,
    conditions: Conditions,
    profiles: Profiles,
    rng: np.random.Generator,
    trips: np.random.Generator,
    gone_min: float,
) -> None:
    """What a car has been doing warms its zones; ``gone_min`` minutes ago its sequence began."""
    lit = 1.0 if conditions.sun_elevation_deg < _LIT_BELOW_DEG else 0.5
    cabin_K = max(0.0, _INDOOR_K - conditions.air_temperature_K)
    # One draw for the whole car (how long, how fast) and one for each zone.
    shared, own = rng.standard_normal(), rng.standard_normal(FIRST_ENVIRONMENT_ZONE)
    own[Zone.LAMP] = own[Zone.BODY]  # a cover is as warm as the panels around it
    spread = np.clip(0.7 * shared + 0.7 * own, -2.2, 2.2)
    # Trips' lengths are nearly exponential, and then so is the time since the start at any moment of them.
    minutes = trips.exponential(profile.trip_min) + gone_min if profile.trip_min else math.inf
    heat = profiles.zone_heat(profile)
    mean_K = heat.mean_after_K(minutes, conditions.air_temperature_K)
    warmth_K = mean_K + heat.deviation_K * spread[_OBJECT_COLUMNS] + profile.cabin * heat.indoor * cabin_K
    cars.base_K[row, _OBJECT_COLUMNS] = conditions.air_temperature_K + warmth_K
    cars.variation_K[row, _OBJECT_COLUMNS] = heat.variation_K
    cars.variation_K[row, Zone.LAMP] *= lit
    flow = transfer_W_m2K(conditions.wind_m_s) / transfer_W_m2K(conditions.wind_m_s + profile.airflow_m_s)
    cars.sun_gain[row], cars.gloss[row] = profile.sun * flow * finish.sun, finish.gloss
    cars.sky_gain[row] = flow
    cars.shift[row] = rng.uniform(0.0, 200.0)


def _warm_person(
    cars: Cars, row: int, instance: Instance, conditions: Conditions, profiles: Profiles, rng: np.random.Generator
) -> None:
    """Skin and clothes by the balance of the body; what has none of it (a bag, a saddle) as its material says."""
    person = sample_person(profiles.people[instance.profile], conditions, rng, instance.clo)
    spread = np.clip(rng.standard_normal(FIRST_ENVIRONMENT_ZONE), -2.2, 2.2)
    heat = profiles.material_heat
    mean_K, variation_K = np.zeros((2, FIRST_ENVIRONMENT_ZONE))
    mean_K[_OBJECT_COLUMNS] = conditions.air_temperature_K + heat.mean_K
    variation_K[_OBJECT_COLUMNS] = heat.variation_K
    for zone, kelvin in zone_temperatures_K(person, conditions, instance.category).items():
        # Folds and gaps show as much as the clothes are warmer than the air.
        share = _CLOTH_VARIATION if zone in _CLOTH else _BODY_VARIATION
        mean_K[zone], variation_K[zone] = kelvin, 0.25 + share * abs(kelvin - conditions.air_temperature_K)
    cars.base_K[row, _OBJECT_COLUMNS] = mean_K[_OBJECT_COLUMNS] + heat.deviation_K * spread[_OBJECT_COLUMNS]
    cars.variation_K[row, _OBJECT_COLUMNS] = variation_K[_OBJECT_COLUMNS]
    cars.shift[row] = rng.uniform(0.0, 200.0)
    cars.sun_gain[row, _CLOTH] = rng.uniform(*_SUN_ON_CLOTH, len(_CLOTH))


def _parts(frame: Frame) -> Parts:
    """Which meshes are wheels, and where."""
    count = len(frame.parts) + 1
    parts = Parts(np.zeros((count, 3, 4)), np.zeros(count), np.zeros(count))
    if frame.part is not None:
        is_person = np.zeros(count, dtype=np.bool_)
        is_person[frame.part[frame.zone == Zone.PERSON]] = True  # a part has thousands of pixels: no need to sort them
        is_person[0] = False
        for number in np.flatnonzero(is_person).tolist():
            parts.origin_z_m[number] = frame.parts[number - 1].local_to_world[2, 3]
    to_car = {i.id: world_to_local(i.object_to_world) for i in frame.instances}
    of_cars = [(number, part) for number, part in enumerate(frame.parts, start=1) if part.instance_id in to_car]
    if not of_cars:
        return parts
    origins = np.array([part.local_to_world[:, 3] for _, part in of_cars])
    hubs = (np.array([to_car[part.instance_id] for _, part in of_cars]) * origins[:, None, :]).sum(axis=2)
    # A wheel's origin is its hub: at a wheel's height, and off the middle of the car.
    wheels = (hubs[:, 2] > 0.15) & (hubs[:, 2] < 0.8) & (np.abs(hubs[:, 1]) > 0.4)
    for (number, part), hub in ((of_cars[k], hubs[k]) for k in np.flatnonzero(wheels)):
        scale = math.sqrt(float((part.local_to_world[:3, 0] ** 2).sum()))
        parts.world_to_wheel[number] = scale * world_to_local(part.local_to_world)
        parts.wheel_radius_m[number] = hub[2]
    return parts


def _surroundings(
    conditions: Conditions, surfaces: Surfaces, balance: Balance, table: BandTable, canopy: float
) -> Surroundings:
    """Radiance of sky, ground and houses."""
    air_K, band = conditions.air_temperature_K, table.band
    air = float(band_radiance(air_K, band))
    # The sky's emissivity and clouds are taken as in 8-14 um, where its temperature is known; in 3-5 um carbon dioxide
    # makes about so much of it (assumed).
    closure = cloud_closure(conditions)
    sine = np.linspace(0.0, 1.0, _SKY_ROWS) ** 2
    emissivity = sky_emissivity(clear_sky_emissivity(air_K, conditions.relative_humidity), np.arcsin(sine))
    emissivity[0] = 1.0
    whole = conditions.sky in ("overcast", "rain", "fog")
    # Broken clouds are taken 8 K colder than the air, a cover as cold as the zenith says.
    cloud = air * closure if whole else float(band_radiance(air_K - 8.0, band))
    cover = 1.0 if whole else min(1.0, closure * air / cloud)
    # A sky colder than the clear sky of this humidity is taken at its word.
    zenith = float(band_radiance(conditions.sky_temperature_K)) / float(band_radiance(air_K))
    if zenith < emissivity[-1]:
        emissivity = sky_emissivity(zenith, np.arcsin(sine))
    clear, added = emissivity * air, (1.0 - emissivity) * cloud
    mean = clear + cover * added
    weighted = mean * 2.0 * sine
    hemisphere = float(((weighted[1:] + weighted[:-1]) / 2 * np.diff(sine)).sum())
    ground_K = _level_K(surfaces, balance, Zone.ROAD)
    walls_K = air_K + 0.4 * (surfaces.base_K[Zone.BUILDING] - air_K) + 0.7 * balance.diffuse_K[Zone.BUILDING]
    walls_K += 0.3 * float(balance.sun_K[Zone.BUILDING].sum()) - 0.2 * balance.sky_loss_K[Zone.BUILDING]
    ground, walls = band_radiance([ground_K, walls_K], band)
    contrast = 0.0 if conditions.sky == "fog" else 0.12 if whole else 1.0
    sunny = {"clear": 0.75, "cloudy": 0.6}.get(conditions.sky, 0.0)
    foliage = 0.4 * float(balance.sun_K[Zone.VEGETATION].sum())
    return Surroundings(
        sky_mean=mean,
        sky_clear=clear,
        sky_cloud=added,
        air=air,
        ground=float(ground),
        walls=float(walls),
        hemisphere=hemisphere,
        cloud_cover=cover,
        cloud_contrast=contrast,
        canopy=canopy,
        dappled_sun=sunny,
        air_K=float(air_K),
        foliage_K=foliage,
    )


def _transmittance(conditions: Conditions) -> _Float:
    """Of the air, by distance; see :func:`transmittance_distances_m`."""
    return path_transmittance(
        transmittance_distances_m(),
        conditions.air_temperature_K,
        conditions.relative_humidity,
        conditions.visibility_m,
        None if conditions.effects is None else conditions.effects.extinction_per_m,
    )


def _street_heading_rad(frame: Frame) -> float:
    """Direction of view, rounded to 15 degrees: patterns along the road should not turn with a little steering."""
    pose = frame.cam_to_world
    return round(math.atan2(pose[1, 2], pose[0, 2]) / _HEADING_STEP_RAD) * _HEADING_STEP_RAD
