"""Finds training images on disk and reads them one by one into integer planes.

Three kinds of data:

- *tensors*: samples (`gan.data.sample_files`) in the folder itself or in ``tensors/`` below it;
- *paired folders*: ``visible/`` and ``infrared/``, matched by name; of a data set with visible twins ``images/``;
- *unpaired folders*: the same without matching; but where all names of both sides match they are pairs, which a model
  that trains unpaired can be validated on.

A plane is a (C, H, W) array of uint8 or uint16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from gan.data.batch import Pairing
from gan.data.images import image_files, read_image
from gan.data.layout import Sample
from gan.data.sample_files import StoredSample, file_stamp, find_samples
from gan.errors import DataError, ItemError, LayoutError

__all__ = [
    "Item",
    "Meaning",
    "Planes",
    "SourceFinder",
    "Sources",
    "Span",
    "find_sources",
    "resize_plane",
    "tensor_sources",
]

Planes = dict[str, npt.NDArray[Any]]
Kind = Literal["tensors", "paired", "unpaired"]

_UINT16_MAX: Final = 65535
_INFRARED, _IMAGES = "infrared", "images"
"""Folder of infrared images where nothing else is said, and in a data set of `gis synthesize`."""
# JPEG of a grey image stored as colour: rounding of its chroma moves the channels apart by a few grey levels.
_GREY_TOLERANCE: Final = 8
_LABEL_PLANES: Final = {"segmentation", "inverse_depth", "instance_id", "entry"}


@dataclass(frozen=True)
class Item:
    """One sample, or one image of an unpaired set, that is read when asked for."""

    name: str
    """Unique in its set; path below the folder without suffix."""
    stamp: str
    """Changes when the file does."""
    read: Callable[[], tuple[Planes, str]]
    """Gives the planes and the group ("" where none is known)."""


@dataclass(frozen=True)
class Meaning:
    """What the numbers of source tensors and their targets mean; the same for all samples of a set."""

    layout: str
    """One of `gan.data.layout.LAYOUTS`."""
    display: bool
    """Targets are display intensities, not temperatures over a span."""

    def __str__(self) -> str:
        return f"layout {self.layout}, {'display intensities' if self.display else 'temperatures'}"


@dataclass(frozen=True)
class Span:
    """What the numbers of a set's planes mean: kelvin of the targets, names of the entries."""

    lowest_K: float
    """Apparent temperature of target 0."""
    highest_K: float
    """Of target 65535."""
    names: tuple[str, ...]
    """Of the entries, the background first; the plane ``entry`` holds their places."""


@dataclass(frozen=True)
class Sources:
    """What was found: one list of items, or two where sources and targets are not paired."""

    kind: Kind
    items: tuple[Item, ...]
    """Samples; of unpaired data the source images."""
    targets: tuple[Item, ...] = ()
    """Target images of unpaired data."""
    meaning: Meaning | None = None
    """What the numbers of source tensors mean; None for images."""
    span: Span | None = None
    """What the targets are in kelvin and what the objects are, of data with temperatures."""


class SourceFinder(Protocol):
    """What finds the training data of a place, as :func:`find_sources` does that of a folder."""

    def __call__(
        self,
        folder: Path,
        *,
        source_dir: str = "visible",
        target_dir: str = "infrared",
        pairing: Pairing = "paired",
        pair_by_name: bool = True,
        target_range: tuple[float, float] | None = None,
    ) -> Sources:
        """See :func:`find_sources`."""


def find_sources(
    folder: Path,
    *,
    source_dir: str = "visible",
    target_dir: str = _INFRARED,
    pairing: Pairing = "paired",
    pair_by_name: bool = True,
    target_range: tuple[float, float] | None = None,
) -> Sources:
    """Looks what kind of data a folder holds and lists its items in name order.

    Args:
        folder: Folder of tensors, or parent of the two image folders.
        source_dir: Name of the folder of source images.
        target_dir: Name of the folder of target images.
        pairing: Unpaired sources and targets need not match.
        pair_by_name: Of unpaired data: images of the same names are pairs, where every image has a partner.
        target_range: Target values that become black and white; None takes the full range of the integer type.

    Raises:
        DataError: Where nothing usable is found, a partner is missing, or two images have one name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected tensors, or {source_dir}/ and {target_dir}/")
    if (folder / source_dir).is_dir() and target_dir == _INFRARED and not (folder / target_dir).is_dir():
        target_dir = _IMAGES if (folder / _IMAGES).is_dir() else target_dir
    if (folder / source_dir).is_dir() or (folder / target_dir).is_dir():
        return _find_folders(folder / source_dir, folder / target_dir, pairing, pair_by_name, target_range)
    for place in (folder / "tensors", folder / "shards", folder):
        tensors = _find_tensors(place)
        if tensors is not None:
            return tensors
    raise DataError(
        f"{folder}: no training data; expected *.safetensors or *.tar of gis synthesize --tensors, "
        f"or the folders {source_dir}/ and {target_dir}/"
    )


def resize_plane(name: str, plane: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    """Crops the middle of a (C, H, W) plane to the shape of ``size`` (H, W) and scales it; labels keep their values."""
    height, width = plane.shape[1:]
    if (height, width) == size:
        return plane
    scale = min(height / size[0], width / size[1])
    crop = (round(size[0] * scale), round(size[1] * scale))
    top, left = (height - crop[0]) // 2, (width - crop[1]) // 2
    inner = plane[:, top : top + crop[0], left : left + crop[1]]
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    if name in _LABEL_PLANES:
        method = cv2.INTER_NEAREST_EXACT
    return np.stack([cv2.resize(np.ascontiguousarray(c), size[::-1], interpolation=method) for c in inner])


def _find_tensors(folder: Path) -> Sources | None:
    stored = find_samples(folder)
    return tensor_sources(stored, folder) if stored else None


def tensor_sources(stored: Sequence[StoredSample], where: Path | str) -> Sources:
    """Samples as training data, in the order of their names.

    Args:
        stored: at least one, wherever they lie.
        where: place of all, for messages.

    Raises:
        DataError: Two samples have one name.
        LayoutError: None can be read.
    """
    _refuse_doubles([sample.name for sample in stored], where)
    first, meaning = _first_meaning(stored)
    items = [Item(sample.name, sample.stamp, partial(_read_sample, sample, meaning, first.name)) for sample in stored]
    return Sources("tensors", tuple(items), meaning=meaning)


def _first_meaning(stored: Sequence[StoredSample]) -> tuple[StoredSample, Meaning]:
    """The first sample that can be read, and what it means.

    Raises:
        LayoutError: None can be read; that of the first.
    """
    failure: LayoutError | None = None
    for sample in stored:
        try:
            return sample, _meaning(sample.load())
        except LayoutError as error:
            failure = failure or error
    raise failure or LayoutError("no samples; expected at least one")


def _read_sample(stored: StoredSample, expected: Meaning, first: str) -> tuple[Planes, str]:
    try:
        sample = stored.load()
    except LayoutError as error:
        raise ItemError(str(error)) from error
    if _meaning(sample) != expected:
        raise DataError(
            f"{stored.where}: {_meaning(sample)}, {first}: {expected}; expected samples of one layout and one kind "
            "of target, display or radiometric: train on them apart"
        )
    return _sample_planes(sample, stored.where)


def _meaning(sample: Sample) -> Meaning:
    return Meaning(sample.layout, sample.span_K is None)


def _sample_planes(sample: Sample, where: str) -> tuple[Planes, str]:
    if sample.target is None:
        raise DataError(f"{where}: sample has no target; write tensors with targets (gis synthesize --tensors)")
    planes: Planes = {
        "label_image": sample.label_image.transpose(2, 0, 1),
        "segmentation": sample.segmentation[None],
        "inverse_depth": sample.inverse_depth[None],
        "target": sample.target[None],
    }
    ids = np.zeros_like(sample.target) if sample.instance_id is None else sample.instance_id
    planes["instance_id"] = ids[None]
    return planes, sample.group


def _find_folders(
    source_dir: Path,
    target_dir: Path,
    pairing: Pairing,
    pair_by_name: bool,
    target_range: tuple[float, float] | None,
) -> Sources:
    sources, targets = (image_files(folder, recursive=True) for folder in (source_dir, target_dir))
    if pairing == "unpaired" and not (pair_by_name and set(sources) == set(targets)):
        return Sources(
            "unpaired",
            tuple(Item(name, file_stamp(path), partial(_read_source, path)) for name, path in sources.items()),
            tuple(
                Item(name, file_stamp(path), partial(_read_target, path, target_range))
                for name, path in targets.items()
            ),
        )
    for here, there, other in ((sources, targets, target_dir), (targets, sources, source_dir)):
        alone = [name for name in here if name not in there]
        if alone:
            raise DataError(
                f"{here[alone[0]]}: {len(alone)} images have no partner of the same name in {other}; "
                "add or remove them, or train unpaired"
            )
    return Sources(
        "paired",
        tuple(
            Item(
                name,
                file_stamp(path) + file_stamp(targets[name]),
                partial(_read_pair, path, targets[name], target_range),
            )
            for name, path in sources.items()
        ),
    )


def _refuse_doubles(names: Sequence[str], folder: Path | str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{folder}: two files are named {name!r}; expected one file a name")
        seen.add(name)


def _read_pair(source: Path, target: Path, target_range: tuple[float, float] | None) -> tuple[Planes, str]:
    planes = {**_read_source(source)[0], **_read_target(target, target_range)[0]}
    if planes["source"].shape[1:] != planes["target"].shape[1:]:
        shapes = f"{planes['source'].shape[1:]} and {planes['target'].shape[1:]}"
        raise DataError(
            f"{source}: size differs from its partner's ({shapes}); expected aligned images (unpaired ones: "
            "--no-pair-by-name)"
        )
    return planes, ""


def _read_source(path: Path) -> tuple[Planes, str]:
    image = read_image(path)
    if image.dtype.kind == "f":
        raise DataError(f"{path}: float pixels; expected 8 or 16 bits for a source image")
    return {"source": image}, ""


def _read_target(path: Path, value_range: tuple[float, float] | None) -> tuple[Planes, str]:
    image = read_image(path)
    if image.shape[0] == 3:
        if int(np.ptp(image.astype(np.float32), axis=0).max()) > _GREY_TOLERANCE:
            raise DataError(f"{path}: a colour image; expected a grey infrared image (a palette hides the intensity)")
        image = image[:1]
    if value_range is not None:
        low, high = value_range
        share = np.clip((image.astype(np.float64) - low) / (high - low), 0, 1)
        return {"target": np.rint(share * _UINT16_MAX).astype(np.uint16)}, ""
    if image.dtype.kind == "f":
        raise DataError(f"{path}: float pixels; give the values that become black and white (--target-range LOW HIGH)")
    return {"target": image}, ""
