from __future__ import annotations

from pathlib import Path

from renderer.kernel_cache import forget_stale_kernels


def test_kernels_go_when_any_file_with_kernels_changes(tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "__pycache__"
    cache.mkdir(parents=True)
    (tmp_path / "a.py").write_text("@njit\ndef a(): return b()")
    (tmp_path / "deep" / "b.py").write_text("@njit\ndef b(): return 1")
    (tmp_path / "plain.py").write_text("x = 1")
    (tmp_path / "names.py").write_text("class A(IntEnum):\n    B = 1")
    forget_stale_kernels(tmp_path)
    kernel, index, code = cache / "b.nbc", cache / "b.nbi", cache / "b.pyc"
    for path in (kernel, index, code):
        path.touch()
    (tmp_path / "plain.py").write_text("x = 2")
    assert not forget_stale_kernels(tmp_path)
    assert kernel.exists()
    (tmp_path / "deep" / "b.py").write_text("@njit\ndef b(): return 2")
    assert forget_stale_kernels(tmp_path)
    assert not kernel.exists()
    assert not index.exists()
    assert code.exists()
    assert not forget_stale_kernels(tmp_path)
    (tmp_path / "names.py").write_text("class A(IntEnum):\n    B = 2")
    assert forget_stale_kernels(tmp_path)  # the numbers of names are compiled in


def test_a_folder_that_cannot_be_written_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("@njit\ndef a(): pass")
    (tmp_path / "__pycache__").write_text("no folder")
    assert forget_stale_kernels(tmp_path)
