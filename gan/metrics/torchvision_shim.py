"""Import torchvision also where its compiled operators do not fit the installed torch.

A CPU-only torch beside the registry's torchvision leaves out two operator schemas, and then `import torchvision` fails
(``operator torchvision::nms does not exist``). Its models need neither; declaring the schemas is enough.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import torch

__all__ = ["import_torchvision"]

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept: list[Any] = []  # the schemas live as long as their library object


def import_torchvision() -> Any:
    """The module `torchvision`, imported plainly where that works; also makes a later `import torchvision` work."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _kept:
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)
    _kept.append(library)
    return importlib.import_module("torchvision")
