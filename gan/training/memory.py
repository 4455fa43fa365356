"""What memory a training on a processor gives back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["freed_memory_kept"]

# glibc/malloc/malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST: Final = 2**31 - 1
_MOST_BY_ITSELF: Final = 32 * 2**20
"""Bytes of a block up to which glibc comes to keep it by itself (mallopt(3))."""


@contextmanager
def freed_memory_kept() -> Iterator[bool]:
    """Meanwhile memory that is freed stays with the process, for the next step to take.

    A step of pix2pix at 512 x 512 frees tensors of up to 256 MB and takes as many anew. glibc gives those back to the
    system, and the next step gets them page by page: 131 000 page faults, a tenth of its processor time. The highest
    memory is the same.

    Yields:
        whether it is so; not with another C library than glibc.
    """
    library: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(library, "mallopt") or not hasattr(library, "malloc_trim"):
        yield False
        return
    kept = _set(library, block=2**30, trim=_LARGEST)
    try:
        yield kept
    finally:
        _set(library, block=_MOST_BY_ITSELF, trim=2 * _MOST_BY_ITSELF)
        library.malloc_trim(0)


def _set(library: Any, *, block: int, trim: int) -> bool:
    """Whether glibc took both, bytes: the largest block to keep, and how much to keep at most."""
    return bool(library.mallopt(_M_MMAP_THRESHOLD, block)) and bool(library.mallopt(_M_TRIM_THRESHOLD, trim))
