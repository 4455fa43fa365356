"""The index of a shard: a Parquet file of its frames, each with its whole record, and one of their labelled objects.

All files of one kind are one table to whoever reads the folder: ``pyarrow.dataset.dataset("set/frames")``, DuckDB's
``read_parquet('set/frames/*.parquet')``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from renderer.text_files import parse_json

from pipelines.dataset.packed.members import Places
from pipelines.dataset.record import FrameRecord
from pipelines.errors import DatasetError
from pipelines.io.typed_json import from_json

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["About", "FrameRow", "frames_table", "objects_table", "read_about", "read_rows"]

_KEY: Final = b"gis"


@dataclass(frozen=True)
class About:
    """What the index says of its shard."""

    shard: str
    """Name below the data set."""
    sha256: str
    size: int
    first: int
    """Number of its first frame."""
    frames: int
    shard_frames: int
    """Frames of a full shard."""

    @property
    def numbers(self) -> range:
        """Of its frames."""
        return range(self.first, self.first + self.frames)


@dataclass(frozen=True)
class FrameRow:
    """A frame in the index."""

    index: int
    line: str
    """As it stands in ``frames.jsonl`` of the same data set in single files."""
    places: Places


def frames_table(about: About, frames: Sequence[tuple[FrameRecord, str, Places]]) -> bytes:
    """The Parquet file of the frames of a shard: records, their lines, and where their files lie."""
    import json

    import pyarrow as pa

    place = pa.struct([("name", pa.string()), ("offset", pa.int64()), ("size", pa.int64())])
    columns = {
        "index": pa.array([record.index for record, _, _ in frames], pa.int64()),
        "shard": pa.array([about.shard] * len(frames), pa.string()),
        "scene": pa.array([record.scene for record, _, _ in frames], pa.string()),
        "background": pa.array([record.background.name for record, _, _ in frames], pa.string()),
        "weather": pa.array([record.conditions.weather for record, _, _ in frames], pa.string()),
        "hour": pa.array([float(record.conditions.hour) for record, _, _ in frames], pa.float64()),
        "width": pa.array([record.camera.width for record, _, _ in frames], pa.int32()),
        "height": pa.array([record.camera.height for record, _, _ in frames], pa.int32()),
        "objects": pa.array([len(record.counted) for record, _, _ in frames], pa.int32()),
        "label_error": pa.array([_score(record) for record, _, _ in frames], pa.float64()),
        "files": pa.array([_places(places) for _, _, places in frames], pa.list_(place)),
        "record": pa.array([line for _, line, _ in frames], pa.string()),
    }
    return _packed(pa.table(columns).replace_schema_metadata({_KEY: json.dumps(asdict(about)).encode()}))


def _score(record: FrameRecord) -> float | None:
    return None if record.label_error is None else record.label_error.score


def _places(places: Places) -> list[dict[str, Any]]:
    return [{"name": name, "offset": offset, "size": size} for name, (offset, size) in places.items()]


def objects_table(records: Sequence[FrameRecord]) -> bytes:
    """The Parquet file of the labelled objects of a shard."""
    import pyarrow as pa

    items = [(record.index, item) for record in records for item in record.labelled]
    boxes = [item.box_visible_px or item.box_amodal_px for _, item in items]
    columns = {
        "frame": pa.array([frame for frame, _ in items], pa.int64()),
        "id": pa.array([item.id for _, item in items], pa.int32()),
        "category": pa.array([item.category for _, item in items], pa.string()),
        "model": pa.array([item.model for _, item in items], pa.string()),
        "profile": pa.array([item.profile for _, item in items], pa.string()),
        "ignored": pa.array([bool(item.ignored) for _, item in items], pa.bool_()),
        **{side: pa.array([float(box[k]) for box in boxes], pa.float64()) for k, side in enumerate(_SIDES)},
        "visible_px": pa.array([item.visible_px for _, item in items], pa.int64()),
        "occlusion": pa.array([item.occlusion for _, item in items], pa.int32()),
        "truncation": pa.array([float(item.truncation) for _, item in items], pa.float64()),
        "distance_m": pa.array([float(item.box_3d.centre_m[2]) for _, item in items], pa.float64()),
    }
    return _packed(pa.table(columns))


_SIDES: Final = ("left", "top", "right", "bottom")


def _packed(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def read_about(data: bytes, where: str) -> About:
    """What an index says of its shard.

    Raises:
        DatasetError: no index of ours.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        told = pq.read_schema(io.BytesIO(data)).metadata[_KEY]
        return from_json(About, parse_json(told), where)
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{where}: is no index of a shard ({error}): give the command again that made it") from error


def read_rows(data: bytes, where: str) -> list[FrameRow]:
    """The frames of an index.

    Raises:
        DatasetError: no index of ours.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(io.BytesIO(data), columns=["index", "files", "record"]).to_pylist()
        return [
            FrameRow(row["index"], row["record"], {one["name"]: (one["offset"], one["size"]) for one in row["files"]})
            for row in rows
        ]
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{where}: is no index of a shard ({error}): give the command again that made it") from error
