"""LPIPS: perceptual distance of two images (Zhang et al. 2018, arXiv:1801.03924), version 0.1, by the authors' package.

The linear layers come with the package, the backbone's weights from a folder or the hub (`gan.metrics.features`).
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from gan.errors import MetricError
from gan.metrics.features import Backbone, backbone_state, meta_torchvision

__all__ = ["Lpips"]


class Lpips:
    """LPIPS on numpy images; also as a differentiable loss through `module`.

    Args:
        backbone: ``alex`` (the authors' choice for measuring) or ``vgg``.
        weights_dir: folder with ``alexnet_features.safetensors`` / ``vgg16_features[_fp16].safetensors``.
        device: torch device.

    Raises:
        MetricError: backbone weights that cannot be found or read.
    """

    def __init__(self, backbone: Backbone = "alex", weights_dir: Path | None = None, *, device: str = "cpu") -> None:
        self.module = _build(backbone, backbone_state(backbone, weights_dir)).to(device)
        self.backbone = backbone
        self._device = device

    def __call__(
        self,
        real: npt.NDArray[np.floating[Any]],
        fake: npt.NDArray[np.floating[Any]],
        region: npt.NDArray[np.bool_] | None = None,
    ) -> float:
        """Distance of two images in [0, 1], (H, W) or (H, W, 1|3); within a region the mean of the spatial map."""
        if real.shape != fake.shape:
            raise MetricError(f"images of different size: real {real.shape}, fake {fake.shape}; expected the same")
        if min(real.shape[:2]) < 32:
            raise MetricError(f"image of {real.shape[1]}x{real.shape[0]} px: LPIPS needs at least 32x32")
        pair = [self._tensor(image) for image in (real, fake)]
        with torch.inference_mode():
            self.module.spatial = region is not None
            distance = self.module(*pair)
        if region is None:
            return float(distance)
        return float(distance[0, 0][torch.from_numpy(region).to(self._device)].double().mean())

    def _tensor(self, image: npt.NDArray[np.floating[Any]]) -> Tensor:
        planes = torch.from_numpy(np.array(image, dtype=np.float32).reshape(*image.shape[:2], -1))
        return (2.0 * planes.permute(2, 0, 1).expand(3, -1, -1)[None] - 1.0).contiguous().to(self._device)


def _build(backbone: Backbone, state: dict[str, Tensor]) -> Any:
    """The package's module with weights that are on disk already; it would draw or download them itself."""

    def build(_models: Any) -> nn.Module:
        import lpips

        module: nn.Module = lpips.LPIPS(net=backbone, pretrained=False, pnet_rand=True, verbose=False)
        return module

    with contextlib.redirect_stdout(io.StringIO()):
        module = meta_torchvision(build)
    import lpips

    linear = torch.load(
        Path(lpips.__file__).parent / "weights" / "v0.1" / f"{backbone}.pth", map_location="cpu", weights_only=True
    )
    # The list `lins` holds the layers lin0, lin1, ... a second time.
    linear |= {name.replace("lin", "lins.", 1): tensor for name, tensor in linear.items()}
    # The package numbers the layers inside each slice as torchvision does: net.sliceK.N is features.N.
    names = [name for name in module.state_dict() if name.startswith("net.")]
    missing = [name for name in names if _torchvision_name(name) not in state]
    if missing:
        raise MetricError(f"weights of {backbone} lack {_torchvision_name(missing[0])}: expected torchvision's names")
    linear |= {name: state[_torchvision_name(name)] for name in names}
    scaling = lpips.ScalingLayer()
    linear |= {f"scaling_layer.{name}": tensor for name, tensor in scaling.state_dict().items()}
    module.load_state_dict(linear, assign=True)
    return module.eval().requires_grad_(False)


def _torchvision_name(name: str) -> str:
    return "features." + name.split(".", 2)[2]
