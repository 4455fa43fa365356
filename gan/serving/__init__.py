"""Trained models at work: torch or OpenVINO, windows, post-processing."""

import sys

# OpenVINO and NNCF tell Intel and Google Analytics of their use, and write a number for the user into the home folder,
# without asking. Where they do not find the package that does so they do neither. All of gis that imports either lies
# in this package, so that this runs before.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
