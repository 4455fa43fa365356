"""A folder that one run at a time writes into.

The lock is the system's, on the folder itself: it ends with the process, however that ends, and leaves no file (those
of the package filelock stay behind, and `gis validate` would name them as foreign).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from gan.errors import GisError

__all__ = ["locked_folder"]

_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""What a file system says that has no such locks (some network drives): there runs are not kept apart."""


@contextmanager
def locked_folder(folder: Path, busy: type[GisError], unwritable: type[GisError]) -> Iterator[None]:
    """Keeps other runs out of a folder as long as this process lives; makes the folder where it is missing.

    A folder that was made here and in which nothing was written is removed again.

    Args:
        folder: of a run.
        busy: error that says that another run is at work in it.
        unwritable: error that says that it cannot be made.
    """
    new = not folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = _lock(folder)
    except BlockingIOError:
        raise busy(f"{folder}: another run is writing to it: wait for its end, or give another --out") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise unwritable(f"{folder} cannot be written ({reason}): expected a folder for the output") from error
    try:
        yield
    finally:
        if new:
            with suppress(OSError):  # it holds something
                folder.rmdir()
        if handle is not None:
            os.close(handle)


def _lock(folder: Path) -> int | None:
    """Handle of the locked folder; None where the system has no such lock.

    Raises:
        BlockingIOError: another process has it.
    """
    if os.name == "nt":  # there this runs inside of Blender only
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno in _NO_LOCKS:
            return None
        raise
    return handle
