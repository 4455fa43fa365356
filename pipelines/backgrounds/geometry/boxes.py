"""Boxes of what a background shows already: COCO, YOLO, KITTI and DOTA labels, or one JSON object by image.

The kinds are reduced to those whose size is known: ``car``, ``person`` and ``other``. An image's boxes are found by the
stem of its name, so that a copy of the images in another format keeps its labels.
"""

from __future__ import annotations

import collections
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pipelines.backgrounds.geometry.class_names import (
    LIST_FILES,
    ClassNames,
    find_class_names,
    is_list_of_names,
    read_class_names,
)
from pipelines.backgrounds.geometry.label_lines import LabelLine, parse_line
from pipelines.errors import BackgroundError, DatasetError
from pipelines.io.coco import CocoImage, is_coco, is_made_by_gis, name_stem, read_coco
from pipelines.io.files import read_json

__all__ = ["KnownBox", "has_area", "known_box", "read_boxes", "to_crop"]

Box = tuple[float, float, float, float]

CARS = frozenset({"car"})
PEOPLE = frozenset({"person", "pedestrian", "person_sitting"})
KINDS = {**dict.fromkeys(CARS, "car"), **dict.fromkeys(PEOPLE, "person")}
IGNORED = frozenset({"dontcare"})
PICTURES: Final = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
COMMENTS: Final = ("#", "imagesource:", "gsd:")
"""Beginnings of lines that are no labels; the last two stand in DOTA's files."""
LONGEST_LINE: Final = 1 << 20
"""Characters: a polygon of 50 000 points."""
MOST_BOXES: Final = 2000
"""In one image: beyond, a file is a list of something else."""
ALIKE_LINES, ALIKE_COLUMNS = 8, 11
"""From so many lines on, all with the same number of columns, that is so high, polygons may be key points."""


@dataclass(frozen=True)
class KnownBox:
    """One object that is in the picture already."""

    kind: str
    """``car``, ``person`` or ``other``."""
    box_px: Box
    """``(left, top, right, bottom)``: pixels of the image, or shares of its sides where :attr:`relative`."""
    outline_px: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Polygons of its silhouette, where they are known; in the same unit."""
    relative: bool = False
    label: str = ""
    """The category's name as the labels have it."""
    crowd: bool = False
    """Many objects in one box, as COCO says of it."""

    @property
    def dont_care(self) -> bool:
        """A region in which single objects are not labelled: KITTI's DontCare."""
        return self.label.lower() in IGNORED

    def in_pixels(self, width: int, height: int) -> KnownBox:
        """The same in pixels of an image of that size."""
        if not self.relative:
            return self
        left, top, right, bottom = self.box_px
        outline = tuple(tuple((x * width, y * height) for x, y in ring) for ring in self.outline_px)
        place = (left * width, top * height, right * width, bottom * height)
        return replace(self, box_px=place, outline_px=outline, relative=False)


def read_boxes(
    path: Path, report: Callable[[str], None] = lambda line: None, *, keep_dont_care: bool = False
) -> dict[str, tuple[KnownBox, ...]]:
    """Boxes by the stem of their image's name.

    Args:
        path: a COCO file (``images`` and ``annotations``); a JSON object ``{image: {"boxes": [{"cls": "car", "xyxy":
            [left, top, right, bottom]}]}}`` (``boxes_full`` is read like ``boxes``); a folder of text files, one per
            image, in a dialect that :mod:`.label_lines` knows, the names of YOLO's classes in its ``classes.txt`` or
            ``data.yaml``, or one of these in a folder above; or that data.yaml, for the labels below its folder.
        report: takes a line for the user: what the lines were taken for, and what was left out.
        keep_dont_care: also give KITTI's DontCare regions.

    Raises:
        BackgroundError: none of these, or a box that is none.
    """
    boxes = _read_all(path, report)
    if keep_dont_care:
        return boxes
    return {stem: tuple(box for box in every if not box.dont_care) for stem, every in boxes.items()}


def _read_all(path: Path, report: Callable[[str], None]) -> dict[str, tuple[KnownBox, ...]]:
    if path.is_dir():
        return _read_folder(path, None, report)
    if path.suffix.lower() in (".yaml", ".yml"):
        return _read_folder(path.parent, read_class_names(path), report)
    try:
        data = read_json(path, allow_nan=True)
        if is_coco(data):
            images = _told(path, read_coco(data, str(path)), report, by_gis=is_made_by_gis(data))
            return _limited(path, {image.name: _of_coco(image) for image in images})
    except DatasetError as error:
        raise BackgroundError(str(error)) from None
    try:
        return _limited(path, _by_image(data))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BackgroundError(
            f"{path}: boxes could not be read ({error!r}): expected COCO, or an object by image with "
            "'boxes': [{'cls': 'car', 'xyxy': [left, top, right, bottom]}]"
        ) from None


def _limited(path: Path, boxes: dict[str, tuple[KnownBox, ...]]) -> dict[str, tuple[KnownBox, ...]]:
    for name, known in boxes.items():
        if len(known) > MOST_BOXES:
            raise BackgroundError(f"{path}: image {name} has {len(known)} boxes: expected at most {MOST_BOXES}")
    return boxes


def to_crop(
    boxes: Iterable[KnownBox], size_px: tuple[int, int], crop_px: Box, width: int, height: int
) -> list[KnownBox]:
    """Boxes of an image in the pixels of a window of it; what lies outside the window keeps its place there.

    Args:
        boxes: of the whole image.
        size_px: its width and height.
        crop_px: the window ``(left, top, right, bottom)``.
        width: of the resized window.
        height: of the resized window.
    """
    left, top, right, bottom = crop_px
    sx, sy = width / (right - left), height / (bottom - top)
    moved = []
    for box in boxes:
        whole = box.in_pixels(*size_px)
        a, b, c, d = whole.box_px
        outline = tuple(tuple(((x - left) * sx, (y - top) * sy) for x, y in ring) for ring in whole.outline_px)
        place = ((a - left) * sx, (b - top) * sy, (c - left) * sx, (d - top) * sy)
        moved.append(replace(whole, box_px=place, outline_px=outline))
    return moved


def known_box(
    name: str, values: Iterable[Any], *, relative: bool = False, outline: Any = (), crowd: bool = False
) -> KnownBox:
    """A box.

    Raises:
        ValueError: no box.
    """
    left, top, right, bottom = (float(value) for value in values)
    if not all(map(math.isfinite, (left, top, right, bottom))) or not (left < right and top < bottom):
        raise ValueError(f"box {(left, top, right, bottom)} has no area")
    label = name.strip().lower()
    place, kind = (left, top, right, bottom), "other" if crowd else KINDS.get(label, "other")
    return KnownBox(kind, place, tuple(outline), relative, name.strip(), crowd)


# --- JSON -------------------------------------------------------------------------------------------------------------


def _by_image(data: Any) -> dict[str, tuple[KnownBox, ...]]:
    """An object by image.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, OverflowError: it is none.
    """
    found: dict[str, tuple[KnownBox, ...]] = {}
    for name, entry in data.items():
        stem = name_stem(name)
        if stem in found:
            raise ValueError(f"two images are named {stem!r} (folders and suffixes do not count)")
        found[stem] = tuple(_read_entry(entry))
    return found


def _read_entry(entry: Any) -> Iterator[KnownBox]:
    items = entry if isinstance(entry, list) else entry.get("boxes_full", entry.get("boxes", []))
    for item in items:
        yield known_box(str(item["cls"]), item["xyxy"])


def _of_coco(image: CocoImage) -> tuple[KnownBox, ...]:
    """Boxes of an image; many objects in one box (``iscrowd``) have no known size, and boxes without area no place."""
    boxes = (box for box in image.boxes if has_area(box.box_px))
    return tuple(known_box(box.label, box.box_px, outline=box.outline_px, crowd=box.crowd) for box in boxes)


def has_area(box: Box) -> bool:
    """Whether anything lies in it."""
    return box[0] < box[2] and box[1] < box[3]


def _told(
    path: Path, images: tuple[CocoImage, ...], report: Callable[[str], None], *, by_gis: bool
) -> tuple[CocoImage, ...]:
    """Says what is left out, and what is taken for less than a label; not of what gis itself has marked so."""
    boxes = [box for image in images for box in image.boxes]
    empty, crowds = sum(not has_area(box.box_px) for box in boxes), sum(box.crowd for box in boxes)
    if empty:
        report(f"{path}: {empty} of {len(boxes)} boxes have no area and were left out")
    if crowds and not by_gis:
        report(f"{path}: {crowds} of {len(boxes)} boxes hold a crowd (iscrowd): obstacles, but of no known size")
    return images


# --- folders of text files --------------------------------------------------------------------------------------------


def _read_folder(
    folder: Path, given: ClassNames | None, report: Callable[[str], None]
) -> dict[str, tuple[KnownBox, ...]]:
    files = _label_files(folder)
    classes = given or find_class_names(files[0].parent)
    counts: collections.Counter[str] = collections.Counter()
    columns: collections.Counter[int] = collections.Counter()
    found: dict[str, tuple[KnownBox, ...]] = {}
    for path in files:
        if path.stem in found:
            raise BackgroundError(f"{path}: a second file of labels for an image {path.stem!r}; expected one")
        lines = list(itertools.islice(_read_lines(path, classes, columns), MOST_BOXES + 1))
        if len(lines) > MOST_BOXES:
            raise BackgroundError(f"{path}: more than {MOST_BOXES} labels: expected those of one image")
        counts.update(line.dialect for line, _ in lines)
        found[path.stem] = tuple(box for _, box in lines if box is not None)
    _report_dialects(folder, classes, counts, columns, report)
    return found


def _label_files(folder: Path) -> list[Path]:
    """Text files of a folder; those of all folders below it, where it holds none itself.

    Raises:
        BackgroundError: there are none.
    """
    for pattern in ("*.txt", "**/*.txt"):
        files = sorted(path for path in folder.glob(pattern) if path.is_file() and _holds_labels(path))
        if files:
            return files
    raise BackgroundError(
        f"{folder} holds no .txt files of labels: expected KITTI, YOLO or DOTA, one file per image "
        "(XML of Pascal VOC and JSON of LabelMe are not read: convert them to COCO)"
    )


def _holds_labels(path: Path) -> bool:
    """No hidden file, no list of classes, no list of pictures (``train.txt``), no README."""
    if path.name.startswith(".") or path.name.lower().startswith("readme"):
        return False
    if path.name in LIST_FILES:
        return path.name == "labels.txt" and not is_list_of_names(path)
    with path.open("rb") as stream:
        first = stream.readline(4096).strip().lower()
    return not first.endswith(tuple(suffix.encode() for suffix in PICTURES))


def _read_lines(
    path: Path, classes: ClassNames | None, columns: collections.Counter[int]
) -> Iterator[tuple[LabelLine, KnownBox | None]]:
    """The lines of a file and their boxes; counts the columns of those with many."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BackgroundError(f"{path}: cannot be read ({error}): expected labels as UTF-8 text") from None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line[:LONGEST_LINE].split()
        if not words or words[0].lower().startswith(COMMENTS):
            continue
        try:
            parsed = parse_line(words, classes)
            box = _box_of(parsed)
        except ValueError as error:
            raise BackgroundError(
                f"{path}, line {number}: {error}: expected KITTI (a name and 14 numbers), or YOLO's 'class x y width "
                "height' or 'class x1 y1 x2 y2 ...' in shares of the image, with a classes.txt or data.yaml"
            ) from None
        if parsed.outline:
            columns[len(words)] += 1
        yield parsed, box


def _box_of(line: LabelLine) -> KnownBox | None:
    """None for regions that no object is in, and for what has no width or no height.

    Raises:
        ValueError: right of left, or below above.
    """
    left, top, right, bottom = line.box
    if (left == right and top <= bottom) or (top == bottom and left <= right):
        return None
    rings = (line.outline,) if line.outline else ()
    return known_box(line.label, line.box, relative=line.relative, outline=rings)


def _report_dialects(
    folder: Path,
    classes: ClassNames | None,
    counts: Mapping[str, int],
    columns: Mapping[int, int],
    report: Callable[[str], None],
) -> None:
    """Says what the lines were taken for, where they can be several things."""
    if set(counts) <= {"KITTI"} or (set(counts) == {"YOLO boxes"} and _beside(folder, classes)):
        return
    listed = ", ".join(f"{dialect}: {count}" for dialect, count in sorted(counts.items()))
    names = f"; classes of {classes.path}" if classes is not None and any("YOLO" in one for one in counts) else ""
    report(f"{folder}: lines of labels were read as {listed}{names}")
    if len(columns) == 1:
        ((width, many),) = columns.items()
        if width >= ALIKE_COLUMNS and many >= ALIKE_LINES and classes is not None and classes.keypoints is None:
            report(f"{folder}: all polygons have {width} columns: if these are key points, say kpt_shape in data.yaml")


def _beside(folder: Path, classes: ClassNames | None) -> bool:
    return classes is not None and classes.path.parent == folder
