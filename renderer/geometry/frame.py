"""What the renderer hands on: one frame's passes and what is known of each object in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .cover import Cover
from .edge_samples import EdgeSamples
from .flow import Flow
from .key_points import KeyPoint

__all__ = ["Box2D", "Box3D", "Frame", "Instance", "Part", "Unlabelled"]

Box2D = tuple[float, float, float, float]
"""``(left, top, right, bottom)`` in pixels, edges of the box: pixel column ``c`` covers ``[c, c + 1)``."""


@dataclass(frozen=True)
class Box3D:
    """An upright 3-D box in the camera frame, in KITTI's terms."""

    centre_m: tuple[float, float, float]
    """Centre of the *bottom* face in OpenCV camera axes (x right, y down, z forward), metres."""
    length_m: float
    height_m: float
    width_m: float
    yaw_rad: float
    """Rotation about the camera's y axis (KITTI's ``rotation_y``): 0 looks along +x, -pi/2 looks away (+z)."""


@dataclass(frozen=True)
class Instance:
    """One labelled object of a frame."""

    id: int
    """Value in the instance pass, 1-65535; unique within the frame."""
    category: str
    """Detector class, one of :data:`renderer.zones.categories.CATEGORIES`."""
    model: str
    """Name of the model, e.g. ``hatchback``."""
    profile: str
    """Thermal profile or activity, a key of ``assets/thermal_profiles.toml``, e.g. ``driving`` or ``walking``."""
    object_to_world: NDArray[np.float64]
    """(4, 4) pose; the model's own axes are x forward, y left, z up, origin on the ground below its centre, metres."""
    box_3d: Box3D
    box_amodal_px: Box2D
    """Tight box of the whole object, not clipped to the image."""
    box_visible_px: Box2D | None
    """Tight box of the object's pixels in the instance pass; None where not a pixel is visible."""
    visible_px: int
    """Pixels of the object in the instance pass."""
    amodal_px: int
    """Pixels that the object would cover inside the image if nothing stood before it."""
    truncation: float
    """Share of the amodal box that lies outside the image, 0-1 (KITTI's ``truncated``)."""
    occlusion: int
    """KITTI's level: 0 fully visible, 1 partly, 2 largely occluded, 3 unknown (no pixel of it)."""
    key_points: tuple[KeyPoint, ...] | None = field(default=None, metadata={"omitted_if_none": True})
    """COCO's 17 of a person whose joints are known."""
    rides: int | None = field(default=None, metadata={"omitted_if_none": True})
    """Of a rider: :attr:`id` of the vehicle, which is in view too."""
    speed_m_s: float | None = field(default=None, metadata={"omitted_if_none": True})
    """Over the ground, along its heading, in a sequence whose traffic is drawn; None where it is not known."""
    clo: float | None = field(default=None, metadata={"omitted_if_none": True})
    """Of a person: insulation of the clothes that the model shows, 1 clo = 0.155 m2K/W; None where it is not known."""


@dataclass(frozen=True)
class Part:
    """One mesh as it stands in the frame; ``Frame.part`` holds indices into ``Frame.parts`` plus one."""

    name: str
    instance_id: int
    """Instance that the mesh belongs to, 0 for the environment."""
    local_to_world: NDArray[np.float64]
    """(4, 4) float64; a wheel's own origin is its hub, its axle its local y."""


@dataclass(frozen=True)
class Unlabelled:
    """Something in view that is not labelled, though other data sets have a class for it."""

    category: str
    """One of :data:`renderer.zones.categories.CATEGORIES`."""
    model: str
    """Kind of the thing, e.g. ``stop``."""
    box_px: Box2D
    """Tight box of its visible pixels."""
    visible_px: int


@dataclass(frozen=True)
class Frame:
    """Passes of one frame. Arrays are (H, W), row 0 at the top; a pixel's sample is its centre, integer + 0.5."""

    index: int
    camera: Camera
    cam_to_world: NDArray[np.float64]
    """(4, 4) float64: OpenCV camera axes to the world (z up), metres."""
    depth_m: NDArray[np.float32]
    """Distance along the optical axis, metres; ``inf`` where no surface was hit."""
    instance_id: NDArray[np.uint16]
    """:attr:`Instance.id`, 0 for environment and background."""
    zone: NDArray[np.uint8]
    """:class:`renderer.zones.catalogue.Zone`; where nothing was hit the world's zone (``SKY`` if it says so, else
    0)."""
    instances: tuple[Instance, ...]
    """Objects in the camera's view frustum, by ascending id, whether or not a pixel of them is visible."""
    normal: NDArray[np.float32] | None = None
    """(H, W, 3) unit shading normals in world axes, facing the camera; 0 where nothing was hit."""
    part: NDArray[np.uint16] | None = None
    """Index into ``parts`` plus one; 0 where nothing was hit."""
    parts: tuple[Part, ...] = ()
    flow: Flow | None = None
    """Optical flow to the next frame of a sequence, where it was asked for and there is one."""
    amodal: Mapping[int, NDArray[np.bool_]] | None = None
    """Where it was asked for: by :attr:`Instance.id` the (H, W) pixels that an object would cover if nothing stood
    before it, of all objects of which a pixel is visible; what is outside of the image is not there."""
    undistorted: Frame | None = None
    """Of a camera whose lens distorts: the same moment by the pinhole camera that covers the picture
    (:attr:`.camera.Camera.covering`), of which the picture is made."""
    unlabelled: tuple[Unlabelled, ...] = ()
    """Of a street: what is in view and has no id, where it was asked for."""
    covers: tuple[Cover, ...] = ()
    """Decks of bridges over the street."""
    edges: EdgeSamples | None = None
    """What pixels at the edges of near objects show beside what their centres hit; for pictures, never for labels."""
    notes: tuple[str, ...] = field(default=())
    """What had to be guessed, one line each (e.g. ``zones of 'taxi' guessed from geometry``)."""
