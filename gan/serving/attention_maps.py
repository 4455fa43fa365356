"""Attention maps of a trained model: what it weighed where, as images.

A network has such maps where it has a method ``attention_maps``: source (N, C, H, W) to (N, M, H, W) in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gan.errors import ServingError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["load_attention"]

Float32 = npt.NDArray[np.float32]


def load_attention(path: Path, *, device: str = "auto") -> Callable[[Float32], Float32]:
    """Loads a model file for its attention maps, in plain float32.

    Args:
        path: Model file that `gis train` wrote.
        device: Torch device; ``auto`` takes the first GPU where there is one.

    Returns:
        A function of one source (C, H, W) float32 in [-1, 1] that gives (M, H, W) float32 in [0, 1].

    Raises:
        CheckpointError, LayoutError: the file cannot be used.
        ServingError: the model has no attention maps.
    """
    import torch

    from gan.serving.engine import mirrored, network_multiple_px
    from gan.storage.model_file import read_model_file

    model = read_model_file(path)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    network: nn.Module = model.build().requires_grad_(False).to(device)
    if not hasattr(network, "attention_maps"):
        raise ServingError(f"{path} is a model of {model.backend}, which has no attention maps: leave out --attention")
    multiple = network_multiple_px(network)

    def maps(source: Float32) -> Float32:
        height, width = source.shape[1:]
        whole = torch.from_numpy(mirrored(source[None], multiple)).to(device)
        with torch.inference_mode():
            weights = network.attention_maps(whole)  # type: ignore[operator]
        return np.asarray(weights[0, :, :height, :width].float().cpu().numpy())

    return maps
