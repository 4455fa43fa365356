"""Training speed: the same networks stepped plainly against `gan.backends.pix2pix`, alternating in one run.

    python -m benchmarks.training [--rounds 3] [--ngf 64] [--size 512] [--batch N] [--threads N] [--[no-]compile]

Plain is what the usual implementation does: float32, NCHW, eager, torch's default Adam, real and generated images
judged in two passes; the generated image serves both steps there too. Fast is what `gis train` does on this machine;
it is compiled where the hardware multiplies bf16 matrices (GPU, AMX). The last line is JSON: ``ratio_vs_plain``
(medians), seconds per step, images per second, what 200 epochs of 5000 images would take; of processes that only train,
highest memory, and ``cpu_ratio_of_kept_memory``: how much less processor time a step takes that keeps freed memory.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional

from gan.backends import pix2pix
from gan.backends.base import StepOptions
from gan.data.batch import Batch
from gan.networks.patchgan import PatchGAN
from gan.training.devices import choose_precision
from gan.training.ema import Ema
from gan.training.memory import freed_memory_kept

__all__ = ["main", "make_fast", "make_plain"]

Step = Callable[[Batch], Any]

# The training set that the estimate of the whole run is for: 200 epochs of 5000 images.
_RUN_IMAGES: Final = 200 * 5000
_GPU_BATCH: Final = 16


def make_plain(config: pix2pix.Config, device: torch.device) -> Step:
    """A step of pix2pix as it is usually written."""
    generator = pix2pix.build_translator(config).to(device)
    layers = config.discriminator_layers
    discriminator = PatchGAN(config.in_channels, 1, config.ndf, layers).to(device)
    for layer in generator.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            layer.eval()  # changes nothing in a convolution, but keeps `gan.networks.small_maps` away from it
    generator_adam = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
    discriminator_adam = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))

    def judged(batch: Batch, image: Tensor, real: bool) -> Tensor:
        logits = discriminator(batch.source, image)
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))

    def step(batch: Batch) -> None:
        fake = generator(batch.source)
        discriminator.requires_grad_(True)
        discriminator_adam.zero_grad()
        torch.autograd.backward((judged(batch, batch.target, True) + judged(batch, fake.detach(), False)) / 2)
        discriminator_adam.step()
        discriminator.requires_grad_(False)
        generator_adam.zero_grad()
        torch.autograd.backward(judged(batch, fake, True) + 100 * functional.l1_loss(fake, batch.target))
        generator_adam.step()

    return step


def make_fast(config: pix2pix.Config, *, compiled: bool) -> tuple[Step, torch.device]:
    """A step as `gis train` takes it, with averaged weights, and its device."""
    precision: Any = "bf16-mixed" if choose_precision("auto") == "bf16" else "32-true"
    fabric = Fabric(accelerator="auto", devices=1, precision=precision)
    backend = pix2pix.create(config)
    backend.setup(fabric, StepOptions(compile=compiled))
    backend.start_epoch(0, 200)
    ema = Ema(backend.translator(), 0.999)
    count = 0

    def step(batch: Batch) -> None:
        nonlocal count
        count += 1
        torch.manual_seed(count)
        backend.train_step([batch])
        ema.update(count)

    return step, fabric.device


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Alternates plain and fast steps on the same batch; seconds are medians."""
    config = _config(arguments)
    torch.manual_seed(0)
    fast, device = make_fast(config, compiled=arguments.compile)
    batch = _batch(arguments.batch, arguments.size, device)
    steps = {"plain": make_plain(config, device), "fast": fast}
    warm_up_s = {name: _timed(step, batch) for name, step in steps.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(arguments.rounds):
        for name, step in steps.items():
            times[name].append(_timed(step, batch))
    plain_s, fast_s = (statistics.median(wall for wall, _ in times[name]) for name in ("plain", "fast"))
    plain_cpu_s, fast_cpu_s = (statistics.median(cpu for _, cpu in times[name]) for name in ("plain", "fast"))
    rate = arguments.batch / fast_s
    return {
        "ratio_vs_plain": round(plain_s / fast_s, 2),
        "plain_s": round(plain_s, 3),
        "fast_s": round(fast_s, 3),
        "cpu_ratio_vs_plain": round(plain_cpu_s / fast_cpu_s, 2),
        "plain_cpu_s": round(plain_cpu_s, 3),
        "fast_cpu_s": round(fast_cpu_s, 3),
        "fast_first_step_s": round(warm_up_s["fast"][0], 1),
        "images_per_s": round(rate, 2),
        "hours_for_200x5000": round(_RUN_IMAGES / rate / 3600, 1),
        "precision": choose_precision("auto"),
        "compiled": arguments.compile,
        "device": str(device),
        "batch": arguments.batch,
        "ngf": arguments.ngf,
        "size_px": arguments.size,
        "threads": torch.get_num_threads(),
        "rounds": arguments.rounds,
    }


def _config(arguments: argparse.Namespace) -> pix2pix.Config:
    suggested = pix2pix.suggest(7, 1, arguments.size, arguments.size)
    return pix2pix.Config(ngf=arguments.ngf, ndf=arguments.ngf, **suggested)


def _batch(count: int, size_px: int, device: torch.device) -> Batch:
    generator = torch.Generator().manual_seed(1)
    drawn = torch.rand((count, 8, size_px, size_px), generator=generator) * 2 - 1
    return Batch(drawn[:, :7].contiguous().to(device), drawn[:, 7:].contiguous().to(device))


def _timed(step: Step, batch: Batch) -> tuple[float, float]:
    """Seconds on the clock, and of CPU time."""
    started, cpu_started = time.perf_counter(), time.process_time()
    step(batch)
    if batch.source.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started, time.process_time() - cpu_started


def _train_only(arguments: argparse.Namespace) -> None:
    """Trains a few steps; prints this process's highest resident memory in MB, and the CPU time of a step."""
    torch.manual_seed(0)
    with freed_memory_kept() if arguments.keep_memory else nullcontext():
        step, device = make_fast(_config(arguments), compiled=False)
        batch = _batch(arguments.batch, arguments.size, device)
        cpu_s = [_timed(step, batch)[1] for _ in range(5)]
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    print(int(found[1]) // 1024 if found else 0, statistics.median(cpu_s[2:]))


def _memory(arguments: argparse.Namespace) -> dict[str, float]:
    """Highest memory of a process that only trains, and what it gains by keeping freed memory, processes in turn."""
    sizes = ["--ngf", str(arguments.ngf), "--size", str(arguments.size), "--batch", str(arguments.batch)]
    command = [sys.executable, "-m", "benchmarks.training", "--train-only", *sizes, "--threads", str(arguments.threads)]
    found: dict[str, list[list[float]]] = {"--keep-memory": [], "--no-keep-memory": []}
    for _ in range(arguments.rounds):
        for option, rows in found.items():
            done = subprocess.run([*command, option], check=True, capture_output=True, text=True)
            rows.append([float(word) for word in done.stdout.split()[-2:]])
    (memory, kept_s), (_, plain_s) = (map(statistics.median, zip(*rows, strict=True)) for rows in found.values())
    return {"memory_mb": round(memory), "cpu_ratio_of_kept_memory": round(plain_s / kept_s, 3)}


def main() -> None:
    """Runs the benchmark and prints its JSON line."""
    matrices = choose_precision("auto") == "bf16"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=20 if torch.cuda.is_available() else 3)
    parser.add_argument("--ngf", type=int, default=64)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch", type=int, default=_GPU_BATCH if torch.cuda.is_available() else 1)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=matrices)
    parser.add_argument("--train-only", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keep-memory", action=argparse.BooleanOptionalAction, default=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.train_only:
        _train_only(arguments)
        return
    result = measure(arguments)
    result |= _memory(arguments)
    if torch.cuda.is_available():
        result["gpu_memory_mb"] = torch.cuda.max_memory_allocated() // 2**20
        result["gpu"] = torch.cuda.get_device_name()
    print(json.dumps({"benchmark": "training", **result}))


if __name__ == "__main__":
    main()
