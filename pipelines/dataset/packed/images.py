"""Images of a packed set, for those who look at pictures of any set: a place in a shard instead of a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.dataset.names import frame_name
from pipelines.dataset.packed.reader import FilesInShards

__all__ = ["ImageFile", "PackedImage", "image_bytes", "image_stamp"]


@dataclass(frozen=True)
class PackedImage:
    """The image of a frame in a shard; has those attributes of a path that say what it is called."""

    files: FilesInShards
    index: int
    """Number of the frame."""

    @property
    def stem(self) -> str:
        """Name of the frame."""
        return frame_name(self.index)

    @property
    def name(self) -> str:
        """Name as it would have in a folder."""
        return f"{self.stem}.png"

    @property
    def place(self) -> str:
        """Name below the data set."""
        return f"images/{self.name}"

    @property
    def suffix(self) -> str:
        """Of its name."""
        return ".png"

    def __str__(self) -> str:
        """Where it is, for messages."""
        return f"{self.files.where}/{self.place}"


ImageFile = Path | PackedImage
"""Where an image is."""


def image_bytes(image: ImageFile) -> bytes:
    """The whole of its file.

    Raises:
        PictureError: a path from which nothing can be read.
        DatasetError: it is in no shard.
    """
    from gan.data.images import read_bytes

    return read_bytes(image) if isinstance(image, Path) else image.files.read(image.place)


def image_stamp(image: ImageFile) -> str:
    """A text that changes when the image does: by its file's size and time, or by its shard's hash."""
    if isinstance(image, PackedImage):
        return f"{image}:{image.files.shard_sha256(image.place)}"
    status = image.stat()
    return f"{image.resolve()}:{status.st_size}:{status.st_mtime_ns}"
