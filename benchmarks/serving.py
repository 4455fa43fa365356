"""Serving speed: the plain network (torch, eager, float32) against `gan.serving.inference`, alternating in one run.

    python -m benchmarks.serving [--weights MODEL.safetensors] [--rounds 8] [--threads N]

Without weights a U-Net of full size is trained for a few steps first, because random weights say nothing about the
error of int8. The last line is JSON: ``ratio_vs_plain`` (medians), seconds per image, error, memory, CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from torch.nn import functional

from gan.backends import pix2pix
from gan.backends.base import StepOptions
from gan.data.batch import Batch
from gan.data.layout import build_source
from gan.serving.hardware import cpu_flags
from gan.serving.inference import load_model
from gan.storage.model_file import read_model_file, write_model_file

__all__ = ["main"]

Float32 = npt.NDArray[np.float32]

_SIZE_PX: Final = 512
_FLAGS: Final = ("avx2", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
# Highest resident memory of a process that loads a converted model and translates three images.
_MEMORY_CODE: Final = r"""
import re, sys
from pathlib import Path
import numpy as np
from gan.serving.inference import load_model
translator = load_model(Path(sys.argv[1]), threads=int(sys.argv[2]))
source = np.zeros((translator.in_channels, int(sys.argv[3]), int(sys.argv[3])), np.float32)
for _ in range(3):
    translator.translate(source)
# Not ru_maxrss: that counts the memory of the process that started this one.
print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def scene(index: int, size_px: int = _SIZE_PX) -> tuple[Float32, Float32]:
    """Source (7, H, W) and target (1, H, W) of a made-up street: road, boxes for cars, warmth by zone and depth."""
    rng = np.random.default_rng([1, index])
    coarse = torch.from_numpy(rng.integers(20, 230, (1, 3, 16, 16)).astype(np.float32))
    picture = functional.interpolate(coarse, size=(size_px, size_px), mode="bicubic")[0].clamp(0, 255)
    label = picture.permute(1, 2, 0).numpy().astype(np.uint8)
    horizon = int(size_px * rng.uniform(0.35, 0.5))
    below = np.maximum(np.arange(size_px) - horizon, 0)[:, None].repeat(size_px, 1)
    depth = np.where(below > 0, 1.6 * 700 / np.maximum(below, 1), np.inf).astype(np.float32)
    heat = np.zeros((size_px, size_px), dtype=np.uint8)
    for _ in range(rng.integers(1, 6)):
        width = int(rng.integers(30, size_px // 2))
        height, left = width * 2 // 3, int(rng.integers(0, size_px - 30))
        bottom = min(horizon + width // 2, size_px)
        top = max(bottom - height, 0)
        heat[top:bottom, left : left + width] = 2
        heat[bottom - height // 4 : bottom, left : left + width : 3] = 1
        heat[top : top + height // 3, left : left + width] = 3
        label[top:bottom, left : left + width] = (0, 0, 142)
        depth[top:bottom, left : left + width] = 1.6 * 700 / max(bottom - horizon, 1)
    source = build_source(label, heat, depth)
    warmth = 0.35 * source[:3].mean(axis=0) + np.array([0.0, 0.9, 0.4, -0.5], np.float32)[heat] - 0.2 * source[6]
    soft = functional.avg_pool2d(torch.from_numpy(warmth)[None, None], 5, stride=1, padding=2)[0]
    return source, soft.clamp(-1, 1).numpy()


def train(path: Path, steps: int, ngf: int) -> None:
    """Trains a translator for a few steps and writes its model file with samples to calibrate on."""
    torch.manual_seed(0)
    fabric = Fabric(accelerator="cpu")
    backend = pix2pix.create(pix2pix.Config(ngf=ngf))
    backend.setup(fabric, StepOptions())
    backend.start_epoch(0, 200)
    for step in range(steps):
        source, target = (torch.from_numpy(array)[None] for array in scene(step))
        losses = backend.train_step([Batch(source, target)])
        if step % 10 == 0:
            print(f"training: step {step} of {steps}, L1 {float(losses['generator_l1']):.2f}", file=sys.stderr)
    samples = torch.from_numpy(np.stack([scene(10_000 + index)[0] for index in range(6)]))
    write_model_file(path, "pix2pix", backend.config, backend.translator().state_dict(), {"steps": steps}, samples)


def measure(weights: Path, rounds: int, threads: int) -> dict[str, Any]:
    """Alternates plain and fast translation of the same sources; seconds are medians."""
    torch.set_num_threads(threads)
    model = read_model_file(weights)
    network = model.build()
    started = time.perf_counter()
    translator = load_model(weights, threads=threads)
    load_s = time.perf_counter() - started
    sources = _sources(model.calibration, rounds)

    def plain(source: Float32) -> Float32:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(source)[None])[0, 0].numpy())

    for run in (plain, translator.translate):
        run(sources[0])  # the first image pays for preparations
    plain_s, fast_s, errors = [], [], []
    for source in sources:
        seconds, wanted = _timed(plain, source)
        plain_s.append(seconds)
        seconds, image = _timed(translator.translate, source)
        fast_s.append(seconds)
        errors.append(float(np.abs(image - wanted).mean()) / 2)
    return {
        "ratio_vs_plain": round(statistics.median(plain_s) / statistics.median(fast_s), 2),
        "plain_s": round(statistics.median(plain_s), 4),
        "fast_s": round(statistics.median(fast_s), 4),
        "route": str(translator.about.inference),
        "mean_error": round(statistics.mean(errors), 6),
        "mean_error_in_255": round(statistics.mean(errors) * 255, 3),
        "worst_image_in_255": round(max(errors) * 255, 3),
        "load_s": round(load_s, 2),
        "rounds": rounds,
        "threads": threads,
    }


def _sources(calibration: torch.Tensor | None, rounds: int) -> list[Float32]:
    """Made-up streets, and mirrored real sources where the model brings some (it was not calibrated on mirrors)."""
    real = [] if calibration is None else [np.ascontiguousarray(item[..., ::-1]) for item in calibration.numpy()]
    return [real[index % len(real)] if real and index % 2 else scene(20_000 + index)[0] for index in range(rounds)]


def _timed(run: Callable[[Float32], Float32], source: Float32) -> tuple[float, Float32]:
    started = time.perf_counter()
    image = run(source)
    return time.perf_counter() - started, image


def memory_mb(weights: Path, threads: int) -> int:
    """Highest resident memory of a process that serves, MB."""
    command = [sys.executable, "-c", _MEMORY_CODE, str(weights), str(threads), str(_SIZE_PX)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def main() -> None:
    """Runs the benchmark and prints its JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weights", type=Path, help="model file; without it a small training comes first")
    parser.add_argument("--steps", type=int, default=40, help="training steps without --weights")
    parser.add_argument("--ngf", type=int, default=64, help="width of the network trained without --weights")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights = arguments.weights
        if weights is None:
            weights = Path(folder) / "model.safetensors"
            train(weights, arguments.steps, arguments.ngf)
        result = measure(weights, arguments.rounds, arguments.threads)
        result["memory_mb"] = memory_mb(weights, arguments.threads)
    flags = cpu_flags()
    result["cpu_flags"] = [flag for flag in _FLAGS if flag in flags]
    result["target_ratio"] = 10 if "amx_int8" in flags else 3
    result["cpu"] = platform.processor() or platform.machine()
    print(json.dumps({"benchmark": "serving", **result}))


if __name__ == "__main__":
    main()
