"""Networks run by torch: float32 or bfloat16, channels last, eager or compiled, on a CPU or GPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from gan.errors import ServingError
from gan.serving.engine import (
    Float32,
    InferenceConfig,
    LoadedNetwork,
    Run,
    TranslateRequest,
    mirrored,
    needs_whole_image,
    network_multiple_px,
    synthetic_probe,
)
from gan.storage.model_file import ModelFile, read_model_file

__all__ = ["load_torch", "switch_noise_on"]


def load_torch(request: TranslateRequest, config: InferenceConfig) -> LoadedNetwork:
    """Loads a model file into torch.

    Raises:
        CheckpointError, LayoutError: the file cannot be used.
        ServingError: noise is asked for and the model has none.
    """
    model = read_model_file(request.path)
    network = model.build().to(config.device).requires_grad_(False)
    if config.device == "cpu":
        torch.set_num_threads(request.threads)
    multiple_px, whole_image = network_multiple_px(network), needs_whole_image(network)
    probes = _probes(model, request.calibration, multiple_px)
    run = _runner(network, torch.float32, config.device)
    if request.noise:
        switch_noise_on(network)
    reference = np.concatenate([run(probe[None], 0) for probe in probes])
    if not request.noise:
        dtype = torch.bfloat16 if config.precision == "bf16" else torch.float32
        network = network.to(dtype=dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.compile:
            network.compile()
        run = _runner(network, dtype, config.device)
    return LoadedNetwork(
        run=run,
        in_channels=model.config.in_channels,
        multiple_px=multiple_px,
        weights_sha256=model.sha256,
        model=model.backend,
        probes=probes,
        reference=reference,
        layout=model.layout,
        whole_image=whole_image,
        known_objects=model.known_objects,
    )


def _probes(model: ModelFile, calibration: Float32 | None, multiple_px: int) -> Float32:
    """(1, C, H, W): the last of the real sources, where there are any."""
    samples = calibration if model.calibration is None else model.calibration.numpy()
    if samples is None:
        return synthetic_probe(model.config.in_channels, max(multiple_px, 64))
    return mirrored(samples[-1:], multiple_px)


def _runner(network: nn.Module, dtype: torch.dtype, device: str) -> Run:
    def run(source: Float32, seed: int | None) -> Float32:
        tensor = torch.from_numpy(source).to(device=device, dtype=dtype, memory_format=torch.channels_last)
        devices = [] if device == "cpu" else [torch.device(device)]
        with torch.inference_mode(), torch.random.fork_rng(devices):
            torch.manual_seed(seed or 0)
            image = network(tensor)
        return np.asarray(image.float().contiguous().cpu().numpy())

    return run


def switch_noise_on(network: nn.Module) -> None:
    """Turns the noise of a model on in evaluation mode.

    Raises:
        ServingError: the model has none.
    """
    if not hasattr(network, "noise"):
        raise ServingError(f"{type(network).__name__} has no noise to switch on: leave out noise")
    network.noise = True  # type: ignore[assignment]
