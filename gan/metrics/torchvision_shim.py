"""Import torchvision also where its compiled operators do not fit the installed torch.

An installed gis sees to it when torch is imported (`gis_torchvision`); this does where torch loads no extensions
(``TORCH_DEVICE_BACKEND_AUTOLOAD=0``), or where gis runs from its sources and is not installed.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import gis_torchvision

__all__ = ["import_torchvision"]


def import_torchvision() -> Any:
    """The module `torchvision`, imported plainly where that works; also makes a later `import torchvision` work."""
    gis_torchvision.declare_operators()
    try:
        return importlib.import_module("torchvision")
    except RuntimeError:
        # What an earlier import left half way, before the operators were known.
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        return importlib.import_module("torchvision")
