"""Deflate for PNG and EXR files: ISA-L's, at its fastest that finds matches, or zlib's where ISA-L is missing.

Equal data give equal bytes, whatever the process and the thread. ISA-L alone does not: it enters the third byte of a
stream under a hash of an address, so that in about one of 4000 streams a later match is found or lost
(``write_first_byte`` of ``igzip_icf_body_h1_gr_bt.asm`` shifts the register that holds the stream's place in memory,
where the data were meant). A beginning that is too short for that loop takes another way through the library, and once
it is flushed the loop goes on as it should. That costs a dozen bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

__all__ = ["compress", "crc32"]

_LEVEL = 1
_BEGINNING = 8
"""Bytes that are flushed first: more than the 3 that enter nothing, less than the 16 that the faulty loop needs."""


def compress(data: Any) -> bytes:
    """A zlib stream (RFC 1950) of a contiguous buffer."""
    return _compress(memoryview(data).cast("B"))


def crc32(data: bytes, before: int = 0) -> int:
    """Checksum of PNG chunks (ISO 3309), by the processor's own instructions where ISA-L is there.

    Args:
        data: bytes.
        before: checksum of the bytes before them.
    """
    return int(_crc32(data, before))


def _chosen() -> Callable[[memoryview], bytes]:
    """The faster of the two that can be used here."""
    try:
        from isal.isal_zlib import Z_SYNC_FLUSH, compressobj
    except ImportError:  # a user's own Blender has zlib alone, which packs into other bytes
        return lambda view: zlib.compress(view, _LEVEL)

    def compress_by_isal(view: memoryview) -> bytes:
        stream = compressobj(_LEVEL)
        beginning = stream.compress(view[:_BEGINNING]) + stream.flush(Z_SYNC_FLUSH)
        return b"".join((beginning, stream.compress(view[_BEGINNING:]), stream.flush()))

    return compress_by_isal


def _chosen_crc32() -> Callable[[bytes, int], int]:
    try:
        from isal.isal_zlib import crc32 as by_isal
    except ImportError:
        return zlib.crc32
    found: Callable[[bytes, int], int] = by_isal
    return found


_compress, _crc32 = _chosen(), _chosen_crc32()
