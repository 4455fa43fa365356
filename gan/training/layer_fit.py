"""First weights of a U-Net from a wider one: its most telling channels, and each layer fitted to what it makes of them.

Channels are pruned layer by layer, after He, Zhang and Sun, "Channel pruning for accelerating very deep neural
networks", ICCV 2017: some channels of each map are kept, and the weights that read them are those of least squares, by
which the layer comes nearest to the maps of the wide network. Deviations: channels are chosen by pivoted Cholesky
factors of what they hand on (each that explains most of what those before it leave), not by LASSO; every layer is
fitted to what the fitted layers before it make, so that their errors are made good where they can be; the narrow
network may have fewer levels too.

That takes a minute for the shipped model and a hundred windows, and leaves training little to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.data.layout import CHANNELS
from gan.errors import ConfigError
from gan.losses.terms import object_weight
from gan.networks.unet import LEAK, UNet
from gan.networks.upsampled_conv import UpsampledConv2d

__all__ = ["fit_layers"]

_PIXELS: Final = 12_000
"""Of each layer's map that it is fitted to; the widest has 2000 weights for each of its channels."""
_NEAR: Final = 0.75
"""Share of them on objects or near, where there are as many: there a data set takes what the network makes."""
_RIDGE: Final = 1e-4
"""Of the inputs' mean square is added to it, so that channels that say the same make no huge weights."""


@torch.no_grad()
def fit_layers(student: UNet, teacher: UNet, sources: Tensor, seed: int = 0) -> None:
    """Gives a narrow U-Net weights with which it makes nearly what a wide one makes.

    Args:
        student: Gets the weights; it has at most as many channels and levels.
        teacher: Finished, in evaluation mode, on the same device.
        sources: (N, C, H, W), some that the network will be given: a hundred or so.
        seed: Of the pixels that are looked at.

    Raises:
        ConfigError: The networks are not alike but for their width and depth, or of a kind that cannot be fitted.
    """
    _check(student, teacher)
    was_training = student.training
    student.eval()
    pixels = _Pixels(sources, np.random.default_rng(seed))
    encoded, decoded = _maps(teacher, sources)
    kept = [_kept_of_encoder(student, teacher, level, encoded[level], pixels) for level in range(student.levels)]
    inputs, skips = sources, []
    for level, layer in enumerate(student.encoder):
        _fit(layer, inputs, encoded[level][:, kept[level]], pixels)
        skips.append(layer(inputs))
        inputs = functional.leaky_relu(skips[-1], LEAK)
    x = skips.pop()
    for level in range(student.levels - 1, -1, -1):
        channels = _kept_of_decoder(student, teacher, level, decoded[level], pixels) if level else slice(None)
        inputs = functional.relu(x)
        _fit(student.decoder[level], inputs, decoded[level][:, channels], pixels)
        x = student.decoder[level](inputs)
        if level:
            x = torch.cat((skips.pop(), x), dim=1)
    student.train(was_training)


def _check(student: UNet, teacher: UNet) -> None:
    ours, theirs = (
        (network.in_channels, network.residual, network.bounded, _parts(network.decoder[0])[0].out_channels)
        for network in (student, teacher)
    )
    widths = [_parts(network.encoder[0])[0].out_channels for network in (student, teacher)]
    if ours != theirs or student.levels > teacher.levels or widths[0] > widths[1]:
        raise ConfigError(
            f"teacher_fit: {student.levels} levels, ngf {widths[0]} (channels, residual, bounded, images: {ours}) "
            f"cannot be fitted to {teacher.levels} levels, ngf {widths[1]} ({theirs}); expected no more of the student"
        )
    for network in (student, teacher):
        plain = all(isinstance(_parts(layer)[0], UpsampledConv2d) for layer in network.decoder)
        norms = {type(_parts(layer)[1]) for layer in (*network.encoder, *network.decoder)}
        if not plain or not norms <= {nn.BatchNorm2d, nn.Identity} or len(network.skips) != network.levels - 1:
            raise ConfigError(
                "teacher_fit: only U-Nets with all skip connections, upsample=resize and norm=batch or none can be "
                "fitted; expected such a teacher and student, or teacher_fit 0"
            )


def _parts(layer: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    """Convolution and normalisation of a layer of a U-Net."""
    if not isinstance(layer, nn.Sequential):
        return layer, nn.Identity()  # type: ignore[return-value]
    convolution, *norm = [one for one in layer if not isinstance(one, nn.Identity)]
    return convolution, norm[0] if norm else nn.Identity()  # type: ignore[return-value]


def _maps(network: UNet, sources: Tensor) -> tuple[list[Tensor], dict[int, Tensor]]:
    """What each layer of the encoder and of the decoder makes, normalised, before it is rectified."""
    encoded: list[Tensor] = []
    x = sources
    for layer in network.encoder:
        x = layer(x)
        encoded.append(x)
        x = functional.leaky_relu(x, LEAK)
    decoded: dict[int, Tensor] = {}
    x = encoded[-1]
    for level in range(network.levels - 1, -1, -1):
        decoded[level] = network.decoder[level](functional.relu(x))
        if level:
            x = torch.cat((encoded[level - 1], decoded[level]), dim=1)
    return encoded, decoded


@dataclass(frozen=True)
class _Pixels:
    """Which pixels of maps of any size are looked at."""

    sources: Tensor
    rng: np.random.Generator

    def draw(self, size: Sequence[int]) -> Tensor:
        """Numbers of pixels of maps (N, h, w)."""
        near = torch.ones(len(self.sources), 1, 1, 1)
        if self.sources.shape[1] == len(CHANNELS):
            near = object_weight(self.sources, 0.0).cpu()
        inside = functional.adaptive_max_pool2d(near.expand(-1, 1, *self.sources.shape[2:]), list(size[1:])) > 0
        numbers = np.arange(inside.numel())
        sorts = [self.rng.permutation(numbers[mask]) for mask in (inside.numpy().ravel(), ~inside.numpy().ravel())]
        first = sorts[0][: round(_PIXELS * _NEAR)]
        return torch.from_numpy(np.sort(np.concatenate((first, sorts[1][: _PIXELS - len(first)]))))


def _kept_of_encoder(student: UNet, teacher: UNet, level: int, made: Tensor, pixels: _Pixels) -> list[int]:
    """Channels of a layer of the encoder that the narrow network has; the next layer reads them, and the decoder."""
    weight = _squares(teacher.decoder[level])[: made.shape[1]]
    if level + 1 < teacher.levels:
        weight = weight + _squares(teacher.encoder[level + 1])
    count = _parts(student.encoder[level])[0].out_channels
    return _telling(functional.leaky_relu(made, LEAK), weight, count, pixels)


def _kept_of_decoder(student: UNet, teacher: UNet, level: int, made: Tensor, pixels: _Pixels) -> list[int]:
    weight = _squares(teacher.decoder[level - 1])[-made.shape[1] :]
    return _telling(functional.relu(made), weight, _parts(student.decoder[level])[0].out_channels, pixels)


def _squares(layer: nn.Module) -> Tensor:
    """(C,) squares of the weights that read each channel."""
    return _parts(layer)[0].weight.square().sum(dim=(0, 2, 3))


def _telling(handed_on: Tensor, weight: Tensor, count: int, pixels: _Pixels) -> list[int]:
    """Channels that explain most of what all hand on: pivots of Cholesky's decomposition of their covariance.

    Args:
        handed_on: (N, C, h, w) values.
        weight: (C,) what a square of each counts.
        count: Of channels, at most C.
        pixels: That are looked at.
    """
    values = _at(handed_on, pixels.draw((len(handed_on), *handed_on.shape[2:]))).double()
    values = (values - values.mean(dim=0)) * weight.double().sqrt()
    covariance = (values.T @ values).cpu().numpy()
    left, factors, chosen = np.diag(covariance).copy(), np.zeros((len(covariance), 0)), list[int]()
    for _ in range(count):
        left[chosen] = -1
        pivot = int(left.argmax())
        column = covariance[:, pivot] - factors @ factors[pivot]
        factors = np.column_stack((factors, column / np.sqrt(max(left[pivot], np.finfo(np.float32).tiny))))
        left = np.diag(covariance) - np.square(factors).sum(axis=1)
        chosen.append(pivot)
    return sorted(chosen)


def _at(maps: Tensor, places: Tensor) -> Tensor:
    """(P, C) values of maps (N, C, h, w) at some pixels."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)[places.to(maps.device)]


def _fit(layer: nn.Module, inputs: Tensor, wanted: Tensor, pixels: _Pixels) -> None:
    """Gives a layer the weights with which its map is nearest to one that is wanted, by least squares.

    Args:
        layer: Of a student.
        inputs: (N, C, H, W) what it reads.
        wanted: (N, K, h, w) of the teacher, normalised.
        pixels: That are looked at.
    """
    convolution, norm = _parts(layer)
    places = pixels.draw((len(wanted), *wanted.shape[2:]))
    read = _neighbourhoods(convolution, inputs, wanted.shape[3], wanted.shape[2] * wanted.shape[3], places)
    middle, target = read.mean(dim=0), _at(wanted, places)
    centred, level = read - middle, target.mean(dim=0)
    squares = (centred.T @ centred).double()
    squares += torch.eye(len(squares), device=squares.device) * (_RIDGE * squares.diagonal().mean())
    weight = torch.linalg.solve(squares, (centred.T @ (target - level)).double()).float()  # (C * k * k, K)
    convolution.weight.copy_(weight.T.reshape(convolution.weight.shape))
    if isinstance(norm, nn.BatchNorm2d):
        made = convolution(inputs)  # all of it: so training will normalise
        mean, variance = made.mean(dim=(0, 2, 3)), made.var(dim=(0, 2, 3), unbiased=False)
        for stored, value in ((norm.running_mean, mean), (norm.running_var, variance)):
            assert stored is not None
            stored.copy_(value)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(level - middle @ weight + mean)
    elif convolution.bias is not None:
        convolution.bias.copy_(level - middle @ weight)


def _neighbourhoods(convolution: nn.Conv2d, inputs: Tensor, width: int, area: int, places: Tensor) -> Tensor:
    """(P, C * k * k) what a convolution reads for some pixels of its map, in the order of its weights."""
    size, step = convolution.kernel_size[0], convolution.stride[0]
    if isinstance(convolution, UpsampledConv2d):
        inputs = functional.interpolate(inputs, scale_factor=2, mode="nearest")
    padded = functional.pad(inputs, (1, 1, 1, 1)).permute(0, 2, 3, 1)  # (N, H + 2, W + 2, C)
    places = places.to(inputs.device)
    image, inside = places // area, places % area
    row, column = inside // width * step, inside % width * step
    taps = [padded[image, row + down, column + across] for down in range(size) for across in range(size)]
    return torch.stack(taps, dim=2).flatten(1)
