"""Trained models at work: torch or OpenVINO, windows, post-processing."""

import sys

# OpenVINO and NNCF tell Intel and Google Analytics of their use, and write a number for the user into the home folder,
# without asking. Where the package that does so is not found they do neither. Its modules are imported in this one's.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
