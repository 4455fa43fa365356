"""A frame that is made and not yet on disk: what its files hold, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pipelines.dataset.record import Record
from pipelines.io.files import write_bytes

__all__ = ["MadeFrame"]

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class MadeFrame(Generic[R]):
    """What a worker makes, wherever it stands.

    Args:
        record: the frame's line.
        contents: of its files, by their names below the folder.
    """

    record: R
    contents: Mapping[str, bytes]

    def __post_init__(self) -> None:
        """Makes the line, here in the worker and not in the process that writes all lines."""
        self.record.to_line()

    def write(self, folder: Path) -> R:
        """Writes the files; returns the record.

        Raises:
            OutputError: a file cannot be written.
        """
        for name, data in self.contents.items():
            write_bytes(folder / name, data, root=folder)
        return self.record
