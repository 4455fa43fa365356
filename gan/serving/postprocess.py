"""Post-processing of translated images: smoothing, and the style of a real thermal image.

Both stand in the paper of `gan.backends.thermalnet` (Kniaz et al. 2017) and work on the images of any backend.

- *Gaussian*: a 3x3 filter against the blocks and speckles of pixels that were classified one by one. Its weights are
  chosen here: 1, 2, 1 in both directions, the 3x3 filter that is closest to a Gaussian (of sigma 0.7 px).
- *Style*: Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016. An image is
  changed step by step until features of VGG-16 deep in the network stay those of the translated image, while the
  correlations of features (Gram matrices) become those of a reference, a real thermal image. The paper starts from
  noise, which brings back edges, but not how bright an area was; starting from the translated image keeps that. Layers
  are those of Gatys et al. by their names, the optimiser is their L-BFGS; the weights of content and style and the
  loudness of the noise are chosen here.

The style step moves intensities towards those of the reference. What it gives looks like a thermal image, and is no
longer a measurement: do not read temperatures from it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import ConfigError, DataError

__all__ = ["Start", "StyleReconstruction", "gaussian_smooth"]

Float32 = npt.NDArray[np.float32]
Start = Literal["output", "noise"]

_KERNEL: Final = np.array([1, 2, 1], dtype=np.float32) / 4
# Section 2 of Gatys et al.: style on the first convolution of every block, content on relu4_2. The numbers are
# torchvision's positions in `vgg16().features`.
_STYLE_LAYERS: Final = (1, 6, 11, 18, 25)
_CONTENT_LAYER: Final = 20
# Four poolings lie before the last style layer.
_SMALLEST_PX: Final = 32
# torchvision: ImageNet mean and standard deviation of RGB in [0, 1].
_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)
_STYLE_WEIGHT: Final = 10.0
_TINY: Final = 1e-12
# Half range of the noise to start from, around mid grey: louder noise is still there after a few hundred steps.
_NOISE: Final = 0.1
_STREAM: Final = 0


def gaussian_smooth(image: Float32) -> Float32:
    """Smooths the last two axes of (H, W) or (K, H, W) float32 by 3x3; mirrored at the border, mean and range kept."""
    planes = image[None] if image.ndim == 2 else image
    smooth = [cv2.sepFilter2D(plane, -1, _KERNEL, _KERNEL, borderType=cv2.BORDER_REFLECT) for plane in planes]
    return np.asarray(smooth[0] if image.ndim == 2 else np.stack(smooth), dtype=np.float32)


class StyleReconstruction:
    """Gives images the style of a reference.

    Args:
        reference: Real thermal image (H, W) float32 in [-1, 1], of any size from 32 px on.
        start: ``noise`` as in the paper, or ``output``, the translated image itself.
        steps: Iterations of L-BFGS; each is one pass through VGG-16 and back, sometimes two.
        style_weight: Weight of the style against the content.
        weights_dir: Folder with VGG-16's weights; None looks where `gan.metrics.features` looks.
        device: Torch device; ``auto`` takes the first GPU where there is one.

    Raises:
        ConfigError: steps below 1, an unknown start.
        DataError: a reference that is too small, or no grey image.
        MetricError: no weights.
    """

    def __init__(
        self,
        reference: Float32,
        *,
        start: Start = "output",
        steps: int = 100,
        style_weight: float = _STYLE_WEIGHT,
        weights_dir: Path | None = None,
        device: str = "auto",
    ) -> None:
        if steps < 1 or start not in ("output", "noise"):
            raise ConfigError(f"style from {start!r} in {steps} steps: expected output or noise, and at least 1 step")
        _check(reference, "the reference of the style")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._start, self._steps, self._weight, self._device = start, steps, style_weight, device
        self._layers = _vgg16(weights_dir).to(device)
        self._mean, self._std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (_MEAN, _STD))
        with torch.no_grad():
            self._grams = [_gram(map_) for map_ in self._features(self._tensor(reference))[0]]

    def __call__(self, image: Float32, seed: int = 0, index: int = 0) -> Float32:
        """The image in the style of the reference.

        Args:
            image: (H, W) float32 in [-1, 1], from 32 px on.
            seed: Of the noise to start from.
            index: Number of the image; the same seed and index give the same noise.

        Returns:
            (H, W) float32 in [-1, 1].
        """
        _check(image, "image")
        translated = self._tensor(image)
        with torch.no_grad():
            content = self._features(translated)[1]
        first = translated.clone()
        if self._start == "noise":
            noise = np.random.default_rng([seed, index, _STREAM]).uniform(-_NOISE, _NOISE, image.shape)
            first = self._tensor(noise.astype(np.float32))
        result = self._minimise(first.requires_grad_(True), content)
        return np.asarray(result.detach().clamp(-1, 1)[0, 0].cpu().numpy(), dtype=np.float32)

    def loss(self, image: Tensor, content: Tensor) -> Tensor:
        """Content plus weighted style of an image (1, 1, H, W), given the content features it shall have."""
        styles, deep = self._features(image)
        distances = [_relative(_gram(a), b) for a, b in zip(styles, self._grams, strict=True)]
        return _relative(deep, content) + self._weight * torch.stack(distances).mean()

    def _minimise(self, image: Tensor, content: Tensor) -> Tensor:
        optimiser = torch.optim.LBFGS(
            [image], max_iter=self._steps, tolerance_change=0, tolerance_grad=0, line_search_fn="strong_wolfe"
        )

        def evaluate() -> Tensor:
            optimiser.zero_grad()
            loss = self.loss(image, content)
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        optimiser.step(evaluate)  # type: ignore[no-untyped-call]
        return image

    def _tensor(self, image: Float32) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(image)).to(self._device)[None, None]

    def _features(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """Maps of the style layers and of the content layer, for a grey image (1, 1, H, W) in [-1, 1]."""
        x = ((image + 1) / 2 - self._mean) / self._std  # (1, 3, H, W)
        styles, content = [], x
        for position, layer in enumerate(self._layers):
            x = layer(x)
            if position in _STYLE_LAYERS:
                styles.append(x)
            elif position == _CONTENT_LAYER:
                content = x
        return styles, content


def _check(image: Float32, what: str) -> None:
    if image.ndim != 2 or min(image.shape) < _SMALLEST_PX:
        raise DataError(f"{what} has shape {image.shape}: expected one grey image (H, W) of at least {_SMALLEST_PX} px")


def _relative(features: Tensor, reference: Tensor) -> Tensor:
    """Squared difference as a share of the squares of what is wanted: comparable between layers and images."""
    return functional.mse_loss(features, reference) / reference.square().mean().clamp_min(_TINY)


def _gram(features: Tensor) -> Tensor:
    """Correlations of the channels of (1, C, H, W), (C, C), as a mean over pixels and channels."""
    flat = features[0].flatten(1)  # (C, H * W)
    return flat @ flat.T / features[0].numel()


def _vgg16(weights_dir: Path | None) -> nn.Sequential:
    from gan.metrics.features import backbone_state, meta_torchvision

    build: Callable[[Any], nn.Module] = lambda models: models.vgg16(weights=None).features[: _STYLE_LAYERS[-1] + 1]  # noqa: E731
    layers = meta_torchvision(build)
    assert isinstance(layers, nn.Sequential)
    state = {name.removeprefix("features."): tensor for name, tensor in backbone_state("vgg", weights_dir).items()}
    layers.load_state_dict({name: state[name] for name in layers.state_dict()}, assign=True)
    for layer in layers:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False  # the maps before stay needed
    return layers.eval().requires_grad_(False)
