"""A model to hand on, served without torch.

    python -m gan.serving.ship MODEL.safetensors OUT.safetensors [--objects SMALLEST LARGEST] [--samples SOURCES]

MODEL is what training wrote. Beside OUT lies its conversion for OpenVINO, OUT.openvino. With ``--samples``, sources
that it will be given (safetensors, ``source`` (N, C, H, W) float32), there is OUT.openvino-int8 too, which is taken
where the CPU has VNNI; OUT itself has no samples, so that no machine quantises otherwise. So
``assets/weights/cars.safetensors`` was made, with sources of `benchmarks.realism.windows`.
``--objects`` states the objects that the model was trained on (`gan.storage.known_objects`), ``--scene-largest`` and
``--scene-detail`` what is taken of it in rendered scenes; without ``--objects`` OUT states what MODEL does.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gan.errors import GisError
from gan.serving.openvino_engine import convert_beside
from gan.storage.known_objects import KnownObjects
from gan.storage.model_file import read_model_file, write_model_file

__all__ = ["main", "ship"]


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


def main() -> None:
    """Ships the model that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("--objects", type=int, nargs=2, metavar=("SMALLEST", "LARGEST"))
    parser.add_argument("--samples", type=Path, help="sources that int8 is calibrated on")
    parser.add_argument("--scene-largest", type=int, metavar="PX")
    parser.add_argument("--scene-detail", type=float, metavar="PX")
    options = parser.parse_args()
    to = options.to
    try:
        folders = ship(options.model, to, _known(options), options.samples)
    except (GisError, ValueError) as error:
        sys.exit(f"error: {error}")
    size = sum(path.stat().st_size for path in (to, *(path for folder in folders for path in folder.iterdir())))
    print(f"{to} and {', '.join(folder.name for folder in folders)}: {size / 1e6:.1f} MB")


def _known(options: argparse.Namespace) -> KnownObjects | None:
    if options.objects is None:
        return None
    smallest_px, largest_px = options.objects
    return KnownObjects(smallest_px, largest_px, options.scene_largest, options.scene_detail)


if __name__ == "__main__":
    main()
