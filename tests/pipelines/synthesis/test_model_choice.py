"""Which model is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan.backends import pix2pix
from gan.storage.model_file import write_model_file
from pipelines.errors import ConfigError
from pipelines.synthesis import model_choice as models
from pipelines.synthesis.model_choice import AUTO, choose_model, model_of_file


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = pix2pix.Config(ngf=2, levels=2)
    path = tmp_path / "cars.safetensors"
    write_model_file(path, "pix2pix", config, pix2pix.build_translator(config).state_dict(), {})
    monkeypatch.setattr(models, "CAR_WEIGHTS", path)
    return path


def test_the_shipped_model_is_the_default_over_real_frames_alone(shipped: Path) -> None:
    assert choose_model(AUTO, None, rendered=False) == ("pix2pix", shipped, "")
    assert choose_model(AUTO, None, rendered=True) == ("physics", None, "")


def test_the_shipped_model_needs_no_file(shipped: Path) -> None:
    assert choose_model("pix2pix", None, rendered=False) == ("pix2pix", shipped, "")
    assert choose_model("cyclegan", None, rendered=False) == ("cyclegan", None, ""), "it is not the one that ships"


def test_what_is_asked_for_wins(shipped: Path) -> None:
    assert choose_model("physics", None, rendered=False) == ("physics", None, "")
    assert choose_model(AUTO, shipped, rendered=False) == ("pix2pix", shipped, ""), "a file says whose it is"
    assert choose_model("cyclegan", shipped, rendered=False) == ("cyclegan", shipped, ""), "and is refused later"


def test_without_its_packages_physics_takes_its_place(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ENGINES", ("no_such_package", "nor_this"))
    model, weights, why = choose_model(AUTO, None, rendered=False)
    assert (model, weights) == ("physics", None)
    assert "no_such_package" in why


def test_without_its_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "CAR_WEIGHTS", tmp_path / "gone.safetensors")
    model, weights, why = choose_model(AUTO, None, rendered=False)
    assert (model, weights) == ("physics", None)
    assert "gone.safetensors" in why
    assert choose_model("pix2pix", None, rendered=False) == ("pix2pix", None, ""), "the option is missed later"


@pytest.mark.parametrize("content", [None, b"", b"12345678" * 9])
def test_other_files_are_no_models(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="expected a model file"):
        model_of_file(path)
