"""What `gis translate` is told; apart from the work, so that asking for its options loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from gan.options import Option, check_options

from pipelines.cluster.options import CpusPerWorker, GpusPerWorker, RayAddress, check_cluster
from pipelines.errors import ConfigError
from pipelines.translation.temperatures import read_classes, read_temperatures
from pipelines.workers import WORKER_TIMEOUT_S, WorkerCount, WorkerTimeout

__all__ = ["Bits", "Engine", "Postprocess", "Precision", "StyleStart", "TranslateConfig"]

Bits = Literal[8, 16]
Engine = Literal["auto", "torch", "openvino"]
Postprocess = Literal["none", "gaussian", "style"]
Precision = Literal["auto", "fp32", "bf16", "int8"]
StyleStart = Literal["output", "noise"]
_FILES, _NETWORK, _AFTER = "Files", "Network", "After the network"


@dataclass(frozen=True)
class TranslateConfig:
    """What to translate, and how to run the network.

    Raises:
        ConfigError: An option of another type or outside of its limits, or options that do not go together.
    """

    weights: Annotated[Path, Option("Model file of gis train.", _FILES)]
    source: Annotated[
        Path,
        Option(
            "Folder of source tensors (*.safetensors, *.tar, or in tensors/) or images (or in images/).",
            _FILES,
            flag="input",
        ),
    ]
    out: Annotated[Path, Option("Folder of the infrared images (PNG).", _FILES)]
    bits: Annotated[Bits, Option("Bits per pixel.", _FILES)] = 8
    precision: Annotated[Precision, Option("Number format; auto: the fastest that is exact enough.", _NETWORK)] = "auto"
    engine: Annotated[Engine, Option("What runs the network; auto: OpenVINO on a CPU.", _NETWORK)] = "auto"
    device: Annotated[str, Option("A torch device: cpu, cuda ...; auto: a GPU where there is one.", _NETWORK)] = "auto"
    threads: Annotated[int | None, Option("CPU threads.", _NETWORK, at_least=1, at_most=1024, default_text="all")] = (
        None
    )
    batch: Annotated[
        int,
        Option(
            "Images of one size that the network takes at once: faster on a GPU; rounding differs from one by one.",
            _NETWORK,
            at_least=1,
            at_most=1024,
        ),
    ] = 1
    temperature: Annotated[
        tuple[str, ...],
        Option(
            "Temperatures of things in kelvin, for a model that is told them (thermalgan, layered): car=290,person=301 "
            "and so on, background too; car=280:310:10 is an image at each step, and a contact sheet; may be repeated. "
            "Images have 16 bits over span_K of translate.json.",
            _NETWORK,
            default_text="none, and the mean of the training",
        ),
    ] = ()
    redraw: Annotated[
        tuple[str, ...],
        Option(
            "Classes that a model with layers (layered) draws anew, car,person and so on, with other temperatures or "
            "with --noise-seed; each other pixel keeps its bits. Of a set of gis synthesize its masks are taken, else "
            "those of the model.",
            _NETWORK,
            default_text="none",
        ),
    ] = ()
    onto: Annotated[
        Path | None,
        Option(
            "Folder of 16-bit images of this model into which they are drawn.",
            _NETWORK,
            default_text="what the model makes of the input",
        ),
    ] = None
    compile: Annotated[bool, Option("Use torch.compile: a minute at first, then faster.", _NETWORK)] = False
    noise_seed: Annotated[
        int | None,
        Option(
            "Keep the model's noise on, with this seed for the first image.",
            _NETWORK,
            at_least=0,
            default_text="no noise, repeatable",
        ),
    ] = None
    postprocess: Annotated[
        Postprocess,
        Option("What is done to each image; gaussian: 3x3 smoothing; style: that of the reference.", _AFTER),
    ] = "none"
    reference: Annotated[Path | None, Option("Real thermal image whose style is taken.", _AFTER)] = None
    style_start: Annotated[StyleStart, Option("What the style reconstruction starts from.", _AFTER)] = "output"
    style_steps: Annotated[int, Option("Iterations of the style reconstruction.", _AFTER, at_least=1)] = 100
    weights_dir: Annotated[
        Path | None,
        Option("Folder with VGG-16's weights, for style.", _AFTER, default_text="GIS_WEIGHTS, else a download"),
    ] = None
    attention: Annotated[
        Path | None, Option("Folder for attention maps, NAME_1.png ..., of models that have them.", _AFTER)
    ] = None

    ray: RayAddress = None
    workers: WorkerCount = None
    cpus_per_worker: CpusPerWorker = 1.0
    gpus_per_worker: GpusPerWorker = 0.0
    worker_timeout: WorkerTimeout = WORKER_TIMEOUT_S

    def __post_init__(self) -> None:
        """Check the options, one by one and together."""
        check_options(self)
        check_cluster(self)
        if self.workers is not None and self.ray is None:
            raise ConfigError("workers: are those of a Ray cluster: give --ray too, or leave it out")
        if self.batch > 1 and self.noise_seed is not None:
            raise ConfigError(f"batch is {self.batch}: expected 1 with --noise-seed, each image has noise of its own")
        if self.told:
            self._check_told()
        if self.onto is not None and not self.redraw:
            raise ConfigError("--onto takes the classes that are drawn into it: give --redraw too")
        if (self.reference is not None) != (self.postprocess == "style"):
            raise ConfigError("--postprocess style takes a thermal image as --reference, and nothing else does")

    @property
    def told(self) -> bool:
        """Whether images are in kelvin, of a model that is told something beside the source."""
        return bool(self.temperature or self.redraw)

    def _check_told(self) -> None:
        """Temperatures are exact: what would change or hide them is refused."""
        read_temperatures(self.temperature)
        if self.redraw:
            read_classes(self.redraw)
            if self.noise_seed is None and not self.temperature:
                raise ConfigError(
                    "redraw: the classes would come out as they are: give other temperatures (--temperature car=300) "
                    "or --noise-seed"
                )
        others = {
            "engine": self.engine == "openvino",
            "precision": self.precision not in ("auto", "fp32"),
            "batch": self.batch > 1,
            "compile": self.compile,
            "noise_seed": self.noise_seed is not None and not self.redraw,
            "postprocess": self.postprocess != "none",
            "attention": self.attention is not None,
        }
        for name, given in others.items():
            if given:
                told = "temperature" if self.temperature else "redraw"
                raise ConfigError(f"{told} and {name}: images in kelvin are the network's own; leave one out")
