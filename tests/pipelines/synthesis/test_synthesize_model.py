"""A translation model in the place of physics: its images, still in kelvin."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_renderer import FakeScene

from gan.backends import pix2pix
from gan.data.layout import SourceLayout, decode_sample
from gan.errors import CheckpointError
from gan.storage.model_file import read_model_file, write_model_file
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError
from pipelines.io.images import read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.infrared import Physics, Translation
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.source_tensor import LABEL_COLOURS


def model(path: Path, channels: int = 7, layout: str = "flat", norm: str = "instance") -> Path:
    torch.manual_seed(0)
    config = pix2pix.Config(in_channels=channels, ngf=4, levels=3, norm=norm)
    weights = pix2pix.build_translator(config).state_dict()
    write_model_file(path, "pix2pix", config, weights, {}, layout=SourceLayout.of(channels, layout))
    return path


@pytest.mark.parametrize(
    ("layout", "norm"),
    [("flat", "instance"), pytest.param("physics", "instance", marks=pytest.mark.slow), ("physics", "batch")],
)
def test_images_are_the_model_s_and_the_span_is_kept(
    layout: str, norm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is served, whole or in windows, is what the stored source tensors of the same frames give."""
    monkeypatch.setenv("GIS_CACHE", str(tmp_path / "cache"))
    weights = model(tmp_path / "model.safetensors", layout=layout, norm=norm)
    config = SynthesizeConfig(
        out=tmp_path / "out", count=4, seed=3, size="96x64", model="pix2pix", weights=weights, workers=2, tensors=True
    )
    synthesize_dataset(config, session_factory=FakeScene())
    assert validate(tmp_path / "out").problems == []
    physics = SynthesizeConfig(
        out=tmp_path / "physics", count=4, seed=3, size="96x64", workers=1, tensors=True, layout=layout, model="physics"
    )
    synthesize_dataset(physics, session_factory=FakeScene())
    network = read_model_file(weights).build()
    records = [json.loads(line) for line in (tmp_path / "out" / "frames.jsonl").read_text().splitlines()]
    plain = [json.loads(line) for line in (tmp_path / "physics" / "frames.jsonl").read_text().splitlines()]
    with tarfile.open(tmp_path / "physics" / "tensors" / "shard-000000.tar") as shard:
        samples = [decode_sample(shard.extractfile(member).read()) for member in shard.getmembers()]
    for record, other, sample in zip(records, plain, samples, strict=True):
        assert record["model"]["name"] == "pix2pix"
        assert len(record["model"]["weights_sha256"]) == 64
        assert record["span_K"] == other["span_K"]
        with torch.inference_mode():
            wanted = network(torch.from_numpy(sample.source()[None])).numpy()[0, 0]
        image = read_png(tmp_path / "out" / "images16" / f"{record['index']:06d}.png")
        objects = sample.instance_id > 0
        # The served network may use another precision; its mean error is bounded by one of 255 steps.
        assert not objects.any() or np.abs(image / 65535 * 2 - 1 - wanted)[objects].mean() < 2 / 255
        assert sample.layout == layout
        painted = (sample.label_image[..., None, :] == list(LABEL_COLOURS.values())).all(axis=-1).any(axis=-1)
        if layout == "physics":
            painted = sample.label_image[..., 1] > 0
        # Objects too small for a label are painted as well: a few pixels.
        same = (image == sample.target)[~painted]
        assert same.mean() > 0.97, "far from objects it is the picture of the physics"
        labels = f"annotations/kitti/{record['index']:06d}.txt"
        assert (tmp_path / "out" / labels).read_bytes() == (tmp_path / "physics" / labels).read_bytes()


def test_a_layout_without_its_tensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give --tensors --model physics"):
        SynthesizeConfig(out=tmp_path, count=1, layout="physics", model="physics")
    with pytest.raises(ConfigError, match="unknown layout 'round': expected one of flat, physics"):
        SynthesizeConfig(out=tmp_path, count=1, tensors=True, layout="round")


def test_models_that_do_not_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ConfigError, match="takes 3 channels"):
        Translation("pix2pix", model(tmp_path / "rgb.safetensors", 3), Physics())
    with pytest.raises(ConfigError, match="is a model of backend 'pix2pix'"):
        Translation("cyclegan", tmp_path / "rgb.safetensors", Physics())
    (tmp_path / "text").write_text("weights")
    with pytest.raises(CheckpointError, match="no safetensors file"):
        Translation("pix2pix", tmp_path / "text", Physics())
