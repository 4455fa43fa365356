"""SqueezeNet 1.1 as a dense classifier: one decision per pixel instead of one per image.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016,
arXiv:1602.07360; version 1.1 is its authors' later one (a 3x3 first convolution of 64; pooling after layers 1, 3, 5).
How it becomes dense stands in `gan.backends.thermalnet`.

The layers are named as in torchvision's ``squeezenet1_1``, so that weights with those names fit. Differences: the first
convolution is padded by 1 px, so that a map is exactly half of the one before it (torchvision's gives 127 of 256).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError
from gan.networks.layers import check_source

__all__ = ["DenseSqueezeNet", "Fire", "load_imagenet"]

# Table 1 of the paper in the order of version 1.1: inputs, squeeze 1x1, expand 1x1 (and as many 3x3).
_FIRES: Final[dict[int, tuple[int, int, int]]] = {
    3: (64, 16, 64),
    4: (128, 16, 64),
    6: (128, 32, 128),
    7: (256, 32, 128),
    9: (256, 48, 192),
    10: (384, 48, 192),
    11: (384, 64, 256),
    12: (512, 64, 256),
}
_POOLS: Final = (2, 5, 8)
_FEATURES: Final = 512
# The first convolution and three poolings halve the map: 16 px become one, and two deconvolutions by 4 undo it.
_LEVELS: Final = 4
_UP: Final = 4
# SqueezeNet's published solver draws its last convolution with this standard deviation.
_LAST_STD: Final = 0.01

# Caffe's ImageNet preparation: blue, green, red in [0, 255] minus the mean of the training set.
_BGR_MEAN: Final = (103.939, 116.779, 123.68)
_HALF_RANGE: Final = 127.5
_FILE: Final = "squeezenet1_1_caffe.safetensors"


class Fire(nn.Module):
    """The module of SqueezeNet: squeeze by 1x1, then expand by 1x1 and 3x3 side by side."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, 2 * expand, H, W)."""
        x = functional.relu(self.squeeze(x))
        return functional.relu(torch.cat((self.expand1x1(x), self.expand3x3(x)), dim=1))


class DenseSqueezeNet(nn.Module):
    """SqueezeNet 1.1 whose class scores are brought back to the size of the image by two deconvolutions.

    Args:
        in_channels: Channels of the source.
        classes: Classes of a pixel.
        width: Channels between the last 1x1 convolution and the second deconvolution.
        dropout: Probability of SqueezeNet's dropout before its last convolution; on in training only.
        caffe_input: Bring the source to what the ImageNet weights of Caffe expect; see `load_imagenet`.
    """

    def __init__(
        self, in_channels: int, classes: int, width: int = 64, *, dropout: float = 0.5, caffe_input: bool = False
    ) -> None:
        super().__init__()
        if in_channels < 1 or classes < 2 or width < 1:
            raise ConfigError(
                f"SqueezeNet with {in_channels} channels, {classes} classes, width {width}: "
                "expected at least 1 channel, 2 classes and width 1"
            )
        self.in_channels = in_channels
        self.levels = _LEVELS
        self.caffe_input = caffe_input
        layers: list[nn.Module] = [nn.Conv2d(in_channels, 64, 3, stride=2, padding=1), nn.ReLU()]
        for index in range(len(layers), max(_FIRES) + 1):
            layers.append(nn.MaxPool2d(3, stride=2, ceil_mode=True) if index in _POOLS else Fire(*_FIRES[index]))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv2d(_FEATURES, width, 1), nn.ReLU())
        # Kernel twice the stride: every output pixel sees 2x2 pixels of the small map.
        self.deconvolutions = nn.ModuleList(
            nn.ConvTranspose2d(width, outputs, 2 * _UP, stride=_UP, padding=_UP // 2) for outputs in (width, classes)
        )
        offset = [_HALF_RANGE - mean for mean in _BGR_MEAN] if in_channels == 3 else [0.0] * in_channels
        self.register_buffer("offset", torch.tensor(offset).view(1, -1, 1, 1), persistent=False)
        self.apply(_initialise_he)
        # Small last weights: at first all classes are about as likely, whatever the scale of the features.
        nn.init.normal_(self.deconvolutions[1].weight, 0.0, _LAST_STD)  # type: ignore[arg-type]

    def forward(self, source: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of a source (N, C, H, W) in [-1, 1]."""
        check_source(source, self.in_channels, self.levels)
        x = self.features(self.prepare(source))  # (N, 512, H / 16, W / 16)
        x = functional.relu(self.deconvolutions[0](self.classifier(x)))  # (N, width, H / 4, W / 4)
        logits: Tensor = self.deconvolutions[1](x)  # (N, classes, H, W)
        return logits

    def prepare(self, source: Tensor) -> Tensor:
        """A source (N, C, H, W) in [-1, 1] as ImageNet's weights expect it, where they are used; else as it is."""
        if not self.caffe_input:
            return source
        ordered = source.flip(1) if self.in_channels == 3 else source
        assert isinstance(self.offset, Tensor)
        return ordered * _HALF_RANGE + self.offset.to(source.dtype)


@torch.no_grad()
def load_imagenet(network: DenseSqueezeNet, weights_dir: str = "") -> None:
    """Puts ImageNet weights into the convolutions of SqueezeNet; the rest keeps its fresh weights.

    The weights are Caffe's: they expect blue, green, red in [0, 255] minus a mean, which the network does by itself
    (``caffe_input``). A source of other than 3 channels has no such weights: there the first convolution stays new,
    with weights as widely spread as the trained ones, scaled so that the next layer meets values of the size it knows.

    Args:
        network: Network made with ``caffe_input``.
        weights_dir: Folder with ``squeezenet1_1_caffe.safetensors``; "" takes the folder in ``GIS_WEIGHTS``.

    Raises:
        ConfigError: no such file, or weights of another network.
    """
    state = _read(weights_dir)
    first = state["features.0.weight"]
    chosen = {name: state[name] for name in network.features.state_dict(prefix="features.") if name in state}
    if network.in_channels != first.shape[1]:
        spread = float(first.std()) * (first.shape[1] / network.in_channels) ** 0.5
        chosen["features.0.weight"] = torch.empty(64, network.in_channels, 3, 3).normal_(0.0, spread)
        chosen["features.0.bias"] = torch.zeros(64)
    try:
        missing, _ = network.load_state_dict(chosen, strict=False)
    except RuntimeError as error:
        raise ConfigError(f"{_FILE} does not fit SqueezeNet 1.1: {str(error).splitlines()[-1].strip()}") from error
    absent = [name for name in missing if name.startswith("features.")]
    if absent:
        raise ConfigError(f"{_FILE} lacks {absent[0]}: expected the names of torchvision's squeezenet1_1")


def _read(weights_dir: str) -> dict[str, Tensor]:
    folder = weights_dir or os.environ.get("GIS_WEIGHTS", "")
    path = Path(folder) / _FILE
    if not folder or not path.is_file():
        place = folder or "no folder was given"
        raise ConfigError(
            f"ImageNet weights of SqueezeNet: {place}, expected a folder with {_FILE} as --weights-dir or GIS_WEIGHTS; "
            "or leave imagenet off"
        )
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{path} cannot be read as weights: {str(error).splitlines()[0]}") from error
    if "features.0.weight" not in state:
        raise ConfigError(f"{path} lacks features.0.weight: expected the names of torchvision's squeezenet1_1")
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state.values()):
        raise ConfigError(f"{path} holds weights that are not finite: get the file again")
    return {name: tensor.float() for name, tensor in state.items()}


@torch.no_grad()
def _initialise_he(module: nn.Module) -> None:
    """He et al., ICCV 2015: keeps the variance from layer to layer, which a network without normalisation needs."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
    elif isinstance(module, nn.ConvTranspose2d):
        # Every output pixel sums over the inputs and 2x2 taps (kernel twice the stride).
        nn.init.normal_(module.weight, 0.0, (2.0 / (4 * module.in_channels)) ** 0.5)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)
