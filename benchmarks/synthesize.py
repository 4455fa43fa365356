"""Complete frames per second of ``gis synthesize``, everything written, and memory over a long run.

    python -m benchmarks.synthesize [--frames 2000] [--workers 2] [--model pix2pix]

Physics by default; with ``--model pix2pix`` the shipped model refines its pictures.

The rate counts from the first complete frame to the last; opening the scene and the contact sheet are told apart.
Memory is the resident set of the largest worker when frame 200 (or a tenth of a shorter run) and when the last frame is
complete. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path

import psutil

from pipelines.dataset.store import FRAMES_FILE
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.model_choice import choose_model
from pipelines.synthesis.options.synthesize import SynthesizeConfig

__all__ = ["main"]

EARLY_FRAME = 200
POLL_S = 0.05


class Watch(threading.Thread):
    """Notes the time of the first and last line, and the workers' memory at an early line and at the last."""

    def __init__(self, log: Path, frames: int) -> None:
        super().__init__(daemon=True)
        self.log, self.frames = log, frames
        self.early = min(EARLY_FRAME, max(1, frames // 10))
        self.first_s = self.last_s = 0.0
        self.rss_early = self.rss_last = 0.0
        self.first_lines = 0

    def run(self) -> None:
        """Reads the log as it grows, until all lines are there."""
        lines, position, memory = 0, 0, 0.0
        while lines < self.frames:
            time.sleep(POLL_S)
            memory = largest_child_mb() or memory
            if not self.log.exists():
                continue
            with self.log.open("rb") as stream:
                stream.seek(position)
                data = stream.read()
            position += len(data)
            lines += data.count(b"\n")
            if lines and not self.first_s:
                self.first_s, self.first_lines = time.perf_counter(), lines
            if lines >= self.early and not self.rss_early:
                self.rss_early = memory
        self.last_s, self.rss_last = time.perf_counter(), memory


def largest_child_mb() -> float:
    """Resident set of the largest worker, MB."""
    sizes = []
    for child in psutil.Process().children(recursive=True):
        try:
            sizes.append(child.memory_info().rss / 1e6)
        except psutil.Error:
            continue
    return max(sizes, default=0.0)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tensors", action="store_true", help="store source tensors too")
    parser.add_argument("--model", default="physics", help="physics or pix2pix")
    options = parser.parse_args()
    model, weights, _ = choose_model(options.model, None, rendered=True)
    with tempfile.TemporaryDirectory(prefix="gis-benchmark-") as folder:
        out = Path(folder) / "out"
        watch = Watch(out / FRAMES_FILE, options.frames)
        begin = time.perf_counter()
        watch.start()
        config = SynthesizeConfig(
            out=out, count=options.frames, workers=options.workers, tensors=options.tensors, model=model,
            weights=weights,
        )  # fmt: skip
        synthesize_dataset(config)
        end = time.perf_counter()
        watch.join(10)
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    fps = (options.frames - watch.first_lines) / (watch.last_s - watch.first_s)
    print(
        f"start to first frame {watch.first_s - begin:.1f} s, labels, card and contact sheet {end - watch.last_s:.1f} s"
    )
    print(f"{size / options.frames / 1e6:.2f} MB per frame, {options.workers} workers")
    result = {
        "model": model,
        "fps": round(fps, 1),
        "rss_mb_200": round(watch.rss_early),
        "rss_mb_last": round(watch.rss_last),
        "frames": options.frames,
        "workers": options.workers,
        "fps_whole_run": round(options.frames / (end - begin), 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
