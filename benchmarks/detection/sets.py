"""The sets that `python -m benchmarks.detection` compares: made frames, and the plain baselines to beat."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from gan.data.images import list_images
from pipelines.backgrounds.ingest.crop import resize_window
from pipelines.backgrounds.pictures import decode_grey
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.errors import DatasetError
from pipelines.io.files import read_object, write_bytes, write_json
from pipelines.io.images import encode_png, read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

__all__ = ["MADE", "Material", "link_set", "make_sets"]

UInt8 = NDArray[np.uint8]

SHIFT_PX: Final = 4.0
"""By how much the labels of the set `shifted` are moved."""
MADE_SEED, OVER_SEED = 11, 12
MADE: Final = ("worlds_physics", "worlds_model", "city_physics", "city_model", "over_physics", "over_model")
"""Sets of gis: generated streets, the shipped street, or real frames around the objects; physics alone, or the
shipped model."""


@dataclass(frozen=True)
class Material:
    """What the sets are made from."""

    frames: Path
    """Folder of real thermal frames."""
    boxes: Path
    """Their boxes: a JSON object by image (see `pipelines.backgrounds.geometry.boxes.read_boxes`)."""
    folder: Path
    """Where the sets are put, each in a folder of its name."""
    camera: str
    """That took the frames."""
    count: int
    """Made frames of a set."""
    visible: Path | None = None
    """Folder of pictures of a visible camera, by the names of the frames; their boxes are ``boxes_crop``."""
    workers: int | None = None

    @property
    def size(self) -> str:
        """Width and height of the real frames: made ones show the same field of view."""
        height, width = _grey(list_images(self.frames)[0]).shape
        return f"{width}x{height}"

    def rows(self) -> dict[str, dict[str, Any]]:
        """Labels by image.

        Raises:
            DatasetError: They are in another form.
        """
        rows = read_object(self.boxes)
        if not all(isinstance(row, dict) and isinstance(_boxes(row), list) for row in rows.values()):
            raise DatasetError(f'{self.boxes}: expected {{image: {{"boxes": [...], "group": ...}}}}')
        return rows


def make_sets(material: Material, names: list[str]) -> dict[str, Path]:
    """Makes the sets that are missing, in this order: `pasted` needs `over_physics`."""
    places = {}
    for name in names:
        folder = places[name] = material.folder / name
        if not _mark(material, name).is_file():
            _MAKERS[name](material, folder)
            write_bytes(_mark(material, name), b"")
    return places


def _mark(material: Material, name: str) -> Path:
    """A file that is there when the set is whole."""
    return material.folder / f"{name}.whole"


def link_set(folder: Path, material: Material, name: str) -> None:
    """Takes a set that was made before: links to all that is in its folder."""
    for one in folder.iterdir():
        _link(one, material.folder / name / one.name)
    write_bytes(_mark(material, name), b"")


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_symlink():
        os.symlink(source.resolve(), target)


def _grey(path: Path) -> UInt8:
    return np.asarray(decode_grey(path.read_bytes(), path), dtype=np.uint8)


# --- real ones --------------------------------------------------------------------------------------------------------


def _boxes(row: Mapping[str, Any]) -> Any:
    return row.get("boxes_full", row.get("boxes"))


def _about(name: str, row: Mapping[str, Any], boxes: list[dict[str, Any]]) -> dict[str, Any]:
    """Labels of an image that was made from a real frame, named so that it is not trained on where that is tested."""
    kept = {key: row[key] for key in ("group", "time") if key in row}
    return {"boxes": boxes, "background": name, **kept}


def _real(material: Material, folder: Path) -> None:
    _link(material.frames, folder / "images")
    _link(material.boxes, folder / "boxes.json")


def _shifted(material: Material, folder: Path) -> None:
    """Labels moved to the lower right: what moved labels cost, and that the measure can tell."""
    _link(material.frames, folder / "images")
    rows = {
        name: _about(name, row, [{**box, "xyxy": [edge + SHIFT_PX for edge in box["xyxy"]]} for box in _boxes(row)])
        for name, row in material.rows().items()
    }
    write_json(folder / "boxes.json", rows)


def _visible(material: Material, folder: Path) -> None:
    """Grey pictures of a visible camera: the cheap way to more labelled images."""
    if material.visible is None:
        raise DatasetError("no pictures of a visible camera: give --visible, or leave the set out")
    rows = {}
    known = material.rows()
    for path in list_images(material.visible):
        row = known.get(path.stem, {})
        if row.get("crop_boxes_ok"):
            luma = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            write_bytes(folder / "images" / f"{path.stem}.png", encode_png(np.asarray(luma)))
            rows[path.stem] = _about(path.stem, row, row["boxes_crop"])
    write_json(folder / "boxes.json", rows)


# --- made ones --------------------------------------------------------------------------------------------------------


def _maker(*, model: str, scene: str = "city.blend", over: bool = False) -> Callable[[Material, Path], None]:
    def make(material: Material, folder: Path) -> None:
        config = SynthesizeConfig(
            out=folder, count=material.count, scene=Path(scene), camera=material.camera, size=material.size,
            model=model, backgrounds=material.frames if over else None, boxes=material.boxes if over else None,
            seed=OVER_SEED if over else MADE_SEED, workers=material.workers,
        )  # fmt: skip
        synthesize_dataset(config, progress=True, report=print)

    return make


def _pasted(material: Material, folder: Path) -> None:
    """The objects of `over_physics` at their places, each zone in one grey, with hard edges and without any shadow."""
    source = material.folder / "over_physics"
    shutil.copytree(source / "annotations", folder / "annotations", dirs_exist_ok=True)
    shutil.copy(source / "frames.jsonl", folder / "frames.jsonl")
    frames = {path.stem: path for path in list_images(material.frames)}
    levels = _levels(_zones(source))
    for name, record in tqdm(_records(source), desc="pasted"):
        mask, zones = (read_png(source / part / f"{name}.png") for part in ("masks", "zones"))
        path = frames[Path(record.background.name or "").stem]
        left, top, right, bottom = record.background.crop_px or (0, 0, mask.shape[1], mask.shape[0])
        window = resize_window(_grey(path), (left, top, right, bottom), mask.shape[1], mask.shape[0])
        write_bytes(folder / "images" / f"{name}.png", encode_png(paste(window, mask > 0, zones, levels)))


def _records(folder: Path) -> list[tuple[str, FrameRecord]]:
    return [(f"{record.index:06d}", record) for record in read_records(folder, FrameRecord)]


def _zones(folder: Path) -> Iterator[tuple[UInt8, NDArray[np.bool_], UInt8]]:
    for name, _ in _records(folder):
        image, mask, zones = (read_png(folder / part / f"{name}.png") for part in ("images", "masks", "zones"))
        yield image, mask > 0, zones


def _levels(frames: Iterator[tuple[UInt8, NDArray[np.bool_], UInt8]]) -> dict[int, float]:
    """Mean grey of each zone above the ground, over all objects of a set."""
    sums, counts = np.zeros(256), np.zeros(256)
    for image, mask, zones in frames:
        above = image[mask].astype(np.float64) - _ground(image, mask)
        sums += np.bincount(zones[mask], above, 256)
        counts += np.bincount(zones[mask], minlength=256)
    return {zone: float(sums[zone] / counts[zone]) for zone in np.flatnonzero(counts).tolist()}


def _ground(image: UInt8, mask: NDArray[np.bool_]) -> float:
    """Median grey of the lower half without objects."""
    half = image.shape[0] // 2
    seen = image[half:][~mask[half:]]
    return float(np.median(seen if seen.size else image))


def paste(background: UInt8, mask: NDArray[np.bool_], zones: UInt8, levels: Mapping[int, float]) -> UInt8:
    """Objects as flat greys, as far above the ground of this background as they are in the mean.

    Args:
        background: (H, W) frame without objects.
        mask: (H, W) where objects are.
        zones: (H, W) zone of each pixel.
        levels: Grey of each zone above the ground.
    """
    ground = _ground(background, np.zeros_like(mask))
    table = np.array([np.clip(ground + levels.get(zone, 0.0), 0, 255) for zone in range(256)])
    return np.asarray(np.where(mask, np.rint(table[zones]), background), dtype=np.uint8)


_MAKERS: Final[Mapping[str, Callable[[Material, Path], None]]] = {
    "real": _real,
    "shifted": _shifted,
    "visible": _visible,
    "worlds_physics": _maker(scene="worlds", model="physics"),
    "worlds_model": _maker(scene="worlds", model="pix2pix"),
    "city_physics": _maker(model="physics"),
    "city_model": _maker(model="pix2pix"),
    "over_physics": _maker(over=True, model="physics"),
    "over_model": _maker(over=True, model="pix2pix"),
    "pasted": _pasted,
}
