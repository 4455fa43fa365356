"""Names of the classes that YOLO's numbers stand for: one a line, or the ``names`` of a data.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.errors import BackgroundError
from pipelines.io.files import short

__all__ = ["LIST_FILES", "ClassNames", "find_class_names", "is_list_of_names", "read_class_names"]

LIST_FILES: Final = ("classes.txt", "obj.names", "labels.txt")
"""Files with one name a line, as labelImg, darknet and CVAT, and others write them."""
_YAML_FILES: Final = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_LEVELS: Final = 3
"""Folders that are looked in: that of the labels, and two above it (``labels/train`` below the data.yaml)."""
_LARGEST: Final = 1 << 20
"""Bytes of a list: a thousand times that of COCO's."""


@dataclass(frozen=True)
class ClassNames:
    """The names, and what else their file says of the labels."""

    path: Path
    names: Mapping[int, str]
    keypoints: tuple[int, int] | None = None
    """Of pose labels (``kpt_shape``): how many points, and values of each."""

    def __getitem__(self, number: int) -> str:
        """Name of a class.

        Raises:
            ValueError: there is none of that number.
        """
        if number not in self.names:
            raise ValueError(f"class {number} is not in {self.path} ({len(self.names)} classes from 0)")
        return self.names[number]


def find_class_names(folder: Path) -> ClassNames | None:
    """The list in a folder of labels, else in the folders above it; None where there is none.

    Raises:
        BackgroundError: a list that cannot be read.
    """
    for place in [folder, *folder.resolve().parents][:_LEVELS]:
        for path in _candidates(place):
            if path.name != "labels.txt" or is_list_of_names(path):
                return read_class_names(path)
    return None


def read_class_names(path: Path) -> ClassNames:
    """The names in a list, or in a ``data.yaml``.

    Raises:
        BackgroundError: it cannot be read.
    """
    return _read_yaml(path) if path.suffix.lower() in (".yaml", ".yml") else _read_list(path)


def _candidates(folder: Path) -> Iterator[Path]:
    return (path for name in (*LIST_FILES, *_YAML_FILES) if (path := folder / name).is_file())


def is_list_of_names(path: Path) -> bool:
    """Whether a text holds names, and no labels of an image that is called ``labels``."""
    first = next((line.split() for line in _text(path).splitlines() if line.strip()), [])
    return not (len(first) >= 5 and _is_number(first[-1]))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ValueError("no file, but a folder, pipe or device")  # a pipe would be waited for
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path.stat().st_size} bytes")
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise BackgroundError(f"{path}: cannot be read as a list of classes ({error}): expected UTF-8 text") from None


def _read_list(path: Path) -> ClassNames:
    """One name a line; names may hold spaces, and an empty line counts, as it does for labelImg."""
    names = [line.strip() for line in _text(path).rstrip().split("\n")]
    return ClassNames(path, dict(enumerate(names)))


def _read_yaml(path: Path) -> ClassNames:
    data = _load_yaml(path)
    names = data.get("names") if isinstance(data, Mapping) else None
    listed = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(listed, dict) or not all(_is_entry(*entry) for entry in listed.items()):
        raise BackgroundError(f"{path}: names is {short(names)}: expected a list of names, or names by number")
    return ClassNames(path, {int(key): str(name) for key, name in listed.items()}, _keypoints(data.get("kpt_shape")))


def _is_entry(key: Any, name: Any) -> bool:
    # YAML takes `no`, `on` and `2` for a boolean and a number; as a name of a class they are meant as text.
    return isinstance(key, int) and not isinstance(key, bool) and isinstance(name, str | int | float)


def _keypoints(shape: Any) -> tuple[int, int] | None:
    fits = isinstance(shape, Sequence) and len(shape) == 2 and all(isinstance(one, int) for one in shape)
    return (shape[0], shape[1]) if fits and shape[1] in (2, 3) else None


def _load_yaml(path: Path) -> Any:
    """Plain values of a YAML file: no objects, and no aliases, by which a small file grows without end.

    Raises:
        BackgroundError: it cannot be read.
    """
    import yaml

    class PlainLoader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("an alias")
            return super().compose_node(parent, index)

    text = _text(path)
    try:
        return yaml.load(text, PlainLoader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BackgroundError(f"{path}: cannot be read as YAML ({reason}): expected a data.yaml with names") from None
