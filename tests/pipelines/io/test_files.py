from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipelines.errors import DatasetError, OutputError
from pipelines.io import files


def test_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    files.write_text(path, "one")
    files.write_text(path, "two")
    assert path.read_text() == "two"
    assert [item.name for item in path.parent.iterdir()] == ["a.txt"]


def test_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    files.write_bytes(path, b"old")

    def half_then_full(temporary: Path) -> None:
        temporary.write_bytes(b"ne")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match=r"a\.bin cannot be written \(No space left on device\)") as caught:
        files.write_through(path, half_then_full)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_half_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    files.append_line(path, "first")
    real_open = Path.open

    class Short:
        """A file on a disk that has room for four more bytes."""

        def __init__(self, stream: object) -> None:
            self.stream, self.room = stream, 4

        def __enter__(self) -> Short:
            return self

        def __exit__(self, *_: object) -> None:
            self.stream.close()

        def write(self, data: bytes) -> int:
            if not self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            done = self.stream.write(data[: self.room])
            self.room -= done
            return done

        def __getattr__(self, name: str) -> object:
            return getattr(self.stream, name)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda self, *a, **k: Short(real_open(self, *a, **k)))
        with pytest.raises(OutputError, match="No space left"):
            files.append_line(path, "second line")
    assert path.read_bytes() == b"first\n"
    files.append_line(path, "second line")
    assert list(files.read_lines(path)) == ["first", "second line"]


def test_truncated_last_line_is_not_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"a": 1}\n{"a": 2')
    assert list(files.read_lines(path)) == ['{"a": 1}']


def test_folder_hash_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    first = files.file_sha256(tmp_path)
    (tmp_path / "b").rename(tmp_path / "c")
    renamed = files.file_sha256(tmp_path)
    (tmp_path / "c").write_text("3")
    assert len({first, renamed, files.file_sha256(tmp_path)}) == 3


@pytest.mark.parametrize("content", ["", "{", "\xff"])
def test_broken_json_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(DatasetError, match=r"x\.json"):
        files.read_json(path)
