"""One frame of `gis synthesize`, in memory: weather, background, passes, infrared image, label error.

Everything random follows from the frame's :class:`Draw`. Nothing is written.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from assets import THERMAL_PROFILES
from gan.data.layout import Sample
from gan.data.skipped import skipped_lines
from numpy.typing import NDArray
from renderer.copies import with_values
from renderer.geometry.boxes import renumbered
from renderer.geometry.frame import Frame
from renderer.geometry.lens_picture import distorted_colours
from renderer.random_streams import Draw, Moment
from renderer.scene.cars import FrameSetup
from renderer.scene.distances import ORDINARY, BoxHeights, Traffic
from renderer.scene.pedestrians import PeopleMix, people_on_plane
from renderer.scene.placement import sample_on_plane
from renderer.scene.road_users.companions import companions, ground_of, walking_without_pram
from renderer.scene.road_users.on_plane import two_wheelers_on_plane
from renderer.scene.road_users.two_wheelers import TwoWheelerMix
from renderer.thermal.conditions import Conditions
from renderer.thermal.people import profile_of
from renderer.thermal.physics import paint_absorptances, snow_coat
from renderer.thermal.profiles import Profiles, read_profiles
from renderer.thermal.sensor import from_uint16
from renderer.thermal.weather.draws import draw_conditions
from renderer.visible.settings import VisibleSettings

from pipelines.backgrounds.capture_time import capture_time
from pipelines.backgrounds.geometry.boxes import read_boxes
from pipelines.backgrounds.geometry.far_road import with_far_road
from pipelines.backgrounds.geometry.ground import GroundPlane, GroundPlanes, with_ground_plane
from pipelines.backgrounds.geometry.obstacles import hide_behind
from pipelines.backgrounds.images import Background, Backgrounds, choose, open_background, scan_backgrounds
from pipelines.backgrounds.real_objects import find_real_objects
from pipelines.dataset.frame import SynthesizedFrame
from pipelines.dataset.label_consistency.measure import ATTEMPTS, measure_label_error
from pipelines.dataset.labels import CATEGORIES, MIN_VISIBLE_PX, is_ignored, labelled
from pipelines.dataset.passes.normals import camera_normals
from pipelines.dataset.passes.parts import object_parts
from pipelines.dataset.passes.stereo import disparity_px
from pipelines.dataset.record import (
    BackgroundRecord,
    InstanceRecord,
    LabelError,
    RealObject,
    UnlabelledObject,
    track_number,
)
from pipelines.errors import DatasetError
from pipelines.synthesis.daylight import hour_by_share, hour_by_weights
from pipelines.synthesis.gain_history import SHRINK, GainHistory
from pipelines.synthesis.infrared import (
    DEFAULT_PROFILE,
    DISPLAY_NOTE,
    Infrared,
    InfraredMaker,
    WindowTranslator,
    open_infrared,
)
from pipelines.synthesis.model_choice import PHYSICS
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import Session, SessionFactory
from pipelines.synthesis.source_tensor import source_sample
from pipelines.synthesis.traffic import read_traffic

__all__ = ["FrameInputs", "FrameMaker", "PlacedFrame", "open_frame_maker", "open_ground_planes", "read_inputs"]

BESIDE_ROAD_M = 4.0
"""Beside the road of a background people walk so far from its edge, where it is known what stands there: on the
pavement and what lies beyond it."""


@dataclass(frozen=True)
class FrameInputs:
    """What is read once for all frames and workers."""

    backgrounds: Backgrounds | None = None
    """None renders the scene as the background."""
    ground_planes: GroundPlanes = field(default_factory=GroundPlanes)
    traffic: Traffic = ORDINARY
    """Cars that are put into backgrounds."""


def read_inputs(config: SynthesizeConfig, report: Callable[[str], None] = lambda line: None) -> FrameInputs:
    """Reads the backgrounds and what the options tell of them.

    Args:
        config: names them.
        report: takes lines for the user.

    Raises:
        BackgroundError: backgrounds or boxes cannot be used.
    """
    backgrounds = None if config.backgrounds is None else scan_backgrounds(config.backgrounds)
    if backgrounds is not None and config.boxes is None:
        report(
            f"{config.backgrounds}: objects that these images show by themselves get no label, and a detector would "
            "learn to overlook them: give their boxes (--boxes)"
        )
    if backgrounds is not None:
        count = len(backgrounds.files) + len(backgrounds.skipped)
        for line in skipped_lines(backgrounds.skipped, count, "backgrounds"):
            report(line)
    traffic = ORDINARY if backgrounds is None else read_traffic(config, backgrounds)
    return FrameInputs(backgrounds, open_ground_planes(config, report), traffic)


def open_ground_planes(config: SynthesizeConfig, report: Callable[[str], None] = lambda line: None) -> GroundPlanes:
    """What the options tell of the ground of the backgrounds; see :func:`read_inputs`.

    Raises:
        BackgroundError: the boxes cannot be read.
    """
    boxes = None if config.boxes is None else read_boxes(config.boxes, report, keep_dont_care=True)
    return GroundPlanes(boxes, config.road_mask, config.camera_height, config.road_heading)


@contextmanager
def open_frame_maker(
    config: SynthesizeConfig,
    inputs: FrameInputs,
    session_factory: SessionFactory,
    translator: WindowTranslator | None = None,
) -> Iterator[FrameMaker]:
    """Opens the scene and the model.

    Args:
        config: what to make.
        inputs: read once for all frames.
        session_factory: opens the scene.
        translator: a loaded model of the configuration's weights; None loads one.

    Raises:
        RendererError: the scene.
        GanError: the model.
    """
    session = session_factory(config)
    try:
        yield FrameMaker(config, inputs, session, open_infrared(config, translator))
    finally:
        session.close()


@dataclass(frozen=True)
class PlacedFrame:
    """The passes of a draw, its weather and its background; no image yet."""

    draw: Draw
    """Of the noise too."""
    frame: Frame
    conditions: Conditions
    background: Background | None


@dataclass(frozen=True)
class _Candidate:
    """One draw of a frame, before it is accepted."""

    draw: Draw
    placed: PlacedFrame
    labelled_frame: Frame
    """Without the ids of objects that get no label."""
    image: Infrared
    label_error: LabelError

    def exceeds(self, limit: float | None) -> bool:
        """Whether the label error is larger than allowed; by what the record says, so that both always agree."""
        return self.rounded_error.exceeds(limit)

    @functools.cached_property
    def rounded_error(self) -> LabelError:
        """As the record has it."""
        return self.label_error.rounded()


@dataclass(frozen=True)
class FrameMaker:
    """Makes frames in an opened scene."""

    config: SynthesizeConfig
    inputs: FrameInputs
    session: Session
    infrared: InfraredMaker

    @functools.cached_property
    def profiles(self) -> Profiles:
        """Thermal profiles, which tell what is a car."""
        return read_profiles(THERMAL_PROFILES)

    def make(self, index: int) -> SynthesizedFrame:
        """The first draw of a frame whose label error is no larger than allowed, else the draw with the least."""
        number = self.config.camera_number
        best = self._candidate(Draw(self.config.seed, index, 0, self.config.moment(index), number))
        for attempt in range(1, ATTEMPTS):
            if not best.exceeds(self.config.max_label_error):
                break
            other = self._candidate(Draw(self.config.seed, index, attempt))
            best = min(best, other, key=lambda candidate: candidate.label_error.score or 0.0)
        return self._finished(best)

    def make_frame(self, draw: Draw) -> SynthesizedFrame:
        """The frame of one draw, whatever its label error."""
        return self._finished(self._candidate(draw))

    def place(self, draw: Draw, *, edges: bool = True) -> PlacedFrame:
        """Weather, background and passes of a draw; ``edges``: with the sub-samples that only a picture needs."""
        background = self._background(draw)
        # A scene may have its own animation, in which this frame is always the same: only the weather is drawn again.
        animated = background is None and not self.session.has_traffic
        geometry = replace(draw, attempt=0) if animated else draw
        conditions = self._conditions(draw, background)
        frame = self._passes(geometry, conditions, background, edges=edges)
        return PlacedFrame(geometry, _with_profile(frame, self.config.profile), conditions, background)

    def _candidate(self, draw: Draw) -> _Candidate:
        placed = self.place(draw)
        image = self.infrared.make(placed.frame, placed.conditions, placed.background, placed.draw)
        if draw.moment is not None and self.config.model == PHYSICS:
            image = self._gain.shown(image, draw)
        labelled_frame = _only_labelled(placed.frame)
        picture, behind = _comparable(image, placed.background)
        error = measure_label_error(picture, labelled_frame.instance_id, labelled_frame.zone, behind)
        return _Candidate(draw, placed, labelled_frame, image, error)

    @functools.cached_property
    def _gain(self) -> GainHistory:
        """Gain control over the frames of a sequence."""
        return GainHistory(self._glance)

    def _glance(self, draw: Draw) -> NDArray[np.float32]:
        """A small picture of a frame of a sequence, in kelvin."""
        conditions = self._conditions(draw, None)
        frame = _with_profile(self._scene_frame(draw, conditions, shrink=SHRINK), self.config.profile)
        image = self.infrared.make(frame, conditions, None, draw)
        assert image.span_K is not None
        return from_uint16(image.image16, image.span_K)

    def _scene_frame(self, draw: Draw, conditions: Conditions, *, shrink: int = 1, edges: bool = False) -> Frame:
        """Passes of a frame whose background is the scene."""
        moving: dict[str, Any] = {}
        if draw.moment is not None:
            flow = shrink == 1 and "flow" in self.config.more_passes
            moving = {"moment": draw.moment, "flow": flow, "shrink": shrink}
        if shrink == 1:
            moving |= self._amodal
        return self.session.frame(
            draw.index,
            attempt=draw.attempt,
            normals=True,
            parts=True,
            profile=self.config.profile,
            conditions=conditions,
            people=self.config.most_people,
            others=self.config.most_others,
            edges=edges,
            **moving,
        )

    @property
    def _amodal(self) -> dict[str, bool]:
        """What the session is told where amodal masks are asked for."""
        return {"amodal": True} if "amodal" in self.config.more_passes else {}

    def _conditions(self, draw: Draw, background: Background | None) -> Conditions:
        """Drawn; what the options say, or else the capture time of the background, replaces a draw."""
        hour, season = (None, None) if background is None else capture_time(background)
        hour = hour if self.config.hour is None else self.config.hour
        season = season if self.config.season is None else self.config.season
        sample = functools.partial(draw_conditions, draw, weather=self.config.weather, season=season)
        if hour is None and self.config.hours is not None:
            hour = hour_by_weights(draw, self.config.hour_weights)
        drawn = sample(hour=hour)
        if hour is not None or self.config.day_share is None:
            return drawn
        return sample(hour=hour_by_share(draw, self.config.day_share, drawn))

    def _background(self, draw: Draw) -> Background | None:
        if self.inputs.backgrounds is None:
            return None
        background = open_background(
            self.inputs.backgrounds,
            choose(self.inputs.backgrounds, draw),
            camera=self.config.camera,
            size=self.config.size,
            horizon=self.config.horizon,
        )
        return with_ground_plane(background, self.inputs.ground_planes.of(background))

    def _passes(self, draw: Draw, conditions: Conditions, background: Background | None, *, edges: bool) -> Frame:
        profile = self.config.profile
        if background is None:
            return self._scene_frame(draw, conditions, edges=edges)
        ground, asked = self.inputs.ground_planes.of(background), not self.inputs.traffic.is_ordinary
        setup = sample_on_plane(
            background.camera,
            self.session.model_sizes,
            draw,
            conditions,
            horizon_px=background.horizon_px,
            horizon_slope=ground.horizon.slope,
            road_yaw_rad=ground.road_yaw_rad,
            free_mask=with_far_road(ground, background.camera) if asked else ground.road.free,
            obstacles=[item.footprint for item in ground.obstacles],
            profile=profile,
            traffic=_in_pixels_of(self.inputs.traffic, background),
        )
        setup = self._with_people(setup, draw, background, ground, conditions)
        setup = self._with_others(setup, draw, background, ground, conditions)
        frame = self.session.frame_on_plane(setup, camera=background.camera, normals=True, parts=True, **self._amodal)
        frame = hide_behind(frame, ground.obstacles)
        if ground.road.confidence == 0.0:
            frame = replace(frame, notes=(*frame.notes, f"no car placed: {ground.road.source}"))
        return frame

    def _with_people(
        self, setup: FrameSetup, draw: Draw, background: Background, ground: GroundPlane, weather: Conditions
    ) -> FrameSetup:
        """The setup, and people after its cars."""
        if self.config.most_people == 0 or not self.session.people_sizes:
            return setup
        people = people_on_plane(
            setup,
            {size.name: size for size in self.session.model_sizes},
            PeopleMix(self.session.people_sizes).dressed_for(weather),
            background.camera,
            draw,
            free_mask=with_far_road(ground, background.camera),
            obstacles=[item.footprint.corners_m for item in ground.obstacles],
            road_yaw_rad=ground.road_yaw_rad,
            beside_m=BESIDE_ROAD_M if ground.horizon.street_known else 0.0,
            most=self.config.most_people,
        )
        return replace(setup, placements=(*setup.placements, *people))

    def _with_others(
        self, setup: FrameSetup, draw: Draw, background: Background, ground: GroundPlane, weather: Conditions
    ) -> FrameSetup:
        """The setup, and two-wheelers, animals and prams after its cars and people."""
        session = self.session
        sizes = {size.name: size for size in (*session.model_sizes, *session.people_sizes)}
        if not session.other_sizes:
            return replace(setup, placements=walking_without_pram(setup.placements, sizes))
        placed = two_wheelers_on_plane(
            setup,
            sizes,
            TwoWheelerMix(session.other_sizes).dressed_for(weather, draw),
            background.camera,
            draw,
            self.config.most_others,
            free_mask=with_far_road(ground, background.camera),
            obstacles=[item.footprint.corners_m for item in ground.obstacles],
            road_yaw_rad=ground.road_yaw_rad,
            riders=self.config.most_people != 0,
        )
        setup = replace(setup, placements=(*setup.placements, *placed))
        ground_m = ground_of(setup, background.camera, with_far_road(ground, background.camera))
        sizes |= {size.name: size for size in session.other_sizes}
        most = self.config.most_others
        beside = companions(setup, sizes, session.other_sizes, background.camera, draw, most, ground_m)
        return replace(setup, placements=walking_without_pram((*setup.placements, *beside), sizes))

    def _finished(self, candidate: _Candidate) -> SynthesizedFrame:
        placed, image, frame = candidate.placed, candidate.image, candidate.labelled_frame
        background = placed.background
        return SynthesizedFrame(
            draw=candidate.draw,
            scene=self.config.scene_name(candidate.draw.index),
            camera=frame.camera,
            cam_to_world=frame.cam_to_world,
            image=image.shown,
            image16=image.image16,
            span_K=image.span_K,
            depth_m=frame.depth_m,
            instance_id=frame.instance_id,
            zone=frame.zone,
            instances=_instance_records(frame, self.config.min_visible_share, candidate.draw.moment),
            background=BackgroundRecord("scene") if background is None else background.record,
            conditions=placed.conditions,
            profile=self.config.profile,
            model=self.infrared.record,
            sensor=image.sensor,
            sensor_variety=image.variety,
            label_error=replace(
                candidate.rounded_error,
                attempt=candidate.draw.attempt,
                rejected=candidate.exceeds(self.config.max_label_error),
            ),
            notes=(*frame.notes, *image.notes),
            real_objects=self._real_objects(candidate),
            unlabelled=_unlabelled_objects(frame),
            sample=self._sample(candidate) if self.config.tensors else None,
            flow=frame.flow,
            normal=camera_normals(frame) if "normals" in self.config.more_passes else None,
            parts=object_parts(frame) if "parts" in self.config.more_passes else None,
            amodal=frame.amodal,
            visible=self._visible(placed) if self.config.visible else None,
            disparity=self._disparity(frame),
        )

    def _visible(self, placed: PlacedFrame) -> NDArray[np.uint8]:
        """The visible twin of a frame that is kept."""
        config, draw = self.config, placed.draw
        frame = placed.frame if placed.frame.undistorted is None else placed.frame.undistorted
        painted = paint_absorptances(frame.instances, self.profiles, draw)
        picture = self.session.visible(
            frame,
            draw,
            placed.conditions,
            VisibleSettings(config.visible_samples, config.visible_denoise, config.visible_device),
            profile=config.profile,
            people=config.most_people,
            others=config.most_others,
            absorptances=painted,
            snow=snow_coat(frame, placed.conditions, self.profiles, draw),
        )
        return picture if frame is placed.frame else distorted_colours(picture, placed.frame.camera)

    def _disparity(self, frame: Frame) -> NDArray[np.float32] | None:
        """Disparity to the other camera of a stereo pair, where it is asked for."""
        baseline_m = self.config.stereo_baseline_m
        return None if baseline_m is None else disparity_px(frame.depth_m, frame.camera.fx, baseline_m)

    def _real_objects(self, candidate: _Candidate) -> tuple[RealObject, ...] | None:
        """What the background shows by itself, where boxes tell."""
        boxes, background = self.inputs.ground_planes.boxes, candidate.placed.background
        if boxes is None or background is None:
            return None
        known = boxes.get(Path(background.file.name).stem)
        if known is None:
            return None
        instance_id = candidate.labelled_frame.instance_id
        return find_real_objects(known, background, instance_id, self.config.categories)

    def _sample(self, candidate: _Candidate) -> Sample:
        """As a translation model is shown the frame (`pipelines.synthesis.infrared`): on the scale of its target."""
        image, background = candidate.image, candidate.placed.background
        group = "" if background is None else background.file.name
        grey = image.image if image.span_K is None else (image.image16 >> 8).astype(np.uint8)
        physics = grey if self.config.layout == "physics" else None
        return source_sample(image.background, candidate.labelled_frame, image.image16, image.span_K, group, physics)


def _in_pixels_of(traffic: Traffic, background: Background) -> Traffic:
    """Traffic whose sizes are those of boxes in whole images, for the window that a frame shows."""
    if not isinstance(traffic.distances, BoxHeights):
        return traffic
    scale = background.camera.height / (background.crop_px[3] - background.crop_px[1])
    return replace(traffic, distances=traffic.distances.scaled(scale))


def _comparable(image: Infrared, background: Background | None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """What the label error is measured on: the image, and in the same mapping the background without objects."""
    if background is None or (image.span_K is not None and DISPLAY_NOTE in image.notes):
        return image.shown, None
    if image.span_K is None or background.kelvin is None:
        return image.image, background.image
    low, high = image.span_K
    share = np.clip((background.kelvin - low) / (high - low), 0.0, 1.0)
    return image.image16, np.rint(share * 65535.0).astype(np.uint16)


def _with_profile(frame: Frame, profile: str | None) -> Frame:
    """The frame with a thermal profile for every object."""
    profiles = [
        profile_of(item.category, item.model, item.profile, profile, DEFAULT_PROFILE) for item in frame.instances
    ]
    undistorted = None if frame.undistorted is None else _with_profile(frame.undistorted, profile)
    instances = tuple(
        item if item.profile == name else with_values(item, profile=name)
        for item, name in zip(frame.instances, profiles, strict=True)
    )
    return replace(frame, instances=instances, undistorted=undistorted)


def _only_labelled(frame: Frame) -> Frame:
    """The frame without the ids of objects that get no label, so that masks and labels name the same objects."""
    chosen = labelled(frame.instances)
    keep = np.zeros(1 + max((item.id for item in frame.instances), default=0), dtype=np.uint16)
    for item in chosen:
        keep[item.id] = item.id
    for item in chosen:
        if item.category not in CATEGORIES:
            raise DatasetError(
                f"frame {frame.index}: {item.model!r} has category {item.category!r}: "
                f"expected one of {', '.join(CATEGORIES)}; set its property gis_category"
            )
    return replace(frame, instance_id=renumbered(frame.instance_id, keep))


def _unlabelled_objects(frame: Frame) -> tuple[UnlabelledObject, ...] | None:
    """What is in view without a label, and large enough for one."""
    large = (item for item in frame.unlabelled if item.visible_px >= MIN_VISIBLE_PX)
    return tuple(UnlabelledObject(item.category, item.model, item.box_px) for item in large) or None


def _instance_records(frame: Frame, min_visible_share: float, moment: Moment | None) -> tuple[InstanceRecord, ...]:
    chosen = {item.id for item in labelled(frame.instances)}
    ignored = {number: is_ignored(item, min_visible_share) for item in frame.instances if (number := item.id) in chosen}
    return tuple(
        InstanceRecord.of(
            item,
            labelled=item.id in chosen,
            ignored=ignored.get(item.id, False),
            track_id=None if moment is None else track_number(moment.sequence, item.id),
        )
        for item in frame.instances
    )
