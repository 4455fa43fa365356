"""Pixels at the edges of near objects: the mean radiance of what lies in them, in place of what their centres hit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...geometry.edge_samples import EdgeSamples
from ...optional import fast_kernel
from ..kernels import Scene
from ..planck import radiance_of, temperature_of
from .frame import render_samples

__all__ = ["blend_edges"]


def blend_edges(edges: EdgeSamples, scene: Scene, out: NDArray[np.float32]) -> None:
    """Change temperatures at edges.

    Args:
        edges: of the frame.
        scene: all that its temperatures follow from.
        out: (H, W) kelvin, contiguous.
    """
    flat = out.reshape(-1)
    mean_K = np.empty(edges.pixel.size, np.float32)
    _blend(edges.source, flat, render_samples(edges, scene), scene.tables.radiance, scene.tables.temperature, mean_K)
    flat[edges.pixel] = mean_K


@fast_kernel
def _blend(
    source: NDArray[np.int32], flat: NDArray[np.float32], sampled: NDArray[np.float32], forward: NDArray[np.float32],
    inverse: NDArray[np.float32], mean_K: NDArray[np.float32],
) -> None:  # fmt: skip
    """Temperatures (E,) of the mean radiances of what sub-samples show."""
    for e in range(source.shape[0]):
        total = 0.0
        for s in range(source.shape[1]):
            k = source[e, s]
            total += radiance_of(flat[k] if k >= 0 else sampled[-1 - k], forward)
        mean_K[e] = temperature_of(total / source.shape[1], inverse)
