"""Samples, shards and the cache of decoded images, damaged in every way: one line each, or made anew."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import struct
import tarfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from gan.data.decoded_images import decode
from gan.data.layout import Sample, decode_sample, encode_sample
from gan.data.sample_files import find_samples, read_samples, shard_samples
from gan.data.sources import find_sources
from gan.errors import DataError, LayoutError
from pipelines.dataset.shards import read_shard
from pipelines.errors import DatasetError

RNG = np.random.default_rng(0)


def sample(index: int = 0) -> Sample:
    return Sample(
        index,
        RNG.integers(0, 256, (8, 10, 3)).astype(np.uint8),
        RNG.integers(0, 4, (8, 10)).astype(np.uint8),
        RNG.integers(0, 65536, (8, 10)).astype(np.uint16),
        RNG.integers(0, 65536, (8, 10)).astype(np.uint16),
        RNG.integers(0, 9, (8, 10)).astype(np.uint16),
        (280.0, 300.0),
    )


# --- shards -----------------------------------------------------------------------------------------------------------


def shard(path: Path, count: int = 3) -> Path:
    with tarfile.open(path, "w:", format=tarfile.USTAR_FORMAT) as archive:
        for index in range(count):
            add(archive, f"{index:06d}.safetensors", encode_sample(sample(index)))
    return path


def add(archive: tarfile.TarFile, name: str, data: bytes = b"", **fields: Any) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    for key, value in fields.items():
        setattr(member, key, value)
    archive.addfile(member, io.BytesIO(data))


def linked(kind: bytes, target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with tarfile.open(path, "w:") as archive:
            add(archive, "000000.safetensors", encode_sample(sample()))
            add(archive, "000001.safetensors", type=kind, linkname=target)

    return make


def header(**fields: Any) -> bytes:
    member = tarfile.TarInfo(fields.pop("name", "000001.safetensors"))
    for key, value in fields.items():
        setattr(member, key, value)
    return member.tobuf(tarfile.GNU_FORMAT)


def appended(data: bytes, end: bool = True) -> Callable[[Path], None]:
    """A whole first sample, and then this."""

    def make(path: Path) -> None:
        first = encode_sample(sample())
        whole = header(name="000000.safetensors", size=len(first)) + first + bytes(-len(first) % 512)
        path.write_bytes(whole + data + (bytes(1024) if end else b""))

    return make


def negative() -> bytes:
    block = bytearray(header(size=1))
    block[124:136] = b"\xff" * 11 + b"\x00"  # base 256, two's complement
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


def doubled(path: Path) -> None:
    with tarfile.open(path, "w:") as archive:
        for folder in ("a", "b"):
            add(archive, f"{folder}/000000.safetensors", encode_sample(sample()))


def damaged_header(path: Path) -> None:
    data = bytearray(shard(path).read_bytes())
    with tarfile.open(path) as archive:
        second = archive.getmembers()[1].offset
    data[second + 150] ^= 0x15
    path.write_bytes(data)


def sparse(path: Path) -> None:
    block = bytearray(header(size=512, type=tarfile.GNUTYPE_SPARSE))
    block[386:410] = b"%011o\0%011o\0" % (0, 512)
    block[483:495] = b"%011o\0" % (8 << 30)
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    appended(bytes(block) + bytes(512))(path)


SHARDS: dict[str, Callable[[Path], Any]] = {
    "symbolic link": linked(tarfile.SYMTYPE, "/etc/passwd"),
    "hard link": linked(tarfile.LNKTYPE, "000000.safetensors"),
    "device": linked(tarfile.CHRTYPE, ""),
    "named pipe": linked(tarfile.FIFOTYPE, ""),
    "folder": linked(tarfile.DIRTYPE, ""),
    "sparse, of 8 GB": sparse,
    "8 GB claimed": appended(header(size=8 << 30), end=False),
    "longer than the shard": appended(header(size=4096) + bytes(512), end=False),
    "negative size": appended(negative()),
    "extended header of 8 GB": appended(header(type=tarfile.XHDTYPE, size=8 << 30)),
    "extended header of 1 MB": appended(header(type=tarfile.XHDTYPE, size=1 << 20) + b"9 a=1111\n" * (1 << 17)),
    "extended header no pairs": appended(header(type=tarfile.XHDTYPE, size=512) + b"x" * 512),
    "long name of 8 GB": appended(header(type=tarfile.GNUTYPE_LONGNAME, size=8 << 30)),
    "header damaged": damaged_header,
    "end missing": lambda path: path.write_bytes(shard(path).read_bytes().rstrip(b"\0")[:-600]),
    "cut at a member's end": appended(b"", end=False),
    "two of one name": doubled,
    "no name": appended(header(name=".safetensors")),
    "empty": lambda path: path.write_bytes(b""),
    "zip": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(2000)),
    "gzip": lambda path: tarfile.open(path, "w:gz").close(),
}


@pytest.mark.parametrize("make", SHARDS.values(), ids=SHARDS.keys())
def test_shards_that_are_not_whole_are_one_line(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    path = tmp_path / "shard-000000.tar"
    make(path)
    for read in (shard_samples, lambda path: find_samples(path.parent), lambda path: find_sources(path.parent)):
        with pytest.raises(DataError, match=r"shard-000000\.tar|two samples") as error:
            read(path)
        assert "\n" not in str(error.value)
    with pytest.raises(DatasetError, match=r"shard-000000\.tar"):
        list(read_shard(path))


def test_names_in_a_shard_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "in/a.tar"
    path.parent.mkdir()
    with tarfile.open(path, "w:") as archive:
        for name in ("../../evil.safetensors", "/absolute.safetensors", "notes.txt"):
            add(archive, name, encode_sample(sample()))
    assert [stored.name for stored in find_samples(path.parent)] == ["absolute", "evil"]
    assert len(list(read_samples(path.parent))) == 2
    assert sorted(item.name for item in tmp_path.rglob("*")) == ["a.tar", "in"]


def test_whole_shards_are_read_as_the_library_reads_them(tmp_path: Path) -> None:
    """An independent oracle: tarfile's own extraction, of every format it writes."""
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        folder = tmp_path / str(kind)
        folder.mkdir()
        with tarfile.open(folder / "a.tar", "w:", format=kind) as archive:
            for name in ("000000", "b/" + "long" * (20 if kind == tarfile.USTAR_FORMAT else 40), "ä"):
                add(archive, f"{name}.safetensors", encode_sample(sample()))
        with tarfile.open(folder / "a.tar") as archive:
            expected = {member.name: archive.extractfile(member) for member in archive.getmembers()}
            for stored in shard_samples(folder / "a.tar"):
                file = expected.pop(stored.member)
                assert file is not None
                assert stored.read() == file.read()
        assert not expected


def test_hidden_files_pipes_and_giants_among_samples(tmp_path: Path) -> None:
    (tmp_path / "000000.safetensors").write_bytes(encode_sample(sample()))
    (tmp_path / "._000000.safetensors").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "._a.tar").write_bytes(b"\x00\x05\x16\x07")
    os.mkfifo(tmp_path / "pipe.safetensors")
    os.mkfifo(tmp_path / "pipe.tar")
    (tmp_path / "folder.tar").mkdir()
    assert [stored.name for stored in find_samples(tmp_path)] == ["000000"]
    with (tmp_path / "sparse.safetensors").open("wb") as stream:
        stream.truncate(8 << 30)
    with pytest.raises(LayoutError, match=r"sparse\.safetensors: holds 8\.6 GB"):
        find_samples(tmp_path)[1].load()


# --- samples ----------------------------------------------------------------------------------------------------------


def forged(**changes: Any) -> bytes:
    """A sample with other planes (arrays) or other metadata (all else)."""
    one = sample()
    planes = {"label_image": np.ascontiguousarray(one.label_image.transpose(2, 0, 1)), "segmentation": one.segmentation,
              "inverse_depth": one.inverse_depth, "target": one.target, "instance_id": one.instance_id}  # fmt: skip
    about = {"layout": "flat", "version": 2, "index": 0, "group": "", "span_K": [280.0, 300.0]}
    for key, value in changes.items():
        (planes if key in planes else about)[key] = value
    kept = {name: plane for name, plane in planes.items() if plane is not None}
    return safetensors.numpy.save(kept, metadata={"gis": json.dumps(about)})  # type: ignore[arg-type]


def raw(head: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(head) if length is None else length) + head


def with_metadata(text: str) -> bytes:
    return raw(json.dumps({"__metadata__": {"gis": text}}).encode())


SAMPLES = {
    "ids of one dimension": forged(instance_id=np.zeros(80, np.uint16)),
    "ids of 8 bits": forged(instance_id=np.zeros((8, 10), np.uint8)),
    "ids of floats": forged(instance_id=np.full((8, 10), np.nan, np.float32)),
    "target of another size": forged(target=np.zeros((8, 11), np.uint16)),
    "target of floats": forged(target=np.full((8, 10), np.nan, np.float32)),
    "class 4": forged(segmentation=np.full((8, 10), 4, np.uint8)),
    "segmentation of three dimensions": forged(segmentation=np.zeros((1, 8, 10), np.uint8)),
    "no dimension": forged(segmentation=np.zeros((), np.uint8)),
    "no pixels": forged(segmentation=np.zeros((0, 10), np.uint8)),
    "label image grey": forged(label_image=np.zeros((8, 10), np.uint8)),
    "depth of floats": forged(inverse_depth=np.full((8, 10), np.inf, np.float32)),
    "no depth": forged(inverse_depth=None),
    "index a text": forged(index="0"),
    "index negative": forged(index=-1),
    "index half": forged(index=0.5),
    "index of 300 digits": forged(index=10**300),
    "index infinite": forged(index=float("inf")),
    "span falling": forged(span_K=[300.0, 280.0]),
    "span NaN": forged(span_K=[float("nan"), 280.0]),
    "span of one": forged(span_K=[280.0]),
    "span a text": forged(span_K="ab"),
    "span of lists": forged(span_K=[[1], [2]]),
    "layout a list": forged(layout=["flat"]),
    "version a text": forged(version="2"),
    "head of 8 GB": raw(b"{}", 8 << 30),
    "head deep": raw(b"[" * 100_000),
    "metadata deep": with_metadata("[" * 100_000),
    "metadata a list": with_metadata("[]"),
    "metadata of long numbers": with_metadata('{"index": ' + "9" * 5000 + "}"),
    "metadata not UTF-8": raw(b'{"__metadata__": {"gis": "\xff"}}'),
    "empty": b"",
    "seven bytes": b"1234567",
    "pickle": pickle.dumps(os.getcwd),
}


@pytest.mark.parametrize("data", SAMPLES.values(), ids=SAMPLES.keys())
def test_damaged_samples_are_one_line_with_their_name(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(LayoutError, match=r"^a\.safetensors: ") as error:
        decode_sample(data, "a.safetensors")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("data", [SAMPLES["ids of one dimension"], SAMPLES["head deep"], SAMPLES["empty"]])
@pytest.mark.parametrize("place", [0, 2, 3])
def test_one_damaged_sample_ends_no_folder(tmp_path: Path, data: bytes, place: int) -> None:
    for index in range(4):
        whole = encode_sample(sample(index))
        (tmp_path / f"{index:06d}.safetensors").write_bytes(data if index == place else whole)
    decoded = decode(find_sources(tmp_path).items, tmp_path / "cache")
    assert len(decoded.names) == 3
    assert [name for name, _ in decoded.skipped] == [f"{place:06d}"]


# --- the cache of decoded images --------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for index in range(3):
        (tmp_path / f"{index:06d}.safetensors").write_bytes(encode_sample(sample(index)))
    return tmp_path


def index_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "index.json").read_text()))


def said(**changes: Any) -> Callable[[Path], None]:
    return lambda folder: (folder / "index.json").write_text(json.dumps(index_of(folder) | changes)) and None


def without(key: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        index = index_of(folder)
        del index[key]
        (folder / "index.json").write_text(json.dumps(index))

    return change


def array(name: str, values: Any) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / f"{name}.npy", values, allow_pickle=True)


class Canary:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("canary",)


def one_pixel(folder: Path) -> None:
    values = np.load(folder / "target.npy")
    values[1, 0, 3, 4] ^= 1
    np.save(folder / "target.npy", values)


def rows_swapped(folder: Path) -> None:
    values = np.load(folder / "target.npy")
    np.save(folder / "target.npy", values[[1, 0, 2]])


CACHES: dict[str, Callable[[Path], Any]] = {
    "index cut": lambda folder: (folder / "index.json").write_text('{"planes": ['),
    "index a list": lambda folder: (folder / "index.json").write_text("[]"),
    "index deep": lambda folder: (folder / "index.json").write_text("[" * 100_000),
    "index of another set": said(key="0" * 16),
    "planes outside": said(planes=["../../../x"]),
    "planes of 5000 characters": said(planes=["x" * 5000]),
    "planes numbers": said(planes=[1]),
    "planes none": said(planes=[]),
    "names a number": said(names=3),
    "names fewer": said(names=["000000"]),
    "digests numbers": said(digests=[1, 2, 3]),
    "skipped a number": said(skipped=3),
    "no groups": without("groups"),
    "array gone": lambda folder: (folder / "target.npy").unlink(),
    "array cut": lambda folder: (folder / "target.npy").write_bytes((folder / "target.npy").read_bytes()[:200]),
    "array empty": lambda folder: (folder / "target.npy").write_bytes(b""),
    "array of objects": array("target", np.array([Canary()], dtype=object)),
    "array of floats": array("target", np.zeros((3, 1, 8, 10))),
    "array of another shape": array("target", np.zeros((3, 1, 9, 10), np.uint16)),
    "array of two dimensions": array("target", np.zeros((3, 8), np.uint16)),
    "one pixel": one_pixel,
    "rows swapped": rows_swapped,
}


@pytest.mark.parametrize("damage", CACHES.values(), ids=CACHES.keys())
def test_a_damaged_cache_is_made_anew(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    items, cache = find_sources(data).items, tmp_path / "cache"
    whole = decode(items, cache)
    (folder,) = cache.iterdir()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.copytree(folder, tmp_path / "copy")
    del whole
    damage(folder)
    with pytest.warns(UserWarning, match="cache is damaged .*: made anew"):
        again = decode(items, cache)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(again.names) == 3
    assert not (tmp_path / "canary").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decode(items, cache)
