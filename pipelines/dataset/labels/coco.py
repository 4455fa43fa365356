"""COCO labels: one JSON file for the whole data set, written image by image so that its size does not matter.

Beside the fields of COCO's detection task each annotation has ``instance_id`` (value in ``masks/``), ``model``,
``profile``, ``bbox_amodal``, ``occlusion``, ``truncation`` and ``box_3d``. ``bbox`` and ``area`` are of the visible
pixels, and ``segmentation`` is the run-length code of exactly these. Of `--passes amodal` there are
``segmentation_amodal`` and ``area_amodal`` too: all pixels inside the image that the object would cover if nothing
stood before it (COCO amodal: Zhu et al., "Semantic Amodal Segmentation", CVPR 2017).

What a real background shows by itself has ``source`` ``real``; only its box is known, so that ``segmentation`` is
empty. One that inserted objects mostly hide is a crowd (``iscrowd``) of its category, in which COCO's measure takes a
find for no mistake; a region in which nothing is labelled is a crowd of every category. An inserted object that others
mostly hide is such a crowd too, with its pixels and all else that is known of it. People have COCO's 17 ``keypoints``
where their joints are known; riders have ``rides``, the ``instance_id`` of their vehicle.

Of sequences there are ``videos`` and ``tracks`` too, as in TAO (Dave et al., ECCV 2020): images have ``video_id`` and
``frame_index``, and ``frame_id``, as CocoVID and BDD100K call it; annotations ``video_id`` and ``track_id``.
Images that have a visible twin name it, below the folder of the data set: ``visible_file_name``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from renderer.geometry.frame import Box2D, Instance

from pipelines.dataset.labels import CATEGORIES, NOT_COUNTED, SUPERCATEGORIES
from pipelines.dataset.labels.run_lengths import encode_rle
from pipelines.dataset.record import RealObject, SequenceRecord
from pipelines.io.files import write_through
from pipelines.io.typed_json import fields_to_json

__all__ = [
    "LabelledFrame",
    "amodal_entries",
    "coco_annotations",
    "coco_image",
    "real_annotations",
    "write_coco",
]

KEY_POINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
SKELETON = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10), (9, 11),
    (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip
"""Key points that COCO joins, from 1."""

Image = tuple[int, str, int, int]
"""Frame number, file name below ``images/``, width, height."""


@dataclass(frozen=True)
class LabelledFrame:
    """What COCO says of one image."""

    image: Image
    instances: Sequence[Instance]
    """The labelled objects."""
    codes: Sequence[str]
    """Their run-length codes."""
    real: Sequence[RealObject] = ()
    """What the background shows by itself."""
    ignored: Collection[int] = ()
    """Ids of the objects that do not count."""
    sequence: SequenceRecord | None = None
    """Where it lies in a sequence."""
    visible: str | None = None
    """File of its visible twin below the data set's folder."""


def write_coco(
    path: Path,
    frames: Iterable[LabelledFrame],
    categories: Sequence[str],
    head: Mapping[str, Any],
) -> None:
    """Writes the labels of all frames, in their order.

    Args:
        path: of the file.
        frames: one of each image; gone through once.
        categories: of the data set, the first of all there are.
        head: ``info`` and ``licenses``; images are of the licence 1.
    """
    write_through(path, lambda temporary: _write(temporary, frames, categories, head))


def _category(number: int, name: str) -> dict[str, Any]:
    """Entry of ``categories``."""
    entry = {"id": number, "name": name, "supercategory": SUPERCATEGORIES.get(name, "vehicle")}
    more = {"keypoints": [*KEY_POINTS], "skeleton": [list(pair) for pair in SKELETON]} if name == "person" else {}
    return {**entry, **more}


def _write(path: Path, frames: Iterable[LabelledFrame], names: Sequence[str], head: Mapping[str, Any]) -> None:
    categories = [_category(number, name) for number, name in enumerate(names, 1)]
    # COCO wants the images in one list and the annotations in another: those of a million frames wait in a file.
    with path.open("w", encoding="utf-8") as stream, TemporaryFile("w+", encoding="utf-8", dir=path.parent) as images:
        stream.write(json.dumps({**head, "categories": categories})[:-1] + ', "annotations": [')
        videos = Videos()
        _join(stream, _annotation_lines(frames, images, names, videos))
        stream.write('\n], "images": [')
        images.seek(0)
        shutil.copyfileobj(images, stream)
        stream.write("\n]" + videos.text() + "}\n")


def _annotation_lines(
    frames: Iterable[LabelledFrame], images: IO[str], categories: Sequence[str], videos: Videos
) -> Iterator[str]:
    number = 1
    for place, frame in enumerate(frames):
        images.write(_separator(place) + json.dumps(_image_entry(frame)))
        annotations = coco_annotations(frame.image, frame.instances, frame.codes, number, frame.ignored)
        videos.take(frame.sequence, frame.image, annotations)
        annotations += real_annotations(frame.image, frame.real, number + len(annotations), categories)
        yield from map(json.dumps, annotations)
        number += len(annotations)


def _join(stream: IO[str], lines: Iterable[str]) -> None:
    for place, line in enumerate(lines):
        stream.write(_separator(place) + line)


def _separator(place: int) -> str:
    return "\n" if place == 0 else ",\n"


def video_entries(sequence: SequenceRecord | None) -> dict[str, Any]:
    """What an image says of its place in a sequence; nothing where there is none."""
    if sequence is None:
        return {}
    return {"video_id": sequence.number, "frame_index": sequence.frame, "frame_id": sequence.frame}


class Videos:
    """Collects the ``videos`` and ``tracks`` of a file."""

    def __init__(self) -> None:
        self._videos: dict[int, dict[str, Any]] = {}
        self._tracks: dict[int, dict[str, Any]] = {}

    def take(self, sequence: SequenceRecord | None, image: Image, annotations: Sequence[dict[str, Any]]) -> None:
        """Adds the video and the tracks of an image, and says in its annotations which video they are of."""
        if sequence is None:
            return
        video, (_, _, width, height) = sequence.number, image
        entry = {"id": video, "name": f"{video:06d}", "width": width, "height": height, "metadata": {"dataset": "gis"}}
        self._videos.setdefault(video, entry)
        for one in annotations:
            one["video_id"] = video
            track = {"id": one["track_id"], "category_id": one["category_id"], "video_id": video}
            self._tracks.setdefault(one["track_id"], track)

    def text(self) -> str:
        """The lists as JSON that follows other entries; empty where there are none."""
        if not self._videos:
            return ""
        return f', "videos": {_lines(self._videos)}, "tracks": {_lines(self._tracks)}'


def _lines(entries: dict[int, dict[str, Any]]) -> str:
    inside = ",\n".join(json.dumps(entries[number]) for number in sorted(entries))
    return f"[\n{inside}\n]" if inside else "[]"


def _image_entry(frame: LabelledFrame) -> dict[str, Any]:
    twin = {} if frame.visible is None else {"visible_file_name": frame.visible}
    return coco_image(frame.image) | twin | video_entries(frame.sequence)


def coco_image(image: Image) -> dict[str, Any]:
    """Entry of ``images``."""
    index, name, width, height = image
    return {"id": index, "file_name": name, "width": width, "height": height, "license": 1}


def coco_annotations(
    image: Image, instances: Sequence[Instance], codes: Sequence[str], first: int, ignored: Collection[int] = ()
) -> list[dict[str, Any]]:
    """Entries of ``annotations`` of one image, numbered from ``first``."""
    index, _, width, height = image
    return [
        {
            "id": first + place,
            "image_id": index,
            "category_id": CATEGORIES.index(instance.category) + 1,
            "bbox": _corner_and_size(instance.box_visible_px or instance.box_amodal_px),
            "area": instance.visible_px,
            "segmentation": {"size": [height, width], "counts": code},
            "iscrowd": int(instance.id in ignored),
            "instance_id": instance.id,
            "model": instance.model,
            "profile": instance.profile,
            "bbox_amodal": _corner_and_size(instance.box_amodal_px),
            "occlusion": instance.occlusion,
            "truncation": instance.truncation,
            "box_3d": fields_to_json(instance.box_3d),
            **amodal_entries(instance, height, width),
            **_key_points(instance),
            **({} if instance.rides is None else {"rides": instance.rides}),
            **({} if (track := getattr(instance, "track_id", None)) is None else {"track_id": track}),
        }
        for place, (instance, code) in enumerate(zip(instances, codes, strict=True))
    ]


def amodal_entries(instance: Instance, height: int, width: int) -> dict[str, Any]:
    """The whole of an object inside the image, though hidden, where it is known."""
    code = getattr(instance, "rle_amodal", None)
    if code is None:
        return {}
    return {
        "segmentation_amodal": {"size": [height, width], "counts": code},
        "area_amodal": instance.amodal_px,
    }


def _key_points(instance: Instance) -> dict[str, Any]:
    """COCO's entries of a person whose joints are known."""
    if instance.key_points is None:
        return {}
    seen = sum(point[2] > 0 for point in instance.key_points)
    return {"keypoints": [value for point in instance.key_points for value in point], "num_keypoints": seen}


def real_annotations(
    image: Image, real: Sequence[RealObject], first: int, categories: Sequence[str] = CATEGORIES
) -> list[dict[str, Any]]:
    """Entries of what the background shows by itself, numbered from ``first``."""
    chosen = [(item, name) for item in real for name in _categories(item, categories)]
    return [
        {
            "id": first + place,
            "image_id": image[0],
            "category_id": CATEGORIES.index(name) + 1,
            "bbox": _corner_and_size(item.box_px),
            "area": (item.box_px[2] - item.box_px[0]) * (item.box_px[3] - item.box_px[1]),
            "segmentation": [] if item.labelled else _rectangle(item.box_px, image[2], image[3]),
            "iscrowd": int(not item.labelled),
            "source": "real",
        }
        for place, (item, name) in enumerate(chosen)
    ]


def _categories(item: RealObject, categories: Sequence[str]) -> Sequence[str]:
    if item.category in categories:
        return (item.category,)
    return categories if item.category in NOT_COUNTED else ()


def _rectangle(box: Box2D, width: int, height: int) -> dict[str, Any]:
    """Run-length code of all pixels of a box; a crowd has no outline in COCO."""
    left, top, right, bottom = (round(edge) for edge in box)
    runs: list[int] = [left * height + top]
    for _ in range(right - left - 1):
        runs += [bottom - top, height - (bottom - top)]
    runs += [bottom - top, width * height - sum(runs) - (bottom - top)]
    return {"size": [height, width], "counts": encode_rle(runs)}


def _corner_and_size(box: Box2D) -> list[float]:
    left, top, right, bottom = box
    return [left, top, right - left, bottom - top]
