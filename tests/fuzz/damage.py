"""Ways to damage bytes, and JSON values."""

from __future__ import annotations

import copy
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

Rng = np.random.Generator

NASTY_NUMBERS = (0, -1, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 255, 65535, 65536)
HUGE = "HUGE_NUMBER"
"""Stands for an integer of 400 digits until the text is written."""
NASTY_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, -0.0, 1.5, float("nan"), float("inf"), 1e308, 10**9, 70000, 2**63, HUGE,
    "", "nan", "../../../x", "/proc/version", "\x00", "\x1b[31m\n<script>", "1" * 5000, "caf\u00c3",
    [], {}, [1, 2], {"a": 1}, [[[[]]]],
)  # fmt: skip


def truncated(data: bytes, rng: Rng) -> bytes:
    """Cut somewhere, often near an end or at a block."""
    kind = rng.integers(4)
    if kind == 0:
        return data[: rng.integers(0, min(64, len(data)) + 1)]
    if kind == 1:
        return data[: len(data) - int(rng.integers(1, 64))]
    if kind == 2:
        return data[: int(rng.integers(0, len(data) // 512 + 1)) * 512]
    return data[: rng.integers(0, len(data))]


def flipped(data: bytes, rng: Rng) -> bytes:
    """Some bits, in the header or anywhere."""
    changed = bytearray(data)
    reach = min(len(data), 128) if rng.random() < 0.5 else len(data)
    for _ in range(int(rng.integers(1, 12))):
        changed[rng.integers(reach)] ^= 1 << rng.integers(8)
    return bytes(changed)


def spliced(data: bytes, rng: Rng) -> bytes:
    """A piece doubled, removed, zeroed, or noise put in; or garbage behind the end."""
    at, size = int(rng.integers(len(data))), int(rng.integers(1, 400))
    noise = rng.bytes(size)
    return [
        data[:at] + data[at : at + size] + data[at:],
        data[:at] + data[at + size :],
        data[:at] + b"\0" * size + data[at + size :],
        data[:at] + noise + data[at + size :],
        data + noise * 50,
        data + data,
        data[:at] + b"\xff" * size + data[at + size :],
    ][rng.integers(7)]


def numbered(data: bytes, rng: Rng) -> bytes:
    """A field of the header set to a number that nobody means."""
    changed = bytearray(data)
    form = str(rng.choice(["<I", ">I", "<H", ">H", "<Q"]))
    size = struct.calcsize(form)
    at = int(rng.integers(0, max(1, min(len(data) - size, 2000))))
    changed[at : at + size] = struct.pack(form, int(rng.choice(NASTY_NUMBERS[:8])) % (1 << 8 * size))
    return bytes(changed)


def damaged(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """Data damaged in one of the ways, and its name."""
    way = (truncated, flipped, spliced, numbered)[rng.integers(4)]
    return way(data, rng) if data else b"\0", way.__name__


# --- PNG --------------------------------------------------------------------------------------------------------------


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents of a PNG's chunks."""
    at = 8
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG whose sums are right."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, content in chunks:
        parts.append(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
    return b"".join(parts)


def sound_png(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """A PNG that lies with right checksums: about sizes, types, or its pixels."""
    chunks = list(png_chunks(data))
    header = bytearray(chunks[0][1])
    kind = int(rng.integers(7))
    if kind == 0:
        struct.pack_into(
            ">II", header, 0, *(int(rng.choice([0, 1, 31, 32000, 65535, 100000, 2**31 - 1])) for _ in range(2))
        )
    elif kind == 1:
        header[8:10] = bytes([rng.choice([0, 1, 2, 4, 8, 16, 32]), rng.choice([0, 1, 2, 3, 4, 5, 6, 7])])
    elif kind == 2:
        header[10:13] = rng.bytes(3)
    elif kind == 3:
        chunks = [
            (name, content if name != b"IDAT" else zlib.compress(b"\0" * int(rng.choice([0, 1, 10, 10**6, 10**8]))))
            for name, content in chunks
        ]
    elif kind == 4:
        chunks.insert(
            int(rng.integers(1, len(chunks) + 1)),
            (
                bytes(rng.choice([b"tRNS", b"PLTE", b"iCCP", b"zTXt", b"eXIf", b"gAMA", b"acTL", b"IDAT"])),
                rng.bytes(int(rng.integers(0, 900))),
            ),
        )
    elif kind == 5:
        del chunks[int(rng.integers(len(chunks)))]
    else:
        bomb = b"bomb\0\0" + zlib.compress(b"\0" * (1 << 28))
        chunks.insert(1, (bytes(rng.choice([b"zTXt", b"iCCP"])), bomb))
    if chunks and chunks[0][0] == b"IHDR":
        chunks[0] = (b"IHDR", bytes(header))
    return png_of(chunks), f"sound PNG {kind}"


# --- TIFF -------------------------------------------------------------------------------------------------------------


def tiff_entries(data: bytes) -> tuple[str, int, int]:
    """Byte order, place and number of the first directory's entries."""
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(order + "I", data, 4)[0]
    return order, at + 2, struct.unpack_from(order + "H", data, at)[0]


def sound_tiff(data: bytes, rng: Rng) -> tuple[bytes, str]:
    """A TIFF with one lie in its directory."""
    order, at, count = tiff_entries(data)
    changed = bytearray(data)
    entry = at + 12 * int(rng.integers(count))
    tag = struct.unpack_from(order + "H", data, entry)[0]
    kind = int(rng.integers(6))
    if kind == 0:
        struct.pack_into(order + "I", changed, entry + 8, int(rng.choice(NASTY_NUMBERS[:6])) % 2**32)
    elif kind == 1:
        struct.pack_into(order + "I", changed, entry + 4, int(rng.choice(NASTY_NUMBERS[:6])) % 2**32)
    elif kind == 2:
        struct.pack_into(order + "H", changed, entry + 2, int(rng.choice([0, 1, 2, 4, 5, 11, 12, 13, 16, 99])))
    elif kind == 3:
        struct.pack_into(
            order + "H",
            changed,
            entry,
            int(rng.choice([254, 259, 262, 274, 277, 284, 322, 325, 339, 347, 34665, 42112, 50838])),
        )
    elif kind == 4:  # the chain of directories goes in a circle
        struct.pack_into(order + "I", changed, at + 12 * count, at - 2)
    else:
        struct.pack_into(order + "I", changed, entry + 8, int(rng.integers(0, 70000)))
    return bytes(changed), f"sound TIFF {kind} tag {tag}"


# --- JSON -------------------------------------------------------------------------------------------------------------


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all nodes below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from leaves(item, (*path, key))


def json_damage(value: Any, rng: Rng, paths: list[tuple[Any, ...]] | None = None) -> tuple[Any, str]:
    """A value with one node of another type, or without it; and what was done."""
    paths = paths or list(leaves(value))
    # Lists of numbers would swallow all attention: every kind of path is as likely.
    kinds = sorted({tuple("*" if isinstance(part, int) else part for part in path) for path in paths}, key=str)
    wanted = kinds[rng.integers(len(kinds))]
    fitting = [path for path in paths if tuple("*" if isinstance(part, int) else part for part in path) == wanted]
    path = fitting[rng.integers(len(fitting))]
    changed = copy.deepcopy(value)
    node = changed
    for part in path[:-1]:
        node = node[part]
    name = ".".join(map(str, path))
    if rng.random() < 0.1:
        del node[path[-1]]
        return changed, f"without {name}"
    node[path[-1]] = NASTY_VALUES[rng.integers(len(NASTY_VALUES))]
    return changed, f"{name} = {str(node[path[-1]])[:40]!r}"


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON, with an integer of 400 digits where one is meant."""
    return json.dumps(value, indent=indent).replace(f'"{HUGE}"', "9" * 400)


def broken_json(text: str, rng: Rng) -> tuple[bytes, str]:
    """Text that is no JSON, or one that no parser likes."""
    kind = int(rng.integers(8))
    return [
        (text[: rng.integers(len(text))].encode(), "cut"),
        (b"[" * 100000, "deep"),
        (('{"a":' * 100000).encode(), "deep objects"),
        (b"\xff\xfe" + text.encode("utf-16-le"), "UTF-16"),
        (b"", "empty"),
        (b"null", "null"),
        (b"[1, 2]", "a list"),
        (text.encode() + b"\x00\xff", "no UTF-8"),
    ][kind]
