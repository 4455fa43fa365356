"""Bands of sources: as options name them, in model files, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gan.data.bands import SourceBand, parse_bands
from gan.data.layout import SourceLayout
from gan.data.options import DataOptions
from gan.errors import CheckpointError, ConfigError
from gan.storage.container import read_container, write_container
from gan.storage.model_file import read_model_file
from gan.training.options import TrainOptions
from gan.training.train import train


def test_names_and_wavelengths() -> None:
    assert parse_bands("mwir") == (SourceBand("mwir", 3.0, 5.0),)
    assert [band.name for band in parse_bands("red, green,blue")] == ["red", "green", "blue"]
    assert parse_bands("narrow:3.6-4.1") == (SourceBand("narrow", 3.6, 4.1),)


@pytest.mark.parametrize("text", ["", "ultraviolet", "x:5-3", "x:3", "X:3-5", "x:0-3", "x:nan-5", "mwir,"])
def test_what_is_no_band(text: str) -> None:
    with pytest.raises(ConfigError, match=r"source-bands: .*expected one of blue"):
        DataOptions(source_bands=text)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for kind in ("mwir", "lwir"):
        (tmp_path / "pairs" / kind).mkdir(parents=True)
        for index in range(4):
            image = rng.integers(0, 65536, (32, 32), dtype=np.uint16)
            assert cv2.imwrite(str(tmp_path / "pairs" / kind / f"{index}.png"), image)
    return tmp_path / "pairs"


def _train(pairs: Path, out: Path, **options: Any) -> Path:
    metric = ("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3)))
    data = DataOptions(validation=0.25, source_dir="mwir", target_dir="lwir", **options)
    return train(pairs, out, "pix2pix", {"ngf": 4, "ndf": 4}, TrainOptions(epochs=1, threads=1), data, metric=metric)


def test_a_model_file_names_its_source(pairs: Path, tmp_path: Path) -> None:
    """Mid-wave to long-wave is the same call as visible to infrared; without names the file is what it was."""
    path = _train(pairs, tmp_path / "named", source_bands="mwir")
    assert read_model_file(path).layout == SourceLayout("image", 1, 1, False, (SourceBand("mwir", 3.0, 5.0),))
    plain = read_container(_train(pairs, tmp_path / "plain"), "gis-model")[1]
    assert plain["layout"] == {"layout": "image", "version": 1, "channels": 1}
    with pytest.raises(ConfigError, match="source-bands names 3: sources have 1 channels"):
        _train(pairs, tmp_path / "wrong", source_bands="red,green,blue")


def test_damaged_bands_are_refused(pairs: Path, tmp_path: Path) -> None:
    path = _train(pairs, tmp_path / "named", source_bands="mwir")
    tensors, about, _ = read_container(path, "gis-model")
    for bands in ([["mwir", 5.0, 3.0]], [["mwir", 3.0, 5.0]] * 2, [["mwir"]], 3):
        write_container(path, tensors, {**about, "layout": {**about["layout"], "bands": bands}})
        with pytest.raises(CheckpointError, match="incomplete description"):
            read_model_file(path)
