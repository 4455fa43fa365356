"""U-Net and PatchGAN against the paper's numbers and independent formulas."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from gan.backends.base import translate
from gan.errors import ConfigError
from gan.networks.layers import InstanceNorm, count_parameters
from gan.networks.patchgan import PatchGAN
from gan.networks.small_maps import convolve
from gan.networks.unet import UNet
from gan.networks.upsampled_conv import UpsampledConv2d


def unet_parameters(inputs: int, outputs: int, widths: list[int]) -> int:
    """Parameters of the U-Net by its drawing: 4x4 kernels, scale and shift where a map is normalised."""
    total = inputs * widths[0] * 16 + widths[0]  # first layer with bias
    for level in range(1, len(widths)):
        total += widths[level - 1] * widths[level] * 16
        total += widths[level] if level == len(widths) - 1 else 2 * widths[level]  # bias, or norm
    total += widths[-1] * widths[-2] * 16 + 2 * widths[-2]  # deepest decoder layer reads no skip
    for level in range(len(widths) - 2, 0, -1):
        total += 2 * widths[level] * widths[level - 1] * 16 + 2 * widths[level - 1]
    return total + 2 * widths[0] * outputs * 16 + outputs


def test_unet_has_67_million_parameters() -> None:
    network = UNet(7, 1, 64, 9)
    assert count_parameters(network) == unet_parameters(7, 1, [64, 128, 256] + [512] * 6) == 66_999_489


def test_unet_narrows_512_to_one_pixel() -> None:
    network = UNet(7, 1, 4, 9).eval()
    shapes: list[tuple[int, ...]] = []
    for layer in (*network.encoder, *reversed(network.decoder)):
        layer.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
    with torch.no_grad():
        image = network(torch.zeros(1, 7, 512, 512))
    widths = [4, 8, 16, 32, 32, 32, 32, 32, 32]
    down = [(width, 256 >> level, 256 >> level) for level, width in enumerate(widths)]
    up = [(width, 2 << level, 2 << level) for level, width in enumerate([*widths[:-1][::-1], 1])]
    assert shapes == down + up
    assert image.shape == (1, 1, 512, 512)
    assert image.abs().max() <= 1


def test_every_source_pixel_reaches_every_image_pixel() -> None:
    network = UNet(2, 1, 4, 5).double().eval()
    source = torch.randn(1, 2, 32, 32, dtype=torch.float64, requires_grad=True)
    network(source)[0, 0, 3, 5].backward()
    assert source.grad is not None
    assert (source.grad != 0).all()


def test_leaky_encoder_and_plain_decoder_by_hand() -> None:
    """Two levels without norm, computed by plain convolutions."""
    network = UNet(1, 1, 2, 2, norm="none", dropout=0).double()
    x = torch.randn(1, 1, 8, 8, dtype=torch.float64)
    first, second = network.encoder
    inner, outer = network.decoder[1], network.decoder[0]
    f = nn.functional
    a = f.conv2d(x, first.weight, first.bias, stride=2, padding=1)
    b = f.conv2d(torch.where(a > 0, a, 0.2 * a), second.weight, second.bias, stride=2, padding=1)
    c = f.conv_transpose2d(b.clamp(min=0), inner.weight, inner.bias, stride=2, padding=1)
    joined = torch.cat((a, c), 1).clamp(min=0)
    d = f.conv_transpose2d(joined, outer.weight, outer.bias, stride=2, padding=1)
    torch.testing.assert_close(network(x), d.tanh())


def test_instance_norm_is_torchs_and_takes_channels_last() -> None:
    x = torch.randn(3, 5, 8, 6)
    ours, theirs = InstanceNorm(5), nn.InstanceNorm2d(5, affine=True)
    nn.init.uniform_(ours.weight)
    nn.init.uniform_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours(x.to(memory_format=torch.channels_last)), theirs(x))


def test_noise_is_dropout_in_three_layers_and_deterministic_on_request() -> None:
    torch.manual_seed(0)
    network = UNet(1, 1, 4, 5)
    x = torch.randn(1, 1, 32, 32)
    assert torch.equal(translate(network, x), translate(network, x))
    noisy = translate(network, x, seed=1)
    assert torch.equal(noisy, translate(network, x, seed=1))
    assert not torch.equal(noisy, translate(network, x, seed=2))
    assert not torch.equal(noisy, translate(network, x))
    network.train()
    calls: list[int] = []
    original = nn.functional.dropout
    try:
        nn.functional.dropout = lambda t, p: calls.append(t.shape[-1]) or original(t, p)  # type: ignore[assignment]
        network(x)
    finally:
        nn.functional.dropout = original
    assert calls == [2, 4, 8]


def test_translate_leaves_the_callers_random_state_alone() -> None:
    network = UNet(1, 1, 4, 3)
    before = torch.get_rng_state()
    translate(network, torch.zeros(1, 1, 8, 8), seed=3)
    assert torch.equal(before, torch.get_rng_state())
    assert network.training
    assert not network.noise


def test_resize_convolution_has_no_transposed_convolution() -> None:
    """Neither as a layer of its own weights, nor in what it makes: it is upsampling and then a convolution."""
    network = UNet(3, 1, 4, 3, upsample="resize").eval()
    assert not any(isinstance(module, nn.ConvTranspose2d) for module in network.modules())
    source = torch.rand(2, 3, 16, 16) * 2 - 1
    made = network(source)
    assert made.shape == (2, 1, 16, 16)
    for layer in (module for module in network.decoder.modules() if isinstance(module, nn.Sequential)):
        upsampled = layer[1]
        plain = nn.Conv2d(upsampled.in_channels, upsampled.out_channels, 3, padding=1, bias=upsampled.bias is not None)
        plain.load_state_dict(upsampled.state_dict())
        layer[0], layer[1] = nn.Upsample(scale_factor=2, mode="nearest"), plain
    assert not any(isinstance(module, UpsampledConv2d) for module in network.modules())
    assert torch.allclose(network(source), made, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 4, 7])
@pytest.mark.parametrize("bias", [False, True])
def test_upsampled_convolution_is_upsampling_and_convolution(channels: int, bias: bool) -> None:
    layer = UpsampledConv2d(5, channels, bias=bias).double()
    x = torch.randn(2, 5, 6, 9, dtype=torch.float64, requires_grad=True)
    wanted = functional.conv2d(functional.interpolate(x, scale_factor=2), layer.weight, layer.bias, padding=1)
    found = layer(x)
    assert torch.allclose(found, wanted, rtol=0, atol=1e-13)
    leaves = (x, *layer.parameters())
    weights = torch.randn_like(wanted)
    for one, other in zip(*(torch.autograd.grad((y * weights).sum(), leaves) for y in (found, wanted)), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-11)


@pytest.mark.parametrize("shape", [(1, 7, 48, 64), (1, 3, 64, 64)])
def test_unet_refuses_other_sources(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"expected 7 channels and edges in multiples of 32 px"):
        UNet(7, 1, 4, 5)(torch.zeros(shape))


def _receptive_field(network: PatchGAN, size: int) -> tuple[int, tuple[int, ...]]:
    """Pixels that one logit in the middle depends on, along x, and the shape of the map."""
    network = network.double()
    image = torch.randn(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    logits = network(None, image)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    assert image.grad is not None
    columns = image.grad[0, 0].abs().sum(0).nonzero()[:, 0]
    return int(columns[-1] - columns[0] + 1), tuple(logits.shape)


def test_five_layers_see_70_pixels_with_a_30x30_map_at_256() -> None:
    assert _receptive_field(PatchGAN(0, 1, 2, 5, norm="none"), 256) == (70, (1, 1, 30, 30))


def test_six_layers_see_142_pixels_with_a_30x30_map_at_512() -> None:
    assert _receptive_field(PatchGAN(0, 1, 2, 6, norm="none"), 512) == (142, (1, 1, 30, 30))


def test_patchgan_layers() -> None:
    network = PatchGAN(7, 1, 64, 6)
    assert [c.out_channels for c in network.convolutions] == [64, 128, 256, 512, 512, 1]
    assert [c.stride[0] for c in network.convolutions] == [2, 2, 2, 2, 1, 1]
    kernels = 16 * (8 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 512 + 512)
    assert count_parameters(network) == kernels + 64 + 2 * (128 + 256 + 512 + 512) + 1 == 6_966_081


def test_patchgan_reads_its_source() -> None:
    network = PatchGAN(2, 1, 4, 3).eval()
    image = torch.randn(1, 1, 32, 32)
    assert not torch.allclose(network(torch.zeros(1, 2, 32, 32), image), network(torch.randn(1, 2, 32, 32), image))


def test_networks_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="at least 2 levels"):
        UNet(7, 1, 8, 1)
    with pytest.raises(ConfigError, match="at least 3 layers"):
        PatchGAN(7, 1, 8, 2)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_small_maps_give_the_convolution(order: torch.memory_format) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 6, 8, 8, dtype=torch.float64).to(memory_format=order)
    for layer in (nn.Conv2d(6, 5, 4, 2, 1), nn.ConvTranspose2d(6, 5, 4, 2, 1, bias=False)):
        layer.double().to(memory_format=order)
        plain = nn.functional.conv2d if isinstance(layer, nn.Conv2d) else nn.functional.conv_transpose2d
        ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
        y, expected = convolve(layer, ours), plain(theirs, layer.weight, layer.bias, stride=2, padding=1)
        torch.testing.assert_close(y, expected)
        gradient = torch.randn_like(y)
        weight, source = torch.autograd.grad(y, (layer.weight, ours), gradient)
        torch.testing.assert_close((weight, source), torch.autograd.grad(expected, (layer.weight, theirs), gradient))


def test_small_maps_are_in_use_in_training_only() -> None:
    calls: list[int] = []
    network = UNet(3, 1, 4, 5)
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.register_forward_hook(lambda *_: calls.append(1))
    network.eval()(torch.zeros(1, 3, 64, 64))
    assert len(calls) == 10
    network.train()(torch.zeros(1, 3, 64, 64))
    assert len(calls) == 10 + 3  # two convolutions make 16x16 and more, one transposed starts from 32x32


def test_training_and_evaluation_agree_but_for_the_noise() -> None:
    torch.manual_seed(0)
    network = UNet(3, 1, 4, 5, dropout=0.0).to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 64, 64).to(memory_format=torch.channels_last)
    torch.testing.assert_close(network.train()(x), network.eval()(x), atol=2e-5, rtol=0)


def test_a_residual_generator_begins_with_the_first_channel() -> None:
    torch.manual_seed(0)
    network = UNet(7, 1, 4, 3, residual=True).eval()
    source = torch.rand(1, 7, 32, 32) * 2 - 1
    image = network(source)
    assert (image - source[:, :1]).abs().mean() < 0.1
    assert image.abs().max() <= 1
    plain = UNet(7, 1, 4, 3).eval()
    plain.load_state_dict(network.state_dict())
    assert torch.equal(image, (source[:, :1] + 2 * plain(source)).clamp(-1, 1))
