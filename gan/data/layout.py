"""The source tensor: what the generator sees, how it is built, and how a sample lies in a file.

Layouts are named and versioned, so that a model never reads a tensor that means something else:

=======  =============  ==========================================================================
channel  name           value
=======  =============  ==========================================================================
0-2      label_r/g/b    the label image, 0..255 to -1..1; what it shows is all that layouts differ in
3-5      hot/warm/cold  +1 where the thermal segmentation says so, else -1
6        inverse_depth  2 * NEAR_M / max(depth, NEAR_M) - 1: +1 at NEAR_M and nearer, -1 at the background
=======  =============  ==========================================================================

``flat`` is the published label image: the background with every object in its label colour. In ``physics`` red is the
picture that physics alone makes of background and objects; green the mask of the objects (255, 128 around them where
the background is hidden); blue their edges. In either, objects hide a little of the background around them, so that a
fitted model that is too small shows none of the real car (`pipelines.synthesis.source_tensor`).

Inverse depth is rounded to 16 bits before it is used, so a tensor built from a render and one read back from a file are
equal bit for bit. This module needs numpy and safetensors only: a worker that writes samples does not load torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from gan.data.bands import SourceBand, bands_from_json
from gan.errors import LayoutError
from gan.text_files import parse_json

__all__ = [
    "CHANNELS",
    "IMAGE_LAYOUT",
    "LAYOUTS",
    "LAYOUT_NAME",
    "LAYOUT_VERSION",
    "NEAR_M",
    "Sample",
    "SourceLayout",
    "build_source",
    "decode_sample",
    "depth_to_inverse",
    "encode_sample",
    "planes_to_source",
]

LAYOUT_NAME: Final = "flat"
"""The published layout, the default."""
LAYOUTS: Final = ("flat", "physics")
IMAGE_LAYOUT: Final = "image"
"""Of sources that are images and no source tensors."""
LAYOUT_VERSION: Final = 2
"""Of all layouts; in 1 no background was hidden around objects."""
CHANNELS: Final = ("label_r", "label_g", "label_b", "hot", "warm", "cold", "inverse_depth")
# Nothing that a roof or bumper camera sees stands nearer than this; inverse depth spends its range beyond it.
NEAR_M: Final = 2.0
_LEVELS: Final = 65535
_HEAT_CLASSES: Final = 3

UInt8 = npt.NDArray[np.uint8]
UInt16 = npt.NDArray[np.uint16]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SourceLayout:
    """What the channels of a model's source mean."""

    name: str
    """One of `LAYOUTS` for source tensors, `IMAGE_LAYOUT` for the channels of an image."""
    version: int
    """Of the layout."""
    channels: int
    """Of the source."""
    display: bool = False
    """Whether the targets were display intensities, which say nothing of temperatures."""
    bands: tuple[SourceBand, ...] = ()
    """Of the channels of an image, where they were named; else empty."""

    @classmethod
    def of(
        cls, channels: int, name: str = LAYOUT_NAME, *, display: bool = False, bands: tuple[SourceBand, ...] = ()
    ) -> SourceLayout:
        """The layout of today: of a source tensor for 7 channels, else plain image channels.

        Args:
            channels: Of the source.
            name: One of `LAYOUTS`.
            display: Whether the targets were display intensities.
            bands: Of the channels of an image.
        """
        if channels == len(CHANNELS):
            return cls(name, LAYOUT_VERSION, channels, display)
        return cls(IMAGE_LAYOUT, 1, channels, bands=bands)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], where: str) -> SourceLayout:
        """Reads what `to_json` gave, and checks that this program knows the layout.

        Raises:
            LayoutError: A layout or version that it does not know.
            KeyError: Something is missing.
        """
        if stored["layout"] != IMAGE_LAYOUT:
            _check_known(stored["layout"], stored["version"], where)
        display = bool(stored.get("display", False))
        bands = bands_from_json(stored.get("bands", ()))
        channels = int(stored["channels"])
        if len(bands) not in (0, channels):
            raise ValueError(f"{len(bands)} bands of {channels} channels")
        return cls(str(stored["layout"]), int(stored["version"]), channels, display, bands)

    def to_json(self) -> dict[str, Any]:
        """JSON values, as they stand in model files."""
        stored: dict[str, Any] = {"layout": self.name, "version": self.version, "channels": self.channels}
        if self.bands:
            stored["bands"] = [band.to_json() for band in self.bands]
        return stored | {"display": True} if self.display else stored


@dataclass(frozen=True)
class Sample:
    """One frame as the networks see it, in the integers that are stored."""

    index: int
    """Number of the frame."""
    label_image: UInt8
    """(H, W, 3) RGB."""
    segmentation: UInt8
    """(H, W): 0 none, 1 hot, 2 warm, 3 cold."""
    inverse_depth: UInt16
    """(H, W): NEAR_M / max(depth, NEAR_M) of full scale; 0 is background. From `depth_to_inverse`."""
    target: UInt16 | None = None
    """(H, W) infrared image over the full 16-bit range, where there is one."""
    instance_id: UInt16 | None = None
    """(H, W): 0 background."""
    span_K: tuple[float, float] | None = None
    """Apparent temperatures at target 0 and 65535; None where the target is display intensity."""
    group: str = ""
    """Frames of one group (a sequence, a background) never stand in different splits; "" is a group of its own."""
    layout: str = LAYOUT_NAME
    """What the label image shows, one of `LAYOUTS`."""

    def source(self) -> Float32:
        """The source tensor, (7, H, W) float32 in [-1, 1]."""
        return planes_to_source(self.label_image, self.segmentation, self.inverse_depth)


def depth_to_inverse(depth_m: npt.NDArray[np.floating[Any]]) -> UInt16:
    """Planar depth (H, W) in metres to 16-bit inverse depth; inf (background) gives 0.

    Raises:
        LayoutError: Where a depth is NaN.
    """
    nearest = np.maximum(np.asarray(depth_m, dtype=np.float32), np.float32(NEAR_M))
    if np.isnan(nearest).any():
        bad = int(np.isnan(nearest).sum())
        raise LayoutError(f"depth holds {bad} NaN pixels: expected metres, inf for background; render the frame again")
    inverse: UInt16 = np.rint(np.float32(NEAR_M * _LEVELS) / nearest).astype(np.uint16)
    return inverse


def build_source(label_image: UInt8, segmentation: UInt8, depth_m: npt.NDArray[np.floating[Any]]) -> Float32:
    """Builds the source tensor of one frame.

    Args:
        label_image: (H, W, 3) uint8 RGB.
        segmentation: (H, W) uint8, 0 none, 1 hot, 2 warm, 3 cold.
        depth_m: (H, W) planar depth in metres, inf for background.

    Returns:
        (7, H, W) float32 in [-1, 1], channels as in `CHANNELS`.

    Raises:
        LayoutError: Where shapes, types or values do not fit.
    """
    return planes_to_source(label_image, segmentation, depth_to_inverse(depth_m))


def planes_to_source(label_image: UInt8, segmentation: UInt8, inverse_depth: UInt16) -> Float32:
    """Builds the source tensor from stored planes; see `build_source`."""
    _check_planes(label_image, segmentation, inverse_depth)
    source = np.empty((len(CHANNELS), *segmentation.shape), dtype=np.float32)
    source[0:3] = label_image.transpose(2, 0, 1)
    source[0:3] *= np.float32(2 / 255)
    source[0:3] -= np.float32(1)
    for heat in range(_HEAT_CLASSES):
        source[3 + heat] = np.where(segmentation == heat + 1, np.float32(1), np.float32(-1))
    source[6] = inverse_depth
    source[6] *= np.float32(2 / _LEVELS)
    source[6] -= np.float32(1)
    # The scale factors round upwards, so full scale would come out one ulp above 1.
    return np.clip(source, -1, 1, out=source)


def _check_planes(label_image: UInt8, segmentation: UInt8, inverse_depth: UInt16) -> None:
    shape = segmentation.shape
    _check_plane("segmentation", segmentation, np.uint8, shape[:2])
    _check_plane("label_image", label_image, np.uint8, (*shape, 3))
    _check_plane("inverse_depth", inverse_depth, np.uint16, shape)
    highest = int(segmentation.max(initial=0))
    if highest > _HEAT_CLASSES:
        raise LayoutError(f"segmentation holds class {highest}: expected 0 none, 1 hot, 2 warm, 3 cold")


def _check_plane(name: str, plane: npt.NDArray[Any], dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    if plane.dtype != dtype or plane.shape != shape:
        raise LayoutError(f"{name} is {plane.dtype} {plane.shape}: expected {np.dtype(dtype)} {shape}")


def encode_sample(sample: Sample) -> bytes:
    """A sample as the bytes of one safetensors file; the same sample always gives the same bytes.

    Tensors: ``label_image`` u8 [3,H,W], ``segmentation`` u8 [H,W], ``inverse_depth`` u16 [H,W], and ``target`` and
    ``instance_id`` u16 [H,W] where given. The metadata is one JSON text under ``gis`` (one key, because the order of
    several is not fixed).

    Raises:
        LayoutError: Where shapes, types or values do not fit.
    """
    _check_planes(sample.label_image, sample.segmentation, sample.inverse_depth)
    planes: dict[str, npt.NDArray[Any]] = {
        "label_image": np.ascontiguousarray(sample.label_image.transpose(2, 0, 1)),
        "segmentation": np.ascontiguousarray(sample.segmentation),
        "inverse_depth": np.ascontiguousarray(sample.inverse_depth),
    }
    for name, plane in (("target", sample.target), ("instance_id", sample.instance_id)):
        if plane is not None:
            _check_plane(name, plane, np.uint16, sample.segmentation.shape)
            planes[name] = np.ascontiguousarray(plane)
    about = {"layout": sample.layout, "version": LAYOUT_VERSION, "index": sample.index, "group": sample.group}
    span = None if sample.span_K is None else [float(value) for value in sample.span_K]
    text = json.dumps({**about, "span_K": span}, sort_keys=True)
    return safetensors.numpy.save(planes, metadata={"gis": text})


def decode_sample(data: bytes, where: str = "sample") -> Sample:
    """Reads what `encode_sample` wrote.

    Args:
        data: The bytes of the file.
        where: Name of the file, for messages.

    Raises:
        LayoutError: Where the bytes are truncated, are no sample, or have another layout.
    """
    about = _sample_metadata(data, where)
    _check_known(about.get("layout"), about.get("version"), where)
    try:
        planes = safetensors.numpy.load(data)
        sample = Sample(
            index=_whole(about["index"]),
            label_image=np.ascontiguousarray(planes["label_image"].transpose(1, 2, 0)),
            segmentation=planes["segmentation"],
            inverse_depth=planes["inverse_depth"],
            target=planes.get("target"),
            instance_id=planes.get("instance_id"),
            span_K=_span(about.get("span_K")),
            group=str(about.get("group", "")),
            layout=str(about["layout"]),
        )
        if 0 in sample.segmentation.shape:
            raise ValueError("no pixels")
    except (SafetensorError, LookupError, ValueError, TypeError, OverflowError) as error:
        raise LayoutError(
            f"{where}: not a whole sample ({error}); write it again with gis synthesize --tensors"
        ) from error
    try:
        _check_sample(sample)
    except LayoutError as error:
        raise LayoutError(f"{where}: {error}") from error
    return sample


def _check_sample(sample: Sample) -> None:
    _check_planes(sample.label_image, sample.segmentation, sample.inverse_depth)
    for name, plane in (("target", sample.target), ("instance_id", sample.instance_id)):
        if plane is not None:
            _check_plane(name, plane, np.uint16, sample.segmentation.shape)


def _whole(index: object) -> int:
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < 1 << 40:
        raise ValueError(f"index is {index!r}")
    return index


def _check_known(name: object, version: object, where: str) -> None:
    """Compares a stored layout with those that this program knows.

    Raises:
        LayoutError: Where they differ.
    """
    if name not in LAYOUTS or version != LAYOUT_VERSION:
        known = " or ".join(repr(name) for name in LAYOUTS)
        raise LayoutError(
            f"{where}: source layout {name!r} version {version!r}, expected {known} version {LAYOUT_VERSION}; "
            "write the tensors (or train the model) again with this version of gis"
        )


def _sample_metadata(data: bytes, where: str) -> dict[str, Any]:
    # The safetensors format: 8 bytes little-endian length, then that many bytes of JSON. The library's reader of bytes
    # gives no metadata, hence by hand.
    length = int.from_bytes(data[:8], "little")
    try:
        header = parse_json(data[8 : 8 + length])
        about = parse_json(header["__metadata__"]["gis"])
    except (ValueError, KeyError, TypeError) as error:
        raise LayoutError(f"{where}: not a sample of gis, or a truncated one ({type(error).__name__})") from error
    if not isinstance(about, dict):
        raise LayoutError(f"{where}: not a sample of gis (metadata is no object)")
    return about


def _span(stored: object) -> tuple[float, float] | None:
    if stored is None:
        return None
    if not isinstance(stored, list) or len(stored) != 2:
        raise ValueError(f"span_K is {stored!r}, expected two numbers")
    low, high = float(stored[0]), float(stored[1])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"span_K is {low}..{high}, expected two rising temperatures")
    return low, high
