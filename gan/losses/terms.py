"""Losses as pure functions of tensors; images are (N, K, H, W) float32 in [-1, 1], logits any shape.

Papers: vanilla is Goodfellow et al., "Generative adversarial nets", NeurIPS 2014 (the generator maximises log D(G)
instead of minimising log(1 - D(G)), as its section 3 advises); least squares is Mao et al., ICCV 2017; hinge is Lim
and Ye, "Geometric GAN", 2017; the gradient penalty is Gulrajani et al., "Improved training of Wasserstein GANs",
NeurIPS 2017, equation 3. The gradient difference is that of Mathieu, Couprie and LeCun, ICLR 2016, with exponent
1.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor
from torch.nn import functional

from gan.data.layout import CHANNELS
from gan.errors import ConfigError

__all__ = [
    "GanLoss",
    "discriminator_loss",
    "generator_loss",
    "gradient_loss",
    "gradient_penalty",
    "object_weight",
    "perceptual_loss",
    "weighted_sum",
]

GanLoss = Literal["vanilla", "lsgan", "hinge"]

_NEAR_PX: Final = 8
"""Around an object as much as a data set paints: 6 % of the height of one that fills a window of 192 px."""


def discriminator_loss(kind: GanLoss, real: Tensor, fake: Tensor) -> Tensor:
    """Loss of a discriminator: mean of its errors on real and fake logits (so halved, as in pix2pix section 3.3)."""
    if kind == "vanilla":
        return (functional.softplus(-real).mean() + functional.softplus(fake).mean()) / 2
    if kind == "lsgan":
        return ((real - 1).square().mean() + fake.square().mean()) / 2
    return (functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()) / 2


def generator_loss(kind: GanLoss, fake: Tensor) -> Tensor:
    """Adversarial loss of a generator, given the logits of its images."""
    if kind == "vanilla":
        return functional.softplus(-fake).mean()
    if kind == "lsgan":
        return (fake - 1).square().mean()
    return -fake.mean()


def gradient_loss(fake: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the forward differences of two images, along x plus along y."""
    difference = fake - target
    return difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Mean square of what a critic's slope differs from 1 by, at a random place between each real and generated image.

    Args:
        critic: Images to scores (N,), differentiable twice; the slope is that of the score over all pixels.
        real: (N, K, H, W).
        fake: (N, K, H, W).
    """
    share = torch.rand((len(real), 1, 1, 1), device=real.device)
    between = (real + share * (fake - real)).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    # The root has no slope at 0.
    length = (slope.float().square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
    return (length - 1).square().mean()


def weighted_sum(values: Tensor, weight: Tensor) -> Tensor:
    """Sum over pixels by their weights (N, 1, H, W), of the mean over channels of values (N, K, H, W)."""
    return (values.mean(dim=1, keepdim=True) * weight).sum()


def object_weight(sources: Tensor, elsewhere: float) -> Tensor:
    """What each pixel counts, (N, 1, H, W): 1 on the objects of source tensors and near them, else ``elsewhere``.

    Args:
        sources: (N, 7, H, W) source tensors of any layout.
        elsewhere: At least 0.

    Raises:
        ConfigError: The sources are images.
    """
    if sources.shape[1] != len(CHANNELS):
        raise ConfigError(
            f"background_weight: sources have {sources.shape[1]} channels; expected source tensors, which tell objects "
            "from background, or a weight of 1"
        )
    objects = (sources[:, -1:] > -1).float()  # inverse depth: the background lies at -1
    for kernel in ((2 * _NEAR_PX + 1, 1), (1, 2 * _NEAR_PX + 1)):
        objects = functional.max_pool2d(objects, kernel, stride=1, padding=(kernel[0] // 2, kernel[1] // 2))
    return objects + elsewhere * (1 - objects)


def perceptual_loss(weights_dir: str, device: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """LPIPS on AlexNet as a differentiable loss of (fake, target), both (N, K, H, W) with K of 1 or 3.

    Raises:
        MetricError: Where the backbone's weights cannot be found.
    """
    from gan.metrics.lpips import Lpips

    module = Lpips("alex", Path(weights_dir) if weights_dir else None, device=str(device)).module

    def loss(fake: Tensor, target: Tensor) -> Tensor:
        distance: Tensor = module(fake.expand(-1, 3, -1, -1), target.expand(-1, 3, -1, -1))
        return distance.mean()

    return loss
