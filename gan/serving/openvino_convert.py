"""Converts a model file for OpenVINO or ONNX.

Converting needs torch, NNCF and much memory, so serving does it in a process of its own::

    python -m gan.serving.openvino_convert MODEL PRECISION FOLDER SAMPLES SHIPPED SAYS

It leaves the network, and a few probe images with what plain float32 makes of them (`convert_model`).
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import nn

from gan.errors import GisError, ServingError
from gan.processes import end_with_parent
from gan.serving.converted_files import write_about
from gan.serving.engine import (
    Float32,
    Precision,
    mirrored,
    needs_whole_image,
    network_multiple_px,
    synthetic_probe,
)
from gan.serving.openvino_joins import rectify_before_joins
from gan.storage.model_file import ModelFile, read_model_file

__all__ = ["convert_model", "convert_network", "export_onnx"]

# Of the calibration samples, every fourth is held back to measure the error on.
_HELD_BACK: Final = 4
_MAX_PROBES: Final = 2


def convert_model(
    model_file: Path,
    precision: Precision,
    folder: Path,
    samples_file: Path | None,
    *,
    shipped: bool = False,
    says: Mapping[str, str] | None = None,
) -> None:
    """Writes model.xml, model.bin, probes.safetensors and, last, about.json into a folder.

    Args:
        model_file: Model file that `gis train` wrote.
        precision: ``int8`` quantises, with the samples of the model file or of ``samples_file``; the others do not.
        folder: An empty folder.
        samples_file: Safetensors file with ``source``, (N, C, H, W) float32 in [-1, 1].
        shipped: It is handed on: weights in floating point are stored in float16, and int8 takes its time to be exact.
        says: What else stands in about.json.

    Raises:
        CheckpointError, LayoutError: the model file cannot be used.
        ServingError: OpenVINO or NNCF is missing, or int8 has no samples.
    """
    try:
        import openvino as ov
    except ImportError as error:
        raise ServingError("OpenVINO is not installed: pip install 'gis-thermal[serve]'") from error

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
    converted = convert_network(network, probes[:1])
    rectify_before_joins(converted)
    ov.save_model(converted, folder / "model.xml", compress_to_fp16=shipped)
    save_file({"source": probes, "image": reference}, folder / "probes.safetensors")
    about = {
        "in_channels": model.config.in_channels,
        "multiple_px": multiple,
        "whole": needs_whole_image(network),
        "weights_sha256": model.sha256,
        "backend": model.backend,
        "layout": model.layout.to_json(),
        **({} if model.known_objects is None else model.known_objects.to_json()),
    }
    del model, network, converted  # their weights would lie in memory beside those of the quantiser
    if precision == "int8":
        exact = folder / "exact.xml"
        (folder / "model.xml").rename(exact)
        (folder / "model.bin").rename(exact.with_suffix(".bin"))
        quantised = _quantise(ov.Core().read_model(exact), calibration, thorough=shipped)
        ov.save_model(quantised, folder / "model.xml", compress_to_fp16=False)
        exact.unlink()
        exact.with_suffix(".bin").unlink()
    write_about(folder, {**about, **(says or {})})


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
        probe = synthetic_probe(channels, max(multiple, 64))
        return probe, probe
    if samples.ndim != 4 or samples.shape[1] != channels:
        raise ServingError(f"calibration samples are {samples.shape}: expected (N, {channels}, H, W)")
    held_back = np.arange(len(samples)) % _HELD_BACK == min(_HELD_BACK, len(samples)) - 1
    calibration = samples[~held_back] if len(samples) > 1 else samples
    return calibration, np.ascontiguousarray(samples[held_back][:_MAX_PROBES])


def _reference(network: nn.Module, probes: Float32) -> Float32:
    with torch.inference_mode():
        return np.concatenate([network(torch.from_numpy(probe[None])).numpy() for probe in probes])


def convert_network(network: nn.Module, example: Float32) -> Any:
    """OpenVINO model of a network, of any size that the network takes; example (1, C, H, W)."""
    import openvino as ov

    tensor = torch.from_numpy(np.ascontiguousarray(example))
    return ov.convert_model(network, example_input=tensor, input=[1, example.shape[1], -1, -1])


def _quantise(model: Any, calibration: Float32, *, thorough: bool) -> Any:
    """The model in int8: weights have a step for each channel, maps one for each map, their last layer none.

    The last layer stays in floating point, and what is added to its picture: their steps would be seen in the image. In
    the shipped network they make three quarters of the mean error, and take a tenth of the time
    (docs/explanation/performance.md).

    Args:
        model: `openvino.Model`.
        calibration: (N, C, H, W) real sources.
        thorough: Biases are corrected one layer after the other, with what the layers before it make by then, and the
            CPU is taken to have VNNI. It takes several times as long, and is more exact.
    """
    try:
        import nncf
        from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix
        from nncf.quantization.range_estimator import RangeEstimatorParametersSet
    except ImportError as error:
        raise ServingError("NNCF is not installed: pip install 'gis-thermal[serve]'") from error
    nncf.set_log_level(logging.ERROR)
    # The size is fixed while statistics are taken, which is faster; the cache keeps this size, `reshape` changes it.
    model.reshape([1, *calibration.shape[1:]])
    data = nncf.Dataset([sample[None] for sample in calibration])
    return nncf.quantize(
        model,
        data,
        # Leaky ReLU gives values of both signs, for which `mixed` has asymmetric steps.
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(calibration),
        fast_bias_correction=not thorough,
        ignored_scope=nncf.IgnoredScope(names=_from_last_layer(model), validate=False),
        advanced_parameters=AdvancedQuantizationParameters(
            # The extremes of all samples, and not the mean of each one's: half of those would be cut off.
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
            # What is handed on is taken where bytes are multiplied exactly, else a CPU may add them up in 16 bits.
            overflow_fix=OverflowFix.DISABLE if thorough else OverflowFix.FIRST_LAYER,
        ),
    )


def _from_last_layer(model: Any) -> list[str]:
    """Names of the last convolution and of all behind it."""
    nodes = model.get_ordered_ops()
    convolutions = [number for number, node in enumerate(nodes) if "Convolution" in node.get_type_name()]
    last = max(convolutions, default=len(nodes))
    return [node.get_friendly_name() for node in nodes[last:] if node.get_type_name() not in ("Constant", "Result")]


def export_onnx(model_file: Path, out: Path, *, size_px: int = 512) -> None:
    """Writes the translator of a model file as ONNX: input ``source`` (N, C, H, W), output ``image`` (N, K, H, W).

    Raises:
        CheckpointError, LayoutError: the model file cannot be used.
        ServingError: the file cannot be written.
    """
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
    model_file, precision, folder, samples, shipped, says = arguments
    try:
        convert_model(
            Path(model_file),
            cast(Precision, precision),
            Path(folder),
            Path(samples) if samples else None,
            shipped=bool(shipped),
            says=json.loads(says),
        )
    except GisError as error:
        failure = {"kind": type(error).__name__, "message": str(error)}
        (Path(folder) / "failure.json").write_text(json.dumps(failure), encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    end_with_parent(os.getppid())
    sys.exit(_main(sys.argv[1:]))
