"""`gis doctor --warm` says how many kernels it compiled, and where they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.console import results_as_json
from pipelines.cli.main import app
from pipelines.io.progress import TEXT, log_as
from pipelines.setup import doctor, warm
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.run import COMPILING, _opening, _with_progress
from renderer.kernel_cache import are_kernels_kept


@pytest.fixture(autouse=True)
def as_text_again() -> Iterator[None]:
    """How a process speaks is set by its options, which here are many processes' in one."""
    yield
    log_as(TEXT)
    results_as_json(False)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    monkeypatch.setattr(warm, "forget_stale_kernels", lambda: False)
    return tmp_path / "kernels" / "renderer"


def test_what_was_compiled_is_counted(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compile_one(_folder: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        (cache / f"kernel{len(list(cache.iterdir()))}.nbi").touch()

    monkeypatch.setattr(warm, "_scene", compile_one)
    monkeypatch.setattr(warm, "_picture", compile_one)
    assert not are_kernels_kept()
    first, second = warm.warm(), warm.warm()
    assert are_kernels_kept()
    assert (first.compiled, first.kept, first.folder) == (2, 2, cache)
    assert (second.compiled, second.kept) == (2, 4)


def test_the_command_warms_after_its_checks(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (doctor._kernels,))
    monkeypatch.setattr(warm, "_scene", lambda folder: None)
    monkeypatch.setattr(warm, "_picture", lambda folder: None)
    done = CliRunner().invoke(app, ["doctor", "--warm", "--log-format", "json"])
    assert done.exit_code == 0
    assert "compiled code: not there yet: the first frames take a minute or two longer" in done.stdout
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["stage"] for event in events if event["event"] == "stage"] == [
        "compiling the renderer, once for this machine",
        "compiling what puts objects into pictures, once for this machine",
    ]


def test_a_run_says_that_it_compiles(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    CliRunner().invoke(app, ["--log-format", "json", "models", "--help"])
    assert list(_with_progress(iter("ab"), 2, True, object())) == ["a", "b"]  # type: ignore[arg-type]
    assert json.loads(capsys.readouterr().err.splitlines()[0])["stage"] == COMPILING
    config = SynthesizeConfig(out=tmp_path / "out", count=1, scene="city.blend")
    assert _opening(config) == "opening city.blend"
