"""Backbones that see: AlexNet and VGG16 (ImageNet), and Inception as FID uses it, with weights from a file.

Weights are looked for in the folder that was asked for, else in the folder that ``GIS_WEIGHTS`` names, else they are
torchvision's published files, known by their hash (`gan.metrics.weight_files`).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from gan.errors import MetricError
from gan.metrics.weight_files import published_weights, read_weights

__all__ = [
    "Backbone",
    "FeatureExtractor",
    "backbone_state",
    "feature_extractor",
    "inception_extractor",
    "meta_torchvision",
]

Backbone = Literal["alex", "vgg"]

_FILES: Final[dict[str, str]] = {"alex": "alexnet_features", "vgg": "vgg16_features"}
_MODELS: Final[dict[str, str]] = {"alex": "alexnet", "vgg": "vgg16"}
# Last ReLU before the last pooling: torchvision's index of it in `features`, and its channels.
_LAST_RELU: Final[dict[str, tuple[int, int]]] = {"alex": (11, 256), "vgg": (29, 512)}
# torchvision: ImageNet mean and standard deviation of RGB in [0, 1].
_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)


def meta_torchvision(build: Callable[[Any], nn.Module]) -> nn.Module:
    """Build a model of torchvision (given `torchvision.models`) without memory, random weights or warnings."""
    from gan.metrics.torchvision_shim import import_torchvision

    import_torchvision()
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        from torchvision import models

        return build(models)


def _find(backbone: Backbone, folder: Path | None) -> Path | None:
    named = os.environ.get("GIS_WEIGHTS")
    place = folder or (Path(named) if named else None)
    if place is None:
        return None
    stem = _FILES[backbone]
    for suffix in (".safetensors", "_fp16.safetensors"):
        if (file := place / f"{stem}{suffix}").is_file():
            return file
    raise MetricError(
        f"{place} holds no {stem}.safetensors (or {stem}_fp16.safetensors): put the weights of {backbone} there"
    )


def backbone_state(backbone: Backbone, weights_dir: Path | None = None) -> dict[str, Tensor]:
    """Float32 weights of the convolutions, keyed ``features.N.weight`` as in torchvision.

    Raises:
        MetricError: no weights where they were said to be, an unreadable file, or no network for the download.
    """
    file = _find(backbone, weights_dir)
    if file is not None:
        return {name: tensor.float() for name, tensor in read_weights(file).items()}
    state = published_weights(_MODELS[backbone], f"{_FILES[backbone]}.safetensors")
    return {name: tensor.float() for name, tensor in state.items() if name.startswith("features.")}


class FeatureExtractor:
    """Turns images into vectors: (N, C, H, W) in [0, 1] -> (N, D) float32 numpy.

    `name` says what the features are and stands beside every distance taken on them.
    """

    def __init__(self, name: str, network: Callable[[Tensor], Tensor], device: str = "cpu") -> None:
        self.name = name
        self._network = network
        self._device = device

    @torch.inference_mode()
    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Features of a batch; grey is repeated to RGB."""
        tensor = torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32)).to(self._device)
        features = self._network(tensor.expand(-1, 3, -1, -1))
        return np.asarray(features.float().cpu().numpy(), dtype=np.float32)


def feature_extractor(backbone: Backbone, weights_dir: Path | None = None, *, device: str = "cpu") -> FeatureExtractor:
    """Spatial mean of the last ReLU of AlexNet (256) or VGG16 (512), at the images' own size."""
    state = backbone_state(backbone, weights_dir)
    last, channels = _LAST_RELU[backbone]
    layers = meta_torchvision(lambda models: models.get_model(_MODELS[backbone], weights=None).features[: last + 1])
    _load(layers, {name.removeprefix("features."): tensor for name, tensor in state.items()}, backbone)
    layers.eval().requires_grad_(False).to(device)
    mean, std = (torch.tensor(values, device=device).reshape(1, 3, 1, 1) for values in (_MEAN, _STD))

    def network(images: Tensor) -> Tensor:
        return torch.as_tensor(layers((images - mean) / std).mean(dim=(2, 3)))

    return FeatureExtractor(f"{_MODELS[backbone]}-relu{last}-mean-{channels}", network, device)


def _load(module: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Assign weights to a module built on the meta device; missing or misshapen ones are an error."""
    missing = [name for name in module.state_dict() if name not in state and not name.endswith("num_batches_tracked")]
    if missing:
        raise MetricError(
            f"weights of {what} lack {len(missing)} tensors, first {missing[0]}: expected torchvision's names"
        )
    known = {name: state[name] for name in module.state_dict() if name in state}
    try:
        module.load_state_dict(known, assign=True, strict=False)
    except RuntimeError as error:
        raise MetricError(f"weights of {what} do not fit: {' '.join(str(error).split())[:200]}") from error


def inception_extractor(file: Path, *, device: str = "cpu") -> FeatureExtractor:
    """The 2048 features that FID is defined on, from the user's copy of the published Inception weights.

    The file holds the 2015 TensorFlow Inception as a PyTorch state dict with torchvision's layer names and 1008 classes
    (the port that pytorch-fid publishes). That network differs from torchvision's Inception v3: its average poolings
    leave the padding out, and its last block pools by maximum. Images are resized to 299x299, bilinear, without
    antialiasing.
    """
    state = read_weights(file)
    fully = state.get("fc.weight")
    if fully is None or fully.shape[0] != 1008:
        raise MetricError(f"{file} is not the Inception of FID: expected a state dict whose fc.weight has 1008 rows")
    network = meta_torchvision(_fid_inception)
    _load(network, {name: tensor.float() for name, tensor in state.items()}, "inception")
    network.eval().requires_grad_(False).to(device)

    def features(images: Tensor) -> Tensor:
        resized = functional.interpolate(images, size=(299, 299), mode="bilinear", align_corners=False)
        return torch.as_tensor(network(2.0 * resized - 1.0))

    return FeatureExtractor("inception-2015-pool3-2048", features, device)


def _fid_inception(models: Any) -> nn.Module:
    network: nn.Module = models.inception_v3(
        weights=None, num_classes=1008, aux_logits=False, transform_input=False, init_weights=False
    )
    for name, block in network.named_children():
        if name.startswith("Mixed_"):
            block.forward = _pooled_forward(block, maximum=name == "Mixed_7c")
    network.fc = nn.Identity()
    return network


def _pooled_forward(block: Any, *, maximum: bool) -> Callable[[Tensor], Tensor]:
    """Forward of an Inception block that runs torchvision's own code with another 3x3 pooling of its pool branch."""

    def forward(x: Tensor) -> Tensor:
        outputs = block._forward(x)
        if not hasattr(block, "branch_pool"):
            return torch.cat(outputs, dim=1)
        if maximum:
            pooled = functional.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        else:
            pooled = functional.avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False)
        return torch.cat([*outputs[:-1], block.branch_pool(pooled)], dim=1)

    return forward
