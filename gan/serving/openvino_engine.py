"""Networks run by OpenVINO: converted once, kept in a cache folder, run without torch.

Converting needs torch, NNCF and much memory, so it happens in a process of its own (`gan.serving.openvino_convert`). A
serving process reads only what that leaves in the cache: the network, and a few probe images with what plain float32
makes of them.

A cache entry is named by a hash of everything that it depends on and appears by one rename, so processes may race. It
is compared with its hashes each time it is read, and made anew where it is damaged (`gan.serving.converted_files`).
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
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import platformdirs
from filelock import FileLock
from safetensors.numpy import save_file

import gan.errors
from gan.data.layout import LAYOUT_NAME, LAYOUT_VERSION
from gan.errors import CheckpointError, ServingError
from gan.processes import isolated_environment
from gan.serving import openvino_part
from gan.serving.converted_files import (
    Converted,
    DamagedError,
    belongs_to,
    beside,
    check_owner,
    file_sha256,
    read_converted,
)
from gan.serving.engine import (
    Float32,
    InferenceConfig,
    LoadedNetwork,
    Part,
    Precision,
    Run,
    RunPart,
    ServingWarning,
    TranslateRequest,
)

__all__ = ["cache_folder", "convert_beside", "load_openvino", "quantised_beside"]

_FORMAT: Final = 6  # raise when what lies in a cache entry changes
# Sizes for which networks are kept compiled: a folder of mixed sizes must not fill the memory.
_SHAPES: Final = 4
_PART_STEP_PX: Final = 16
_FINE_STEPS: Final = 6
"""A part has any number of steps up to this one, multiples of 2 up to twice as many, of 4 up to four times, ..."""
_PARTS_DIFFER: Final = 1e-4  # of [-1, 1], an eightieth of a grey level: sums of floating point taken in another order


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
    converted = _prepare(request, config.precision)
    run, run_part = _compile(converted, config.precision, request)
    return LoadedNetwork(
        run=run,
        in_channels=converted.about["in_channels"],
        multiple_px=converted.about["multiple_px"],
        weights_sha256=converted.about["weights_sha256"],
        model=converted.about["backend"],
        probes=converted.probes,
        reference=converted.reference,
        layout=converted.layout,
        whole_image=converted.about["whole"],
        known_objects=converted.known_objects,
        run_part=run_part,
    )


def _compile(converted: Converted, precision: Precision, request: TranslateRequest) -> tuple[Run, RunPart | None]:
    try:
        import openvino as ov
    except ImportError as error:
        raise ServingError("OpenVINO is not installed: pip install 'gis-thermal[serve]'") from error
    core = ov.Core()
    settings = {
        "INFERENCE_NUM_THREADS": request.threads,
        "NUM_STREAMS": "1",
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        # Several one-thread workers would all be pinned to the first core.
        "ENABLE_CPU_PINNING": False,
    }

    network = core.read_model(converted.network)  # once: the file was compared with its hash just now
    if request.any_size:
        by_parts = _by_parts(core, network, settings, converted)
        if by_parts is not None:
            return lambda source, seed: by_parts(source, (0, 0, *source.shape[2:])), by_parts

    def compiled(shape: tuple[int, ...]) -> Any:
        model = network.clone()
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

    return run, None


def _by_parts(core: Any, network: Any, settings: dict[str, Any], converted: Converted) -> RunPart | None:
    """A network of any size that computes a part of its image; None where that is not what the whole one makes."""
    if converted.about["whole"]:
        return None
    found = openvino_part.cut(network, converted.about["multiple_px"])
    if found is None:
        return None
    model, joins = found
    model.reshape({model.inputs[0]: [1, converted.about["in_channels"], -1, -1]})
    infer = core.compile_model(model, "CPU", settings).create_infer_request()

    def run(source: Float32, part: Part) -> Float32:
        images = []
        larger = _on_grid(part, (source.shape[2], source.shape[3]))
        for one in source:
            where, (top, left) = openvino_part.places(larger, (one.shape[1], one.shape[2]), joins)
            made = infer.infer({0: one[None], 1: where}, share_inputs=True)[0]
            images.append(made[0, :, part[0] - top : part[2] - top, part[1] - left : part[3] - left])
        return np.stack(images)

    return run if _parts_agree(run, converted.probes[:1]) else None


def _on_grid(part: Part, size: tuple[int, int]) -> Part:
    """The part, grown to lines of a grid and to few sizes, because OpenVINO takes milliseconds to prepare for each."""
    top, bottom = _grown(part[0], part[2], size[0])
    left, right = _grown(part[1], part[3], size[1])
    return top, left, bottom, right


def _grown(begin: int, end: int, length: int) -> tuple[int, int]:
    begin = begin // _PART_STEP_PX * _PART_STEP_PX
    step = _PART_STEP_PX
    while end - begin > _FINE_STEPS * step:
        step *= 2
    wanted = min(-(-(end - begin) // step) * step, length)
    begin = min(begin, (length - wanted) // _PART_STEP_PX * _PART_STEP_PX)
    return begin, min(begin + wanted, length)


def _parts_agree(run: RunPart, probe: Float32) -> bool:
    """Whether parts of a probe image are those of the whole one."""
    height, width = probe.shape[2:]
    whole = run(probe, (0, 0, height, width))
    asked = [(height // 3, width // 4, height // 2, 2 * width // 3), (1, width // 2, height // 5 + 2, width)]
    parts = [_on_grid(part, (height, width)) for part in asked]  # what is computed beside a part is not looked at
    try:
        return all(_same(run(probe, one), whole[..., one[0] : one[2], one[1] : one[3]]) for one in parts)
    except RuntimeError:  # OpenVINO's, where maps do not fit together
        return False


def _same(part: Float32, wanted: Float32) -> bool:
    return part.shape == wanted.shape and np.allclose(part, wanted, rtol=0, atol=_PARTS_DIFFER)


# --- the cache -------------------------------------------------------------------------------------------------------


def convert_beside(model_file: Path, samples: Path | None = None) -> list[Path]:
    """Converts a model file into folders beside it, with which it is served without torch, NNCF and a cache.

    In floating point, with weights stored in float16 as they are in the model file: nothing is lost. With samples in
    int8 too.

    Args:
        model_file: that brings no samples of its own.
        samples: Safetensors file with ``source``, (N, C, H, W) float32 in [-1, 1], that int8 is calibrated on.

    Returns:
        The folders.

    Raises:
        ServingError: OpenVINO is missing, or NNCF where there are samples, or conversion fails.
        CheckpointError, LayoutError: the model file cannot be used.
    """
    wanted: list[Precision] = ["fp32"] if samples is None else ["fp32", "int8"]
    says = {"file_sha256": file_sha256(model_file)}
    for precision in ("fp32", "int8"):
        shutil.rmtree(beside(model_file, precision), ignore_errors=True)  # one of another network
    for precision in wanted:
        folder = beside(model_file, precision)
        folder.mkdir()
        _run_builder(model_file, precision, folder, samples if precision == "int8" else None, says, shipped=True)
    return [beside(model_file, precision) for precision in wanted]


def quantised_beside(model_file: Path) -> bool:
    """Whether a model file was handed on with its int8 network."""
    try:
        return belongs_to(model_file, beside(model_file, "int8"))
    except (DamagedError, OSError):
        return False  # loading says what is wrong with the file


def _found_beside(model_file: Path, precision: Precision) -> Converted | None:
    """What :func:`convert_beside` left, where it belongs to this very file."""
    folder = beside(model_file, precision)
    try:
        return read_converted(folder) if belongs_to(model_file, folder) else None
    except DamagedError as damage:
        warnings.warn(f"{folder} is damaged ({damage}): not used; get it again", ServingWarning, stacklevel=2)
        return None


def _prepare(request: TranslateRequest, precision: Precision) -> Converted:
    """The converted model; made now where there is none that is whole."""
    shipped = _found_beside(request.path, precision) if request.path.is_file() else None
    if shipped is not None:
        return shipped
    folder = request.cache_dir or cache_folder()
    entry = folder / _key(request, precision)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_owner(folder)
        found = _found_in_cache(entry)
        if found is not None:
            return found
        # Only one process at a time converts; the others wait for its result.
        with FileLock(folder / f"{entry.name}.lock"):
            found = _found_in_cache(entry)
            if found is None:
                _build_entry(request, precision, entry)
                found = read_converted(entry, entry.name)
    except DamagedError as damage:
        raise ServingError(f"{entry} changed while it was made ({damage}): give the same command again") from None
    except OSError as error:
        raise ServingError(
            f"{folder} cannot hold a converted model ({error}): set GIS_CACHE to a folder that can"
        ) from error
    return found


def _found_in_cache(entry: Path) -> Converted | None:
    """An entry that is whole; None where there is none, or a damaged one, which is then made anew."""
    if not entry.exists():
        return None
    try:
        return read_converted(entry, entry.name)
    except DamagedError as damage:
        warnings.warn(f"{entry} is damaged ({damage}): made anew", ServingWarning, stacklevel=2)
        return None


def _key(request: TranslateRequest, precision: Precision) -> str:
    if not request.path.is_file():
        raise CheckpointError(f"{request.path}: no such file; expected a model file of gis train")
    file_hash = file_sha256(request.path)
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
        given = samples if samples.is_file() else None
        _run_builder(request.path, precision, partial, given, {"entry": entry.name})
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)  # damaged, or left half-made by an older program
        else:
            entry.unlink(missing_ok=True)
        partial.rename(entry)


def _run_builder(
    model: Path,
    precision: Precision,
    folder: Path,
    samples: Path | None,
    says: Mapping[str, str],
    *,
    shipped: bool = False,
) -> None:
    root = str(Path(gan.errors.__file__).parent.parent)
    environment = isolated_environment(os.environ, [root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    # OpenVINO's and NNCF's tools report their use over the network, except where they believe to run in CI.
    environment["CI"] = "true"
    arguments = [str(model), precision, str(folder), str(samples or ""), "shipped" if shipped else "", json.dumps(says)]
    # -P: no module of the user's folder stands before one of ours.
    command = [sys.executable, "-P", "-m", "gan.serving.openvino_convert", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    failure = folder / "failure.json"
    if failure.is_file():
        content = json.loads(failure.read_text(encoding="utf-8"))
        raise getattr(gan.errors, content["kind"])(content["message"])
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
    raise ServingError(f"conversion to {precision} ended with status {done.returncode}: {lines[-1].strip()[:300]}")
