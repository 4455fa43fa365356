"""Where a run computes: devices, processes and precision, as Lightning Fabric takes them."""

from __future__ import annotations

import os
from typing import Any, Literal

import torch
from lightning_fabric import Fabric

from gan.training.options import Precision, TrainOptions

__all__ = ["choose_precision", "make_fabric"]


def choose_precision(precision: Precision) -> Literal["fp32", "bf16"]:
    """The precision that "auto" means here: bf16 where the hardware multiplies bf16 matrices (GPU, AMX), else fp32."""
    if precision != "auto":
        return precision
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.cpu._is_amx_tile_supported() else "fp32"


def make_fabric(options: TrainOptions) -> Fabric:
    """The devices that the options ask for; torchrun, which has started the processes, overrules their number."""
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True  # all steps have one shape: let cuDNN time its algorithms once
    local = int(os.environ.get("LOCAL_WORLD_SIZE", options.devices))
    nodes = max(1, int(os.environ.get("WORLD_SIZE", local)) // local)
    precision: Any = "bf16-mixed" if choose_precision(options.precision) == "bf16" else "32-true"
    strategy = "ddp" if local * nodes > 1 else "auto"
    return Fabric(accelerator="auto", strategy=strategy, devices=local, num_nodes=nodes, precision=precision)
