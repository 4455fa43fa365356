"""Nothing is told to anyone: OpenVINO and NNCF would send statistics, and write a client's number into the home."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = """
import sys
import numpy as np
import torch
from gan.serving.openvino_convert import convert_network
convert_network(torch.nn.Conv2d(1, 1, 1), np.zeros((1, 1, 4, 4), np.float32))
sent = [name for name, module in sys.modules.items() if name.startswith("openvino_telemetry") and module]
assert not sent, sent
"""


def test_a_network_is_converted_without_a_word_to_anyone(tmp_path: Path) -> None:
    if find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    environment = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, timeout=300)
    assert list(tmp_path.iterdir()) == []
