"""Single files against shards, in a folder and in an S3 on this machine: `python -m benchmarks.cluster.packed`.

Real frames of the shipped street are made once and written again and again under other numbers by the stores of
`gis synthesize`: in single files, in shards, in shards in a bucket (moto, in a process of its own). Then an epoch is
read from each: the source tensors, as `gis train` finds and decodes them, and image and mask of each frame, in order.

Given are files or objects, megabytes, and frames a second by this process's processor time and, in brackets, by the
clock, which also counts other programs, the disk and the server. Rounds alternate; the median counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gan.data.layout import LAYOUT_VERSION
from pipelines.dataset import shards
from pipelines.dataset.description import dataset_header
from pipelines.dataset.made_frame import MadeFrame
from pipelines.dataset.packed.reader import files_in_shard, files_of, open_packed
from pipelines.dataset.packed.samples import find_sources_anywhere
from pipelines.dataset.packed.writer import PackedStore
from pipelines.dataset.record import FrameRecord, frame_name
from pipelines.dataset.store import DATASET_FILE, FrameStore
from pipelines.io.stores import open_store
from pipelines.synthesis.options.synthesize import SynthesizeConfig

BUCKET = "bench"


@dataclass(frozen=True)
class Rate:
    """Frames a second."""

    cpu: float
    clock: float

    @classmethod
    def of(cls, act: Callable[[], None], frames: int) -> Rate:
        """How fast an act goes through so many frames."""
        cpu, clock = time.process_time(), time.perf_counter()
        act()
        return cls(frames / (time.process_time() - cpu), frames / (time.perf_counter() - clock))

    @classmethod
    def median(cls, rates: list[Rate]) -> Rate:
        """Of some rounds."""
        return cls(statistics.median(one.cpu for one in rates), statistics.median(one.clock for one in rates))

    def __str__(self) -> str:
        return f"{self.cpu:6.0f} ({self.clock:5.0f})"


def read_frames(made: Path) -> list[MadeFrame[FrameRecord]]:
    """The frames of a packed set."""
    packed = open_packed(made)
    return [
        MadeFrame(FrameRecord.from_line(line, index, made), files.contents)
        for number in packed.numbers()
        for index, line, files in files_in_shard(packed, number)
    ]


def numbered(made: list[MadeFrame[FrameRecord]], count: int) -> Iterator[tuple[int, MadeFrame[FrameRecord]]]:
    """So many frames: the same again and again under other numbers."""
    for number in range(count):
        one = made[number % len(made)]
        old, new = one.record.stem, frame_name(number)
        contents = {name.replace(old, new): data for name, data in one.contents.items()}
        files = {name.replace(old, new): digest for name, digest in one.record.files.items()}
        yield number, MadeFrame(replace(one.record, index=number, files=files), contents)


def write(out: Path, made: list[MadeFrame[FrameRecord]], count: int, *, packed: bool, size: int) -> None:
    """Writes frames as the command does."""
    config = SynthesizeConfig(
        out, count=count, model="physics", size=str(size), tensors=True, pack="shards" if packed else "files"
    )
    header = dataset_header(config.to_json(), config.layout, LAYOUT_VERSION, None)
    if packed:
        store = PackedStore(out, DATASET_FILE, header, tensors=True)
        with store.open_run() as complete:
            store.append_frames(numbered(made, count), complete)
        return
    single = FrameStore(out, DATASET_FILE, header, FrameRecord)
    with single.open_run() as complete:
        frames = ((number, one.write(out)) for number, one in numbered(made, count))
        single.append_frames(frames, complete, lambda index: shards.pack_if_full(out, index))
    shards.finish_shards(out, count)


def read_tensors(out: Path) -> None:
    """An epoch of source tensors."""
    for item in find_sources_anywhere(out).items:
        item.read()


def read_images(out: Path, count: int) -> None:
    """An epoch of images and masks."""
    files = files_of(out)
    for number in range(count):
        for folder in ("images", "masks"):
            files.read(f"{folder}/{frame_name(number)}.png")


def answers(port: int) -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 5.0).close()
    except OSError:
        return False
    return True


@contextmanager
def bucket() -> Iterator[str]:
    """Address of a place in a bucket of a server that ends with this process."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    os.environ |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        import fsspec

        while not answers(port) and server.poll() is None:
            time.sleep(0.2)
        fsspec.filesystem("s3").mkdir(BUCKET)
        yield f"s3://{BUCKET}"
    finally:
        server.kill()
        server.wait()


def measure(places: dict[str, Path], made: list[MadeFrame[FrameRecord]], count: int, size: int, rounds: int) -> None:
    """Prints a row for each place."""
    rates: dict[str, list[list[Rate]]] = {name: [[], [], []] for name in places}
    told: dict[str, tuple[int, float]] = {}
    for number in range(rounds):
        for name, place in places.items():
            out = place / f"round-{number}"
            packed = name != "single files"
            acts = (
                lambda out=out, packed=packed: write(out, made, count, packed=packed, size=size),
                lambda out=out: read_tensors(out),
                lambda out=out: read_images(out, count),
            )
            for rate, act in zip(rates[name], acts, strict=True):
                rate.append(Rate.of(act, count))
            store = open_store(out)
            tree = store.tree()
            told[name] = len(tree), sum(map(store.size, tree)) / 1e6
            if "s3" not in str(out):
                shutil.rmtree(out)
    print(f"{'':22}  files       MB   write frames/s    tensors/s   image+mask/s")
    for name, three in rates.items():
        print(f"{name:22} {told[name][0]:6} {told[name][1]:8.1f}  " + " ".join(str(Rate.median(one)) for one in three))


def main() -> None:
    """Makes frames and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--different", type=int, default=40, help="frames that are rendered")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--place", type=Path, help="where the sets are written")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.place) as name, bucket() as address:
        folder = Path(name)
        words = ["--count", str(given.different), "--size", str(given.size), "--model", "physics", "--tensors"]
        command = [sys.executable, "-m", "pipelines.cli", "synthesize", *words, "--pack", "shards"]
        subprocess.run([*command, "--out", str(folder / "made")], check=True, stdout=2)
        made = read_frames(folder / "made")
        places = {"single files": folder / "s", "shards": folder / "p", "shards in S3": Path(address)}
        measure(places, made, given.frames, given.size, given.rounds)


if __name__ == "__main__":
    main()
