"""A trained model at work: from a model file to images, the way this machine computes them fastest.

`load_model` tries engines and precisions in order of speed for the CPU or GPU at hand (`choose_configs`), converts and
quantises once (kept in a cache folder), and compares every one with plain float32 on probe images before it is used.
One whose mean error is above 1/255 of full range is refused with a warning, and the next one is taken.

Each image is translated alone and with a fixed number of threads, so its bytes depend on neither its neighbours nor on
how many processes work. Noise (dropout) is off unless the model was loaded with ``noise=True``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from gan.data.layout import SourceLayout
from gan.errors import ServingError
from gan.serving.engine import (
    EngineLoader,
    Float32,
    InferenceConfig,
    LoadedNetwork,
    Part,
    ServingWarning,
    TranslateRequest,
    mirrored,
)
from gan.serving.hardware import best_device, check_device, cpu_flags, installed_engines, usable_cpus
from gan.serving.openvino_engine import quantised_beside
from gan.storage.known_objects import KnownObjects

__all__ = [
    "MAX_MEAN_ERROR",
    "ModelInfo",
    "ServingWarning",
    "TranslationModel",
    "brings_calibration",
    "choose_configs",
    "load_model",
    "mean_error",
]

# Mean error against float32 that is allowed: one step of an 8-bit image, as a fraction of full range.
MAX_MEAN_ERROR: Final = 1.0 / 255.0
_VNNI: Final = frozenset({"avx512_vnni", "avx_vnni"})
_RANGE: Final = 2.0  # images span [-1, 1]
_LONGEST_HEADER: Final = 100_000_000  # the safetensors library's own limit


@dataclass(frozen=True)
class ModelInfo:
    """What a loaded model is, and how it is run."""

    name: str
    """Name of the model, as `gan.list_models` gives it."""
    weights_sha256: str
    """Hash of the model file's content."""
    source_layout: SourceLayout
    """What its source means."""
    inference: InferenceConfig
    """Engine, precision and device."""
    threads: int
    """Threads of the CPU."""
    mean_error: float
    """Mean absolute difference to float32 on the probes, as a fraction of full range."""
    multiple_px: int
    """The network works on edges in multiples of this; others are mirrored at the border."""
    whole_image: bool
    """Whether a part of an image is translated otherwise than within it (instance normalisation)."""
    known_objects: KnownObjects | None = None
    """The objects that the model was trained on; None where its file states none."""
    span_K: tuple[float, float] | None = None
    """Temperatures of black and white, of a model that is told temperatures."""


class TranslationModel:
    """A trained model that translates sources to images; made by `load_model`. Not for use from two threads at once."""

    def __init__(self, network: LoadedNetwork, about: ModelInfo) -> None:
        self.about = about
        self.in_channels = network.in_channels
        self._network = network

    def __repr__(self) -> str:
        return f"<{self.name}: {self.in_channels} channels ({self.layout}), {self.about.inference}>"

    @property
    def name(self) -> str:
        """Name of the model, as `gan.list_models` gives it."""
        return self.about.name

    @property
    def layout(self) -> str:
        """What its source means: one of `gan.data.layout.LAYOUTS`, or ``image``."""
        return self.about.source_layout.name

    def translate(self, source: Float32, *, seed: int | None = None, together: bool = False) -> Float32:
        """Translates one source or a stack of them.

        Args:
            source: (C, H, W) or (N, C, H, W) float32 in [-1, 1], with C as the model was trained on (7 for the source
                tensor). Sizes that the network cannot halve often enough are mirrored at the border, and cropped again.
            seed: For a model loaded with ``noise=True``: seed of the noise of the first image, then counting up.
            together: Give a stack to the network at once and not image by image: faster on a GPU, and other in the last
                places, because sums are taken in another order. Not with ``seed``.

        Returns:
            (H, W) or (N, H, W) float32 in [-1, 1]; with K > 1 output channels (K, H, W) or (N, K, H, W).

        Raises:
            ServingError: another shape, type, or NaN.
        """
        batch = source[None] if source.ndim == 3 else source
        self._check(batch)
        if together and seed is not None:
            raise ServingError("seed and together: each image has noise of its own; expected one of them")
        seeds = [None if seed is None else seed + position for position in range(len(batch))]
        if together:
            images = self._run(batch, None)
        else:
            images = np.stack([self._run(item[None], number)[0] for item, number in zip(batch, seeds, strict=True)])
        if images.shape[1] == 1:
            images = images[:, 0]
        return np.asarray(images[0] if source.ndim == 3 else images)

    def translate_part(self, source: Float32, part: Part) -> Float32:
        """Translates a part of one image, which sees all of its source.

        A U-Net in OpenVINO that was loaded for any size computes little more than that part, with the values of the
        whole image up to rounding; others translate it whole.

        Args:
            source: (C, H, W) float32 in [-1, 1], see :meth:`translate`.
            part: Top, left, bottom, right, within H and W.

        Returns:
            (h, w) float32 in [-1, 1]; with K > 1 output channels (K, h, w).

        Raises:
            ServingError: another shape, type, or NaN; a part that is empty or not inside.
        """
        top, left, bottom, right = part
        if not (0 <= top < bottom <= source.shape[-2] and 0 <= left < right <= source.shape[-1]):
            raise ServingError(f"part {part} of {source.shape}: expected top, left, bottom, right within the image")
        if self._network.run_part is None:
            return self.translate(source)[..., top:bottom, left:right]
        self._check(source[None])
        padded = mirrored(source[None], self._network.multiple_px)
        image = self._network.run_part(np.ascontiguousarray(padded), part)[0]
        return np.asarray(image[0] if len(image) == 1 else image)

    def _check(self, batch: Float32) -> None:
        if batch.ndim != 4 or batch.shape[1] != self.in_channels or batch.dtype != np.float32 or 0 in batch.shape:
            raise ServingError(
                f"source is {batch.dtype} {batch.shape}: expected float32 ({self.in_channels}, H, W), or a stack"
            )
        if not np.isfinite(batch.sum()):
            raise ServingError("source holds NaN or infinite values: expected [-1, 1]")

    def _run(self, source: Float32, seed: int | None) -> Float32:
        height, width = source.shape[2:]
        source = mirrored(source, self._network.multiple_px)
        return self._network.run(np.ascontiguousarray(source), seed)[:, :, :height, :width]


def load_model(
    path: Path | str,
    *,
    precision: Literal["auto", "fp32", "bf16", "int8"] = "auto",
    engine: Literal["auto", "torch", "openvino"] = "auto",
    device: str = "auto",
    threads: int | None = None,
    calibration: Float32 | None = None,
    noise: bool = False,
    compile: bool = False,
    cache_dir: Path | None = None,
    any_size: bool = False,
) -> TranslationModel:
    """Loads a model file to translate with.

    Args:
        path: Model file that `gis train` wrote.
        precision: ``auto`` takes the fastest one that is exact enough.
        engine: ``auto`` takes OpenVINO on a CPU where it is installed, else torch.
        device: ``auto`` is the first CUDA GPU, else the CPU; or a torch device.
        threads: CPU threads; None takes all that this process may use. Give workers 1 each.
        calibration: (N, C, H, W) real sources for int8; used where the model file brings none of its own. Other samples
            make other int8 weights, so give every process the same.
        noise: Keep the model's noise (dropout) on; `TranslationModel.translate` then takes a seed. Torch only.
        compile: torch.compile (takes a minute at first).
        cache_dir: Where converted models are kept; default ``GIS_CACHE``, else the user's cache folder.
        any_size: Sources will be of many sizes: OpenVINO then prepares nothing for each of them. Else the last few
            sizes stay prepared, which is up to a tenth faster.

    Raises:
        CheckpointError, LayoutError: the file cannot be used.
        ServingError: nothing that was asked for can run here.
    """
    if threads is not None and threads < 1:
        raise ServingError(f"threads is {threads}: expected at least 1")
    path = Path(path)
    device = best_device() if device == "auto" else device
    if device != "cpu":
        check_device(device)
    own = brings_calibration(path)
    ready = quantised_beside(path)
    request = TranslateRequest(path, threads or usable_cpus(), None if own else calibration, noise, cache_dir, any_size)
    configs = choose_configs(
        precision="fp32" if noise and precision == "auto" else precision,
        engine="torch" if noise or compile else engine,
        device=device,
        flags=cpu_flags(),
        installed=installed_engines(),
        calibrated=own or calibration is not None,
        quantised=ready,
        compile=compile,
    )
    return _first_that_works(request, configs)


def choose_configs(
    *,
    precision: str,
    engine: str,
    device: str,
    flags: frozenset[str],
    installed: frozenset[str],
    calibrated: bool,
    quantised: bool = False,
    compile: bool = False,
) -> list[InferenceConfig]:
    """Engines and precisions to try, fastest first; plain float32 ends the list.

    The order is measured (docs/explanation/performance.md): int8 on OpenVINO is fastest on every x86 CPU since AVX2;
    bf16 gains only where the CPU has AMX, and loses everywhere else.

    Args:
        precision: as asked for; ``auto`` leaves the choice.
        engine: likewise.
        device: ``cpu``, or a torch device.
        flags: instruction sets of the CPU. What ``auto`` takes of a shipped network depends on nothing else here.
        installed: packages that there are.
        calibrated: there are samples to quantise by.
        quantised: the int8 network lies beside the model file, which needs no NNCF. It is taken by itself where the CPU
            multiplies bytes exactly (VNNI): elsewhere sums of two products overflow, and it is hardly faster.
        compile: torch compiles.

    Raises:
        ServingError: an unknown name, or an engine or precision that is not available.
    """
    if precision not in ("auto", "fp32", "bf16", "int8") or engine not in ("auto", "torch", "openvino"):
        raise ServingError(
            f"precision {precision!r} on {engine!r}: expected auto, fp32, bf16 or int8 on auto, torch or openvino"
        )
    gpu = device != "cpu"
    amx = "amx_bf16" in flags
    table = [
        (
            InferenceConfig("openvino", "int8"),
            not gpu and "openvino" in installed and (quantised or "nncf" in installed),
            bool(flags & _VNNI) if quantised else calibrated and bool(flags & {"avx2", "avx512_vnni"}),
        ),
        (InferenceConfig("openvino", "bf16"), not gpu and "openvino" in installed, amx),
        (
            InferenceConfig("torch", "bf16", device, compile),
            True,
            (gpu or amx) and (gpu or "openvino" not in installed),
        ),
        (InferenceConfig("openvino", "fp32"), not gpu and "openvino" in installed, True),
        (InferenceConfig("torch", "fp32", device, compile), True, True),
    ]
    chosen = [
        config
        for config, possible, worthwhile in table
        if possible
        and (worthwhile if precision == "auto" else config.precision == precision)
        and engine in ("auto", config.engine)
    ]
    if not chosen:
        raise ServingError(
            f"{precision} on {engine} cannot run on {device} here: expected another precision or engine "
            "(int8 needs OpenVINO and NNCF on a CPU: pip install 'gis-thermal[serve]')"
        )
    last = InferenceConfig("torch", "fp32", device, False)
    return chosen if last in chosen else [*chosen, last]


def brings_calibration(path: Path) -> bool:
    """Whether a model file holds sources to calibrate int8 on; reads its header only."""
    try:
        with path.open("rb") as stream:
            # The safetensors format: 8 bytes little-endian length, then that many bytes of JSON.
            length = min(int.from_bytes(stream.read(8), "little"), _LONGEST_HEADER)
            return b'"calibration.source"' in stream.read(length)
    except OSError:
        return False  # loading will say what is wrong with the file


def _first_that_works(request: TranslateRequest, configs: Sequence[InferenceConfig]) -> TranslationModel:
    """The first one that loads, runs and is exact enough."""
    for config in configs:
        last = config == configs[-1]
        try:
            network = _engine_loader(config)(request, config)
            error_to_fp32 = mean_error(network)
        except (ServingError, RuntimeError) as error:  # engines report what they cannot do as RuntimeError
            reason = " ".join(str(error).split())[:300]
            if last:
                raise ServingError(f"{config} cannot run {request.path}: {reason}") from error
            warnings.warn(f"{config} is not available: {reason}", ServingWarning, stacklevel=3)
            continue
        if last and not np.isfinite(error_to_fp32):
            raise ServingError(f"{request.path}: makes values that are not finite of its probe images: train it again")
        if error_to_fp32 <= MAX_MEAN_ERROR or last:
            return TranslationModel(network, _describe(network, config, request.threads, error_to_fp32))
        warnings.warn(
            f"{config} is refused: its mean error is {error_to_fp32 * 255:.2f}/255 of full range, allowed is 1/255",
            ServingWarning,
            stacklevel=3,
        )
    raise ServingError("no engine to try")


def _engine_loader(config: InferenceConfig) -> EngineLoader:
    # Each engine is imported where it is used: OpenVINO does without torch, and the other way round.
    if config.engine == "openvino":
        from gan.serving.openvino_engine import load_openvino

        return load_openvino
    from gan.serving.torch_engine import load_torch

    return load_torch


def _describe(network: LoadedNetwork, config: InferenceConfig, threads: int, error_to_fp32: float) -> ModelInfo:
    return ModelInfo(
        name=network.model,
        weights_sha256=network.weights_sha256,
        source_layout=network.layout,
        inference=config,
        threads=threads,
        mean_error=error_to_fp32,
        multiple_px=network.multiple_px,
        whole_image=network.whole_image,
        known_objects=network.known_objects,
    )


def mean_error(network: LoadedNetwork) -> float:
    """Mean absolute difference between a network and float32 on its probes, as a fraction of full range."""
    differences = [
        float(np.abs(network.run(probe[None], 0)[0] - reference).mean(dtype=np.float64))
        for probe, reference in zip(network.probes, network.reference, strict=True)
    ]
    error = sum(differences) / len(differences) / _RANGE
    return error if np.isfinite(error) else float("inf")
