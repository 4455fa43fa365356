"""``dataset.json``: what is true of a whole data set of `gis synthesize`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from renderer.zones.catalogue import ZONES

from pipelines.dataset.labels import MIN_VISIBLE_PX, ORDINARY
from pipelines.dataset.record import SCHEMA_VERSION, FrameRecord
from pipelines.errors import DatasetError
from pipelines.io.files import is_inside, short
from pipelines.io.typed_json import OMITTED_IF_NONE, from_json

__all__ = ["SCHEMA", "Counts", "DatasetDescription", "ObjectCounter", "ShardEntry", "dataset_header", "read_shards"]

SCHEMA: Final = "gis-dataset"
MOST_FRAMES: Final = 10**8
"""Frames of a data set: names have six digits, or a few more."""


@dataclass(frozen=True)
class Layout:
    """Of the source tensors."""

    name: str
    version: int


@dataclass(frozen=True)
class ShardEntry:
    """One file of source tensors."""

    name: str
    sha256: str
    first: int
    """Number of its first frame."""
    frames: int


def read_shards(about: Mapping[str, Any], where: Path | str) -> tuple[ShardEntry, ...]:
    """The shards that a description lists; none where it lists none.

    Raises:
        DatasetError: an entry lacks something, or names a file outside of its folder.
    """
    listed = about.get("shards", [])
    if not isinstance(listed, list):
        raise DatasetError(f"{where}: shards is {short(listed)}: expected a list")
    entries = tuple(from_json(ShardEntry, entry, f"{where}: shards[{place}]") for place, entry in enumerate(listed))
    for entry in entries:
        if not is_inside(entry.name) or not 0 <= entry.first <= MOST_FRAMES or not 0 <= entry.frames <= MOST_FRAMES:
            raise DatasetError(f"{where}: shard {short(entry.name)} lies outside, or has numbers that no frames have")
    return entries


@dataclass(frozen=True)
class Counts:
    """Images, and labelled objects that count, by what they are."""

    images: int
    objects: int
    category: Mapping[str, int]
    model: Mapping[str, int]
    profile: Mapping[str, int]
    occlusion: Mapping[str, int]
    weather: Mapping[str, int]
    """Images by weather."""
    real: Mapping[str, int] | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Labelled objects that the backgrounds show by themselves, by category; None where nothing is known of them."""
    ignored: int | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Labelled objects that do not count, because others hide most of them; None where there are none."""
    images_without_objects: int | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Images over real backgrounds in which nothing was put."""


@dataclass(frozen=True, kw_only=True)
class DatasetDescription:
    """The whole data set; the first entries, up to the configuration, no run in the same folder may differ in."""

    schema: str
    version: int
    layout: Layout
    categories: tuple[str, ...]
    min_visible_px: int
    zones: Mapping[str, int]
    """Values of ``zones/`` by name."""
    configuration: Mapping[str, Any]
    """As :meth:`pipelines.synthesis.options.synthesize.SynthesizeConfig.to_json` has it."""
    frames: int
    counts: Counts
    shards: tuple[ShardEntry, ...]
    complete: bool
    generator: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any], where: str = "dataset.json") -> DatasetDescription:
        """Of JSON values; the configuration of version 1 gets the names of this version.

        Raises:
            DatasetError: a value is missing or of another kind.
        """
        configuration = data.get("configuration")
        more = {"configuration": upgraded_configuration(configuration)} if isinstance(configuration, Mapping) else {}
        return from_json(cls, {**data, **more}, where)

    @property
    def place(self) -> Mapping[str, str]:
        """Name and hash of the backgrounds, or else of the scene."""
        place: Mapping[str, str] = self.configuration["backgrounds"] or self.configuration["scene"]
        return place


def upgraded_configuration(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The options with the names of this version."""
    names = {"backend": "model", "max_drift": "max_label_error"}
    return {names.get(key, key): value for key, value in configuration.items()}


def dataset_header(
    configuration: Mapping[str, Any],
    layout: str,
    layout_version: int,
    stored: Mapping[str, Any] | None = None,
    categories: Sequence[str] = ORDINARY,
) -> dict[str, Any]:
    """What stands in ``dataset.json`` from the beginning, and what no other run may differ in.

    Args:
        configuration: of the run.
        layout: of the source tensors.
        layout_version: its version.
        stored: the description that the folder has already: a data set from before there were all categories and zones
            goes on with those that it has.
        categories: that the frames may show.
    """
    stored = {} if stored is None else stored
    categories, zones = list(categories), {info.name: int(info.zone) for info in ZONES}
    if _is_earlier(stored.get("categories"), categories):
        categories = list(stored["categories"])
    if isinstance(earlier := stored.get("zones"), Mapping) and earlier.items() <= zones.items():
        zones = dict(earlier)
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "layout": {"name": layout, "version": layout_version},
        "categories": categories,
        "min_visible_px": MIN_VISIBLE_PX,
        "zones": zones,
        "configuration": upgraded_configuration(configuration),
    }


def _is_earlier(stored: Any, categories: list[str]) -> bool:
    """Whether a list holds the first of the categories."""
    return isinstance(stored, list) and bool(stored) and stored == categories[: len(stored)]


class ObjectCounter:
    """Counts over the records of a data set, as they go by."""

    def __init__(self) -> None:
        self._images = self._empty = self._ignored = 0
        self._known = self._over_images = False
        self._weather, self._real = Counter[str](), Counter[str]()
        self._category, self._model, self._profile, self._occlusion = (Counter[str]() for _ in range(4))

    def watch(self, records: Iterable[FrameRecord]) -> Iterator[FrameRecord]:
        """The records, each counted when it is asked for."""
        for record in records:
            self._add(record)
            yield record

    def _add(self, record: FrameRecord) -> None:
        self._images += 1
        self._weather[record.conditions.weather] += 1
        self._over_images |= record.background.kind == "image"
        self._known |= record.real_objects is not None
        self._empty += not record.labelled
        self._ignored += len(record.ignored)
        self._real.update(item.category for item in record.real_objects or () if item.labelled)
        for item in record.counted:
            self._category[item.category] += 1
            self._model[item.model] += 1
            self._profile[item.profile] += 1
            self._occlusion[str(item.occlusion)] += 1

    @property
    def counts(self) -> Counts:
        """Of the records that went by."""
        return Counts(
            self._images,
            self._category.total(),
            _sorted(self._category),
            _sorted(self._model),
            _sorted(self._profile),
            _sorted(self._occlusion),
            _sorted(self._weather),
            _sorted(self._real) if self._known else None,
            self._ignored or None,
            self._empty if self._over_images else None,
        )


def _sorted(table: Counter[str]) -> dict[str, int]:
    return dict(sorted(table.items()))
