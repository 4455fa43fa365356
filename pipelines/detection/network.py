"""A small detector: centres and boxes on SqueezeNet 1.1.

The low layers stay as ImageNet left them, so that their output can be kept on disk and a training costs minutes on one
core. The rest is trained: the high layers, a top-down path back to stride 8 (Lin et al., CVPR 2017), and on it a heat
map of object centres for each class with the distances to the four edges of the box (Zhou et al., "Objects as Points",
2019; Liu et al., "Training-Time-Friendly Network", AAAI 2020).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from gan.networks.squeezenet import DenseSqueezeNet, load_imagenet
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LOW_CHANNELS", "STRIDE_PX", "DetectionNetwork", "FrozenLayers", "imagenet_backbone"]

STRIDE_PX: Final = 8
"""Pixels of the network's input in one cell of the heat map."""
LOW_CHANNELS: Final = 256
"""Channels that the frozen layers give."""
_FIRST_TRAINED: Final = 8  # number of the third pooling in torchvision's `features`: the first layer after stride 8
_HIGH_CHANNELS: Final = 512
_WIDTH: Final = 48
_FEATURE_SCALE: Final = 0.1  # brings the features of SqueezeNet, of some tens, to what the new layers start from
_RARE: Final = -2.5  # logit of a centre before anything is learned: 8 %, so that the empty cells do not drown the rest


def imagenet_backbone(weights_dir: Path | None = None) -> nn.Sequential:
    """The layers of SqueezeNet 1.1 with ImageNet weights, from (N, 1, H, W) grey of 0 to 255 up to stride 16.

    Args:
        weights_dir: Folder with ``squeezenet1_1_caffe.safetensors``; None takes the folder in ``GIS_WEIGHTS``.

    Raises:
        ConfigError: No such file, or weights of another network.
    """
    network = DenseSqueezeNet(3, classes=2, caffe_input=True)
    load_imagenet(network, str(weights_dir or ""))
    _fold_grey(network)
    return network.features


@torch.no_grad()
def _fold_grey(network: DenseSqueezeNet) -> None:
    """One input channel: a grey image in all three, brought to what the weights expect, by the first convolution."""
    first = network.features[0]
    assert isinstance(first, nn.Conv2d)
    assert first.bias is not None
    white, black = (network.prepare(torch.full((1, 3, 1, 1), value)).reshape(3, 1, 1) for value in (1.0, -1.0))
    conv = nn.Conv2d(1, first.out_channels, 3, stride=2, padding=1)
    assert conv.bias is not None
    conv.weight.copy_((first.weight * (white - black) / 255.0).sum(1, keepdim=True))
    conv.bias.copy_(first.bias + (first.weight * black).sum((1, 2, 3)))
    network.features[0] = conv


class FrozenLayers(nn.Module):
    """The backbone up to stride 8: (N, 1, H, W) grey of 0 to 255 to (N, 256, H/8, W/8)."""

    def __init__(self, backbone: nn.Sequential) -> None:
        super().__init__()
        self.layers = backbone[:_FIRST_TRAINED]
        self.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def forward(self, image: Tensor) -> Tensor:
        """Features of stride 8."""
        return torch.as_tensor(self.layers(image))


class DetectionNetwork(nn.Module):
    """What is trained: (N, 256, H/8, W/8) of :class:`FrozenLayers` to centres and boxes; or all of it, from images."""

    def __init__(self, backbone: nn.Sequential, classes: int, *, all_layers: bool = False) -> None:
        """Of a backbone; ``all_layers``: the low ones are part of it, and it takes (N, 1, H, W) grey of 0 to 255."""
        super().__init__()
        self.low = backbone[:_FIRST_TRAINED] if all_layers else nn.Identity()
        self.high = backbone[_FIRST_TRAINED:]
        self.from_low = nn.Conv2d(LOW_CHANNELS, _WIDTH, 1)
        self.from_high = nn.Conv2d(_HIGH_CHANNELS, _WIDTH, 1)
        self.merge = nn.Sequential(nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1), nn.GroupNorm(8, _WIDTH), nn.ReLU())
        self.centres = _branch(classes)
        self.edges = _branch(4)
        last = self.centres[2]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, _RARE)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, given: Tensor) -> tuple[Tensor, Tensor]:
        """Centres and edges of each cell.

        Returns:
            (N, classes, H/8, W/8) logits of a centre, and (N, 4, H/8, W/8) distances from the cell's middle to the
            left, top, right and bottom edge, pixels of the network's input.
        """
        low = self.low(given)
        above = self.from_high(self.high(low) * _FEATURE_SCALE)
        above = functional.interpolate(above, size=low.shape[2:], mode="nearest")
        merged = self.merge(self.from_low(low * _FEATURE_SCALE) + above)
        return self.centres(merged), functional.softplus(self.edges(merged) + 1.0) * STRIDE_PX

    def pretrained(self) -> list[nn.Parameter]:
        """Parameters of the high layers that ImageNet has trained already."""
        return list(self.high.parameters())

    def new(self) -> list[nn.Parameter]:
        """Parameters that start from random numbers."""
        return [one for name, one in self.named_parameters() if not name.startswith(("high.", "low."))]


def _branch(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1), nn.ReLU(), nn.Conv2d(_WIDTH, channels, 1))
