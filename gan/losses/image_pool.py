"""A pool of generated images for the discriminator.

Shrivastava et al., "Learning from simulated and unsupervised images through adversarial training", CVPR 2017, section
2.3; CycleGAN keeps 50 images. Once the pool is full, half of the generated images are swapped for older ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan.errors import CheckpointError, ConfigError

__all__ = ["ImagePool"]


class ImagePool:
    """Keeps up to ``size`` images; 0 keeps none and hands each image on."""

    def __init__(self, size: int) -> None:
        if size < 0:
            raise ConfigError(f"pool of {size} images: expected 0 or more")
        self._size = size
        self._images: list[Tensor] = []

    def __len__(self) -> int:
        return len(self._images)

    def swap(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        """Takes generated images (N, K, H, W) and gives as many back, new and older ones; none has a gradient."""
        if not self._size:
            return images.detach()
        return torch.cat([self._swap_one(image, rng) for image in torch.split(images.detach(), 1)])

    def _swap_one(self, image: Tensor, rng: np.random.Generator) -> Tensor:
        if len(self._images) < self._size:
            self._images.append(image.clone())
            return image
        if rng.random() < 0.5:
            return image
        position = int(rng.integers(self._size))
        older, self._images[position] = self._images[position], image.clone()
        return older

    def state(self) -> dict[str, Any]:
        """The images, in their order."""
        return {"images": list(self._images)}

    def load_state(self, state: dict[str, Any], device: torch.device) -> None:
        """Takes back what `state` gave.

        Raises:
            CheckpointError: Where the pool is smaller than what was kept.
        """
        if len(state["images"]) > self._size:
            raise CheckpointError(f"pool of {self._size} images: the checkpoint holds {len(state['images'])}")
        self._images = [image.to(device) for image in state["images"]]
