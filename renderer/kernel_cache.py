"""Compiled kernels that no longer fit the source are thrown away.

Numba keeps compiled functions beside their module and compiles anew when that module changes. It does not notice a
change in *another* module whose compiled functions or constants went into the kernel: after an update of the source the
old code would run, and give wrong pictures without a word. So a kept kernel says of which state all files with kernels
were, and is not taken where one has changed since (:func:`fit_to_source`); who makes many frames also clears the old
ones away (:func:`forget_stale_kernels`).

The files are pickles, which run what stands in them. In a folder that other users can write to no kernel is kept, and
none is read (:func:`may_keep`): it is compiled at each start.

Numba numbers the files of a kernel's signatures from 1. Two processes that compile the same kernel for different types
at one time both take the next number: the one's index then names the other's code, which runs on arrays of other types
and damages memory. So each file gets a name that nobody else has (:func:`keep_apart`).

Processes that need the same kernel compile it once: whoever comes first does, the others wait for it (:func:`turn_at`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "are_kernels_kept",
    "fit_to_source",
    "forget_stale_kernels",
    "keep_apart",
    "kept_kernels",
    "may_keep",
    "turn_at",
]

_PACKAGE = Path(__file__).resolve().parent
_STAMP = "kernels-"
_MARKS = (b"njit", b"kernel", b"NamedTuple", b"IntEnum")
"""Words of the files whose contents go into kernels."""
_TURNS = "compiling.lock"
_LOOK_S, _PATIENCE_S = 0.02, 120.0
"""How often a process asks for its turn, and after how long it goes on without: the other may have been stopped."""


@functools.cache
def _own_state() -> str:
    """That of this package, as the process found it when it first asked."""
    return _state_of(_PACKAGE)


def _state_of(package: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        if any(mark in source for mark in _MARKS):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + source)
    return digest.hexdigest()[:16]


def fit_to_source(files: Any) -> bool:
    """Has kernels kept with the state of all files that may have gone into them, and others not taken.

    Args:
        files: numba's index and data files of a kernel (``IndexDataCacheFile``).

    Returns:
        whether it is so; not with a numba that is built otherwise.
    """
    if not hasattr(files, "_source_stamp"):
        return False
    files._source_stamp = (files._source_stamp, _own_state())
    return True


def forget_stale_kernels(package: Path = _PACKAGE) -> bool:
    """Deletes compiled kernels of another state of the source, before the first kernel is loaded.

    Args:
        package: folder whose modules hold kernels.

    Returns:
        whether there was another state. A folder that cannot be written to is left as it is: it holds an installed
        package, whose files all changed together.
    """
    stamp = package / "__pycache__" / f"{_STAMP}{_own_state() if package == _PACKAGE else _state_of(package)}"
    if stamp.exists():
        return False
    with contextlib.suppress(OSError):
        for pattern in ("*.nbi", "*.nbc", f"{_STAMP}*"):
            for path in package.rglob(pattern):
                path.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
    return True


def are_kernels_kept(package: Path = _PACKAGE) -> bool:
    """Whether compiled kernels lie on the disk: else the first frames wait for their compilation.

    Args:
        package: folder whose modules hold kernels.
    """
    return any(True for _ in kept_kernels(package))


def kept_kernels(package: Path = _PACKAGE) -> Iterator[Path]:
    """Numba's files of compiled kernels.

    Args:
        package: folder whose modules hold kernels.

    Yields:
        files beside the modules and in the user's cache folder; of ``NUMBA_CACHE_DIR`` alone where that is set.
    """
    named = os.environ.get("NUMBA_CACHE_DIR")
    places = (
        [Path(named)] if named else [package, Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "numba"]
    )
    for place in places:
        yield from place.rglob("*.nbi")


def keep_apart(files: Any) -> bool:
    """Has a kernel's compiled code written to files whose names are used once, whole before the index names them.

    Args:
        files: numba's index and data files of a kernel (``IndexDataCacheFile``).

    Returns:
        whether it is so; not with a numba that is built otherwise.
    """
    if any(not hasattr(files, name) for name in ("save", "_load_index", "_save_index", "_save_data", "_data_name")):
        return False

    def save(key: Any, data: Any) -> None:
        name = files._data_name(uuid.uuid4().int)
        files._save_data(name, data)
        files._save_index({**files._load_index(), key: name})

    files.save = save
    return True


def turn_at(folder: Path, kernel: str, patience_s: float = _PATIENCE_S) -> Callable[[], None]:
    """Waits until no other process compiles a kernel; where files cannot be locked, for nothing.

    Args:
        folder: keeps the kernel.
        kernel: names it, and what it is compiled for.
        patience_s: the longest wait.

    Returns:
        what gives the turn to the next. It ends with the process too.
    """
    found = _turns(folder)
    if found is None:
        return lambda: None
    lock, file = found
    place = int.from_bytes(hashlib.sha256(kernel.encode()).digest()[:4], "big") >> 1
    end = time.monotonic() + patience_s
    while True:
        try:
            lock.lockf(file, lock.LOCK_EX | lock.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):  # held; which of them is the system's choice
            if time.monotonic() > end:
                return lambda: None
            time.sleep(_LOOK_S)
        except OSError:
            return lambda: None
        else:
            return lambda: lock.lockf(file, lock.LOCK_UN, 1, place)


@functools.cache
def _turns(folder: Path) -> tuple[Any, int] | None:
    """What locks, and the file of which each kernel has a byte. It stays open: closing it would end all turns."""
    try:
        import fcntl  # not on Windows
    except ImportError:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return fcntl, os.open(folder / _TURNS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None


def may_keep(module: Path) -> bool:
    """Whether compiled kernels of a module may be kept on disk: whether the folder is the user's own.

    Args:
        module: file of the module. Numba writes to the folder in ``NUMBA_CACHE_DIR``, else to ``__pycache__`` beside
            the module, else to the user's cache folder.
    """
    named = os.environ.get("NUMBA_CACHE_DIR")
    return _is_own(Path(named) if named else module.parent / "__pycache__")


@functools.cache
def _is_own(folder: Path) -> bool:
    """Neither another user's nor writable for all, or not there yet; the superuser's counts as one's own."""
    try:
        status = folder.stat()
    except OSError:
        return True
    if not hasattr(os, "getuid") or (status.st_uid in (os.getuid(), 0) and not status.st_mode & stat.S_IWOTH):
        return True
    message = f"{folder}: other users can write here, so kernels are compiled at each start: chmod o-w, or take it over"
    warnings.warn(message, stacklevel=2)
    return False
