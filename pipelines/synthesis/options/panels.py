"""Headings that the options stand under in the help."""

from __future__ import annotations

from typing import Final

__all__ = ["BACKGROUNDS", "CAMERA", "CONDITIONS", "MODEL", "OUTPUT", "RUN", "SCENE", "VISIBLE"]

SCENE: Final = "Scene"
CAMERA: Final = "Camera"
BACKGROUNDS: Final = "Backgrounds"
CONDITIONS: Final = "Conditions"
MODEL: Final = "Model"
VISIBLE: Final = "Visible twins"
OUTPUT: Final = "Output"
RUN: Final = "Run"
