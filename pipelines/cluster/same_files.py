"""Whether a node has the files that a command was given, without reading all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from pipelines.errors import DatasetError

__all__ = ["sizes_sha256"]


def sizes_sha256(files: Iterable[Path]) -> str:
    """Hash over the names and sizes of files: reading thousands of pictures would take longer than the work on them.

    Raises:
        DatasetError: one is not there.
    """
    digest = hashlib.sha256()
    for path in files:
        try:
            size = path.stat().st_size
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from error
        digest.update(f"{path.name}\0{size}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
