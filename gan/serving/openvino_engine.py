"""The OpenVINO routes: convert a model once, keep it in a cache folder, run it without torch.

Converting needs torch, NNCF and much memory, so it happens in a process of its own
(``python -m gan.serving.openvino_engine``). What it leaves in the cache is the network, and a few probe images with
what plain float32 makes of them; a serving process reads only these.

A cache entry is named by a hash of everything that it depends on and appears by one rename, so processes may race.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

import gan.errors
from gan.data.layout import LAYOUT_NAME, LAYOUT_VERSION
from gan.errors import GisError, ServingError

if TYPE_CHECKING:
    import torch

    from gan.serving.inference import Precision, Request, Route, Served
    from gan.storage.model_file import ModelFile

__all__ = ["cache_folder", "convert_beside", "export_onnx", "load_openvino"]

Float32 = npt.NDArray[np.float32]

_FORMAT: Final = 4  # raise when what lies in a cache entry changes
# Of the calibration samples, every fourth is held back to measure the error on.
_HELD_BACK: Final = 4
_MAX_PROBES: Final = 2
# Sizes for which networks are kept compiled: a folder of mixed sizes must not fill the memory.
_SHAPES: Final = 4
_BESIDE: Final = ".openvino"
"""Suffix of the folder with a conversion that is handed on with its model file."""


def cache_folder() -> Path:
    """Folder of converted models: ``GIS_CACHE``, else ``gis`` in the user's cache folder."""
    named = os.environ.get("GIS_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gis"


# --- serving ---------------------------------------------------------------------------------------------------------


def load_openvino(request: Request, route: Route) -> Served:
    """An OpenVINO route, converted before where the cache has it.

    Raises:
        ServingError: OpenVINO or NNCF is missing, conversion fails, or int8 has no real samples.
        CheckpointError, LayoutError: the model file cannot be used.
    """
    from gan.serving.inference import Served

    entry = _prepare(request, route.precision)
    about = json.loads((entry / "about.json").read_text(encoding="utf-8"))
    probes = load_file(entry / "probes.safetensors")
    run = _compile(entry / "model.xml", route.precision, request)
    return Served(
        run=run,
        in_channels=about["in_channels"],
        multiple_px=about["multiple_px"],
        weights_sha256=about["weights_sha256"],
        backend=about["backend"],
        probes=probes["source"],
        reference=probes["image"],
        layout=about["layout"],
        whole=about.get("whole", True),  # conversions that were shipped before this was known
    )


def _compile(model_file: Path, precision: Precision, request: Request) -> Callable[[Float32, int | None], Float32]:
    try:
        import openvino as ov
    except ImportError as error:
        raise ServingError("OpenVINO is not installed: pip install -e '.[serve]' in the project's folder") from error
    core = ov.Core()
    settings = {
        "INFERENCE_NUM_THREADS": request.threads,
        "NUM_STREAMS": "1",
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        # Several one-thread workers would all be pinned to the first core.
        "ENABLE_CPU_PINNING": False,
    }

    def compiled(shape: tuple[int, ...]) -> Any:
        model = core.read_model(model_file)
        model.reshape(list(shape))  # what was quantised has the size of its samples
        return core.compile_model(model, "CPU", settings).create_infer_request()

    requests: dict[tuple[int, ...], Any] = {}

    def run(source: Float32, seed: int | None) -> Float32:
        # A fixed shape is up to a tenth faster, and takes up to half a second to compile. The last used come last.
        shape = (*source.shape[:2], -1, -1) if request.any_size else source.shape
        infer = requests.pop(shape, None)
        if infer is None:
            if len(requests) == _SHAPES:
                requests.pop(next(iter(requests)))
            infer = compiled(shape)
        requests[shape] = infer
        return np.array(infer.infer({0: source})[0], dtype=np.float32)

    return run


# --- the cache -------------------------------------------------------------------------------------------------------


def convert_beside(model_file: Path) -> Path:
    """Converts a model file into a folder beside it, with which it is served without torch and without a cache.

    Weights are stored in float16, as they are in the model file: nothing is lost.

    Raises:
        ServingError: OpenVINO is missing, or conversion fails.
        CheckpointError, LayoutError: the model file cannot be used.
    """
    folder = model_file.with_suffix(_BESIDE)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _run_builder(model_file, "fp32", folder, None, half=True)
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    text = json.dumps(about | {"file_sha256": _file_sha256(model_file)}, indent=2) + "\n"
    (folder / "about.json").write_text(text, encoding="utf-8")
    return folder


def _found_beside(model_file: Path, precision: Precision) -> Path | None:
    """The folder of :func:`convert_beside`, where it belongs to this very file."""
    about = model_file.with_suffix(_BESIDE) / "about.json"
    if precision == "int8" or not about.is_file():
        return None
    try:
        known = json.loads(about.read_text(encoding="utf-8"))["file_sha256"]
    except (ValueError, KeyError, TypeError, OSError):
        return None
    return about.parent if known == _file_sha256(model_file) else None


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _prepare(request: Request, precision: Precision) -> Path:
    """Folder of the converted model; made now where there is none."""
    beside = _found_beside(request.path, precision) if request.path.is_file() else None
    if beside is not None:
        return beside
    folder = request.cache_dir or cache_folder()
    entry = folder / _key(request, precision)
    if (entry / "about.json").is_file():
        return entry
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{entry.name}.lock"):
            if not (entry / "about.json").is_file():
                _build_entry(request, precision, entry)
    except OSError as error:
        raise ServingError(
            f"{folder} cannot hold a converted model ({error}): set GIS_CACHE to a folder that can"
        ) from error
    return entry


def _key(request: Request, precision: Precision) -> str:
    from gan.errors import CheckpointError

    if not request.path.is_file():
        raise CheckpointError(f"{request.path}: no such file; expected a model file of gis train")
    file_hash = _file_sha256(request.path)
    calibration = request.calibration
    samples = None
    if calibration is not None:
        samples = hashlib.sha256(str(calibration.shape).encode() + np.ascontiguousarray(calibration).data).hexdigest()
    versions = [_version(package) for package in ("openvino", "nncf")]
    parts = [_FORMAT, file_hash, precision, samples, LAYOUT_NAME, LAYOUT_VERSION, versions]
    return f"{precision}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Only one process at a time converts; the others wait for its result."""
    with path.open("w") as stream:
        try:
            import fcntl
        except ImportError:  # Windows: they all convert, and the first to finish wins
            yield
            return
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _build_entry(request: Request, precision: Precision, entry: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{entry.name}.", dir=entry.parent) as name:
        partial = Path(name) / "entry"
        partial.mkdir()
        samples = Path(name) / "samples.safetensors"
        if request.calibration is not None:
            save_file({"source": np.ascontiguousarray(request.calibration, dtype=np.float32)}, samples)
        _run_builder(request.path, precision, partial, samples if samples.is_file() else None)
        shutil.rmtree(entry, ignore_errors=True)  # what an older program left half-made
        try:
            partial.rename(entry)
        except OSError:
            if not (entry / "about.json").is_file():  # else another process was faster
                raise


def _run_builder(model: Path, precision: Precision, folder: Path, samples: Path | None, *, half: bool = False) -> None:
    root = str(Path(gan.errors.__file__).parent.parent)
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [environment.get("PYTHONPATH")])])
    # OpenVINO's and NNCF's tools report their use over the network, except where they believe to run in CI.
    environment["CI"] = "true"
    arguments = [str(model), precision, str(folder), str(samples or ""), "half" if half else ""]
    command = [sys.executable, "-m", "gan.serving.openvino_engine", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    failure = folder / "failure.json"
    if failure.is_file():
        content = json.loads(failure.read_text(encoding="utf-8"))
        raise getattr(gan.errors, content["kind"])(content["message"])
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
    raise ServingError(f"conversion to {precision} ended with status {done.returncode}: {lines[-1].strip()[:300]}")


# --- conversion, in a process of its own -----------------------------------------------------------------------------


def _build(
    model_file: Path, precision: Precision, folder: Path, samples_file: Path | None, *, half: bool = False
) -> None:
    """Writes model.xml, model.bin, probes.safetensors and, last, about.json into `folder`."""
    try:
        import openvino as ov
    except ImportError as error:
        raise ServingError("OpenVINO is not installed: pip install -e '.[serve]' in the project's folder") from error

    from gan.serving.inference import mirrored, network_multiple_px, sees_whole
    from gan.storage.model_file import read_model_file

    model = read_model_file(model_file)
    network = model.build().requires_grad_(False)
    multiple = network_multiple_px(network)
    samples = _samples(model, samples_file)
    if samples is not None:
        samples = mirrored(samples, multiple)
    if precision == "int8" and samples is None:
        raise ServingError(
            "int8 needs real samples to calibrate on: give calibration, or a model file that brings its own"
        )
    calibration, probes = _split(samples, model.config.in_channels, multiple)
    reference = _reference(network, probes)
    ov.save_model(convert(network, probes[:1]), folder / "model.xml", compress_to_fp16=half)
    save_file({"source": probes, "image": reference}, folder / "probes.safetensors")
    about = {
        "in_channels": model.config.in_channels,
        "multiple_px": multiple,
        "whole": sees_whole(network),
        "weights_sha256": model.sha256,
        "backend": model.backend,
        "layout": model.layout,
    }
    del model, network  # their weights would lie in memory beside those of the quantiser
    if precision == "int8":
        exact = folder / "exact.xml"
        (folder / "model.xml").rename(exact)
        (folder / "model.bin").rename(exact.with_suffix(".bin"))
        ov.save_model(_quantise(ov.Core().read_model(exact), calibration), folder / "model.xml", compress_to_fp16=False)
        exact.unlink()
        exact.with_suffix(".bin").unlink()
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _samples(model: ModelFile, samples_file: Path | None) -> Float32 | None:
    """Real sources: those in the model file first, so that every process quantises alike."""
    if model.calibration is not None:
        return np.asarray(model.calibration.numpy(), dtype=np.float32)
    if samples_file is None:
        return None
    try:
        return np.asarray(load_file(samples_file)["source"], dtype=np.float32)
    except (OSError, SafetensorError, KeyError) as error:
        raise ServingError(f"{samples_file} holds no samples ({error})") from error


def _split(samples: Float32 | None, channels: int, multiple: int) -> tuple[Float32, Float32]:
    """Calibration samples, and probes that were held back from them (a single sample serves as both)."""
    if samples is None:
        from gan.serving.inference import synthetic_probe

        probe = synthetic_probe(channels, max(multiple, 64))
        return probe, probe
    if samples.ndim != 4 or samples.shape[1] != channels:
        raise ServingError(f"calibration samples are {samples.shape}: expected (N, {channels}, H, W)")
    held = np.arange(len(samples)) % _HELD_BACK == min(_HELD_BACK, len(samples)) - 1
    rest = samples[~held] if len(samples) > 1 else samples
    return rest, np.ascontiguousarray(samples[held][:_MAX_PROBES])


def _reference(network: torch.nn.Module, probes: Float32) -> Float32:
    import torch

    with torch.inference_mode():
        return np.concatenate([network(torch.from_numpy(probe[None])).numpy() for probe in probes])


def convert(network: torch.nn.Module, example: Float32) -> Any:
    """OpenVINO model of a network, of any size that the network takes; example (1, C, H, W)."""
    import openvino as ov
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(example))
    return ov.convert_model(network, example_input=tensor, input=[1, example.shape[1], -1, -1])


def _quantise(model: Any, calibration: Float32) -> Any:
    try:
        import nncf
    except ImportError as error:
        raise ServingError("NNCF is not installed: pip install -e '.[serve]' in the project's folder") from error
    nncf.set_log_level(logging.ERROR)
    # The size is fixed while statistics are taken, which is faster; the cache keeps this size, `reshape` changes it.
    model.reshape([1, *calibration.shape[1:]])
    data = nncf.Dataset([sample[None] for sample in calibration])
    # Leaky ReLU gives values of both signs, for which `mixed` has asymmetric steps.
    return nncf.quantize(model, data, preset=nncf.QuantizationPreset.MIXED, subset_size=len(calibration))


def export_onnx(model_file: Path, out: Path, *, size_px: int = 512) -> None:
    """Writes the translator of a model file as ONNX: input ``source`` (N, C, H, W), output ``image`` (N, K, H, W).

    Raises:
        CheckpointError, LayoutError: the model file cannot be used.
        ServingError: the file cannot be written.
    """
    import warnings

    import torch

    from gan.storage.model_file import read_model_file

    model = read_model_file(model_file)
    example = torch.zeros(1, model.config.in_channels, size_px, size_px)
    axes = {name: {0: "batch", 2: "height", 3: "width"} for name in ("source", "image")}
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        with warnings.catch_warnings():
            # torch announces another exporter, which needs a package more and gives the same graph.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model.build(),
                (example,),
                str(partial),
                input_names=["source"],
                output_names=["image"],
                dynamic_axes=axes,
                opset_version=18,
                dynamo=False,
            )
        os.replace(partial, out)
    except OSError as error:
        raise ServingError(f"{out} cannot be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)


def _main(arguments: list[str]) -> int:
    model_file, precision, folder, samples, half = arguments
    try:
        _build(Path(model_file), precision, Path(folder), Path(samples) if samples else None, half=bool(half))  # type: ignore[arg-type]
    except GisError as error:
        failure = {"kind": type(error).__name__, "message": str(error)}
        (Path(folder) / "failure.json").write_text(json.dumps(failure), encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
