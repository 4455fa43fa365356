"""Serving: from a model file to a fast translator, the way this machine runs it fastest.

`load_translator` tries routes in order of speed for the CPU or GPU at hand (`choose_routes`), converts and quantises
once (kept in a cache folder), and compares every route with plain float32 on probe images before it is used. A route
whose mean error is above 1/255 of full range is refused with a warning, and the next one is taken.

Each image is translated alone and with a fixed number of threads, so its bytes depend on neither its neighbours nor on
how many processes work. Noise (dropout) is off unless the translator was loaded with ``noise=True``.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from gan.errors import ServingError

if TYPE_CHECKING:
    import torch

__all__ = [
    "MAX_MEAN_ERROR",
    "Precision",
    "Route",
    "Served",
    "ServingWarning",
    "Translator",
    "TranslatorInfo",
    "brings_calibration",
    "check_device",
    "choose_routes",
    "cpu_flags",
    "load_torch",
    "load_translator",
    "mean_error",
    "mirrored",
    "network_multiple_px",
    "synthetic_probe",
]

Float32 = npt.NDArray[np.float32]
Precision = Literal["fp32", "bf16", "int8"]
Engine = Literal["torch", "openvino"]

# Mean error against float32 that a route may have: one step of an 8-bit image, as a fraction of full range.
MAX_MEAN_ERROR: Final = 1.0 / 255.0
_RANGE: Final = 2.0  # images span [-1, 1]
_LONGEST_HEADER: Final = 100_000_000  # the safetensors library's own limit
_CPUINFO: Final = Path("/proc/cpuinfo")


class ServingWarning(UserWarning):
    """A faster route was refused or is not available."""


@dataclass(frozen=True)
class Route:
    """One way of running a network."""

    engine: Engine
    precision: Precision
    device: str = "cpu"
    compile: bool = False

    def __str__(self) -> str:
        return f"{self.engine} {self.precision} on {self.device}" + (" (compiled)" if self.compile else "")


@dataclass(frozen=True)
class Served:
    """A network ready to run: what an engine gives back."""

    run: Callable[[Float32, int | None], Float32]
    """(1, C, H, W) float32 in [-1, 1] and a noise seed (or None) to (1, K, H, W) float32."""
    in_channels: int
    multiple_px: int
    """H and W must be multiples of this."""
    weights_sha256: str
    backend: str
    """Name of the backend that trained it."""
    probes: Float32
    """(N, C, H, W): sources on which the route is compared with float32."""
    reference: Float32
    """(N, K, H, W): what plain float32 makes of them."""
    layout: Mapping[str, Any]
    """What its source means; see `gan.storage.checkpoint.source_layout`."""
    whole: bool = False
    """Whether the picture's own statistics decide every value, so that a part of it is translated otherwise."""


@dataclass(frozen=True)
class TranslatorInfo:
    """How a translator runs."""

    route: Route
    threads: int
    weights_sha256: str
    backend: str
    """Name of the backend that trained the model."""
    mean_error: float
    """Mean absolute difference to float32 on the probes, as a fraction of full range."""
    layout: Mapping[str, Any]
    """What the model's source means; see `gan.storage.checkpoint.source_layout`."""
    multiple_px: int
    """The network works on edges in multiples of this; others are mirrored at the border."""
    whole: bool
    """Whether a part of a picture is translated otherwise than within it (instance normalisation)."""


class EngineLoader(Protocol):
    """Makes a route ready; raises a GanError where it cannot."""

    def __call__(self, request: Request, route: Route) -> Served: ...


@dataclass(frozen=True)
class Request:
    """What the caller wants."""

    path: Path
    threads: int
    calibration: Float32 | None
    noise: bool
    cache_dir: Path | None
    any_size: bool = False


class Translator:
    """Translates sources to images; made by `load_translator`. Not for use from two threads at once."""

    def __init__(self, served: Served, info: TranslatorInfo) -> None:
        self.info = info
        self.in_channels = served.in_channels
        self._served = served

    def translate(self, source: Float32, *, seed: int | None = None) -> Float32:
        """Translates one source or a stack of them.

        Args:
            source: (C, H, W) or (N, C, H, W) float32 in [-1, 1], with C as the model was trained on (7 for the source
                tensor). Sizes that the network cannot halve often enough are mirrored at the border, and cropped again.
            seed: For a model loaded with ``noise=True``: seed of the noise of the first image, then counting up.

        Returns:
            (H, W) or (N, H, W) float32 in [-1, 1]; with K > 1 output channels (K, H, W) or (N, K, H, W).

        Raises:
            ServingError: another shape, type, or NaN.
        """
        batch = source[None] if source.ndim == 3 else source
        self._check(batch)
        seeds = [None if seed is None else seed + position for position in range(len(batch))]
        images = np.stack([self._one(item[None], number) for item, number in zip(batch, seeds, strict=True)])
        if images.shape[1] == 1:
            images = images[:, 0]
        return np.asarray(images[0] if source.ndim == 3 else images)

    def _check(self, batch: Float32) -> None:
        if batch.ndim != 4 or batch.shape[1] != self.in_channels or batch.dtype != np.float32 or 0 in batch.shape:
            raise ServingError(
                f"source is {batch.dtype} {batch.shape}: expected float32 ({self.in_channels}, H, W), or a stack"
            )
        if not np.isfinite(batch.sum()):
            raise ServingError("source holds NaN or infinite values: expected [-1, 1]")

    def _one(self, source: Float32, seed: int | None) -> Float32:
        height, width = source.shape[2:]
        source = mirrored(source, self._served.multiple_px)
        return self._served.run(np.ascontiguousarray(source), seed)[0, :, :height, :width]


def load_translator(
    path: Path,
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
) -> Translator:
    """Loads a model file for serving.

    Args:
        path: Model file that `gis train` wrote.
        precision: ``auto`` takes the fastest one that is exact enough.
        engine: ``auto`` takes OpenVINO on a CPU where it is installed, else torch.
        device: ``auto`` is the first CUDA GPU, else the CPU; or a torch device.
        threads: CPU threads; None takes all that this process may use. Give workers 1 each.
        calibration: (N, C, H, W) real sources for int8; used where the model file brings none of its own. Other samples
            make other int8 weights, so give every process the same.
        noise: Keep the model's noise (dropout) on; `Translator.translate` then takes a seed. Torch only.
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
    device = _pick_device() if device == "auto" else device
    if device != "cpu":
        check_device(device)
    own = brings_calibration(Path(path))
    request = Request(Path(path), threads or _usable_cpus(), None if own else calibration, noise, cache_dir, any_size)
    routes = choose_routes(
        precision="fp32" if noise and precision == "auto" else precision,
        engine="torch" if noise or compile else engine,
        device=device,
        flags=cpu_flags(),
        installed=_installed(),
        calibrated=own or calibration is not None,
        compile=compile,
    )
    return _first_that_works(request, routes)


def choose_routes(
    *,
    precision: str,
    engine: str,
    device: str,
    flags: frozenset[str],
    installed: frozenset[str],
    calibrated: bool,
    compile: bool = False,
) -> list[Route]:
    """Routes to try, fastest first; plain float32 ends the list.

    The order is measured (docs/performance.md): int8 on OpenVINO is fastest on every x86 CPU since AVX2; bf16 gains
    only where the CPU has AMX, and loses everywhere else.

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
            Route("openvino", "int8"),
            not gpu and {"openvino", "nncf"} <= installed,
            calibrated and bool(flags & {"avx2", "avx512_vnni"}),
        ),
        (Route("openvino", "bf16"), not gpu and "openvino" in installed, amx),
        (Route("torch", "bf16", device, compile), True, (gpu or amx) and (gpu or "openvino" not in installed)),
        (Route("openvino", "fp32"), not gpu and "openvino" in installed, True),
        (Route("torch", "fp32", device, compile), True, True),
    ]
    chosen = [
        route
        for route, possible, worthwhile in table
        if possible
        and (worthwhile if precision == "auto" else route.precision == precision)
        and engine in ("auto", route.engine)
    ]
    if not chosen:
        raise ServingError(
            f"{precision} on {engine} cannot run on {device} here: expected another precision or engine "
            "(int8 needs OpenVINO and NNCF on a CPU: pip install -e '.[serve]' in the project's folder)"
        )
    last = Route("torch", "fp32", device, False)
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


def cpu_flags() -> frozenset[str]:
    """Instruction sets of this CPU as Linux names them; empty where the system does not say."""
    try:
        lines = _CPUINFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), []))


def _installed() -> frozenset[str]:
    return frozenset(name for name in ("openvino", "nncf") if importlib.util.find_spec(name) is not None)


def _pick_device() -> str:
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


def _usable_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _first_that_works(request: Request, routes: Sequence[Route]) -> Translator:
    """The first route that loads, runs and is exact enough."""
    for route in routes:
        last = route == routes[-1]
        try:
            served = _loader(route)(request, route)
            found = mean_error(served)
        except (ServingError, RuntimeError) as error:  # engines report what they cannot do as RuntimeError
            reason = " ".join(str(error).split())[:300]
            if last:
                raise ServingError(f"{route} cannot run {request.path}: {reason}") from error
            warnings.warn(f"{route} is not available: {reason}", ServingWarning, stacklevel=3)
            continue
        if found <= MAX_MEAN_ERROR or last:
            info = TranslatorInfo(
                route, request.threads, served.weights_sha256, served.backend, found, served.layout,
                served.multiple_px, served.whole,
            )  # fmt: skip
            return Translator(served, info)
        warnings.warn(
            f"{route} is refused: its mean error is {found * 255:.2f}/255 of full range, allowed is 1/255",
            ServingWarning,
            stacklevel=3,
        )
    raise ServingError("no route to try")


def _loader(route: Route) -> EngineLoader:
    if route.engine == "openvino":
        from gan.serving.openvino_engine import load_openvino

        return load_openvino
    return load_torch


def mean_error(served: Served) -> float:
    """Mean absolute difference between a route and float32 on its probes, as a fraction of full range."""
    differences = [
        float(np.abs(served.run(probe[None], 0)[0] - wanted).mean(dtype=np.float64))
        for probe, wanted in zip(served.probes, served.reference, strict=True)
    ]
    error = sum(differences) / len(differences) / _RANGE
    return error if np.isfinite(error) else float("inf")


def mirrored(sources: Float32, multiple_px: int) -> Float32:
    """(N, C, H, W) continued by its mirror image at the bottom and right, to multiples that a network takes."""
    extra = [-size % multiple_px for size in sources.shape[2:]]
    if not any(extra):
        return sources
    return np.pad(sources, ((0, 0), (0, 0), (0, extra[0]), (0, extra[1])), mode="symmetric")


def synthetic_probe(channels: int, size_px: int) -> Float32:
    """(1, C, size, size) source to compare routes on where no real one is at hand: soft ramps with hard-edged boxes."""
    rng = np.random.default_rng([size_px, channels])
    y, x = np.meshgrid(np.linspace(-1, 1, size_px), np.linspace(-1, 1, size_px), indexing="ij")
    source = np.stack([np.sin(3 * (a * x + b * y)) for a, b in rng.uniform(-1, 1, (channels, 2))])
    for _ in range(6):
        top, left = rng.integers(0, size_px // 2, 2)
        height, width = rng.integers(size_px // 16 + 1, size_px // 2, 2)
        source[:, top : top + height, left : left + width] = rng.uniform(-1, 1, (channels, 1, 1))
    return np.asarray(source[None], dtype=np.float32)


# --- torch -----------------------------------------------------------------------------------------------------------


def load_torch(request: Request, route: Route) -> Served:
    """A torch route: float32 or bfloat16, channels last, eager or compiled."""
    import torch

    from gan.storage.model_file import read_model_file

    model = read_model_file(request.path)
    network = model.build().to(route.device).requires_grad_(False)
    if route.device == "cpu":
        torch.set_num_threads(request.threads)
    multiple = network_multiple_px(network)
    samples = request.calibration if model.calibration is None else model.calibration.numpy()
    probes = None if samples is None else mirrored(samples[-1:], multiple)
    if probes is None:
        probes = synthetic_probe(model.config.in_channels, max(multiple, 64))
    plain = _runner(network, torch.float32, route.device)
    reference = np.concatenate([plain(probe[None], 0) for probe in probes])
    if request.noise:
        switch_noise_on(network)
        return Served(
            plain,
            model.config.in_channels,
            multiple,
            model.sha256,
            model.backend,
            probes,
            _noisy(plain, probes),
            model.layout,
            sees_whole(network),
        )
    dtype = torch.bfloat16 if route.precision == "bf16" else torch.float32
    network = network.to(dtype=dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if route.compile:
        network.compile()
    run = _runner(network, dtype, route.device)
    return Served(
        run, model.config.in_channels, multiple, model.sha256, model.backend, probes, reference, model.layout,
        sees_whole(network),
    )  # fmt: skip


def _noisy(run: Callable[[Float32, int | None], Float32], probes: Float32) -> Float32:
    return np.concatenate([run(probe[None], 0) for probe in probes])


def _runner(network: torch.nn.Module, dtype: torch.dtype, device: str) -> Callable[[Float32, int | None], Float32]:
    import torch

    def run(source: Float32, seed: int | None) -> Float32:
        tensor = torch.from_numpy(source).to(device=device, dtype=dtype, memory_format=torch.channels_last)
        devices = [] if device == "cpu" else [torch.device(device)]
        with torch.inference_mode(), torch.random.fork_rng(devices):
            torch.manual_seed(seed or 0)
            image = network(tensor)
        return np.asarray(image.float().contiguous().cpu().numpy())

    return run


def switch_noise_on(network: torch.nn.Module) -> None:
    """Turns the noise of a model on in evaluation mode.

    Raises:
        ServingError: the model has none.
    """
    if not hasattr(network, "noise"):
        raise ServingError(f"{type(network).__name__} has no noise to switch on: leave out noise")
    network.noise = True  # type: ignore[assignment]


def network_multiple_px(network: Any) -> int:
    """What H and W must be multiples of: two for each time that the network halves them."""
    return int(2 ** int(getattr(network, "levels", 2)))


def sees_whole(network: Any) -> bool:
    """Whether a network normalises by statistics of the picture that it is given."""
    from gan.networks.unet import InstanceNorm

    return any(isinstance(module, InstanceNorm) for module in network.modules())
