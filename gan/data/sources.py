"""Finds training images on disk and reads them one by one into integer planes.

Three kinds of data:

- *tensors*: samples as `gan.data.layout.encode_sample` writes them, loose (``*.safetensors``) or in tar shards
(``*.tar``,
  as WebDataset reads them), in the folder itself or in ``tensors/`` below it;
- *paired folders*: ``visible/`` and ``infrared/``, matched by name;
- *unpaired folders*: the same without matching; but where all names of both sides match they are pairs, which a model
  that trains unpaired can be validated on.

A plane is a (C, H, W) array of uint8 or uint16.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from gan.data.layout import Sample, decode_sample
from gan.errors import DataError

__all__ = ["Item", "Meaning", "Planes", "Sources", "find_sources", "read_image", "resize_plane"]

Planes = dict[str, npt.NDArray[Any]]
Kind = Literal["tensors", "paired", "unpaired"]

_SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".npy"}
_UINT16_MAX: Final = 65535
# JPEG of a grey image stored as colour: rounding of its chroma moves the channels apart by a few grey levels.
_GREY_TOLERANCE: Final = 8
_LABEL_PLANES: Final = {"segmentation", "inverse_depth", "instance_id"}


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
class Sources:
    """What was found: one list of items, or two where sources and targets are not paired."""

    kind: Kind
    items: tuple[Item, ...]
    """Samples; of unpaired data the source images."""
    targets: tuple[Item, ...] = ()
    """Target images of unpaired data."""
    meaning: Meaning | None = None
    """What the numbers of source tensors mean; None for images."""


def find_sources(
    folder: Path,
    *,
    source_dir: str = "visible",
    target_dir: str = "infrared",
    unpaired: bool = False,
    matched: bool = True,
    target_range: tuple[float, float] | None = None,
) -> Sources:
    """Looks what kind of data a folder holds and lists its items in name order.

    Args:
        folder: Folder of tensors, or parent of the two image folders.
        source_dir: Name of the folder of source images.
        target_dir: Name of the folder of target images.
        unpaired: Sources and targets need not match.
        matched: With ``unpaired``: images of the same names are pairs, where every image has a partner.
        target_range: Target values that become black and white; None takes the full range of the integer type.

    Raises:
        DataError: Where nothing usable is found, a partner is missing, or two images have one name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected tensors, or {source_dir}/ and {target_dir}/")
    if (folder / source_dir).is_dir() or (folder / target_dir).is_dir():
        return _find_folders(folder / source_dir, folder / target_dir, unpaired, matched, target_range)
    for place in (folder / "tensors", folder):
        found = _find_tensors(place)
        if found is not None:
            return found
    raise DataError(
        f"{folder}: no training data; expected *.safetensors or *.tar of gis synthesize --tensors, "
        f"or the folders {source_dir}/ and {target_dir}/"
    )


def read_image(path: Path) -> npt.NDArray[Any]:
    """An image file as (C, H, W), RGB where it has colour; uint8, uint16 or float32.

    Raises:
        DataError: Where it cannot be read or holds NaN.
    """
    try:
        if path.suffix.lower() == ".npy":
            image = np.load(path, allow_pickle=False)
        elif path.suffix.lower() in (".tif", ".tiff"):
            image = tifffile.imread(path)
        else:
            image = _decode(path)
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected PNG, JPEG, TIFF or NPY") from error
    planes = image[None] if image.ndim == 2 else np.moveaxis(image, -1, 0)
    if planes.ndim != 3 or planes.shape[0] not in (1, 3):
        raise DataError(f"{path}: shape {image.shape}: expected a grey (H, W) or colour (H, W, 3) image")
    if planes.dtype.kind == "f":
        bad = int(np.isnan(planes).sum())
        if bad:
            raise DataError(f"{path}: {bad} NaN pixels; expected finite values: mend or leave out this image")
        return np.ascontiguousarray(planes, dtype=np.float32)
    if planes.dtype not in (np.uint8, np.uint16):
        raise DataError(f"{path}: pixels are {planes.dtype}; expected 8 or 16 bits unsigned, or float")
    return np.ascontiguousarray(planes)


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


def _decode(path: Path) -> npt.NDArray[Any]:
    image: npt.NDArray[Any] | None = cv2.imdecode(
        np.frombuffer(path.read_bytes(), dtype=np.uint8), cv2.IMREAD_UNCHANGED
    )
    if image is None:
        raise ValueError("truncated, or no image")
    return image[..., ::-1] if image.ndim == 3 and image.shape[2] == 3 else image


@dataclass(frozen=True)
class _Stored:
    """A sample in a file."""

    name: str
    stamp: str
    where: str
    load: Callable[[], bytes]

    def planes(self, expected: Meaning, first: str) -> tuple[Planes, str]:
        sample = decode_sample(self.load(), self.where)
        if _meaning(sample) != expected:
            raise DataError(
                f"{self.where}: {_meaning(sample)}, {first}: {expected}; expected samples of one layout and one kind "
                "of target, display or radiometric: train on them apart"
            )
        return _sample_planes(sample, self.where)


def _meaning(sample: Sample) -> Meaning:
    return Meaning(sample.layout, sample.span_K is None)


def _find_tensors(folder: Path) -> Sources | None:
    stored = [
        _Stored(path.stem, _stamp(path), str(path), path.read_bytes) for path in sorted(folder.glob("*.safetensors"))
    ]
    for shard in sorted(folder.glob("*.tar")):
        stored += _find_in_shard(shard)
    if not stored:
        return None
    _refuse_doubles([one.name for one in stored], folder)
    stored.sort(key=lambda one: one.name)
    first = stored[0]
    meaning = _meaning(decode_sample(first.load(), first.where))
    items = [Item(one.name, one.stamp, partial(one.planes, meaning, first.name)) for one in stored]
    return Sources("tensors", tuple(items), meaning=meaning)


def _find_in_shard(shard: Path) -> list[_Stored]:
    try:
        with tarfile.open(shard) as archive:
            members = [member for member in archive if member.isfile() and member.name.endswith(".safetensors")]
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"{shard}: not a whole tar shard ({error}); write it again") from error
    stamp = _stamp(shard)
    return [
        _Stored(
            member.name.split("/")[-1].split(".")[0],
            f"{stamp}@{member.offset_data}",
            f"{shard}:{member.name}",
            partial(_load_member, shard, member.offset_data, member.size),
        )
        for member in members
    ]


def _load_member(shard: Path, offset: int, size: int) -> bytes:
    with shard.open("rb") as stream:
        stream.seek(offset)
        return stream.read(size)


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
    source_dir: Path, target_dir: Path, unpaired: bool, matched: bool, target_range: tuple[float, float] | None
) -> Sources:
    sources, targets = _images(source_dir), _images(target_dir)
    if unpaired and not (matched and set(sources) == set(targets)):
        return Sources(
            "unpaired",
            tuple(Item(name, _stamp(path), partial(_read_source, path)) for name, path in sources.items()),
            tuple(
                Item(name, _stamp(path), partial(_read_target, path, target_range)) for name, path in targets.items()
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
            Item(name, _stamp(path) + _stamp(targets[name]), partial(_read_pair, path, targets[name], target_range))
            for name, path in sources.items()
        ),
    )


def _images(folder: Path) -> dict[str, Path]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not paths:
        raise DataError(f"{folder}: no images; expected {', '.join(sorted(_SUFFIXES))}")
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    _refuse_doubles(names, folder)
    return dict(zip(names, paths, strict=True))


def _refuse_doubles(names: Sequence[str], folder: Path) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{folder}: two files are named {name!r}; expected one file a name")
        seen.add(name)


def _stamp(path: Path) -> str:
    about = path.stat()
    return f"{path.name}:{about.st_size}:{about.st_mtime_ns}"


def _read_pair(source: Path, target: Path, target_range: tuple[float, float] | None) -> tuple[Planes, str]:
    planes = {**_read_source(source)[0], **_read_target(target, target_range)[0]}
    if planes["source"].shape[1:] != planes["target"].shape[1:]:
        shapes = f"{planes['source'].shape[1:]} and {planes['target'].shape[1:]}"
        raise DataError(
            f"{source}: size differs from its partner's ({shapes}); expected aligned images (unpaired: --no-matched)"
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
