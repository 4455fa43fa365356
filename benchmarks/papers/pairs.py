"""Real pairs as `gis compare` reads them: what docs/models/comparison.md is measured on.

    python -m benchmarks.papers.pairs SHARED OUT

`SHARED` holds ``roadscene/`` (`crop_LR_visible`, `cropinfrared`, `boxes.json`) and ``msrs/`` (`vi`, `ir`). Written are
``OUT/roadscene`` and ``OUT/msrs``, each with ``visible/`` and ``infrared/`` as links, ``OUT/test.txt``, the images that
are held back, by sequence, and ``OUT/boxes.json``, COCO boxes of the crops where they fit these.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gan.data.images import list_images
from pipelines.io.files import read_object, write_json, write_text

__all__ = ["coco_boxes", "prepare", "test_names"]

_CLASSES: Final = ("car", "person", "bicycle")
_FOLDERS: Final = {
    "roadscene/visible": "roadscene/crop_LR_visible",
    "roadscene/infrared": "roadscene/cropinfrared",
    "msrs/visible": "msrs/vi",
    "msrs/infrared": "msrs/ir",
}


def test_names(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The images that are held back: whole sequences."""
    return sorted(name for name, row in rows.items() if row["split"] == "val")


def coco_boxes(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Boxes on the crops, of the images whose labels fit them; classes that are not street traffic are left out."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name in sorted(name for name, row in rows.items() if row.get("crop_boxes_ok")):
        width, height = rows[name]["crop_size"]
        images.append({"id": len(images) + 1, "file_name": f"{name}.jpg", "width": width, "height": height})
        for box in rows[name]["boxes_crop"]:
            if box["cls"] in _CLASSES:
                x0, y0, x1, y1 = box["xyxy"]
                place = {"id": len(annotations) + 1, "image_id": len(images), "bbox": [x0, y0, x1 - x0, y1 - y0]}
                annotations.append(place | {"category_id": _CLASSES.index(box["cls"]) + 1})
    categories = [{"id": number, "name": name} for number, name in enumerate(_CLASSES, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def prepare(shared: Path, out: Path) -> None:
    """Writes the folders, the list and the boxes.

    Raises:
        DataError: a folder of images is not there.
    """
    for ours, theirs in _FOLDERS.items():
        for path in list_images(shared / theirs):
            link = out / ours / path.name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(path.resolve())
    rows = read_object(shared / "roadscene" / "boxes.json")
    write_text(out / "test.txt", "\n".join(test_names(rows)) + "\n")
    write_json(out / "sequences.json", {name: str(row["group"]) for name, row in rows.items()})
    write_json(out / "boxes.json", coco_boxes(rows))


def main() -> None:
    """Prepares, and says what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    prepare(arguments.shared, arguments.out)
    count = len((arguments.out / "test.txt").read_text(encoding="utf-8").split())
    print(f"{arguments.out}: {count} images held back")


if __name__ == "__main__":
    main()
