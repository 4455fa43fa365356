"""Lets `import torchvision`, and with it `import lpips`, work beside a torch that it was not built for.

A torch for the processor alone cannot load the compiled operators of the registry's torchvision, which is built for
CUDA; ``import torchvision`` then fails, though its models need none of them. Declaring what two of the operators look
like is enough. torch calls :func:`declare_operators` at the end of its own import: it is an entry point of the group
``torch.backends`` (https://docs.pytorch.org/tutorials/unstable/python_extension_autoload.html). Where the builds fit
nothing is done.

The module has a name of its own, and no part in any package: a user's folder called ``gan`` must not take its place.
"""

import contextlib
import importlib.util
import re
from pathlib import Path
from typing import Any

__all__ = ["SCHEMAS", "declare_operators", "lacks_operators"]

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
"""Operators that torchvision describes to torch while it is imported."""
_kept: list[Any] = []  # what is declared lives as long as its library object


def declare_operators() -> None:
    """Declares the operators where torchvision cannot bring them; never raises, and never twice."""
    with contextlib.suppress(Exception):  # an error here would end `import torch`
        import torch

        if _kept or not lacks_operators(str(torch.__version__), _build_of_torchvision()):
            return
        library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for schema in SCHEMAS:
            library.define(schema)
        _kept.append(library)


def lacks_operators(torch: str, torchvision: str) -> bool:
    """Whether a torch for the processor alone, as ``2.13.0+cpu``, stands beside another build, as ``0.28.0+cu130``."""
    return torch.partition("+")[2] == "cpu" and torchvision.partition("+")[2] not in ("", "cpu")


def _build_of_torchvision() -> str:
    """Its version with its build, which stands in its sources and not in its metadata; empty where it is absent."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        return ""
    text = Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
    version = re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE)
    return version[1] if version else ""
