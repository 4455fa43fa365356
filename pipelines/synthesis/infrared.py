"""Infrared images of frames: by physics alone, or by a translation model over the source tensor.

Every maker gives the same :class:`Infrared`. In a rendered scene all of it is radiometric: 16 bits over a span in
kelvin, and an 8-bit image that the sensor's gain control makes of the same kelvin. So it is over a radiometric
background. Over one that is display-only there is no span, and no temperature is made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np
from assets import CAMERAS, THERMAL_PROFILES
from gan.data.layout import CHANNELS
from numpy.typing import NDArray
from renderer.geometry.frame import Frame
from renderer.geometry.lens_picture import distorted_picture
from renderer.insertion.background_sensor import FrameSensor, measure_sensor
from renderer.insertion.foreground import ForegroundLayer, render_foreground
from renderer.insertion.harmonise import harmonise_grey, harmonise_kelvin
from renderer.insertion.horizon import frame_conditions, horizon_row
from renderer.optional import kernel
from renderer.random_streams import Draw
from renderer.thermal.conditions import Conditions
from renderer.thermal.physics import render_thermal
from renderer.thermal.planck import LWIR, MWIR, Band
from renderer.thermal.profiles import read_profiles
from renderer.thermal.sensor import Sensor, agc, expose, from_uint16, read_sensors, to_uint16
from renderer.thermal.sensor_variety import SensorVariety, draw_sensor_variety, show_varied
from renderer.zones.categories import VEHICLES

from pipelines.backgrounds.images import Background
from pipelines.dataset.record import ModelRecord
from pipelines.errors import ConfigError
from pipelines.synthesis.likeness.appearance import Appearance, Exposure, stretched
from pipelines.synthesis.model_choice import PHYSICS
from pipelines.synthesis.object_scales import (
    BLEND_PX,
    RIM,
    ShownFrame,
    SmallerBox,
    blend_weights,
    finer_in_each,
    kernel_reach,
    object_factors,
    shrink_ids,
    shrink_mask,
    shrink_picture,
    to_signed,
)
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.source_tensor import FULL_SCALE, dilate_objects, source_tensors
from pipelines.synthesis.windows import Box, box_around, grown, picture_windows, place_of, within

if TYPE_CHECKING:
    from gan.serving.inference import ModelInfo, TranslationModel

__all__ = [
    "DEFAULT_PROFILE",
    "MARGIN_PX",
    "Infrared",
    "InfraredMaker",
    "Physics",
    "Translation",
    "WindowTranslator",
    "open_infrared",
]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]

MARGIN_PX, STEP_PX = 32, 32
"""What a model sees around what it paints, and the steps in which the windows that it is given grow."""
DISPLAY_NOTE = "image by a model of display intensities; temperatures are those of the physics"
DEFAULT_PROFILE = "driving"
"""Thermal profile of an object whose scene names none."""


@dataclass(frozen=True)
class Infrared:
    """One infrared image."""

    image: UInt8
    """(H, W) as a display shows it, white hot, by the sensor's own gain control."""
    image16: UInt16
    """(H, W) over the full 16-bit range; without a span it is the display image."""
    span_K: tuple[float, float] | None
    """Apparent temperatures at 0 and 65535 of ``image16``; None where it is display intensity."""
    background: UInt8
    """(H, W) what the label image is painted on: the same mapping as ``image16``, in 8 bits."""
    sensor: str
    """Infrared sensor, a table of ``assets/cameras.toml``."""
    notes: tuple[str, ...] = ()
    """What was estimated or assumed, one line each."""
    variety: SensorVariety | None = None
    """How the sensor of this frame differs; None: it does not."""
    varied: UInt8 | None = None
    """(H, W) `image` by the gain control of this frame, where it has one."""
    gain: float = 1.0
    """By how much that stretches it, where a contrast is asked for."""

    @property
    def shown(self) -> UInt8:
        """What the data set shows."""
        return self.image if self.varied is None else self.varied


BANDS: Final = {"lwir": LWIR, "mwir": MWIR}
"""By the names of the option."""


class InfraredMaker(Protocol):
    """Makes infrared images."""

    @property
    def record(self) -> ModelRecord:
        """What makes the images."""

    def make(self, frame: Frame, conditions: Conditions, background: Background | None, draw: Draw) -> Infrared:
        """The image of a frame.

        Args:
            frame: passes, with normals and parts.
            conditions: weather.
            background: a real image; None where the scene is the background.
            draw: of the noise and of what varies between surfaces.
        """


class WindowTranslator(Protocol):
    """A loaded translation model: this process's own, or one that workers on a cluster share."""

    @property
    def name(self) -> str:
        """Name of the model, as `gan.list_models` gives it."""

    @property
    def about(self) -> ModelInfo:
        """What it is, and how it is run."""

    @property
    def in_channels(self) -> int:
        """Of its sources."""

    def translate_each(self, sources: Iterable[Float32], parts: Sequence[Box]) -> Iterable[Float32]:
        """A part (h, w) of the image of each source (C, H, W) float32 in [-1, 1], in their order."""


def open_infrared(config: SynthesizeConfig, translator: WindowTranslator | None = None) -> InfraredMaker:
    """The maker that a configuration names.

    Args:
        config: names the model.
        translator: a loaded model of its weights; None loads one.

    Raises:
        GanError: the model cannot be used.
        ConfigError: the model is another backend's, or takes other tensors.
    """
    variety = config.sensor_variety or 0.0
    physics = Physics(variety, config.appearance, BANDS[config.band] if config.band else None)
    maker: InfraredMaker = physics
    if config.model != PHYSICS and config.weights is not None:
        maker = Translation(config.model, config.weights, physics, translator)
    if config.contrast is not None:
        return Stretched(maker)
    return maker if variety == 0 else Varied(maker, physics)


class Physics:
    """Radiometry and a sensor model; needs no training."""

    def __init__(
        self, sensor_variety: float = 0.0, appearance: Appearance | None = None, band: Band | None = None
    ) -> None:
        self._variety, self._appearance, self._band = sensor_variety, appearance, band
        self.profiles = read_profiles(THERMAL_PROFILES)
        self._sensors = read_sensors(CAMERAS)
        self._measured: dict[str, FrameSensor] = {}

    @property
    def record(self) -> ModelRecord:
        """See :class:`InfraredMaker`."""
        return ModelRecord(PHYSICS, None)

    def make(self, frame: Frame, conditions: Conditions, background: Background | None, draw: Draw) -> Infrared:
        """See :class:`InfraredMaker`."""
        sensor = self.sensor(frame)
        if background is not None:
            base = self._on_image(frame, conditions, background, sensor, draw)
            return replace(base, variety=self.draw_variety(sensor, draw, None))
        # The physics knows pinhole cameras; a lens that distorts lies before the detector, its noise behind.
        seen = frame if frame.undistorted is None else frame.undistorted
        apparent = render_thermal(seen, conditions, self.profiles, draw, sensor.band).apparent_temperature_K
        if seen is not frame:
            apparent = distorted_picture(apparent, frame.camera)
        variety = self.draw_variety(sensor, draw, conditions)
        exposure = self._expose(apparent, sensor, frame, draw, variety)
        notes = () if sensor.band == LWIR else (f"apparent temperature in {sensor.low_um:g}-{sensor.high_um:g} um",)
        measured = exposure.measured_K
        image16, span_K = to_uint16(measured)
        behind = (image16 >> 8).astype(np.uint8)
        image = agc(measured, sensor)
        return Infrared(image, image16, span_K, behind, sensor.name, notes, variety=variety, gain=exposure.gain)

    def _expose(
        self, apparent: Float32, sensor: Sensor, frame: Frame, draw: Draw, variety: SensorVariety | None
    ) -> Exposure:
        if self._appearance is not None:
            return self._appearance.expose(apparent, sensor, frame, draw)
        detector = None if variety is None else variety.detector
        if detector is None:
            return Exposure(expose(apparent, sensor, draw, frame.camera, sensor.band))
        varied = detector.of(sensor)
        return Exposure(expose(apparent, varied, draw, frame.camera, sensor.band, flaws=detector.flaws))

    def draw_variety(self, sensor: Sensor, draw: Draw, conditions: Conditions | None) -> SensorVariety | None:
        """The sensor of a frame where sensors vary; without conditions that of a real background."""
        if self._variety == 0:
            return None
        air_K = None if conditions is None else conditions.air_temperature_K
        return draw_sensor_variety(sensor, self._variety, draw, air_K)

    def sensor(self, frame: Frame) -> Sensor:
        """The sensor of a frame's camera."""
        name = frame.camera.sensor
        if name not in self._sensors:
            known = ", ".join(self._sensors)
            raise ConfigError(f"camera {frame.camera.name!r}: unknown sensor {name!r}: expected one of {known}")
        sensor = self._sensors[name]
        return sensor if self._band is None else replace(sensor, low_um=self._band.low_um, high_um=self._band.high_um)

    def _on_image(
        self, frame: Frame, conditions: Conditions, background: Background, sensor: Sensor, draw: Draw
    ) -> Infrared:
        """Cars in a real image: in kelvin where it has them, else their contrast fitted to its greys."""
        measured = self._background_sensor(background)
        if background.kelvin is not None:
            weather = frame_conditions(background.kelvin, conditions, horizon_row(frame))
            foreground = self._foreground(frame, weather, background, draw)
            image_K = harmonise_kelvin(background.kelvin, frame, foreground, measured, draw)
            return _on_kelvin(background.kelvin, image_K, weather, sensor)
        foreground = self._foreground(frame, conditions, background, draw)
        image = harmonise_grey(background.image, frame, foreground, conditions, measured, draw)
        wide = image.astype(np.uint16) * np.uint16(FULL_SCALE)
        return Infrared(image, wide, None, background.image, sensor.name, (_sensor_note(measured),))

    def _foreground(self, frame: Frame, conditions: Conditions, background: Background, draw: Draw) -> ForegroundLayer:
        return _keeping_obstacles(render_foreground(frame, conditions, self.profiles, draw), background)

    def _background_sensor(self, background: Background) -> FrameSensor:
        """Measured once for each crop of a background."""
        key = f"{background.file.sha256} {background.crop_px} {background.image.shape}"
        if key not in self._measured:
            values = background.image if background.kelvin is None else background.kelvin
            self._measured[key] = measure_sensor(values.astype(np.float32))
        return self._measured[key]


def _keeping_obstacles(foreground: ForegroundLayer, background: Background) -> ForegroundLayer:
    """The cars without what they do to the road where a real thing stands in front of it."""
    if background.obstacle_mask is None:
        return foreground
    return replace(
        foreground, ground_change_K=np.where(background.obstacle_mask, np.float32(0.0), foreground.ground_change_K)
    )


def _sensor_note(measured: FrameSensor) -> str:
    return (
        f"cars as in real frames after gain control (no temperatures); of this frame: edge spread "
        f"{measured.edge_px:.2f} px, noise {measured.fine:.1f} grey levels"
    )


def _on_kelvin(
    background_K: NDArray[np.float32], image_K: NDArray[np.float32], weather: Conditions, sensor: Sensor
) -> Infrared:
    """Cars in a radiometric image: where there is no car and no trace of one, its temperatures stay as they are."""
    image16, span_K = to_uint16(image_K)
    # Where cars hide the coldest or hottest of the background it may leave the span.
    share = np.clip((background_K - span_K[0]) * (255.0 / (span_K[1] - span_K[0])), 0.0, 255.0)
    note = (
        f"temperatures of the cars: to the road of the background; air {weather.air_temperature_K:.1f} K at its "
        f"horizon, sky {weather.sky_temperature_K:.1f} K"
    )
    return Infrared(agc(image_K, sensor), image16, span_K, share.astype(np.uint8), sensor.name, (note,))


@dataclass(frozen=True)
class _OwnModel:
    """The model of this process; it takes one source after the other."""

    model: TranslationModel

    @classmethod
    def load(cls, weights: Path) -> _OwnModel:
        from gan.serving.inference import load_model

        # One thread: a worker per core, and bytes that do not depend on how many threads there are.
        return cls(load_model(weights, threads=1, any_size=True))

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def about(self) -> ModelInfo:
        return self.model.about

    @property
    def in_channels(self) -> int:
        return self.model.in_channels

    def translate_each(self, sources: Iterable[Float32], parts: Sequence[Box]) -> Iterable[Float32]:
        return map(self.model.translate_part, sources, parts)


class Translation:
    """A translation model over the source tensor: what it makes of the objects and of the ground close to them.

    All else stays the picture that physics makes, or the real background. A model that was trained on radiometric
    targets keeps the span, so its image stays in kelvin. One that was trained on display intensities gives the 8-bit
    image only, and the temperatures beside it, where there are any, remain those of the physics.
    """

    def __init__(
        self,
        backend: str,
        weights: Path,
        physics: Physics,
        translator: WindowTranslator | None = None,
        margin_px: int = MARGIN_PX,
    ) -> None:
        self._translator, self._margin_px = translator or _OwnModel.load(weights), margin_px
        trained = self._translator.name
        if trained != backend:
            raise ConfigError(f"{weights} is a model of backend {trained!r}: give --model {trained}")
        if self._translator.in_channels != len(CHANNELS):
            raise ConfigError(
                f"{weights} takes {self._translator.in_channels} channels: expected a model of source tensors "
                f"({len(CHANNELS)} channels), trained on `gis synthesize --tensors`"
            )
        self._physics = physics
        info = self._translator.about
        self._layout, self._display = info.source_layout.name, info.source_layout.display
        self._record = ModelRecord(backend, info.weights_sha256, str(info.inference), self._layout)

    @property
    def record(self) -> ModelRecord:
        """See :class:`InfraredMaker`."""
        return self._record

    def make(self, frame: Frame, conditions: Conditions, background: Background | None, draw: Draw) -> Infrared:
        """See :class:`InfraredMaker`."""
        base = self._physics.make(frame, conditions, background, draw)
        frame = vehicles_alone(frame)
        display = self._display or base.span_K is None
        behind = base.image if background is None and display else base.background
        objects = dilate_objects(frame)
        tight = box_around(objects > 0)
        if tight is None:
            return base
        # All of this is about that box: a seam is BLEND_PX wide.
        box = grown(tight, BLEND_PX, objects.shape)
        part = place_of(box)
        known, rendered = self._translator.about.known_objects, background is None
        factors = object_factors(frame, objects[part], known, rendered=rendered)
        if not factors.any():
            return base
        shown = ShownFrame(behind, frame, _eight_bits(base, display), objects)
        exact = base.image if display else base.image16
        output = self._translated(shown, factors, exact, box, rendered=rendered)
        near = _painted_ids(frame.instance_id[part], factors), _painted_ids(objects[part], factors)
        if not display and base.span_K is not None:
            image16 = base.image16.copy()
            _paint(output, *near, _counts(near[1]), np.float32(1), image16[part])
            return replace(
                base, image=agc(from_uint16(image16, base.span_K), self._physics.sensor(frame)), image16=image16
            )
        image = base.image.copy()
        _paint(output, *near, _counts(near[1]), np.float32(FULL_SCALE), image[part])
        if base.span_K is None:
            return replace(base, image=image, image16=image.astype(np.uint16) * np.uint16(FULL_SCALE))
        return replace(base, image=image, notes=(*base.notes, DISPLAY_NOTE))

    def _translated(
        self, shown: ShownFrame, factors: UInt8, physics: UInt8 | UInt16, box: Box, *, rendered: bool
    ) -> Float32:
        """(h, w) of a box: what the model makes where it paints, in [-1, 1]; 0 elsewhere.

        Args:
            shown: what the model is given.
            factors: (h, w) of :func:`object_factors`.
            physics: (H, W) the picture of the physics, as exactly as it is known, of which larger objects keep what is
                fine.
            box: around all objects and the ground close to them.
            rendered: whether the scene is the background.
        """
        here = place_of(box)
        output = np.zeros((box[2] - box[0], box[3] - box[1]), np.float32)
        known = self._translator.about.known_objects
        for factor, part, weight in blend_weights(factors, shown.frame.instance_id[here] > 0):
            where = within(part, (-box[0], -box[1], 0, 0))
            detail_px = None if known is None else known.detail_in(factor, rendered=rendered)
            if factor == 1 and detail_px is None:
                _add(self._painted(shown, weight > 0, where), weight, output[place_of(part)])
            else:
                change = self._change(shown, weight > 0, where, factor, detail_px)
                whole = physics[place_of(where)]
                _add_changed(whole, np.float32(2 / np.iinfo(whole.dtype).max), change, weight, output[place_of(part)])
        return output

    def _change(
        self, shown: ShownFrame, mask: NDArray[np.bool_], box: Box, factor: int, detail_px: float | None
    ) -> Float32:
        """(h, w) of a box: by how much the model changes the picture of the physics where it paints, a smaller frame.

        Where a size of details is given, only what is finer.
        """
        reach = RIM if detail_px is None else RIM + kernel_reach(detail_px)
        seen = SmallerBox.around(box, factor, shown.objects.shape, reach)
        smaller = replace(shown, physics=shrink_picture(shown.physics, factor))
        if self._layout != "physics":
            smaller = replace(smaller, background=shrink_picture(shown.background, factor))
        painted = shrink_mask(seen.padded(mask, box), factor)
        made = np.clip(self._painted(smaller, painted, seen.box, factor), -1.0, 1.0)
        change = np.where(painted, made - to_signed(smaller.physics[place_of(seen.box)]), np.float32(0))
        if detail_px is not None:
            ids = shrink_ids(shown.frame.instance_id, factor)[place_of(seen.box)]
            change = finer_in_each(change, painted, ids, detail_px)
        return seen.enlarged(change, box)

    def _painted(self, shown: ShownFrame, painted: NDArray[np.bool_], box: Box, factor: int = 1) -> Float32:
        """(h, w) of a box: what the model makes of what it is shown, where it paints; 0 elsewhere."""
        info = self._translator.about
        size = shown.physics.shape
        # Of a window a model that normalises by the whole picture would make something else.
        step = max(size) if info.whole_image else max(STEP_PX, info.multiple_px)
        windows = picture_windows(painted, margin_px=self._margin_px, step_px=step, corner=box[:2], size=size)
        output = np.zeros(painted.shape, np.float32)
        physics = shown.physics if self._layout == "physics" else None
        sources = source_tensors(shown.background, shown.frame, windows, physics, shown.objects, factor)
        parts = [within(one.box, (one.rows.start, one.columns.start, 0, 0)) for one in windows]
        for window, part in zip(windows, self._translator.translate_each(sources, parts), strict=True):
            _put(part, window.painted, output[place_of(within(window.box, box))])
        return output


class Varied:
    """Another maker's pictures as the gain control that was drawn for each frame shows them.

    Noise, blur and flaws are in the temperatures already (:class:`Physics`). What has temperatures is shown anew from
    them; what a model or a background gives in display intensities goes through a second gain control.
    """

    def __init__(self, maker: InfraredMaker, physics: Physics) -> None:
        self._maker, self._physics = maker, physics

    @property
    def record(self) -> ModelRecord:
        """See :class:`InfraredMaker`."""
        return self._maker.record

    def make(self, frame: Frame, conditions: Conditions, background: Background | None, draw: Draw) -> Infrared:
        """See :class:`InfraredMaker`."""
        base = self._maker.make(frame, conditions, background, draw)
        if base.variety is None:
            return base
        levels = base.span_K is None or DISPLAY_NOTE in base.notes
        kelvin = None if base.span_K is None or levels else from_uint16(base.image16, base.span_K)
        signal = base.image.astype(np.float32) if kelvin is None else kelvin
        sensor = self._physics.sensor(frame)
        return replace(base, varied=show_varied(signal, base.image, sensor, base.variety, levels=levels))


class Stretched:
    """Another maker's pictures, stretched as the contrast that was drawn for each frame wants it."""

    def __init__(self, maker: InfraredMaker) -> None:
        self._maker = maker

    @property
    def record(self) -> ModelRecord:
        """See :class:`InfraredMaker`."""
        return self._maker.record

    def make(self, frame: Frame, conditions: Conditions, background: Background | None, draw: Draw) -> Infrared:
        """See :class:`InfraredMaker`."""
        base = self._maker.make(frame, conditions, background, draw)
        return base if base.gain == 1.0 else replace(base, varied=stretched(base.image, base.gain))


def vehicles_alone(frame: Frame) -> Frame:
    """The frame without its people and animals: a model that was trained on cars would paint cars of them."""
    if all(item.category in VEHICLES for item in frame.instances):
        return frame
    ids, zone = frame.instance_id.copy(), frame.zone.copy()
    for item in frame.instances:
        if item.category not in VEHICLES and item.box_visible_px is not None:
            left, top, right, bottom = (round(edge) for edge in item.box_visible_px)
            part = slice(top, bottom), slice(left, right)
            _leave_out(item.id, ids[part], zone[part])
    return replace(
        frame,
        instances=tuple(item for item in frame.instances if item.category in VEHICLES),
        instance_id=ids,
        zone=zone,
    )


@kernel
def _leave_out(gone: int, ids: UInt16, zone: UInt8) -> None:
    for y in range(ids.shape[0]):
        for x in range(ids.shape[1]):
            if ids[y, x] == gone:
                ids[y, x] = zone[y, x] = 0


def _painted_ids(ids: UInt16, factors: UInt8) -> UInt16:
    """The ids without those of objects that stay as they are."""
    return np.where(factors > 0, ids, np.uint16(0))


def _eight_bits(base: Infrared, display: bool) -> UInt8:
    return base.image if display else (base.image16 >> 8).astype(np.uint8)


_SHARES: Final = (np.arange(26) * (1 / 25)).astype(np.float32)
"""(26,) of a square of 5 x 5 pixels."""


def _counts(objects: UInt16) -> UInt8:
    """(h, w) pixels of objects and the ground close to them in the square of 5 x 5 around each pixel."""
    counts = cv2.boxFilter((objects > 0).view(np.uint8), cv2.CV_8U, (5, 5), normalize=False)
    return np.asarray(counts, dtype=np.uint8)


@kernel
def _put(values: Float32, painted: NDArray[np.bool_], out: Float32) -> None:
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if painted[y, x]:
                out[y, x] = values[y, x]


@kernel
def _add(made: Float32, weight: Float32, out: Float32) -> None:
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] += made[y, x] * weight[y, x]


@kernel
def _add_changed(picture: UInt8 | UInt16, scale: np.float32, change: Float32, weight: Float32, out: Float32) -> None:
    """Adds a picture, on [-1, 1] by :func:`to_signed`, and what is changed of it."""
    one = np.float32(1)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            signed = min(np.float32(picture[y, x]) * scale - one, one)
            out[y, x] += (signed + change[y, x]) * weight[y, x]


@kernel
def _paint(
    output: Float32, ids: UInt16, objects: UInt16, counts: UInt8, levels: np.float32, picture: UInt8 | UInt16
) -> None:
    """Paints a model's image over a part of a picture: all on objects, less to the edge of the dilated mask.

    Args:
        output: (h, w) in [-1, 1], beyond which it is cut.
        ids: (h, w) of the objects, 0 elsewhere.
        objects: (h, w) the same dilated.
        counts: (h, w) see :func:`_counts`.
        levels: of 16 bits that one of the picture's holds.
        picture: (h, w), changed in place.
    """
    one, half = np.float32(1), np.float32(65535 / 2)
    for y in range(output.shape[0]):
        for x in range(output.shape[1]):
            if objects[y, x] == 0 and ids[y, x] == 0:
                continue
            share = one if ids[y, x] else _SHARES[counts[y, x]]
            value = half * (min(max(output[y, x], -one), one) + one) / levels
            there = np.float32(picture[y, x])
            picture[y, x] = np.rint((value - there) * share + there)
