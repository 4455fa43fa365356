"""Where the objects of a data set lie: a folder of this machine, or an object store that fsspec reaches.

An object is written whole. In a folder it is renamed to its place (:mod:`pipelines.io.files`); in a store it is there
when the last of its bytes has arrived, and a writer that is killed before leaves nothing.

An address keeps its meaning as a :class:`~pathlib.Path`, which makes one slash of two: ``s3:/bucket/set``.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

from renderer.errors import GisError
from renderer.text_files import parse_json

from pipelines.errors import DatasetError, OutputError, PipelineError
from pipelines.io.files import (
    json_text,
    locked_folder,
    read_object,
    remove_temporaries,
    temporary_name,
    write_bytes,
    write_through,
)

__all__ = ["FolderStore", "RemoteStore", "Store", "address", "is_remote", "local_path", "open_store"]

T = TypeVar("T")
_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)
ANSWER_S: Final = 8.0
"""How long a store may take to answer for the first time."""


def address(path: Path | str) -> str | None:
    """The address that a path stands for, ``s3://bucket/set``; None for a path of this machine."""
    found = _ADDRESS.fullmatch(str(path))
    if found is None or found[1] in ("file", "local"):
        return None
    return f"{found[1]}://{found[2]}"


def local_path(path: Path) -> Path:
    """The path without the ``file://`` that it may begin with; other addresses as they are."""
    found = _ADDRESS.fullmatch(str(path))
    return Path("/" + found[2]) if found is not None and address(path) is None else path


def is_remote(path: Path | str) -> bool:
    """Whether a path lies in an object store."""
    return address(path) is not None


def open_store(path: Path | str) -> Store:
    """The store of a folder or an address. Nothing is asked of it yet.

    Raises:
        PipelineError: an address whose kind is unknown, or whose package is not installed.
    """
    url = address(path)
    return FolderStore(local_path(Path(path))) if url is None else RemoteStore(url)


class Store(ABC):
    """Objects by their names below one place: ``shards/shard-000000.tar``.

    Args:
        where: the place, for messages.
    """

    def __init__(self, where: str) -> None:
        self.where = where

    @abstractmethod
    def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """Bytes of an object, all of them unless said.

        Raises:
            DatasetError: it is not there or cannot be read.
        """

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Writes a whole object.

        Raises:
            OutputError: it cannot be written; nothing of it is there.
        """

    @abstractmethod
    def spool(self, name: str) -> Path:
        """A file of this machine in which an object may grow until it is put into its place."""

    @abstractmethod
    def put(self, spool: Path, name: str) -> None:
        """Moves a spooled file into its place.

        Raises:
            OutputError: it cannot be written; nothing of it is there.
        """

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether there is such an object."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes of an object.

        Raises:
            DatasetError: it is not there.
        """

    @abstractmethod
    def names(self, folder: str = "") -> list[str]:
        """Names of what lies directly in a folder, sorted, without the folder's own; none where there is no folder."""

    @abstractmethod
    def tree(self) -> set[str]:
        """Names of all objects, at any depth."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Keeps other runs out, where the place can: a folder. What two runs write to a store is the same."""

    @abstractmethod
    def clear_temporaries(self) -> None:
        """Removes what a killed run has left half-written."""

    def read_object(self, name: str) -> dict[str, Any]:
        """The JSON object that is stored under a name.

        Raises:
            DatasetError: it is not there, or no JSON object.
        """
        try:
            data = parse_json(self.read(name))
        except ValueError as error:
            raise DatasetError(f"{self.where}/{name}: is no JSON ({error}): expected one that gis wrote") from error
        if not isinstance(data, dict):
            raise DatasetError(f"{self.where}/{name}: expected a JSON object, as gis wrote it")
        return data

    def write_json(self, name: str, data: Any) -> None:
        """Writes a whole JSON object, indented, keys in their order."""
        self.write(name, json_text(data, f"{self.where}/{name}").encode())

    def write_through(self, name: str, write: Callable[[Path], None]) -> None:
        """Lets ``write`` make a file and puts it into its place."""
        place = self.spool(name)
        try:
            write(place)
            self.put(place, name)
        finally:
            place.unlink(missing_ok=True)


class FolderStore(Store):
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self.folder = folder

    def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """See :class:`Store`."""
        try:
            with (self.folder / name).open("rb") as stream:
                stream.seek(start)
                return stream.read() if size is None else stream.read(size)
        except OSError as error:
            raise DatasetError(f"{self.folder / name}: cannot be read ({error.strerror}); make it anew") from error

    def write(self, name: str, data: bytes) -> None:
        """See :class:`Store`."""
        write_bytes(self.folder / name, data, root=self.folder)

    def spool(self, name: str) -> Path:
        """See :class:`Store`."""
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return temporary_name(place)

    def put(self, spool: Path, name: str) -> None:
        """See :class:`Store`."""
        write_through(self.folder / name, lambda place: _renamed(spool, place), root=self.folder)

    def has(self, name: str) -> bool:
        """See :class:`Store`."""
        return (self.folder / name).is_file()

    def size(self, name: str) -> int:
        """See :class:`Store`."""
        try:
            return (self.folder / name).stat().st_size
        except OSError as error:
            raise DatasetError(f"{self.folder / name}: is missing ({error.strerror}); make it anew") from error

    def names(self, folder: str = "") -> list[str]:
        """See :class:`Store`."""
        place = self.folder / folder
        found = [item.name for item in place.glob("*")] if place.is_dir() else []
        return sorted(name for name in found if not name.endswith(".tmp"))

    def tree(self) -> set[str]:
        """See :class:`Store`."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}

    def locked(self) -> AbstractContextManager[None]:
        """See :class:`Store`."""
        return locked_folder(self.folder)

    def clear_temporaries(self) -> None:
        """See :class:`Store`."""
        remove_temporaries(self.folder)

    def read_object(self, name: str) -> dict[str, Any]:
        """See :class:`Store`."""
        return read_object(self.folder / name)


def _renamed(spool: Path, place: Path) -> None:
    if spool != place:
        os.replace(spool, place)


class RemoteStore(Store):
    """A place in an object store. What it is reached with (keys, address) its own package reads from the environment.

    Raises:
        PipelineError: the kind of address is unknown, or its package is not installed.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url.rstrip("/"))
        self._fs, self._root = _file_system(self.where)
        self._answered = False

    def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """See :class:`Store`."""
        end = None if size is None else start + size
        with self._reported(name, DatasetError):
            return bytes(self._ask(lambda: self._fs.cat_file(self._path(name), start=start or None, end=end)))

    def write(self, name: str, data: bytes) -> None:
        """See :class:`Store`."""
        with self._reported(name, OutputError):
            self._ask(lambda: self._fs.pipe_file(self._path(name), data))

    def spool(self, name: str) -> Path:
        """See :class:`Store`."""
        with self._reported(name, OutputError):
            number, place = tempfile.mkstemp(prefix="gis-", suffix=f"-{Path(name).name}")
            os.close(number)
        return Path(place)

    def put(self, spool: Path, name: str) -> None:
        """See :class:`Store`."""
        with self._reported(name, OutputError):
            self._ask(lambda: self._fs.put_file(str(spool), self._path(name)))
        spool.unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        """See :class:`Store`."""
        return name.rpartition("/")[2] in self.names(name.rpartition("/")[0])

    def size(self, name: str) -> int:
        """See :class:`Store`."""
        with self._reported(name, DatasetError):
            return int(self._ask(lambda: self._fs.size(self._path(name))))

    def names(self, folder: str = "") -> list[str]:
        """See :class:`Store`."""
        place = self._path(folder)
        with self._reported(folder, DatasetError):
            try:
                found = self._ask(lambda: self._fs.ls(place, detail=False, refresh=True))
            except FileNotFoundError:
                self._check_container()
                found = []
        return sorted(
            {str(one).rstrip("/").rpartition("/")[2] for one in found if str(one).strip("/") != place.strip("/")}
        )

    def tree(self) -> set[str]:
        """See :class:`Store`."""
        with self._reported("", DatasetError):
            self._fs.invalidate_cache()
            found = self._ask(lambda: self._fs.find(self._root))
        lead = self._root.strip("/") + "/"
        return {str(one).lstrip("/").removeprefix(lead) for one in found}

    def locked(self) -> AbstractContextManager[None]:
        """See :class:`Store`."""
        return nullcontext()

    def clear_temporaries(self) -> None:
        """See :class:`Store`."""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    def _check_container(self) -> None:
        """Tells a bucket that is not there from an empty place in one that is; memory has none.

        Raises:
            FileNotFoundError: there is no such bucket.
        """
        container = self._root.strip("/").partition("/")[0]
        if "memory" not in _protocols(self._fs):
            try:
                self._ask(lambda: self._fs.ls(container, detail=False, refresh=True))
            except FileNotFoundError:
                raise FileNotFoundError(f"there is no bucket {container}") from None

    def _ask(self, question: Callable[[], T]) -> T:
        """The answer of the store; the first must come within :data:`ANSWER_S`."""
        if self._answered:
            return question()
        answer = _within(ANSWER_S, question)
        self._answered = True
        return answer

    @contextmanager
    def _reported(self, name: str, kind: type[PipelineError]) -> Iterator[None]:
        """What goes wrong as one line. Each store's package has errors of its own, which share no root."""
        place = f"{self.where}/{name}".rstrip("/")
        try:
            yield
        except GisError:
            raise
        except FileNotFoundError as error:
            why = str(error) if "bucket" in str(error).lower() else "is not there"
            raise kind(
                f"{place}: {why}: expected a place that is there; create the bucket, or mend the name"
            ) from error
        except Exception as error:
            raise kind(f"{place}: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    """What a store's error means, and what to do."""
    text, kind = " ".join(str(error).split())[:200], type(error).__name__
    if isinstance(error, TimeoutError) or "Timeout" in kind or "Connect" in kind or "EndpointConnection" in text:
        return f"the store does not answer ({text or kind}): check its address and the network (S3: AWS_ENDPOINT_URL)"
    if "Credential" in kind or "credential" in text or isinstance(error, PermissionError):
        return (
            f"the store refuses access ({text or kind}): give credentials that may read and write there (S3: "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile)"
        )
    return f"the store failed ({kind}: {text}): give the same command again; it goes on where it stopped"


def _within(seconds: float, question: Callable[[], T]) -> T:
    """The answer to a question that a library may wait for much longer.

    Raises:
        TimeoutError: there is none in time.
    """
    answers: list[T] = []
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(question())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=ask, daemon=True)  # it may wait on: nobody waits for it
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError(f"no answer in {seconds:.0f} s")
    return answers[0]


def _file_system(url: str) -> tuple[Any, str]:
    """The file system of fsspec for an address, and the place in it.

    Raises:
        PipelineError: unknown, or its package is not installed.
    """
    import fsspec

    try:
        system, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        known = "s3:// needs pip install 'gis-thermal[store]', gs:// pip install gcsfs"
        raise DatasetError(f"{url}: no such store is known here ({error}): {known}") from error
    except Exception as error:
        raise DatasetError(f"{url}: {_in_words(error)}") from error
    return system, str(root).rstrip("/")


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)
