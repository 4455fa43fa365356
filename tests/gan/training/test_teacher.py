"""Students: what they learn of a teacher, and what they begin with."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan.backends.registry import load_backend, make_config
from gan.data.layout import Sample, SourceLayout, decode_sample, encode_sample
from gan.data.options import DataOptions
from gan.errors import ConfigError
from gan.losses.terms import object_weight
from gan.networks.unet import UNet
from gan.storage.checkpoint import checkpoint_paths
from gan.storage.model_file import read_model_file, write_model_file
from gan.training.layer_fit import fit_layers
from gan.training.options import TrainOptions
from gan.training.train import train

SHAPE = {"levels": 3, "upsample": "resize", "norm": "batch", "dropout": 0.0, "residual": True}
LOSSES = {"gan_weight": 0.0, "l1_weight": 10.0, "learning_rate": 2e-3, "decay_from": 0.0}


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources whose targets are noise, in kelvin: who learns the targets learns nothing of a teacher."""
    folder = tmp_path_factory.mktemp("tensors")
    rng = np.random.default_rng(0)
    for index in range(12):
        coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        inverse_depth = np.zeros((32, 32), np.uint16)
        inverse_depth[8:20, 6:24] = 20000
        sample = Sample(
            index=index,
            label_image=coarse.repeat(4, 0).repeat(4, 1),
            segmentation=(inverse_depth > 0).astype(np.uint8),
            inverse_depth=inverse_depth,
            target=rng.integers(0, 65536, (32, 32), dtype=np.uint16),
            span_K=(280.0, 300.0),
            layout="physics",
        )
        (folder / f"{index:06d}.safetensors").write_bytes(encode_sample(sample))
    return folder


def lively(features: int, seed: int, levels: int = 3) -> UNet:
    """A network that changes its source by much; its normalisation has seen something."""
    torch.manual_seed(seed)
    network = UNet(7, 1, features, levels, norm="batch", upsample="resize", dropout=0.0, residual=True)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, 0.0, 0.7 / float(np.sqrt(layer.weight[0].numel())))
    for _ in range(20):
        network(torch.rand(4, 7, 32, 32) * 2 - 1)
    return network.eval()


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    config = make_config(load_backend("pix2pix").Config, {"ngf": 4, **SHAPE}, "test")
    layout = SourceLayout.of(7, "physics", display=True)
    write_model_file(path, "pix2pix", config, lively(4, 1).state_dict(), {}, layout=layout)
    return path


def run(data: Path, out: Path, *, resume: bool = False, config: dict[str, Any] | None = None, **options: Any) -> Path:
    chosen = {"threads": 1, "log_every": 4, "checkpoint_minutes": 0.0, "batch": 4, "ema": 0.0, **options}
    return train(
        data,
        out,
        "pix2pix",
        {"ngf": 4, **SHAPE, **LOSSES, **(config or {})},
        TrainOptions(**chosen),
        DataOptions(validation=0.2),
        resume=resume,
        metric=("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3))),
    )


def validated(model: Path) -> float:
    return float(read_model_file(model).meta["metrics"]["validation"]["l1"])


def test_student_of_a_model_learns_what_it_makes_and_not_the_targets(
    tensors: Path, teacher: Path, tmp_path: Path
) -> None:
    first = run(tensors, tmp_path / "first", epochs=1, teacher=str(teacher))
    last = run(tensors, tmp_path / "last", epochs=40, teacher=str(teacher), validate_every=40)
    assert validated(last) < 0.75 * validated(first)
    samples = [decode_sample(path.read_bytes()) for path in sorted(tensors.glob("*.safetensors"))]
    sources = torch.stack([torch.from_numpy(sample.source()) for sample in samples])
    targets = torch.stack([torch.from_numpy(sample.target / np.float32(32767.5) - 1)[None] for sample in samples])
    with torch.no_grad():
        made, wanted = (read_model_file(path).build()(sources) for path in (last, teacher))
    assert (made - wanted).abs().mean() < 0.4 * (made - targets).abs().mean()


def test_file_of_a_student_means_what_its_teacher_does(tensors: Path, teacher: Path, tmp_path: Path) -> None:
    student = read_model_file(run(tensors, tmp_path / "run", epochs=1, teacher=str(teacher)))
    assert student.layout.display  # the data are radiometric, the teacher's pictures are not
    assert student.meta["data"]["teacher_sha256"] == read_model_file(teacher).sha256
    plain = read_model_file(run(tensors, tmp_path / "plain", epochs=1))
    assert not plain.layout.display
    assert "teacher_sha256" not in plain.meta["data"]


def test_resumed_student_ends_with_the_same_bytes(tensors: Path, teacher: Path, tmp_path: Path) -> None:
    options = {"epochs": 3, "checkpoint_every": 2, "keep": 9, "teacher": str(teacher), "teacher_fit": 8}
    whole = run(tensors, tmp_path / "whole", config={"ngf": 2}, **options)
    broken = tmp_path / "broken"
    run(tensors, broken, config={"ngf": 2}, **options)
    for path in checkpoint_paths(broken / "checkpoints")[1:]:
        path.unlink()
    (broken / "model.safetensors").unlink()
    again = run(tensors, broken, resume=True, config={"ngf": 2}, **options)
    assert again.read_bytes() == whole.read_bytes()


def test_teacher_of_other_sources_is_refused(tensors: Path, tmp_path: Path) -> None:
    config = make_config(load_backend("pix2pix").Config, {"ngf": 4, **SHAPE}, "test")
    path = tmp_path / "flat.safetensors"
    write_model_file(path, "pix2pix", config, lively(4, 1).state_dict(), {}, layout=SourceLayout.of(7, "flat"))
    with pytest.raises(ConfigError, match=r"reads sources of layout flat.* expected physics"):
        run(tensors, tmp_path / "run", epochs=1, teacher=str(path))
    with pytest.raises(ConfigError, match=r"teacher_fit is 8: expected a teacher"):
        run(tensors, tmp_path / "run", epochs=1, teacher_fit=8)


def doubled(network: UNet) -> UNet:
    """A network twice as wide that makes the same: each channel twice, and those who read them take the mean."""
    wide = UNet(
        7, 1, 2 * network.encoder[0].out_channels, network.levels, norm="batch", upsample="resize", dropout=0.0,
        residual=True,
    )  # fmt: skip
    state = dict(network.state_dict())
    for name, value in wide.state_dict().items():
        old = state[name]
        if old.ndim == 4:
            halves = [old] if old.shape[1] == 7 else list(old.split(_blocks(name, old, network), dim=1))
            old = torch.cat([part if part.shape[1] == 7 else torch.cat((part, part), 1) / 2 for part in halves], dim=1)
        old = torch.cat((old, old)) if old.ndim and old.shape[0] != value.shape[0] else old
        value.copy_(old)
    return wide.eval()


def _blocks(name: str, weight: Tensor, network: UNet) -> int:
    """Channels of each map that a layer reads: the decoder joins two, but for its deepest layer."""
    place, level = name.split(".")[:2]
    joined = place == "decoder" and int(level) < network.levels - 1
    return weight.shape[1] // (2 if joined else 1)


def test_layers_of_a_narrow_network_are_fitted_to_a_wide_one_that_makes_the_same() -> None:
    truth = lively(3, 5)
    wide = doubled(truth)
    generator = torch.Generator().manual_seed(3)
    sources, others = (torch.rand(16, 7, 32, 32, generator=generator) * 2 - 1 for _ in range(2))
    torch.manual_seed(0)
    narrow = UNet(7, 1, 3, 3, norm="batch", upsample="resize", dropout=0.0, residual=True)
    with torch.no_grad():
        wanted = truth(others)
        assert torch.allclose(wide(others), wanted, atol=1e-5)
        before = (copy.deepcopy(narrow).eval()(others) - wanted).abs().mean()
        fit_layers(narrow, wide, sources)
        assert narrow.training
        after = (narrow.eval()(others) - wanted).abs().mean()
        in_training = (narrow.train()(others) - wanted).abs().mean()
    assert after < 0.02 * before
    assert in_training < 0.2 * before  # normalised by the batch, it starts from there and not afresh


def test_layers_of_a_network_with_fewer_levels_are_fitted() -> None:
    wide = lively(6, 7)
    generator = torch.Generator().manual_seed(3)
    sources, others = (torch.rand(16, 7, 32, 32, generator=generator) * 2 - 1 for _ in range(2))
    narrow = UNet(7, 1, 4, 2, norm="batch", upsample="resize", dropout=0.0, residual=True)
    with torch.no_grad():
        wanted = wide(others)
        before = (copy.deepcopy(narrow).eval()(others) - wanted).abs().mean()
        fit_layers(narrow, wide, sources)
        assert (narrow.eval()(others) - wanted).abs().mean() < 0.8 * before
    with pytest.raises(ConfigError, match="expected no more of the student"):
        fit_layers(wide, narrow, sources)


def test_pixels_near_objects_count_one_and_others_the_weight() -> None:
    sources = torch.full((1, 7, 40, 40), -1.0)
    sources[0, 6, 20, 10] = -0.5
    weight = object_weight(sources, 0.25)[0, 0].numpy()
    rows, columns = np.indices((40, 40))
    near = (np.abs(rows - 20) <= 8) & (np.abs(columns - 10) <= 8)
    assert np.array_equal(weight, np.where(near, 1.0, 0.25).astype(np.float32))
    with pytest.raises(ConfigError, match="3 channels"):
        object_weight(torch.zeros(1, 3, 8, 8), 0.5)


def test_weighted_l1_is_the_mean_over_weights(make: Any, make_batch: Any) -> None:
    backend = make("pix2pix", gan_weight=0.0, l1_weight=2.0, background_weight=0.25, in_channels=7)
    assert not backend.discriminators
    batch = make_batch(seed=1)
    batch.source[:, 6, 2:] = -1  # objects in the first rows alone: 10 of them count 1
    made = backend.generate(batch)
    loss = backend.generator_losses(batch, made)
    assert set(loss) == {"generator_l1"}
    error = (made["image"] - batch.target).abs().detach()
    near, far = error[:, :, :10], error[:, :, 10:]
    wanted = 2 * float(near.sum() + 0.25 * far.sum()) / (near.numel() + 0.25 * far.numel())
    assert float(loss["generator_l1"].detach()) == pytest.approx(wanted, rel=1e-4)
