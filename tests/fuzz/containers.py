"""safetensors and tar files that are wrong on purpose, with right hashes."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
from typing import Any

from fuzz.damage import Rng, broken_json, damaged, json_damage, json_text

Header = dict[str, Any]
DTYPES = ("F16", "F32", "F64", "BF16", "I8", "U8", "U16", "I64", "BOOL", "F8_E4M3", "NONSENSE", "")
SHAPES: tuple[Any, ...] = ([], [0], [-1], [1], [1 << 40], [1 << 62, 4], [1] * 70, [2, 0, 3], None, "x", [1.5], [None])


def split(data: bytes) -> tuple[Header, bytes]:
    """Header and body of a safetensors file."""
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def joined(header: Header | str, body: bytes) -> bytes:
    """A safetensors file."""
    text = (header if isinstance(header, str) else json_text(header)).encode()
    return struct.pack("<Q", len(text)) + text + body


def sealed(header: Header, body: bytes, text: str) -> bytes:
    """A container of gis with a description, and the right hash over it and all tensors, as its reader computes it."""
    from safetensors.torch import load

    from gan.storage.container import _digest

    try:
        tensors = load(joined({**header, "__metadata__": {}}, body))
        digest = _digest(tensors, text)
    except Exception:  # what cannot be hashed keeps any hash
        digest = hashlib.sha256(text.encode()).hexdigest()
    envelope = json.dumps({"content": text, "sha256": digest}, sort_keys=True)
    return joined({**header, "__metadata__": {"gis": envelope}}, body)


def damaged_container(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """A model file or checkpoint, damaged in its bytes, header, description, or numbers."""
    header, body = split(data)
    envelope = json.loads(header["__metadata__"]["gis"])
    kind = int(rng.integers(6))
    if kind == 0:
        return damaged(data, rng)
    if kind == 1:
        return _header_lie(data, rng)
    if kind == 2:
        about, how = json_damage(json.loads(envelope["content"]), rng)
        return sealed(header, body, json_text(about)), f"description {how}"
    if kind == 3:
        text, how = broken_json(envelope["content"], rng)
        return sealed(header, body, text.decode("latin1")), f"description {how}"
    if kind == 4:
        return _numbers(header, body, envelope["content"], rng)
    return _tensors(header, body, envelope["content"], rng)


def _header_lie(data: bytes, rng: Rng) -> tuple[bytes, str]:
    header, body = split(data)
    kind = int(rng.integers(4))
    if kind == 0:
        size = int(rng.choice([0, 1, 2**31, 2**33, 2**40, 2**63 - 1, len(data), len(data) - 8]))
        return struct.pack("<Q", size) + data[8:], f"header of {size} bytes"
    if kind == 1:
        text, how = broken_json(json.dumps(header), rng)
        return struct.pack("<Q", len(text)) + text + body, f"header {how}"
    names = [name for name in header if name != "__metadata__"]
    entry = header[names[rng.integers(len(names))]]
    if kind == 2:
        entry["data_offsets"] = [[0, 1 << 50], [10, 5], [-1, 4], [0], "x", None][rng.integers(6)]
    else:
        changed, how = json_damage(header, rng)
        return joined(changed, body), f"header {how}"
    return joined(header, body), f"offsets {entry['data_offsets']}"


def _numbers(header: Header, body: bytes, text: str, rng: Rng) -> tuple[bytes, str]:
    """NaN, infinities and the like in one tensor."""
    names = [
        name
        for name in header
        if name != "__metadata__" and header[name]["data_offsets"][1] > header[name]["data_offsets"][0]
    ]
    name = names[rng.integers(len(names))]
    begin, end = header[name]["data_offsets"]
    pattern = [b"\xff\xff\xff\x7f", b"\x00\x7c\x00\x7c", b"\x00\x00\x80\x7f", b"\xff" * 4, b"\x80" * 4][rng.integers(5)]
    fill = (pattern * (end - begin))[: end - begin]
    return sealed(header, body[:begin] + fill + body[end:], text), f"{name} filled with {pattern.hex()}"


def _tensors(header: Header, body: bytes, text: str, rng: Rng) -> tuple[bytes, str]:
    """A tensor of another type or shape, gone, or one more."""
    names = [name for name in header if name != "__metadata__"]
    name = names[rng.integers(len(names))]
    kind = int(rng.integers(4))
    entry = dict(header[name])
    size = entry["data_offsets"][1] - entry["data_offsets"][0]
    if kind == 0:
        entry["dtype"], entry["shape"] = ("I8", [size]) if rng.random() < 0.5 else ("U8", [size // 2, 2])
        return sealed({**header, name: entry}, body, text), f"{name} {entry['dtype']} {entry['shape']}"
    if kind == 1:
        entry["dtype"] = DTYPES[rng.integers(len(DTYPES))]
        entry["shape"] = SHAPES[rng.integers(len(SHAPES))]
        return sealed({**header, name: entry}, body, text), f"{name} {entry['dtype']} {str(entry['shape'])[:60]}"
    if kind == 2:
        return sealed(
            {("x" + key if key == name else key): value for key, value in header.items()}, body, text
        ), f"x{name}"
    entry["shape"] = entry["shape"][::-1] if rng.random() < 0.5 else [*entry["shape"], 1]
    return sealed({**header, name: entry}, body, text), f"{name} {entry['shape']}"


def damaged_sample(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """A source tensor, damaged."""
    header, body = split(data)
    kind = int(rng.integers(5))
    if kind == 0:
        return damaged(data, rng)
    if kind == 1:
        return _header_lie(data, rng)
    about = json.loads(header["__metadata__"]["gis"])
    if kind == 2:
        changed, how = json_damage(about, rng)
        return joined({**header, "__metadata__": {"gis": json_text(changed)}}, body), how
    if kind == 3:
        text, how = broken_json(json.dumps(about), rng)
        return joined({**header, "__metadata__": {"gis": text.decode("latin1")}}, body), how
    names = [name for name in header if name != "__metadata__"]
    name = names[rng.integers(len(names))]
    entry = dict(header[name])
    size = entry["data_offsets"][1] - entry["data_offsets"][0]
    if rng.random() < 0.5:
        entry["dtype"], entry["shape"] = "U8", [size]
    else:
        entry["shape"] = [[*entry["shape"], 1], entry["shape"][::-1], [1, *entry["shape"]], [0]][rng.integers(4)]
    if entry["shape"] == [0]:
        entry["data_offsets"] = [0, 0]
    return joined({**header, name: entry}, body), f"{name} {entry['dtype']} {entry['shape']}"


# --- tar --------------------------------------------------------------------------------------------------------------


def members(data: bytes) -> dict[str, bytes]:
    """Contents of an archive."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}  # type: ignore[union-attr]


def tar_of(
    content: dict[str, bytes], extra: list[tarfile.TarInfo] | None = None, form: int = tarfile.USTAR_FORMAT
) -> bytes:
    """An archive; ``extra`` members stand first and have no content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for one in extra or ():
            archive.addfile(one)
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def damaged_shard(data: bytes, rng: Rng, secret: str) -> tuple[bytes, str]:
    """A shard with links, devices, foreign names, sizes that lie, or damaged samples."""
    content = members(data)
    first = next(iter(content))
    kind = int(rng.integers(6))
    if kind == 0:
        return damaged(data, rng)
    if kind == 1:
        entry = tarfile.TarInfo("000000.safetensors")
        entry.type = [
            tarfile.SYMTYPE,
            tarfile.LNKTYPE,
            tarfile.CHRTYPE,
            tarfile.FIFOTYPE,
            tarfile.DIRTYPE,
            tarfile.BLKTYPE,
            b"S",
            b"x",
            b"g",
            b"L",
            b"9",
        ][rng.integers(11)]
        entry.linkname = [secret, "../../outside/secret.txt", first, "000000.safetensors", ""][rng.integers(5)]
        return tar_of(content, [entry]), f"member of type {entry.type!r} to {entry.linkname}"
    if kind == 2:
        name = [
            "../../../outside/x.safetensors",
            "/tmp/x.safetensors",
            "a/b.safetensors",
            "\x1b[31m.safetensors",
            "é\n.safetensors",
            first,
            ".safetensors",
            "000000.safetensors",
        ][rng.integers(8)]
        return tar_of(
            {name: content[first], **({first: content[first]} if rng.random() < 0.5 else {})}, form=tarfile.PAX_FORMAT
        ), f"member {name!r}"
    if kind == 3:
        changed = bytearray(data)
        changed[124:136] = [
            b"77777777777\0",
            b"\x80" + b"\xff" * 11,
            b"\xff" * 12,
            b"-0000000001\0",
            b"00000000000\0",
            b"\x80\0\0\0\0\0\0\x7f\xff\xff\xff\xff",
        ][rng.integers(6)]
        block = changed[:512]
        block[148:156] = b" " * 8
        changed[148:156] = b"%06o\0 " % sum(block)
        return bytes(changed), f"size field {bytes(changed[124:136])!r}"
    sample, how = damaged_sample(content[first], rng)
    return tar_of({**content, first: sample}), f"sample {how}"
