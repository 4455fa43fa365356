"""How to train, as options; apart from the trainer, so that asking for them loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from gan.backends.registry import backend_names
from gan.data.options import DataOptions
from gan.options import Option, check_options

__all__ = ["Precision", "TrainOptions", "TrainingRun"]

Precision = Literal["auto", "fp32", "bf16"]
_SCHEDULE, _MACHINE, _RUN = "Schedule", "Machine", "Run"


@dataclass(frozen=True)
class TrainOptions:
    """How to train; the defaults are the published schedule.

    Raises:
        ConfigError: An option of another type, or outside of its limits.
    """

    epochs: Annotated[int, Option("Passes over the training data.", _SCHEDULE, at_least=1)] = 200
    batch: Annotated[int, Option("Samples per step and device.", _SCHEDULE, at_least=1)] = 1
    accumulate: Annotated[int, Option("Batches whose gradients are summed up for one step.", _SCHEDULE, at_least=1)] = 1
    precision: Annotated[
        Precision, Option("Number format; auto takes bf16 (mixed) where the hardware multiplies it.", _MACHINE)
    ] = "auto"
    compile: Annotated[
        bool, Option("Compile the networks with torch.compile: minutes at the start, faster steps.", _MACHINE)
    ] = False
    channels_last: Annotated[bool, Option("Keep weights and activations in NHWC order.", _MACHINE)] = True
    ema: Annotated[
        float,
        Option(
            "Decay of the averaged weights, which are validated and shared; 0 for none.",
            _SCHEDULE,
            at_least=0.0,
            below=1.0,
        ),
    ] = 0.999
    seed: Annotated[int, Option("Of weights, split, order, augmentation and noise.", _SCHEDULE, at_least=0)] = 0
    threads: Annotated[
        int,
        Option(
            "CPU threads; 0 leaves the choice to torch. Bits may change with it.", _MACHINE, at_least=0, at_most=1024
        ),
    ] = 0
    start_from: Annotated[
        str,
        Option(
            "Model file whose weights the translator starts from: of the same model, with the same options.",
            _SCHEDULE,
            default_text="fresh weights",
        ),
    ] = ""
    teacher: Annotated[
        str,
        Option(
            "Model file whose pictures of the sources are the targets, in place of those of the data: for a smaller "
            "model that makes the same.",
            _SCHEDULE,
            default_text="targets of the data",
        ),
    ] = ""
    teacher_fit: Annotated[
        int,
        Option(
            "Training samples by which the layers of a U-Net are fitted to those of a wider teacher before training "
            "begins; 0 begins with fresh weights.",
            _SCHEDULE,
            at_least=0,
            at_most=4096,
        ),
    ] = 0
    devices: Annotated[int, Option("Devices of this machine; torchrun overrules it.", _MACHINE, at_least=1)] = 1
    validate_every: Annotated[int, Option("Epochs between validations.", _RUN, at_least=1)] = 1
    log_every: Annotated[int, Option("Steps between log lines; also how soon a NaN is noticed.", _RUN, at_least=1)] = 50
    checkpoint_every: Annotated[
        int, Option("Steps between checkpoints; 0 saves at ends of epochs.", _RUN, at_least=0)
    ] = 0
    checkpoint_minutes: Annotated[
        float, Option("Ends of epochs closer to the last checkpoint than this save none.", _RUN, at_least=0.0)
    ] = 5.0
    keep: Annotated[int, Option("Checkpoints kept.", _RUN, at_least=1)] = 2
    weights_dir: Annotated[
        str, Option("Folder with backbone weights for LPIPS.", _RUN, default_text="GIS_WEIGHTS, else a download")
    ] = ""

    def __post_init__(self) -> None:
        """Check each option."""
        check_options(self)


@dataclass(frozen=True)
class TrainingRun:
    """One training run: what of, from what, and how.

    Raises:
        ConfigError: An option of another type, or outside of its limits.
    """

    data: Annotated[
        Path,
        Option("Source tensors of gis synthesize or gis fit (also s3://), or the parent of two image folders.", "Data"),
    ]
    out: Annotated[Path, Option("Folder of the run: checkpoints, log, images, model.safetensors.", _RUN)]
    model: Annotated[
        str,
        Option("Translation model; gis models describes them.", "Model", choices=backend_names, old_names=("backend",)),
    ] = "pix2pix"
    settings: Annotated[
        dict[str, Any],
        Option("Option of the model, as name=value; may be repeated.", "Model", flag="set"),
    ] = field(default_factory=dict)
    options: TrainOptions = field(default_factory=TrainOptions)
    data_options: DataOptions = field(default_factory=DataOptions)
    resume: Annotated[bool, Option("Go on where the run in the output folder stopped.", _RUN, in_files=False)] = False
    cache: Annotated[
        Path | None, Option("Folder for decoded images.", _RUN, default_text="cache in the output folder")
    ] = None

    def __post_init__(self) -> None:
        """Check each option."""
        check_options(self)
