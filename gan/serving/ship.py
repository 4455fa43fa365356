"""A model to hand on, served without torch: ``python -m gan.serving.ship MODEL.safetensors OUT.safetensors``.

MODEL is what training wrote. OUT has no samples to quantise it by, so that every machine serves it in floating point,
and beside it lies its conversion for OpenVINO, OUT.openvino. So ``assets/weights/cars.safetensors`` was made.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gan.errors import GisError
from gan.serving.openvino_engine import convert_beside
from gan.storage.model_file import read_model_file, write_model_file

__all__ = ["main", "ship"]


def ship(model: Path, to: Path) -> Path:
    """Writes a model file and the folder of its conversion; returns the folder.

    Raises:
        GanError: the model cannot be read or converted.
    """
    loaded = read_model_file(model)
    write_model_file(to, loaded.backend, loaded.config, loaded.build().state_dict(), loaded.meta, layout=loaded.layout)
    return convert_beside(to)


def main() -> None:
    """Ships the model that is named."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    to = Path(sys.argv[2])
    try:
        folder = ship(Path(sys.argv[1]), to)
    except GisError as error:
        sys.exit(f"error: {error}")
    size = sum(path.stat().st_size for path in (to, *folder.iterdir()))
    print(f"{to} and {folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
