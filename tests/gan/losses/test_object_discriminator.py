"""The discriminator of objects: what it is shown, that it learns, and that training with it can be resumed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from gan.data.augmentation import match_levels
from gan.data.batch import Batch
from gan.data.layout import Sample, encode_sample
from gan.data.loader import Loader
from gan.data.options import DataOptions
from gan.data.training_data import open_data
from gan.errors import ConfigError, DataError
from gan.losses.object_discriminator import CROP_PX, ObjectDiscriminator, imagenet_features, object_crops, vary
from gan.networks.squeezenet import DenseSqueezeNet
from gan.storage.checkpoint import read_checkpoint
from gan.training.options import TrainOptions
from gan.training.train import train

SIZE = 64
CPU = torch.device("cpu")
TINY = {"ngf": 4, "ndf": 4, "levels": 3, "discriminator_layers": 3, "norm": "batch", "object_discriminator_weight": 0.5}


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a SqueezeNet of random weights: what it sees is no matter here."""
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("weights")
    state = DenseSqueezeNet(3, 2).features.state_dict(prefix="features.")
    save_file(state, folder / "squeezenet1_1_caffe.safetensors")
    return folder


def write_samples(folder: Path, count: int, seed: int, layout: str = "physics") -> Path:
    """Objects of 30 px at random places, on noise."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    for index in range(count):
        left, top = rng.integers(0, SIZE - 30, 2)
        ids = np.zeros((SIZE, SIZE), np.uint16)
        ids[top : top + 30, left : left + 30] = 1
        label = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
        label[..., 1] = np.where(ids > 0, 255, 0)
        target = rng.integers(0, 65536, (SIZE, SIZE), dtype=np.uint16)
        heat = np.where(ids > 0, 2, 0).astype(np.uint8)
        sample = Sample(index, label, heat, ids * np.uint16(900), target, ids, group=str(index), layout=layout)
        (folder / f"{index:06d}.safetensors").write_bytes(encode_sample(sample))
    return folder


def source_with(top: int, bottom: int, left: int, right: int, size: int = SIZE) -> torch.Tensor:
    source = torch.full((1, 7, size, size), -1.0)
    source[:, 4, top:bottom, left:right] = 1.0
    return source


def test_a_crop_is_centred_on_its_object_and_1_3_times_as_wide() -> None:
    source = source_with(20, 40, 30, 60, 128)
    crop = object_crops((source[:, 4:5] + 1) / 2, source)
    assert crop.shape == (1, 1, CROP_PX, CROP_PX)
    inside = crop[0, 0] > 0.5
    assert int(inside.any(0).sum()) == pytest.approx(CROP_PX / 1.3, abs=1.5)
    assert int(inside.any(1).sum()) == pytest.approx(CROP_PX / 1.3 * 20 / 30, abs=1.5)
    rows, columns = torch.nonzero(inside, as_tuple=True)
    assert float(rows.float().mean()) == pytest.approx((CROP_PX - 1) / 2, abs=0.6)
    assert float(columns.float().mean()) == pytest.approx((CROP_PX - 1) / 2, abs=0.6)


def test_without_an_object_the_crop_is_the_image() -> None:
    image = torch.arange(SIZE, dtype=torch.float32).expand(1, 1, SIZE, SIZE)
    crop = object_crops(image, torch.full((1, 7, SIZE, SIZE), -1.0))
    assert crop[0, 0, 0, 0] < 5
    assert crop[0, 0, 0, -1] > SIZE - 6


def test_variations_keep_the_size_and_follow_the_seed() -> None:
    crops = torch.rand(3, 1, CROP_PX, CROP_PX)
    varied = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        varied.append(vary(crops))
    assert varied[0].shape == crops.shape
    assert torch.equal(varied[0], varied[1])
    assert not torch.equal(varied[0], varied[2])


def test_it_learns_to_tell_stripes_from_noise(shared_data: Path) -> None:
    """With the real features, as in use; gradients reach the images through the frozen network."""
    torch.manual_seed(0)
    features, discriminator = imagenet_features(str(shared_data / "weights"), CPU), ObjectDiscriminator()
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.0, 0.99))

    def draw() -> tuple[torch.Tensor, torch.Tensor]:
        noise = torch.rand(4, 1, CROP_PX, CROP_PX) * 2 - 1
        stripes = torch.sign(torch.sin(torch.arange(CROP_PX) / 3.0 + torch.rand(4, 1, 1, 1) * 6))
        return 0.7 * stripes.expand_as(noise) + 0.3 * noise, noise

    for _ in range(12):
        real, fake = (discriminator(features(vary(crops))) for crops in draw())
        loss = sum(
            functional.relu(1 - a).mean() + functional.relu(1 + b).mean() for a, b in zip(real, fake, strict=True)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    real, fake = (sum(one.mean() for one in discriminator(features(vary(each)))) for each in draw())
    assert real - fake > 1
    image = torch.zeros(1, 1, CROP_PX, CROP_PX, requires_grad=True)
    sum(one.mean() for one in discriminator(features(image))).backward()
    assert image.grad is not None
    assert float(image.grad.abs().max()) > 0


def test_weights_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"squeezenet1_1_caffe\.safetensors"):
        imagenet_features(str(tmp_path), CPU)


def test_matched_levels_are_those_of_the_target_in_each_class_of_heat() -> None:
    rng = torch.Generator().manual_seed(1)
    source = torch.rand(2, 7, SIZE, SIZE, generator=rng) * 0.6 - 0.3
    source[:, 1] = -1.0
    source[:, 1, 10:50, 10:50] = 1.0
    source[:, 3:6] = -1.0
    source[:, 3, 10:30, 10:50], source[:, 5, 30:50, 10:50] = 1.0, 1.0
    target = torch.rand(2, 1, SIZE, SIZE, generator=rng) * 0.4
    target[:, :, :30] -= 0.5
    changed = match_levels(Batch(source, target), [True, False])
    assert torch.equal(changed.source[1], source[1])
    assert torch.equal(changed.source[0, 1:], source[0, 1:])
    for rows in (slice(10, 30), slice(30, 50)):
        expected = float(target[0, 0, rows, 10:50].mean())
        assert float(changed.source[0, 0, rows, 10:50].mean()) == pytest.approx(expected, abs=1e-5)
    outside = source[0, 1] < 0
    assert torch.equal(changed.source[0, 0][outside], source[0, 0][outside])
    # The pattern inside a part stays, at another contrast.
    before, after = (one[0, 0, 10:30, 10:50].flatten() for one in (source, changed.source))
    assert float(torch.corrcoef(torch.stack((before, after)))[0, 1]) > 0.999


def test_unpaired_sources_stand_beside_the_pairs_and_do_not_change_them(tmp_path: Path) -> None:
    pairs, unpaired = (write_samples(tmp_path / name, 5, seed) for name, seed in (("pairs", 1), ("unpaired", 2)))
    plain = DataOptions(validation=0.2, crop=48, crop_zoom=1.2)
    options = DataOptions(validation=0.2, crop=48, crop_zoom=1.2, unpaired_objects=str(unpaired))
    epochs = []
    for chosen in (plain, options, options):
        data = open_data(pairs, chosen, tmp_path / "cache")
        epochs.append(list(Loader(data, 2, 4, chosen, CPU).epoch(3)))
        validated = next(Loader(data, 1, 4, chosen, CPU, validate=True).epoch(0))
        assert validated.unpaired is None
    assert all(batch.unpaired is None for batch in epochs[0])
    for batch, other, again in zip(*epochs, strict=True):
        assert torch.equal(batch.source, other.source)
        assert other.unpaired is not None
        assert again.unpaired is not None
        assert other.unpaired.shape == other.source.shape
        assert torch.equal(other.unpaired, again.unpaired)
        assert not torch.equal(other.unpaired, other.source)


def test_unpaired_sources_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    pairs = write_samples(tmp_path / "pairs", 3, 1)
    flat = write_samples(tmp_path / "flat", 2, 2, layout="flat")
    with pytest.raises(DataError, match=r"layout 'flat'; expected that of the pairs, 'physics'"):
        open_data(pairs, DataOptions(crop=48, unpaired_objects=str(flat)), tmp_path / "cache")
    with pytest.raises(ConfigError, match="give crop too"):
        open_data(pairs, DataOptions(unpaired_objects=str(pairs)), tmp_path / "cache")
    with pytest.raises(ConfigError, match="has no sources of layout physics"):
        open_data(flat, DataOptions(match_levels=0.5), tmp_path / "cache")
    with pytest.raises(DataError, match="no such folder"):
        open_data(pairs, DataOptions(crop=48, unpaired_objects=str(tmp_path / "none")), tmp_path / "cache")


def test_unpaired_sources_that_nothing_learns_from_are_refused(tmp_path: Path) -> None:
    pairs = write_samples(tmp_path / "pairs", 4, 1)
    options = DataOptions(validation=0.25, crop=48, unpaired_objects=str(pairs))
    with pytest.raises(
        ConfigError, match=r"no loss of pix2pix sees them; expected .* object_discriminator_weight above 0"
    ):
        train(
            pairs,
            tmp_path / "run",
            "pix2pix",
            {**TINY, "object_discriminator_weight": 0.0},
            TrainOptions(epochs=1),
            options,
        )


def test_training_with_it_is_resumed_bit_by_bit(tmp_path: Path, backbone: Path) -> None:
    pairs, unpaired = (write_samples(tmp_path / name, 5, seed) for name, seed in (("pairs", 1), ("unpaired", 2)))

    def run(out: Path, *, resume: bool = False) -> Path:
        return train(
            pairs, out, "pix2pix", TINY,
            TrainOptions(epochs=3, batch=2, threads=1, precision="fp32", keep=9, checkpoint_every=1, log_every=1,
                         weights_dir=str(backbone)),
            DataOptions(validation=0.2, crop=48, unpaired_objects=str(unpaired), match_levels=0.5),
            resume=resume, metric=("l1", lambda fake, real: (fake - real).abs().mean(dim=(1, 2, 3))),
        )  # fmt: skip

    run(tmp_path / "whole")
    checkpoints = sorted((tmp_path / "whole" / "checkpoints").glob("*.safetensors"))
    state = read_checkpoint(checkpoints[-1]).state["backend"]
    assert set(state["networks"]) == set(state["optimisers"]) == {"generator", "discriminator", "object_discriminator"}
    broken = tmp_path / "broken"
    (broken / "checkpoints").mkdir(parents=True)
    shutil.copy(tmp_path / "whole" / "run.json", broken)
    shutil.copy(checkpoints[2], broken / "checkpoints")
    run(broken, resume=True)
    assert (broken / "checkpoints" / checkpoints[-1].name).read_bytes() == checkpoints[-1].read_bytes()
    log = (tmp_path / "whole" / "log.jsonl").read_text()
    assert '"object_discriminator"' in log
    assert '"generator_object"' in log
