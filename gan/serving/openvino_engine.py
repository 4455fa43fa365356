"""Networks run by OpenVINO: converted once, kept in a cache folder, run without torch.

Converting needs torch, NNCF and much memory, so it happens in a process of its own (`gan.serving.openvino_convert`). A
serving process reads only what that leaves in the cache: the network, and a few probe images with what plain float32
makes of them.

A cache entry is named by a hash of everything that it depends on and appears by one rename, so processes may race.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import platformdirs
from filelock import FileLock
from safetensors.numpy import load_file, save_file

import gan.errors
from gan.data.layout import LAYOUT_NAME, LAYOUT_VERSION, SourceLayout
from gan.errors import CheckpointError, ServingError
from gan.processes import isolated_environment
from gan.serving.engine import Float32, InferenceConfig, LoadedNetwork, Precision, Run, TranslateRequest

__all__ = ["cache_folder", "convert_beside", "load_openvino"]

_FORMAT: Final = 4  # raise when what lies in a cache entry changes
# Sizes for which networks are kept compiled: a folder of mixed sizes must not fill the memory.
_SHAPES: Final = 4
_BESIDE: Final = ".openvino"
"""Suffix of the folder with a conversion that is handed on with its model file."""


def cache_folder() -> Path:
    """Folder of converted models: ``GIS_CACHE``, else ``gis`` in the user's cache folder."""
    named = os.environ.get("GIS_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("gis", appauthor=False)


# --- serving ---------------------------------------------------------------------------------------------------------


def load_openvino(request: TranslateRequest, config: InferenceConfig) -> LoadedNetwork:
    """Loads a model into OpenVINO; the cache may hold it converted.

    Raises:
        ServingError: OpenVINO or NNCF is missing, conversion fails, or int8 has no real samples.
        CheckpointError, LayoutError: the model file cannot be used.
    """
    entry = _prepare(request, config.precision)
    about = json.loads((entry / "about.json").read_text(encoding="utf-8"))
    probes = load_file(entry / "probes.safetensors")
    run = _compile(entry / "model.xml", config.precision, request)
    return LoadedNetwork(
        run=run,
        in_channels=about["in_channels"],
        multiple_px=about["multiple_px"],
        weights_sha256=about["weights_sha256"],
        model=about["backend"],
        probes=probes["source"],
        reference=probes["image"],
        layout=SourceLayout.from_json(about["layout"], str(request.path)),
        whole_image=about.get("whole", True),  # conversions that were shipped before this was known
    )


def _compile(model_file: Path, precision: Precision, request: TranslateRequest) -> Run:
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

    prepared: dict[tuple[int, ...], Any] = {}

    def run(source: Float32, seed: int | None) -> Float32:
        # A fixed shape is up to a tenth faster, and takes up to half a second to compile. The last used come last.
        shape = (*source.shape[:2], -1, -1) if request.any_size else source.shape
        infer = prepared.pop(shape, None)
        if infer is None:
            if len(prepared) == _SHAPES:
                prepared.pop(next(iter(prepared)))
            infer = compiled(shape)
        prepared[shape] = infer
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


def _prepare(request: TranslateRequest, precision: Precision) -> Path:
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
        # Only one process at a time converts; the others wait for its result.
        with FileLock(folder / f"{entry.name}.lock"):
            if not (entry / "about.json").is_file():
                _build_entry(request, precision, entry)
    except OSError as error:
        raise ServingError(
            f"{folder} cannot hold a converted model ({error}): set GIS_CACHE to a folder that can"
        ) from error
    return entry


def _key(request: TranslateRequest, precision: Precision) -> str:
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


def _build_entry(request: TranslateRequest, precision: Precision, entry: Path) -> None:
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
    environment = isolated_environment(os.environ, [root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    # OpenVINO's and NNCF's tools report their use over the network, except where they believe to run in CI.
    environment["CI"] = "true"
    arguments = [str(model), precision, str(folder), str(samples or ""), "half" if half else ""]
    command = [sys.executable, "-m", "gan.serving.openvino_convert", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    failure = folder / "failure.json"
    if failure.is_file():
        content = json.loads(failure.read_text(encoding="utf-8"))
        raise getattr(gan.errors, content["kind"])(content["message"])
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
    raise ServingError(f"conversion to {precision} ended with status {done.returncode}: {lines[-1].strip()[:300]}")
