"""Radiometric frames per second that ``gis backgrounds`` takes in on one core, everything written.

    python -m benchmarks.ingest [FOLDER] [--rounds 5]

FOLDER holds FLIR files; without it PNG-coded frames of a made-up 640x480 camera are read, the largest of handheld ones.
Each file is decoded, turned into kelvin, cropped, and written with its sidecar, as by a worker. A round is all files;
the rate is that of the fastest round, the least disturbed. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import struct
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.backgrounds.ingest.run import IngestConfig, IngestJob
from pipelines.io.files import write_bytes

__all__ = ["main"]

WIDTH, HEIGHT = 640, 480
MADE_UP = 8


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder of FLIR files")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory(prefix="gis-benchmark-") as temporary:
        folder = options.folder or make_files(Path(temporary) / "in")
        times = [one_round(folder, Path(temporary) / f"out{number}") for number in range(options.rounds)]
    frames = times[0][1]
    fastest = min(seconds for seconds, _ in times)
    print(f"rounds of {frames} radiometric frames: " + ", ".join(f"{seconds:.2f} s" for seconds, _ in times))
    print(
        json.dumps(
            {"fps": round(frames / fastest, 1), "frames": frames, "ms_per_frame": round(1e3 * fastest / frames, 1)}
        )
    )


def one_round(folder: Path, out: Path) -> tuple[float, int]:
    """Seconds that the radiometric files of a folder take, and how many frames they hold."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    job = IngestJob(IngestConfig(folder, out), tuple(names))
    seconds, frames = 0.0, 0
    for number in range(len(names)):
        begin = time.perf_counter()
        entry = job.make(number)
        if entry["status"] == "radiometric":
            seconds += time.perf_counter() - begin
            frames += len(entry["frames"])
    return seconds, frames


def make_files(folder: Path) -> Path:
    """FFF files of a made-up street in the constants of a FLIR E60."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    for number in range(MADE_UP):
        noise = np.random.default_rng([0, number]).normal(0.0, 8.0, (HEIGHT, WIDTH))
        counts = (15000 + 1500 * np.sin(columns / 40.0 + number) + 3.0 * rows + noise).astype(np.uint16)
        write_bytes(folder / f"{number}.fff", _fff(counts))
    return folder


def _fff(counts: NDArray[np.uint16]) -> bytes:
    pixels = cv2.imencode(".png", counts.byteswap())[1].tobytes()
    raw = struct.pack("<HHH", 2, WIDTH, HEIGHT).ljust(32, b"\0") + pixels
    camera = bytearray(1200)
    struct.pack_into("<H", camera, 0, 2)
    struct.pack_into("<6f", camera, 0x20, 0.95, 1.0, 293.15, 293.15, 293.15, 1.0)
    struct.pack_into("<f", camera, 0x3C, 0.5)
    struct.pack_into("<3f", camera, 0x58, 14985.93, 1398.1, 1.0)
    struct.pack_into("<5f", camera, 0x70, 0.006569, 0.012620, -0.002276, -0.006670, 1.9)
    struct.pack_into("<f", camera, 0x1B4, 25.0)
    struct.pack_into("<if", camera, 0x308, -6233, 0.011283217)
    begin = 64 + 2 * 32
    head = (b"FFF\0" + bytes(16) + struct.pack(">III", 100, 64, 2)).ljust(64, b"\0")
    entries = ((1, begin, len(raw)), (32, begin + len(raw), len(camera)))
    directory = b"".join(
        struct.pack(">HHIIII", kind, 3, 100, 1, at, size).ljust(32, b"\0") for kind, at, size in entries
    )
    return head + directory + raw + bytes(camera)


if __name__ == "__main__":
    main()
