"""The layered GAN: layers know of no other, classes count alike, pairs have one layer; its model with styles."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from gan.backends import layered, layered_style
from gan.backends.kelvin import batch_vectors
from gan.data.batch import Batch
from gan.losses.terms import gradient_penalty
from gan.networks.class_masks import class_edges, class_masks, put_together
from gan.networks.layers import count_parameters
from gan.networks.resnet18 import ResNet18
from gan.networks.style_decoder import ModulatedConv2d, StyleDecoder
from gan.storage.model_file import read_model_file, write_model_file

ENTRIES = "background=270.000:280.000:290.000,car=275.000:290.000:310.000,person=290.000:300.000:310.000"
TOLD = {"entries": ENTRIES, "lowest_K": 250.0, "highest_K": 330.0, "contrast_K": 20.0}
BOTH = ("layered", "layered_style")


@pytest.fixture
def scene() -> Batch:
    """Two images of 64x64 px; the first shows all three classes, the second no person."""
    generator = torch.Generator().manual_seed(0)
    draw = torch.rand((2, 4, 64, 64), generator=generator) * 2 - 1
    objects = torch.zeros(2, 2, 64, 64, dtype=torch.int32)
    objects[:, :, 10:30, 10:40] = 1
    objects[0, :, 40:60, 50:58] = 2
    return Batch(draw[:, :3].contiguous(), draw[:, 3:].contiguous(), objects=objects)


# --- layers -----------------------------------------------------------------------------------------------------------


def test_a_pixel_is_that_of_the_layer_of_its_class() -> None:
    rng = np.random.default_rng(0)
    layers, entries = rng.normal(size=(3, 2, 1, 5, 6)).astype(np.float32), rng.integers(0, 3, (2, 1, 5, 6))
    image = put_together([torch.from_numpy(layer) for layer in layers], torch.from_numpy(entries))
    np.testing.assert_array_equal(image, np.choose(entries, layers))


def test_masks_and_edges() -> None:
    entries = torch.tensor([[[[0, 0, 0, 0], [0, 0, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0]]]])
    masks = class_masks(entries, 3)
    assert masks.shape == (1, 3, 4, 4)
    assert (masks.sum(1) == -1).all()  # one of three
    assert masks[0, 2].argmax() == 7
    expected = -np.ones((4, 4))
    expected[:3, 2:] = 1
    np.testing.assert_array_equal(class_edges(entries)[0, 0], expected)
    assert class_masks(entries, 1).shape == (1, 0, 4, 4)


def test_layers_know_of_no_other(make: Any, scene: Batch) -> None:
    """A class gets new weights and another temperature: all bits of the other pixels stay, and of its own none."""
    backend = make("layered", 3, **TOLD)
    network = backend.translator().eval()
    assert scene.objects is not None
    entries = scene.objects[:, :1]
    vector = torch.tensor([[-0.2, 0.1, 0.3]] * 2)
    with torch.no_grad():
        before = network(scene.source, vector, entries)
        for parameter in network.layers[1].parameters():
            parameter.add_(torch.randn_like(parameter))
        after = network(scene.source, torch.tensor([[-0.2, 0.4, 0.3]] * 2), entries)
    car = entries == 1
    assert torch.equal(before[~car], after[~car])
    assert (before[car] != after[car]).all()


def test_noise_of_a_layer_is_its_own(make: Any, scene: Batch) -> None:
    from gan.backends.base import translate

    network = make("layered", 3, **TOLD).translator()
    assert scene.objects is not None
    conditions = (torch.zeros(2, 3), scene.objects[:, :1])
    plain = translate(network, scene.source, conditions=conditions)
    network.noisy = (2,)
    noisy = translate(network, scene.source, 1, conditions)
    person = scene.objects[:, :1] == 2
    assert torch.equal(plain[~person], noisy[~person])
    assert (plain[person] != noisy[person]).all()


def test_gradients_of_a_class_come_from_its_pixels(make: Any, scene: Batch) -> None:
    """A target that differs in the car alone leaves the other generators as they are."""
    backend = make("layered", 3, gan_weight=0.0, dropout=0.0, **TOLD)
    made = backend.generate(scene)["image"].detach()
    assert scene.objects is not None
    target = torch.where(scene.objects[:, :1] == 1, made + 0.5, made)
    backend.generate = lambda batch: {"image": layered.Layered.generate(backend, scene)["image"]}
    terms = backend.generator_losses(Batch(scene.source, target, objects=scene.objects), backend.generate(scene))
    terms["generator_l1"].backward()
    slopes = [sum(float(p.grad.abs().sum()) for p in layer.parameters()) for layer in backend.translator().layers]
    assert slopes[1] > 0
    assert slopes[0] == slopes[2] == 0


@pytest.mark.parametrize("name", BOTH)
def test_a_step_on_data_with_classes_changes_all_networks(name: str, make: Any, scene: Batch, weights: Any) -> None:
    backend = make(name, 3, segmenter_width=4, **TOLD)
    before = weights(backend)
    losses = backend.train_step([scene])
    assert all(torch.isfinite(value) for value in losses.values())
    assert all(not torch.equal(a, b) for a, b in zip(before, weights(backend), strict=True) if a.numel() > 64)
    alone = Batch(scene.source[1:], scene.target[1:], objects=scene.objects[1:])  # shows no person
    assert all(torch.isfinite(value) for value in backend.train_step([alone]).values())


@pytest.mark.parametrize("name", BOTH)
def test_each_class_counts_alike_in_l1(name: str, make: Any, scene: Batch) -> None:
    """Against the means of each class by numpy."""
    backend = make(name, 3, gan_weight=0.0, **TOLD)
    generated = backend.generate(scene)
    loss = backend.generator_losses(scene, generated)["generator_l1"].item()
    assert scene.objects is not None
    difference = (generated["image"] - scene.target).abs().detach().numpy()
    entries = scene.objects[:, :1].numpy()
    means = [np.mean([d[e == k].mean() for k in np.unique(e)]) for d, e in zip(difference, entries, strict=True)]
    assert loss == pytest.approx(100 * np.mean(means), rel=1e-5)


@pytest.mark.parametrize("name", BOTH)
def test_conditions_are_those_of_the_frame(name: str, make: Any, scene: Batch) -> None:
    backend = make(name, 3, **TOLD)
    vectors, entries = backend.conditions(scene)
    assert scene.objects is not None
    assert torch.equal(entries, scene.objects[:, :1])
    assert float(vectors[0, 1]) == pytest.approx(float(scene.target[0][entries[0] == 1].mean()), abs=1e-6)
    assert float(vectors[1, 2]) == pytest.approx((300 - 250) / 40 - 1)  # no person: the mean of the training
    assert torch.equal(vectors, batch_vectors(scene, torch.tensor(backend.config.usual)))


@pytest.mark.parametrize("name", BOTH)
def test_pairs_without_masks_have_one_layer(name: str, make: Any) -> None:
    backend = make(name, 3)
    assert backend.translator().conditions.segmenter is None
    assert not any("segmenter" in part for part in backend.networks())


@pytest.mark.parametrize("name", BOTH)
def test_models_with_classes_are_exported(name: str, make: Any, scene: Batch, tmp_path: Path) -> None:
    """OpenVINO gives the image of the network, which takes the classes that it says itself."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install -e '.[serve]'")
    from gan.serving.inference import load_model

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIS_CACHE", str(tmp_path / "cache"))
        backend = make(name, 3, segmenter_width=4, **TOLD)
        path = tmp_path / "model.safetensors"
        write_model_file(path, name, backend.config, backend.translator().state_dict(), {})
        with torch.no_grad():
            expected = read_model_file(path).build()(scene.source[:1])[0, 0].numpy()
        image = load_model(path, engine="openvino", precision="fp32", threads=1).translate(scene.source[0].numpy())
    # Where two classes are as likely, rounding decides between them.
    assert (np.abs(image.reshape(expected.shape) - expected) < 2e-3).mean() > 0.999


# --- styles -----------------------------------------------------------------------------------------------------------


def test_modulated_convolution_is_that_of_the_paper() -> None:
    """Against equations 1 and 3 of StyleGAN2: the weights scaled and normalised for each image, then convolved."""
    torch.manual_seed(0)
    for upsample in (False, True):
        layer = ModulatedConv2d(3, 5, 4, upsample=upsample)
        nn.init.normal_(layer.convolution.weight)
        x, code = torch.randn(2, 3, 6, 6), torch.randn(2, 4)
        images = []
        for image, scale in zip(x, layer.scale(code), strict=True):
            weight = layer.convolution.weight * scale[None, :, None, None]
            weight = weight / weight.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()
            grown = functional.interpolate(image[None], scale_factor=2.0) if upsample else image[None]
            images.append(functional.conv2d(grown, weight, padding=1))
        torch.testing.assert_close(layer(x, code), torch.cat(images), rtol=1e-4, atol=1e-5)


def test_resnet18_has_the_published_size() -> None:
    """11 689 512 with 1000 classes and three channels, as in the paper's and torchvision's model."""
    with torch.device("meta"):
        assert count_parameters(ResNet18(3, 0, 1000)) == 11_689_512


@pytest.mark.parametrize("levels", [2, 3, 4, 5])
def test_encoder_maps_fit_the_decoder(levels: int) -> None:
    encoder = ResNet18(3, 2, 16, features=4, levels=levels).eval()
    planes = torch.randn(1, 3, 64, 96)
    code, *maps = encoder(planes, torch.zeros(1, 2))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (width, 64 >> level, 96 >> level) for level, width in enumerate(encoder.widths, 1)
    ]
    decoder = StyleDecoder(1, 16, (3, *encoder.widths), 4).eval()
    assert decoder(code, (planes, *maps)).shape == (1, 1, 64, 96)


_NARROW = """
import torch
from gan.networks.resnet18 import ResNet18

network = ResNet18(3, 0, 4, features=4).to(memory_format=torch.channels_last)
for _ in range(100):
    planes = torch.randn(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    sum(x.sum() for x in network(planes, torch.zeros(2, 0))).backward()
print("whole")
"""


def test_narrow_encoder_trains_without_avx512() -> None:
    """With a 1x1 convolution of stride 2, oneDNN 3.12 hangs or corrupts memory here: a process of its own."""
    fewer = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", _NARROW], env=fewer, capture_output=True, text=True, timeout=120, check=False
    )
    assert (result.returncode, result.stdout) == (0, "whole\n"), result.stderr


def test_gradient_penalty_of_a_known_slope() -> None:
    """A critic that adds up a weighted image has the norm of its weights as slope, everywhere."""
    weight = torch.randn(1, 1, 4, 4)
    images = torch.randn(2, 3, 1, 4, 4)
    penalty = gradient_penalty(lambda x: (x * weight).sum(dim=(1, 2, 3)), images[0], images[1])
    assert float(penalty) == pytest.approx((float(weight.norm()) - 1) ** 2, rel=1e-5)


def test_style_image_is_the_segmentation_and_contrast(make: Any, scene: Batch) -> None:
    """No pixel is farther from the temperature of its class than the largest contrast, 20 K of 80 K."""
    network = make("layered_style", 3, **TOLD).translator().eval()
    assert scene.objects is not None
    entries = scene.objects[:, :1]
    vector = torch.tensor([[-0.2, 0.1, 0.3]] * 2)
    with torch.no_grad():
        image = network(scene.source, vector, entries)
    told = vector[0][entries.long()]
    assert 0 < float((image - told).abs().max()) <= 0.5 + 1e-6


def test_options_name_the_model_of_styles() -> None:
    assert layered_style.suggest(3, 1, 128, 128)["levels"] == 5
    assert layered_style.suggest(3, 1, 32, 32)["levels"] == 4
    assert layered_style.suggest(3, 1, 256, 512)["levels"] == 5
