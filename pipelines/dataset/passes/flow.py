"""Optical flow as files: as KITTI has it, and in full precision.

``flow/000000.png`` has 16 bits and three channels: flow to the right and flow down as ``64 * pixels + 2^15``, and 1
where they are valid (development kit of KITTI flow 2015, Menze and Geiger, CVPR 2015). What exceeds its 512 pixels is
not valid there. ``flow/000000.exr`` has the channels ``u``, ``v`` and ``valid``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.flow import Flow

from pipelines.io.exr import encode_exr
from pipelines.io.images import encode_png

__all__ = ["flow_files", "kitti_flow"]

_PER_PX, _ZERO = 64.0, 1 << 15


def flow_files(name: str, flow: Flow) -> dict[str, bytes]:
    """Contents of the files of a frame by their names below the folder."""
    channels = {"u": flow.flow_px[..., 0], "v": flow.flow_px[..., 1], "valid": flow.valid}
    return {f"flow/{name}.png": encode_png(kitti_flow(flow)), f"flow/{name}.exr": encode_exr(channels)}


def kitti_flow(flow: Flow) -> NDArray[np.uint16]:
    """(H, W, 3) uint16 as KITTI codes it."""
    counts = np.rint(flow.flow_px.astype(np.float64) * _PER_PX) + _ZERO
    valid = flow.valid & ((counts > 0) & (counts < 65536)).all(axis=-1)
    coded = np.concatenate([counts, np.ones((*valid.shape, 1))], axis=-1)
    return np.where(valid[..., None], coded, 0.0).astype(np.uint16)
