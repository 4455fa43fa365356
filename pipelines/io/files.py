"""Files that are either whole or not there.

Everything is written to a temporary name beside its place and renamed, so a process that is killed at any moment
leaves whole files only. Nothing is synced to the disk: a killed process loses nothing by that, and after a power cut
the hashes in ``frames.jsonl`` tell (`gis validate`), while a sync for each of several files a frame would halve the
throughput.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from gan import locked_folder as locks
from renderer.text_files import parse_json

from pipelines.errors import DatasetError, OutputError

__all__ = [
    "append_line",
    "as_bytes",
    "check_present",
    "drop_half_line",
    "ends_with_line",
    "file_sha256",
    "finite",
    "is_inside",
    "json_text",
    "last_lines",
    "locked_folder",
    "make_folder",
    "named_file",
    "path_inside",
    "read_json",
    "read_lines",
    "read_object",
    "remove_temporaries",
    "sha256",
    "short",
    "temporary_name",
    "write_bytes",
    "write_json",
    "write_text",
    "write_through",
]

_CHUNK = 1 << 20
_LONG_NAME = 230
"""Bytes of a name that leave room for what a temporary one adds."""


_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""How a file is opened to be written whole."""


def temporary_name(path: Path) -> Path:
    """Where the file is written before it is renamed: hidden, beside its place, one per process."""
    raw = os.fsencode(path.name)
    name = path.name if len(raw) <= _LONG_NAME else sha256(raw)[:32]  # file systems take 255 bytes
    return path.with_name(f".{name}.{os.getpid()}.tmp")


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Turns what the system says about ``path`` into an OutputError."""
    try:
        yield
    except FileNotFoundError as error:
        raise OutputError(
            f"{path} cannot be written: its folder was removed or renamed while gis was at work: give the name that it "
            "has now, or another --out"
        ) from error
    except (OSError, ValueError) as error:  # a ValueError where the name holds a zero
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"{path} cannot be written ({reason}): make room or choose another folder, then give the same command "
            "again; it goes on where it stopped"
        ) from error


def make_folder(path: Path) -> None:
    """Makes a folder, and those it lies in, where they are missing.

    Raises:
        OutputError: it cannot be made.
    """
    with _reported(path):
        path.mkdir(parents=True, exist_ok=True)


def locked_folder(folder: Path) -> AbstractContextManager[None]:
    """Keeps other runs out of a folder; see :func:`gan.locked_folder.locked_folder`.

    Raises:
        DatasetError: another run is at work in it.
        OutputError: it cannot be made.
    """
    return locks.locked_folder(folder, DatasetError, OutputError)


def check_present(folder: Path, names: Iterable[str], what: str = "files") -> None:
    """Sees to it that nothing is reported as made that is not there.

    Raises:
        OutputError: a file is missing.
    """
    gone = (name for name in names if not os.path.isfile(os.path.join(folder, name)))
    if first := next(gone, None):
        count = 1 + sum(1 for _ in gone)
        raise OutputError(
            f"{folder}: {count} {what} are not there any more, the first of them {first}: something removed them "
            "while gis was at work: give the same command again, which makes them anew"
        )


def write_through(path: Path, write: Callable[[Path], None], *, root: Path | None = None) -> None:
    """Lets ``write`` make a file under a temporary name and renames it; makes the folder where it is missing.

    Args:
        path: of the file.
        write: makes it under the name that it is given.
        root: folder of the run, which is there: it is not made anew where somebody has removed it.

    Raises:
        OutputError: the file cannot be written, or something that is no file stands there; nothing of it is left.
    """
    with _reported(path):
        _make_parents(path, root)
        _put(path, write)


def _put(path: Path, write: Callable[[Path], None]) -> None:
    """A file in a folder that is there; nothing of it is left where it cannot be written."""
    temporary = temporary_name(path)
    if _is_in_the_way(path):  # a device or a pipe, which renaming would replace
        raise OSError("it is there, and no file")
    try:
        write(temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _is_in_the_way(path: Path) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:  # nothing is there; or it cannot be told, and then it cannot be written either
        return False


def _make_parents(path: Path, root: Path | None) -> None:
    if path.parent.is_dir():  # nearly always, and cheaper to ask
        return
    if root is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    for folder in reversed([one for one in path.parents if one != root and one.is_relative_to(root)]):
        folder.mkdir(exist_ok=True)


def write_bytes(path: Path, data: bytes, *, root: Path | None = None) -> None:
    """Writes a whole file; see :func:`write_through`.

    It is the way of all files of frames: each call of the system that it spares is spared ten times a frame.
    """

    def write(temporary: Path) -> None:
        _write_all(temporary, data)

    with _reported(path):
        try:
            _put(path, write)
        except FileNotFoundError:  # the first file of a folder
            _make_parents(path, root)
            _put(path, write)


def _write_all(path: Path, data: bytes) -> None:
    rest = memoryview(data)
    descriptor = os.open(path, _NEW, 0o666)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str, *, root: Path | None = None) -> None:
    """Writes a whole UTF-8 file; see :func:`write_through`. Bytes of a file's name that are no text are written out."""
    write_bytes(path, as_bytes(text), root=root)


def as_bytes(text: str) -> bytes:
    """UTF-8; bytes of a file's name that are no text are written out."""
    return text.encode(errors="backslashreplace")


def write_json(path: Path, data: Any, *, root: Path | None = None) -> None:
    """Writes a whole JSON file, indented, keys in their order; see :func:`write_through`."""
    write_text(path, json_text(data, path), root=root)


def json_text(data: Any, where: Path | str) -> str:
    """What a JSON file holds, indented, keys in their order.

    Raises:
        DatasetError: a number that JSON does not have; ``where`` begins it.
    """
    try:
        return json.dumps(data, indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise DatasetError(f"{where}: {error}: a number that it would hold is infinite or none") from error


def finite(value: Any) -> Any:
    """The value with None for infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def append_line(path: Path, line: str) -> int:
    """Adds one line to a file: all of it or, where there is no room, nothing; returns how many bytes these are.

    Raises:
        OutputError: the line cannot be written.
    """
    data = line.encode() + b"\n"
    with _reported(path), path.open("ab", buffering=0) as stream:
        start = stream.seek(0, os.SEEK_END)
        try:
            written = 0
            while written < len(data):
                written += stream.write(data[written:])
        except OSError:
            stream.truncate(start)
            raise
    return len(data)


def read_lines(path: Path, start: int = 0) -> Iterator[str]:
    """Whole lines of a UTF-8 file without their ends; a last line without an end is left out. None if no file.

    Args:
        path: of the file.
        start: byte that the first line begins at.

    Raises:
        DatasetError: a line is no UTF-8 text.
    """
    if not path.is_file():
        return
    with path.open("rb") as stream:
        stream.seek(start)
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield line[:-1].decode()
            except UnicodeDecodeError:
                where = f"line {number}" if not start else f"line {number} after byte {start}"
                raise DatasetError(f"{path}: {where} is no UTF-8 text: expected one JSON object a line") from None


def ends_with_line(path: Path) -> bool:
    """Whether a file is empty, or its last line is whole."""
    with path.open("rb") as stream:
        if not stream.seek(0, os.SEEK_END):
            return True
        stream.seek(-1, os.SEEK_END)
        return stream.read() == b"\n"


def last_lines(path: Path, most: int) -> int:
    """The byte that the last lines of a file begin at; it is read from its end, and no further than they reach.

    Args:
        path: of the file; 0 if there is none.
        most: how many whole lines are wanted; 0 is returned where the file has no more.
    """
    if not path.is_file():
        return 0
    with path.open("rb") as stream:
        place, wanted = stream.seek(0, os.SEEK_END), most + 1  # the end of the line before them counts too
        while place > 0:
            begin = max(place - _CHUNK, 0)
            stream.seek(begin)
            block = stream.read(place - begin)
            ends = block.count(b"\n")
            if ends >= wanted:
                cut = len(block)
                for _ in range(wanted):
                    cut = block.rfind(b"\n", 0, cut)
                return begin + cut + 1
            place, wanted = begin, wanted - ends
    return 0


def drop_half_line(path: Path) -> None:
    """Takes away a last line without an end, which a kill leaves while it is written.

    Raises:
        OutputError: the file cannot be changed.
    """
    if not path.is_file():
        return
    with _reported(path), path.open("r+b") as stream:
        place = size = stream.seek(0, os.SEEK_END)
        while place > 0:
            begin = max(place - _CHUNK, 0)
            stream.seek(begin)
            whole = stream.read(place - begin).rfind(b"\n") + 1
            if whole or not begin:
                if begin + whole < size:
                    stream.truncate(begin + whole)
                return
            place = begin


def read_json(path: Path, *, allow_nan: bool = False) -> Any:
    """Content of a JSON file.

    Args:
        path: of the file.
        allow_nan: see `renderer.text_files.parse_json`.

    Raises:
        DatasetError: no such file, or no JSON in it.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("no regular file")  # a named pipe would be waited for
        return parse_json(path.read_bytes(), allow_nan=allow_nan)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as JSON ({error}): expected a whole JSON file") from error


def read_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        DatasetError: no such file, no JSON in it, or no object.
    """
    data = read_json(path)
    if not isinstance(data, dict):
        raise DatasetError(f"{path}: holds {short(data)}: expected a JSON object, as gis wrote it")
    return data


def path_inside(folder: Path, name: Any, where: Path | str) -> Path:
    """The path of a file that another file names, which lies below its folder.

    Args:
        folder: that the name is relative to.
        name: as it stands in the file.
        where: begins the error: the file that names it.

    Raises:
        DatasetError: no text, or a name that leads out of the folder.
    """
    if not is_inside(name):
        raise DatasetError(
            f"{where}: names a file {short(name)}: expected one inside of {folder}; make the folder anew"
        )
    return folder / str(name)


def is_inside(name: Any) -> bool:
    """Whether a name is that of a file below the folder that it is relative to."""
    if not isinstance(name, str) or not name or "\0" in name:
        return False
    if not any(mark in name for mark in ("..", "\\", ":")):  # nearly always, and cheaper to ask
        return not name.startswith("/")
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and not PureWindowsPath(name).drive


def short(value: Any, limit: int = 60) -> str:
    """The beginning of a value as it stands in a message."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}..."


def remove_temporaries(folder: Path) -> None:
    """Deletes what a killed process left under temporary names; goes through folders of millions of files as it reads.

    Raises:
        OSError: a file cannot be removed.
    """
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                remove_temporaries(Path(entry.path))
            elif entry.name.startswith(".") and entry.name.endswith(".tmp"):
                Path(entry.path).unlink(missing_ok=True)


def sha256(data: bytes) -> str:
    """Hash of bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> str:
    """Hash of a file, or of a folder: the hash over names and hashes of all files in it but hidden ones.

    Raises:
        DatasetError: there is none, it cannot be read, or it is a pipe or a device, which may never end.
    """
    try:
        return _hash(path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error}): expected a file or folder") from error


def named_file(path: Path) -> dict[str, str]:
    """Name and hash of a file or folder: what an output says of where it came from."""
    return {"name": path.resolve().name, "sha256": file_sha256(path)}


def _hash(path: Path) -> str:
    if path.is_dir():
        from gan.data.images import is_passed_over

        inside = sorted(item for item in path.rglob("*") if item.is_file() and not is_passed_over(item, path))
        lines = "".join(f"{item.relative_to(path)} {_hash(item)}\n" for item in inside)
        return sha256(lines.encode("utf-8", "surrogateescape"))
    if path.exists() and not path.is_file():
        raise DatasetError(f"{path}: is a pipe or a device: expected a file or folder")
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
