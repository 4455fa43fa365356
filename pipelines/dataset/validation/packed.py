"""A packed data set: each shard against its hash, its index against what the shard holds, and samples of large sets."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pipelines.dataset.description import read_shards
from pipelines.dataset.frame_files import FilesInMemory, FrameFiles
from pipelines.dataset.packed.members import read_members
from pipelines.dataset.packed.reader import FRAMES, OBJECTS, SHARDS, PackedSet, shard_name
from pipelines.dataset.packed.tables import About, FrameRow
from pipelines.dataset.record import FrameRecord, parse_line
from pipelines.errors import ConfigError, DatasetError
from pipelines.io.files import sha256
from pipelines.io.stores import Store

__all__ = ["chosen_frames", "index_files", "packed_batches"]

Batch = list[tuple[tuple[FrameRecord, dict[str, Any]], FrameFiles]]


def chosen_frames(sample: str, count: int) -> frozenset[int]:
    """Numbers of the frames of a sample, evenly spread, the first and the last among them.

    Args:
        sample: ``1%``, or a number of frames.
        count: frames that there are.

    Raises:
        ConfigError: neither.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(%?)", sample.strip())
    share = float(found[1]) if found else 0.0
    if found is None or not share or (found[2] and share > 100):
        raise ConfigError(f"sample {sample!r}: expected a share such as 1%, or a number of frames")
    most = min(max(round(count * share / 100 if found[2] else share), 2), count)
    return frozenset(round(place * (count - 1) / max(most - 1, 1)) for place in range(most))


def index_files(about: Mapping[str, Any]) -> set[str]:
    """Names of the index of all shards that a description lists."""
    stems = [entry.name.rpartition("/")[2].removesuffix(".tar") for entry in read_shards(about, "dataset.json")]
    return {f"{folder}/{stem}.parquet" for stem in stems for folder in (FRAMES, OBJECTS)}


def packed_batches(
    store: Store, about: Mapping[str, Any], report: Any, wanted: Collection[int] | None
) -> Iterator[Batch]:
    """Frames with their files, those of one shard after the other; the report gets what is wrong with the shards.

    Args:
        store: where the data set is.
        about: its description.
        report: gets problems and the number of frames.
        wanted: numbers of the frames that are looked at; None for all.
    """
    packed = PackedSet(store)
    listed = {entry.name: entry for entry in read_shards(about, "dataset.json")}
    for number in packed.numbers():
        name, problems = f"{SHARDS}/{shard_name(number)}.tar", report.problems
        try:
            told, rows = packed.about(number), packed.rows(number)
            entry = listed.pop(name, None)
            if about.get("complete") and (entry is None or (entry.sha256, entry.first) != (told.sha256, told.first)):
                problems.append(f"{name}: dataset.json says another hash than its index, or does not list it")
            if [row.index for row in rows] != list(told.numbers) or told.first != report.frames:
                problems.append(
                    f"{packed.where(number)}: lists other frames than {told.first} to {told.numbers.stop - 1}"
                )
            report.frames += len(rows)
            if wanted is None:
                yield _whole(packed, number, told, rows, problems)
            elif some := [row for row in rows if row.index in wanted]:
                yield _some(packed, some, problems)
        except DatasetError as error:
            problems.append(str(error).removeprefix(f"{store.where}/"))
    report.problems += [f"{name}: is listed in dataset.json and has no index" for name in listed]


def _whole(packed: PackedSet, number: int, told: About, rows: Sequence[FrameRow], problems: list[str]) -> Batch:
    """The frames of a shard, each against its row."""
    name = f"{SHARDS}/{shard_name(number)}.tar"
    data = packed.shard(number)
    if sha256(data) != told.sha256 or len(data) != told.size:
        problems.append(f"{name}: is not the file that was written (its SHA-256 differs from its index)")
    batch: Batch = []
    held = [*read_members(data, name)]
    if [index for index, _, _ in held] != [row.index for row in rows]:
        problems.append(f"{name}: holds other frames than its index lists")
    for (index, line, contents), row in zip(held, rows, strict=False):
        places = {file: data[start : start + size] for file, (start, size) in row.places.items()}
        if line != row.line or places != contents:
            problems.append(f"{name}: frame {index} is not the one of which its index tells")
        batch += _read(index, line, FilesInMemory(contents), name, problems)
    problems += _object_problems(packed, number, [record for (record, _), _ in batch])
    return batch


def _some(packed: PackedSet, rows: Sequence[FrameRow], problems: list[str]) -> Batch:
    """Some frames of a shard, which is not read whole."""
    files = packed.files()
    return [one for row in rows for one in _read(row.index, row.line, files, FRAMES, problems)]


def _read(index: int, line: str, files: FrameFiles, where: str, problems: list[str]) -> Batch:
    from pathlib import Path

    try:
        data = parse_line(line, index, Path(where))
        record = FrameRecord.from_json(data, f"{where}: frame {index}")
    except DatasetError as error:
        problems.append(str(error))
        return []
    problems += [f"{file}: is missing in {where}" for file in record.files if not files.has(file)]
    return [((record, data), files)]


def _object_problems(packed: PackedSet, number: int, records: Sequence[FrameRecord]) -> Iterator[str]:
    """The table of objects, against the records."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = f"{OBJECTS}/{shard_name(number)}.parquet"
    wanted = [
        (record.index, item.id, item.category, item.visible_px, bool(item.ignored))
        for record in records
        for item in record.instances
        if item.labelled
    ]
    columns = ("frame", "id", "category", "visible_px", "ignored")
    try:
        table = pq.read_table(io.BytesIO(packed.store.read(name)), columns=list(columns)).to_pydict()
    except (pa.ArrowInvalid, OSError, KeyError, DatasetError) as error:
        yield f"{name}: cannot be read ({error}): give the command again that made it"
        return
    if list(zip(*(table[column] for column in columns), strict=True)) != wanted:
        yield f"{name}: lists other objects than the records of its frames"
