"""A synthesized frame in memory: the arrays and what is known of them; nothing of it has been written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from gan.data.layout import Sample
from numpy.typing import NDArray
from renderer.geometry.camera import Camera
from renderer.geometry.flow import Flow
from renderer.random_streams import Draw
from renderer.thermal.conditions import Conditions
from renderer.thermal.sensor import from_uint16
from renderer.thermal.sensor_variety import SensorVariety

from pipelines.dataset.passes.parts import ObjectParts
from pipelines.dataset.record import (
    BackgroundRecord,
    InstanceRecord,
    LabelError,
    ModelRecord,
    RealObject,
    UnlabelledObject,
)

__all__ = ["SynthesizedFrame"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthesizedFrame:
    """An infrared image with its labels. Arrays are (H, W), row 0 at the top."""

    draw: Draw
    """Seed, number of the frame, and which draw of it was kept."""
    scene: str
    """Name of the .blend file."""
    camera: Camera
    cam_to_world: NDArray[np.float64]
    """(4, 4) OpenCV camera axes to the world (z up), metres."""
    image: NDArray[np.uint8]
    """As a display shows it, white hot but for frames whose `sensor_variety` says otherwise."""
    image16: NDArray[np.uint16]
    """Over the full 16-bit range; without a span it is the display image by the sensor's own gain control."""
    span_K: tuple[float, float] | None
    """Apparent temperatures at 0 and 65535 of ``image16``; None where it is display intensity."""
    depth_m: NDArray[np.float32]
    """Along the optical axis, metres; ``inf`` where no surface was hit."""
    instance_id: NDArray[np.uint16]
    """Ids of the objects that have a label; 0 elsewhere."""
    zone: NDArray[np.uint8]
    """:class:`renderer.zones.catalogue.Zone`."""
    instances: tuple[InstanceRecord, ...]
    """Every object in view, by ascending id."""
    background: BackgroundRecord
    conditions: Conditions
    profile: str | None
    """Thermal profile of all cars; None where each has its own."""
    model: ModelRecord
    sensor: str
    """Infrared sensor, a table of ``assets/cameras.toml``."""
    label_error: LabelError
    notes: tuple[str, ...]
    """What had to be guessed, one line each."""
    real_objects: tuple[RealObject, ...] | None = None
    """What the background shows by itself; None where nothing is known of it."""
    unlabelled: tuple[UnlabelledObject, ...] | None = None
    """What the street shows of categories that the data set does not label; None: nothing is known of it."""
    sensor_variety: SensorVariety | None = None
    """How this frame's sensor differs from the table's; None: it does not."""
    sample: Sample | None = None
    """The source tensors, where they were asked for."""
    flow: Flow | None = None
    """Optical flow to the next frame of the sequence, where it was asked for and there is one."""
    normal: NDArray[np.float32] | None = None
    """(H, W, 3) unit normals in the camera's axes, where they were asked for; 0 where no surface was hit."""
    parts: ObjectParts | None = None
    """Parts of the objects that have a label, where they were asked for."""
    disparity: NDArray[np.float32] | None = None
    """(H, W) pixels between the pictures of a stereo pair, where they were asked for; 0 for the sky."""
    amodal: Mapping[int, NDArray[np.bool_]] | None = None
    """Where they were asked for, the whole of each visible object inside the image, by its id: (H, W)."""
    visible: NDArray[np.uint8] | None = None
    """(H, W, 3) sRGB of the same instant through the same lens, where it was asked for."""

    @property
    def index(self) -> int:
        """Number of the frame."""
        return self.draw.index

    @property
    def kelvin(self) -> NDArray[np.float32] | None:
        """(H, W) apparent temperatures; None over a background that has none."""
        return None if self.span_K is None else from_uint16(self.image16, self.span_K)

    @property
    def labelled(self) -> tuple[InstanceRecord, ...]:
        """The objects that have a label and their id in the mask."""
        return tuple(item for item in self.instances if item.labelled)

    @property
    def counted(self) -> tuple[InstanceRecord, ...]:
        """The labelled objects that a detector is asked for."""
        return tuple(item for item in self.labelled if not item.ignored)

    @property
    def ignored(self) -> tuple[InstanceRecord, ...]:
        """The labelled objects that are mostly hidden: neither wanted nor wrong."""
        return tuple(item for item in self.labelled if item.ignored)
