"""Hugging Face: an image folder, ``metadata.jsonl`` beside the images of each split, and a card with the features.

`datasets.load_dataset(FOLDER)` reads from the card which files are which split; so does the hub's viewer.
``bbox`` is left, top, width, height in pixels, as COCO has it; ``ignored`` says what is not counted.

Source: https://huggingface.co/docs/datasets/image_dataset and .../hub/datasets-cards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pipelines.export.about import about, card_text
from pipelines.export.job import ExportFrame, Job, Picture
from pipelines.io.files import write_through

__all__ = ["HuggingFace"]

_SPLITS: Final = {"train": "train", "val": "validation", "test": "test"}
"""As the hub names them."""
_COLUMNS: Final = {"category": "string", "category_id": "int64", "area": "float64", "ignored": "bool", "real": "bool"}
"""Of the objects, beside ``bbox``; types as the library finds them in the lines."""


class HuggingFace:
    """Writes the hub's files."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"{_SPLITS[frame.split]}/{frame.name}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Nothing: the lines of a split stand in one file."""

    def write_whole(self, job: Job) -> None:
        """Writes the lines of each split, and the card."""
        for split in job.splits:
            path = job.out / _SPLITS[split] / "metadata.jsonl"
            write_through(path, lambda temporary, split=split: _write(temporary, job, split), root=job.out)  # type: ignore[misc]
        lines = ("---", *about(job).front_matter(), *_features(job), "---", "", *card_text(job))
        job.write_text("README.md", "\n".join(lines) + "\n")


def _write(path: Path, job: Job, split: str) -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(_line(frame, job.classes.names)) + "\n" for frame in job.frames(split))


def _line(frame: ExportFrame, names: Sequence[str]) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {name: [] for name in ("bbox", *_COLUMNS)}
    for item in frame.objects:
        left, top, right, bottom = item.box_px
        for place in item.classes:
            columns["bbox"].append([left, top, right - left, bottom - top])
            columns["category"].append(names[place])
            columns["category_id"].append(place)
            seen = item.instance.visible_px if item.instance else (right - left) * (bottom - top)
            columns["area"].append(float(seen))
            columns["ignored"].append(item.ignored)
            columns["real"].append(item.instance is None)
    record, (width, height) = frame.record, frame.size_px
    conditions = {"hour": record.conditions.hour, "weather": record.conditions.weather}
    about = {"image_id": record.index, "width": width, "height": height, **conditions}
    return {"file_name": f"{frame.name}.png", **about, "objects": columns}


def _features(job: Job) -> Iterator[str]:
    """What the card says to the library: columns with their types, and which files are which split."""
    yield from ("dataset_info:", "  features:", "  - name: image", "    dtype: image")
    kinds = (("image_id", "int64"), ("width", "int64"), ("height", "int64"), ("hour", "float64"), ("weather", "string"))
    for name, kind in kinds:
        yield from (f"  - name: {name}", f"    dtype: {kind}")
    yield from ("  - name: objects", "    struct:", "    - name: bbox", "      list:", "        list: float64")
    for name, kind in _COLUMNS.items():
        yield from (f"    - name: {name}", f"      list: {kind}")
    yield from ("configs:", "- config_name: default", "  data_files:")
    for split in job.splits:
        yield from (f"  - split: {_SPLITS[split]}", f"    path: {_SPLITS[split]}/**")
