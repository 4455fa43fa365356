"""Whole outputs of gis, made once by its own commands, that attacks damage copies of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from fuzz import corpus
from fuzz.judge import Sandbox, Server

_PICTURES = (0, 1, 2)
CAMERA = {"name": "c", "width": 64, "height": 48, "fx": 60.0, "fy": 60.0, "cx": 32.0, "cy": 24.0}
EPOCHS = 2
NETWORK = (
    "--set",
    "ngf=4",
    "--set",
    "ndf=4",
    "--set",
    "levels=3",
    "--validation",
    "0",
    "--threads",
    "1",
    "--checkpoint-minutes",
    "0",
)


class Prepared:
    """A folder with ``dataset``, ``passes``, ``frames`` (of `gis backgrounds`), ``run`` (of `gis train`), ``pairs``."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self._server = server
        self.box = Sandbox(folder / "making")
        self._pictures(folder)
        size = "--size 64x48 --workers 1"
        self._gis(f"synthesize --count 3 --model physics --tensors --layout physics {size}", "dataset")
        self._gis(f"render --count 2 {size}", "passes")
        self._gis(f"backgrounds {folder / 'thermal'} --size 48 --workers 1", "frames")
        self._gis(f"synthesize --count 2 --model physics --backgrounds {folder / 'frames'} {size}", "kelvin")
        self._gis(f"train --data {folder / 'dataset'} --epochs {EPOCHS} {' '.join(NETWORK)}", "run")

    def _pictures(self, folder: Path) -> None:
        for side in ("thermal", "pairs/visible", "pairs/infrared"):
            (folder / side).mkdir(parents=True)
        for number in _PICTURES:
            data = corpus.pillow(corpus.street(seed=number), format="PNG")
            for side in ("thermal", "pairs/visible", "pairs/infrared"):
                (folder / side / f"{number}.png").write_bytes(data)
        (folder / "boxes.json").write_text(json.dumps({"0.png": {"boxes": [{"cls": "car", "xyxy": [10, 10, 30, 25]}]}}))
        (folder / "camera.json").write_text(json.dumps(CAMERA))
        (folder / "thermal" / "flir.jpg").write_bytes(corpus.pictures()["flir"][1])

    def _gis(self, line: str, out: str) -> None:
        args = [*line.split(), "--out", str(self.folder / out)]
        ended = self._server.run({"args": args, "box": str(self.box.folder), "limit_s": 100, "limit_bytes": 1 << 34})
        if ended["code"] != 0:
            raise RuntimeError(f"gis {line}: {(self.box.folder / 'stderr').read_text()}")

    def copy(self, name: str, to: Path) -> Path:
        """A copy of one of the outputs."""
        return Path(shutil.copytree(self.folder / name, to))
