"""Files of optical flow, read by OpenCV as KITTI's development kit reads them, and by the OpenEXR library."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipelines.dataset.passes.flow import flow_files
from pipelines.io.exr import read_exr
from renderer.geometry.flow import Flow


def test_flow_files_hold_the_flow(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0.0, 60.0, (20, 30, 2)).astype(np.float32)
    values[0, 0] = 700.0, 0.0
    valid = rng.random((20, 30)) < 0.7
    valid[0, 0] = True
    files = flow_files("000007", Flow(values, valid))
    assert set(files) == {"flow/000007.png", "flow/000007.exr"}
    coded = cv2.imdecode(np.frombuffer(files["flow/000007.png"], np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert coded.dtype == np.uint16
    shown = coded[..., 2] > 0
    assert np.array_equal(shown, valid & (np.abs(values) < 512).all(axis=-1))
    assert not shown[0, 0]
    flow = (coded[..., :2].astype(np.float64) - 32768.0) / 64.0
    assert np.abs(flow[shown] - values[shown]).max() <= 1 / 128 + 1e-6
    (tmp_path / "flow.exr").write_bytes(files["flow/000007.exr"])
    channels = read_exr(tmp_path / "flow.exr")
    assert np.array_equal(channels["u"], values[..., 0])
    assert np.array_equal(channels["v"], values[..., 1])
    assert np.array_equal(channels["valid"] > 0, valid)
