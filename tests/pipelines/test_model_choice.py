"""Which model is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan.backends import pix2pix
from gan.checkpoint import save_model
from pipelines import models
from pipelines.errors import ConfigError
from pipelines.models import choose_model, model_backend


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = pix2pix.Config(ngf=2, levels=2)
    path = tmp_path / "cars.safetensors"
    save_model(path, "pix2pix", config, pix2pix.build_translator(config).state_dict(), {})
    monkeypatch.setattr(models, "CAR_WEIGHTS", path)
    return path


def test_physics_is_the_default() -> None:
    assert choose_model(None, None) == ("physics", None)
    assert choose_model("physics", None) == ("physics", None)


def test_the_shipped_model_needs_no_file(shipped: Path) -> None:
    assert choose_model("pix2pix", None) == ("pix2pix", shipped)
    assert choose_model("cyclegan", None) == ("cyclegan", None), "it is not its backend"


def test_a_file_says_whose_it_is(shipped: Path) -> None:
    assert choose_model(None, shipped) == ("pix2pix", shipped)
    assert choose_model("cyclegan", shipped) == ("cyclegan", shipped), "what is asked for wins, and is refused later"


def test_without_a_shipped_model_the_option_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "CAR_WEIGHTS", tmp_path / "gone.safetensors")
    assert choose_model("pix2pix", None) == ("pix2pix", None)


@pytest.mark.parametrize("content", [None, b"", b"12345678" * 9])
def test_other_files_are_no_models(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="expected a model file"):
        model_backend(path)
