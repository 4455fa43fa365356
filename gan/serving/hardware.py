"""What this machine can compute with: instruction sets, devices, CPUs, installed engines."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Final

from gan.errors import ServingError

__all__ = ["best_device", "check_device", "cpu_flags", "installed_engines", "usable_cpus"]

_CPUINFO: Final = Path("/proc/cpuinfo")


def cpu_flags() -> frozenset[str]:
    """Instruction sets of this CPU as Linux names them; empty where the system does not say."""
    try:
        lines = _CPUINFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))


def installed_engines() -> frozenset[str]:
    """Those of the packages ``openvino`` and ``nncf`` that are installed."""
    return frozenset(name for name in ("openvino", "nncf") if importlib.util.find_spec(name) is not None)


def best_device() -> str:
    """The first CUDA GPU, else the CPU."""
    # Importing torch costs two seconds and 300 MB, which OpenVINO does without.
    if not (Path("/dev/nvidiactl").exists() or sys.platform == "win32"):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def check_device(device: str) -> None:
    """Makes sure that torch can use a device.

    Raises:
        ServingError: it cannot.
    """
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ServingError(
            f"device {device!r} cannot be used ({reason}): expected cpu, or cuda where there is a GPU"
        ) from error


def usable_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
