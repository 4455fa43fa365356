"""ThermalNet: its structure against SqueezeNet's, thermal levels and back, post-processing, errors per class."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from gan.backends import thermalnet
from gan.data.batch import Batch
from gan.errors import ConfigError, DataError, MetricError
from gan.metrics.classes import ClassErrors, boxes_to_regions
from gan.metrics.torchvision_shim import import_torchvision
from gan.networks.squeezenet import DenseSqueezeNet, Fire, load_imagenet
from gan.networks.thermal_levels import decode, level_values, levels_loss, to_levels
from gan.serving.postprocess import StyleReconstruction, gaussian_smooth
from gan.storage.model_file import read_model_file, write_model_file

# --- structure -------------------------------------------------------------------------------------------------------


def test_squeezenet_without_average_pooling_and_two_deconvolutions() -> None:
    network = DenseSqueezeNet(3, 64)
    kinds = [type(module) for module in network.modules()]
    assert kinds.count(Fire) == 8
    assert kinds.count(nn.MaxPool2d) == 3
    assert kinds.count(nn.Conv2d) == 1 + 8 * 3 + 1
    assert kinds.count(nn.ConvTranspose2d) == 2
    assert not any("AvgPool" in kind.__name__ for kind in kinds)
    widths = [2 * module.expand1x1.out_channels for module in network.modules() if isinstance(module, Fire)]
    assert widths == [128, 128, 256, 256, 384, 384, 512, 512]


@pytest.mark.parametrize("how", ["expectation", "argmax"])
def test_one_decision_per_pixel_at_the_size_of_the_image(how: Any) -> None:
    config = thermalnet.Config(in_channels=3, thermal_levels=8, features=4, decoding=how)
    network = thermalnet.build_translator(config).eval()
    source = torch.rand(2, 3, 48, 80) * 2 - 1
    assert network.classifier(source).shape == (2, 8, 48, 80)
    assert network(source).shape == (2, 1, 48, 80)
    with pytest.raises(ConfigError, match="multiples of 16"):
        network(torch.zeros(1, 3, 40, 48))


def test_features_are_those_of_torchvision() -> None:
    """With the same weights, and the padding that makes every map half of the one before."""
    reference = import_torchvision().models.squeezenet1_1(weights=None).features.eval()
    network = DenseSqueezeNet(3, 8).eval()
    network.features.load_state_dict(reference.state_dict())
    reference[0].padding = (1, 1)
    source = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(network.features(source), reference(source))
        assert network.features(source).shape == (1, 512, 4, 6)


def test_suggest_wants_multiples_of_16() -> None:
    assert thermalnet.suggest(3, 1, 256, 320) == {"in_channels": 3, "out_channels": 1}
    with pytest.raises(ConfigError, match="multiples of 16"):
        thermalnet.suggest(3, 1, 329, 500)


# --- thermal levels --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [2, 32, 64, 100, 256])
def test_round_trip_is_off_by_half_a_bin_at_most(levels: int) -> None:
    image = torch.linspace(-1, 1, 10_001)
    numbers = to_levels(image, levels)
    edges = np.linspace(-1, 1, levels + 1)[1:-1]
    assert (numbers.numpy() != np.digitize(image.numpy(), edges)).mean() < 0.01  # rounding at the edges of bins only
    assert numbers.min() == 0
    assert numbers.max() == levels - 1
    error = (level_values(levels)[numbers] - image).abs().max()
    assert error <= 1 / levels + 1e-6
    assert error > 0.9 / levels
    assert torch.equal(to_levels(level_values(levels), levels), torch.arange(levels))


def test_values_beyond_the_range_are_clipped() -> None:
    assert to_levels(torch.tensor([-9.0, 9.0]), 16).tolist() == [0, 15]
    with pytest.raises(ConfigError, match="thermal levels"):
        level_values(1)


def test_decoding() -> None:
    values = level_values(4)  # -0.75, -0.25, 0.25, 0.75
    logits = torch.full((1, 8, 1, 2), -100.0)
    logits[0, [1, 5], 0, 0] = torch.tensor([100.0, 100.0])  # first pixel: level 1 in both channels
    logits[0, [0, 3], 0, 1] = torch.tensor([100.0, 100.1])  # second pixel: levels 0 and 3 about as likely
    expected, likeliest = decode(logits, values, "expectation"), decode(logits, values, "argmax")
    assert expected.shape == likeliest.shape == (1, 2, 1, 2)
    torch.testing.assert_close(expected[0, :, 0, 0], torch.tensor([-0.25, -0.25]))
    share = 1 / (1 + math.exp(-0.1))
    assert float(expected[0, 0, 0, 1]) == pytest.approx(-0.75 * (1 - share) + 0.75 * share, abs=1e-5)
    assert float(likeliest[0, 0, 0, 1]) == 0.75


def test_cross_entropy_against_its_definition() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 10, 3, 4), torch.rand(2, 2, 3, 4) * 2 - 1
    total = 0.0
    for n, k, y, x in np.ndindex(2, 2, 3, 4):
        scores = logits[n, 5 * k : 5 * k + 5, y, x].double().numpy()
        level = min(int((float(target[n, k, y, x]) + 1) / 2 * 5), 4)
        total -= math.log(np.exp(scores[level]) / np.exp(scores).sum())
    assert float(levels_loss(logits, target, 5)) == pytest.approx(total / 48, rel=1e-5)


# --- training --------------------------------------------------------------------------------------------------------


def _scene() -> Batch:
    """One image of two colours whose infrared has two intensities: a warm square, off the blocks of the network."""
    source, target = torch.full((1, 3, 64, 64), -0.5), torch.full((1, 1, 64, 64), -0.6)
    source[:, 0, 20:50, 9:43] = 0.8
    target[:, :, 20:50, 9:43] = 0.7
    return Batch(source, target)


def test_an_image_is_learnt_by_heart(make: Any) -> None:
    backend = make("thermalnet", 3, dropout=0.0, learning_rate=2e-3, thermal_levels=16, features=16)
    batch = _scene()
    losses = []
    for step in range(150):
        torch.manual_seed(step)
        losses.append(float(backend.train_step([batch])["cross_entropy"]))
    assert losses[0] == pytest.approx(math.log(16), rel=0.2)  # at first all levels are about as likely
    assert losses[-1] < 0.15
    assert float((backend.translate(batch.source) - batch.target).abs().mean()) < 0.1


def test_accumulated_batches_equal_one_large_batch(make: Any, make_batch: Any, weights: Any) -> None:
    whole, parts = make("thermalnet", dropout=0.0), make("thermalnet", dropout=0.0)
    a, b = make_batch(seed=1), make_batch(seed=2)
    both = Batch(torch.cat((a.source, b.source)), torch.cat((a.target, b.target)))
    torch.testing.assert_close(
        whole.train_step([both])["cross_entropy"], parts.train_step([a, b])["cross_entropy"], rtol=1e-4, atol=1e-5
    )
    for x, y in zip(weights(whole), weights(parts), strict=True):
        assert (x - y).abs().mean() < 4e-6


def test_colour_images_have_their_own_levels_per_channel(make_batch: Any) -> None:
    network = thermalnet.build_translator(thermalnet.Config(out_channels=3, thermal_levels=8, features=4)).eval()
    assert network(make_batch().source).shape == (1, 3, 64, 64)


# --- ImageNet weights ------------------------------------------------------------------------------------------------


def test_imagenet_weights_meet_the_input_they_expect(shared_data: Path) -> None:
    """Against torchvision's network fed with blue, green, red in [0, 255] minus Caffe's mean."""
    from safetensors.torch import load_file

    state = load_file(shared_data / "weights" / "squeezenet1_1_caffe.safetensors")
    reference = import_torchvision().models.squeezenet1_1(weights=None).eval()
    reference.load_state_dict(state)
    reference.features[0].padding = (1, 1)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3))  # red, green, blue
    caffe = pixels[..., ::-1].astype(np.float32) - np.array([103.939, 116.779, 123.68], np.float32)
    network = DenseSqueezeNet(3, 8, caffe_input=True).eval()
    load_imagenet(network, str(shared_data / "weights"))
    source = torch.from_numpy(pixels.transpose(2, 0, 1)[None] / 127.5 - 1).float()
    with torch.no_grad():
        wanted = reference.features(torch.from_numpy(caffe.transpose(2, 0, 1)[None].copy()))
        found = network.features(network.prepare(source))
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-2)


def test_other_channels_get_a_new_first_convolution(shared_data: Path) -> None:
    torch.manual_seed(0)
    network, three = DenseSqueezeNet(7, 8, caffe_input=True), DenseSqueezeNet(3, 8, caffe_input=True)
    for each in (network, three):
        load_imagenet(each, str(shared_data / "weights"))
    assert network.features[0].weight.shape == (64, 7, 3, 3)
    assert torch.equal(network.features[3].squeeze.weight, three.features[3].squeeze.weight)
    source = torch.rand(1, 7, 64, 64) * 2 - 1
    with torch.no_grad():
        spreads = [
            float(each.features[0](each.prepare(source[:, : each.in_channels])).std()) for each in (network, three)
        ]
    assert 0.3 < spreads[0] / spreads[1] < 3


def test_missing_weights_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIS_WEIGHTS", raising=False)
    for folder in ("", str(tmp_path)):
        with pytest.raises(ConfigError, match=r"squeezenet1_1_caffe\.safetensors as --weights-dir or GIS_WEIGHTS"):
            load_imagenet(DenseSqueezeNet(3, 8, caffe_input=True), folder)


def test_a_model_needs_no_imagenet_weights_to_be_served(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = thermalnet.Config(in_channels=3, thermal_levels=8, features=4, imagenet=True)
    network = thermalnet.build_translator(config).eval()
    write_model_file(tmp_path / "model.safetensors", "thermalnet", config, network.state_dict(), {})
    source = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        again = read_model_file(tmp_path / "model.safetensors").build()(source)
        torch.testing.assert_close(again, network(source), atol=0.02, rtol=0)  # stored in float16


# --- post-processing -------------------------------------------------------------------------------------------------


def test_gaussian_3x3() -> None:
    image = np.zeros((7, 9), np.float32)
    image[3, 4] = 16
    wanted = np.zeros((7, 9), np.float32)
    wanted[2:5, 3:6] = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    np.testing.assert_allclose(gaussian_smooth(image), wanted)
    noise = np.random.default_rng(0).uniform(-1, 1, (2, 20, 30)).astype(np.float32)
    smooth = gaussian_smooth(noise)
    assert smooth.shape == noise.shape
    assert smooth.dtype == np.float32
    np.testing.assert_allclose(smooth.mean(axis=(1, 2)), noise.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(gaussian_smooth(np.full((4, 4), 0.3, np.float32)), 0.3, rtol=1e-6)


@pytest.mark.parametrize("start", ["output", pytest.param("noise", marks=pytest.mark.slow)])
def test_style_comes_closer_to_the_reference(start: Any, shared_data: Path) -> None:
    """What is minimised falls far below where it starts, and the same call gives the same image."""
    y, x = np.mgrid[0:48, 0:48].astype(np.float32)
    reference = np.sin(x * 1.3) * np.cos(y * 0.9).astype(np.float32)
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.uniform(-0.7, 0.7, (6, 6)), (48, 48), interpolation=cv2.INTER_CUBIC)
    image = (image + rng.uniform(-0.1, 0.1, (48, 48))).astype(np.float32)
    style = StyleReconstruction(reference, start=start, steps=30, weights_dir=shared_data / "weights", device="cpu")
    result = style(image, seed=3)
    assert result.shape == image.shape
    assert result.dtype == np.float32
    assert np.abs(result).max() <= 1
    np.testing.assert_array_equal(result, style(image, seed=3))
    assert np.array_equal(result, style(image, seed=4)) == (start == "output")

    def loss(candidate: np.ndarray) -> float:
        with torch.no_grad():
            content = style._features(style._tensor(image))[1]
            return float(style.loss(style._tensor(candidate), content))

    noise = np.random.default_rng([3, 0, 0]).uniform(-0.1, 0.1, image.shape).astype(np.float32)
    assert loss(result) < 0.5 * loss(image if start == "output" else noise)


def test_style_wants_grey_images_that_are_large_enough() -> None:
    with pytest.raises(DataError, match="at least 32 px"):
        StyleReconstruction(np.zeros((16, 64), np.float32))
    with pytest.raises(ConfigError, match="at least 1 step"):
        StyleReconstruction(np.zeros((64, 64), np.float32), steps=0)


# --- errors per object class -----------------------------------------------------------------------------------------


def test_rms_is_pooled_over_pixels() -> None:
    errors = ClassErrors()
    zero = np.zeros((4, 4))
    one, two = zero.copy(), zero.copy()
    one[0, :3] = 2.0  # three pixels of a car are off by 2
    two[1, 1] = 1.0  # one pixel of a car is off by 1
    cars = [np.zeros((4, 4), bool), np.zeros((4, 4), bool)]
    cars[0][0, :3] = True
    cars[1][1, 1] = True
    errors.add(zero, one, {"car": cars[0], "person": np.zeros((4, 4), bool)})
    errors.add(zero, two, {"car": cars[1], "road": ~cars[1]})
    assert errors.rms() == {"car": pytest.approx(math.sqrt((3 * 4 + 1) / 4)), "road": 0.0}
    assert errors.pixels() == {"car": 4, "person": 0, "road": 15}


def test_classes_refuse_what_does_not_fit() -> None:
    with pytest.raises(MetricError, match="same"):
        ClassErrors().add(np.zeros((2, 2)), np.zeros((2, 3)), {})
    with pytest.raises(MetricError, match="region of car"):
        ClassErrors().add(np.zeros((2, 2)), np.zeros((2, 2)), {"car": np.ones((3, 3), bool)})
    with pytest.raises(MetricError, match="finite"):
        ClassErrors().add(np.full((2, 2), np.nan), np.zeros((2, 2)), {})


def test_boxes_become_regions() -> None:
    regions = boxes_to_regions([("car", (1, 1, 3, 2)), ("car", (-5, 3, 1, 99)), ("person", (2.6, 0, 3.4, 1))], 4, 5)
    assert regions["car"].nonzero()[0].tolist() == [1, 1, 3]
    assert regions["car"].nonzero()[1].tolist() == [1, 2, 0]
    assert not regions["person"].any()  # no centre of a pixel lies between 2.6 and 3.4
    assert regions["background"].sum() == 20 - 3
    with pytest.raises(MetricError, match="x0 <= x1"):
        boxes_to_regions([("car", (3, 0, 1, 1))], 4, 5)
