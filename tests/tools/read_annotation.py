"""What Datumaro and Label Studio make of exports, as JSON on standard output.

Run by the Python of an environment of their own (tests/tools/annotation.txt), which has nothing of this project::

    python read_annotation.py datumaro coco FOLDER
    python read_annotation.py label-studio FOLDER SPLIT OUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def datumaro(kind: str, folder: str) -> dict[str, Any]:
    """Sizes of the images that it reads, and its shapes: kind, class, whether it counts."""
    from datumaro import Dataset

    every = Dataset.import_from(folder, kind)
    data = [item for item in every if item.subset != "trainval"]  # which VOC has beside both of them
    names = [one.name for one in every.categories()[next(iter(every.categories()))]]
    shapes = [
        [one.type.name, names[one.label], not (one.attributes.get("is_crowd") or one.attributes.get("difficult"))]
        for item in data
        for one in item.annotations
    ]
    return {"images": [list(item.media.data.shape[:2]) for item in data], "shapes": shapes}


def label_studio(folder: str, split: str, out: str) -> dict[str, Any]:
    """The COCO file that its converter makes of the tasks of a split, and what its interface finds wrong in them."""
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.label_interface import LabelInterface

    config, tasks = Path(folder, "label_config.xml"), Path(folder, split, "tasks.json")
    interface = LabelInterface(config.read_text())
    interface.validate()
    errors = []
    for task in json.loads(tasks.read_text()):
        errors += interface.validate_prediction(task["annotations"][0], return_errors=True)
    converter = Converter(str(config), project_dir=folder, download_resources=False)
    converter.convert_to_coco(str(tasks), out, is_dir=False)
    return {"errors": errors, "coco": json.loads(Path(out, "result.json").read_text())}


if __name__ == "__main__":
    print(json.dumps({"datumaro": datumaro, "label-studio": label_studio}[sys.argv[1]](*sys.argv[2:])))
