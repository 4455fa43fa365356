"""A model to hand on, served without torch.

    python -m gan.serving.ship MODEL.safetensors OUT.safetensors [--objects SMALLEST LARGEST] [--samples SOURCES]
    python -m gan.serving.ship MODEL.safetensors --objects SMALLEST LARGEST [--scene-largest PX] ...

MODEL is what training wrote. Beside OUT lies its conversion for OpenVINO, OUT.openvino. With ``--samples``, sources
that it will be given (safetensors, ``source`` (N, C, H, W) float32), there is OUT.openvino-int8 too, which is taken
where the CPU has VNNI; OUT itself has no samples, so that no machine quantises otherwise. So
``assets/weights/cars.safetensors`` was made, with sources of `benchmarks.realism.windows`.
``--objects`` states the objects that the model was trained on (`gan.storage.known_objects`), ``--scene-largest``,
``--scene-detail``, ``--scene-detail-of-all`` and ``--scene-given`` what is taken of it in rendered scenes; without
``--objects`` OUT states what MODEL does. Without OUT it is MODEL and the conversions beside it that state this; their
networks stay as they are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from gan.errors import GisError
from gan.serving.converted_files import DamagedError, belongs_to, beside, file_sha256, read_converted, write_about
from gan.serving.engine import Precision
from gan.serving.openvino_engine import convert_beside
from gan.storage.known_objects import KnownObjects
from gan.storage.model_file import read_model_file, write_model_file

__all__ = ["main", "restate", "ship"]

_PRECISIONS: Final[tuple[Precision, ...]] = ("fp32", "int8")
"""Of which there may be conversions beside a model file."""


def ship(model: Path, to: Path, known: KnownObjects | None = None, samples: Path | None = None) -> list[Path]:
    """Writes a model file and the folders of its conversions; returns the folders.

    Args:
        model: file to read.
        to: file to write.
        known: objects that it was trained on, in place of those that the file states.
        samples: file of sources that int8 is calibrated on; None: there is no int8.

    Raises:
        GanError: the model cannot be read or converted.
    """
    loaded = read_model_file(model)
    meta = loaded.meta if known is None else loaded.meta | known.to_json()
    write_model_file(to, loaded.backend, loaded.config, loaded.build().state_dict(), meta, layout=loaded.layout)
    return convert_beside(to, samples)


def restate(model: Path, known: KnownObjects) -> list[Path]:
    """States other objects in a model file and in the conversions beside it; returns their folders.

    The networks stay as they are, so that nothing is quantised anew. Conversions that do not belong to the file, and
    those that a kill in between leaves behind, do not count when it is loaded.

    Args:
        model: file to change.
        known: what it states from now on.

    Raises:
        GanError: the model cannot be read.
        DamagedError: a conversion is not what was left there.
    """
    loaded = read_model_file(model)
    folders = [folder for precision in _PRECISIONS if belongs_to(model, folder := beside(model, precision))]
    said = [read_converted(folder).about for folder in folders]
    meta = loaded.meta | known.to_json()
    digest = write_model_file(
        model, loaded.backend, loaded.config, loaded.state, meta, loaded.calibration, loaded.layout
    )
    file = {"weights_sha256": digest, "file_sha256": file_sha256(model)}
    for folder, about in zip(folders, said, strict=True):
        write_about(folder, {**about, **known.to_json(), **file})
    return folders


def main() -> None:
    """Ships the model that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("to", type=Path, nargs="?")
    parser.add_argument("--objects", type=int, nargs=2, metavar=("SMALLEST", "LARGEST"))
    parser.add_argument("--samples", type=Path, help="sources that int8 is calibrated on")
    parser.add_argument("--scene-largest", type=int, metavar="PX")
    parser.add_argument("--scene-detail", type=float, metavar="PX")
    parser.add_argument("--scene-detail-of-all", action="store_true")
    parser.add_argument("--scene-given", type=int, nargs=2, metavar=("FROM", "BELOW"))
    options = parser.parse_args()
    to = options.to or options.model
    try:
        known = _known(options)
        if options.to is None:
            if known is None or options.samples is not None:
                raise ValueError("without OUT only --objects and what is taken in scenes can be stated: give OUT too")
            folders = restate(options.model, known)
        else:
            folders = ship(options.model, to, known, options.samples)
    except (GisError, DamagedError, ValueError) as error:
        sys.exit(f"error: {error}")
    size = sum(path.stat().st_size for path in (to, *(path for folder in folders for path in folder.iterdir())))
    print(f"{to} and {', '.join(folder.name for folder in folders)}: {size / 1e6:.1f} MB")


def _known(options: argparse.Namespace) -> KnownObjects | None:
    if options.objects is None:
        return None
    smallest_px, largest_px = options.objects
    given = None if options.scene_given is None else (options.scene_given[0], options.scene_given[1])
    return KnownObjects(
        smallest_px, largest_px, options.scene_largest, options.scene_detail, options.scene_detail_of_all, given
    )


if __name__ == "__main__":
    main()
