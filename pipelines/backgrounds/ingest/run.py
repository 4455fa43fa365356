"""`gis backgrounds`: a folder of thermal files to frames with their degrees, sidecars, crops and one index.

Layout of the output::

    index.json           every file with what became of it; `frames` lists the sidecars
    frames/NAME.png      16-bit: kelvin over span_K where radiometric, else counts; 8-bit display pictures as they are
    frames/NAME.json     sidecar
    crops/NAME.png       the largest centred square, resized, over the same span

Each file is one job, done whole by one worker. A frame's name comes from its file's name and content, and its sidecar
is written last: one that is there, with its pictures, is not made again. The index is written at the end.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cv2
import numpy as np
from gan.data.images import is_passed_over
from gan.options import Option, check_options, make_options
from numpy.typing import NDArray
from renderer.geometry.camera import Camera
from renderer.thermal.sensor import to_uint16

from pipelines.backgrounds.images import INDEX_FILE, INDEX_SCHEMA, INDEX_VERSION
from pipelines.backgrounds.ingest.crop import centred_window, resize_window
from pipelines.backgrounds.ingest.flir import fff_begins
from pipelines.backgrounds.ingest.radiometric import KELVIN_AT_0_C
from pipelines.backgrounds.ingest.readers import Decoded, Reading, read_frames
from pipelines.cluster.options import CpusPerWorker, RayAddress, check_cluster
from pipelines.cluster.same_files import sizes_sha256
from pipelines.dataset.store import RunFolder, generator
from pipelines.errors import BackgroundError, ConfigError, DatasetError, GisError
from pipelines.io.files import (
    as_bytes,
    check_present,
    is_inside,
    json_text,
    read_json,
    remove_temporaries,
    sha256,
    write_bytes,
)
from pipelines.io.images import PictureError, encode_png, read_bytes
from pipelines.io.progress import Bar
from pipelines.workers import WORKER_TIMEOUT_S, FrameWorkers, WorkerCount, WorkerTimeout, default_workers

if TYPE_CHECKING:
    from pipelines.cluster.ray_workers import RayWorkers

__all__ = ["IngestConfig", "ingest", "ingest_backgrounds"]

SIDECAR = ("gis-background", 1)
"""Schema and version of a sidecar."""
_FRAMES, _CROPS = "frames", "crops"
_OUTPUT = "Output"

Entry = dict[str, Any]


@dataclass(frozen=True)
class IngestConfig:
    """A folder of thermal files and how they are read.

    Raises:
        ConfigError: an option that cannot work.
    """

    folder: Annotated[
        Path,
        Option("Folder of thermal files, searched with its subfolders.", "Input", positional=True),
    ]
    out: Annotated[Path, Option("Folder of the output; a run that was cut short goes on in it.", _OUTPUT)]
    reading: Reading = field(default_factory=Reading)
    size_px: Annotated[
        int,
        Option("Side of the square crops, pixels.", _OUTPUT, at_least=16, at_most=8192, unit="pixels", flag="size"),
    ] = 512
    workers: WorkerCount = None
    worker_timeout: WorkerTimeout = WORKER_TIMEOUT_S
    ray: RayAddress = None
    cpus_per_worker: CpusPerWorker = 1.0

    def __post_init__(self) -> None:
        """Check what can be checked without reading a file."""
        check_options(self)
        check_cluster(self)
        if not self.folder.is_dir():
            raise ConfigError(f"{self.folder}: no such folder: expected a folder of thermal files")
        if self.out.exists() and not self.out.is_dir():
            raise ConfigError(f"{self.out} is a file: expected a folder for the output")
        if self.out.resolve() == self.folder.resolve():
            raise ConfigError(f"{self.out} is the folder that is read: give another --out")

    def to_json(self) -> dict[str, Any]:
        """Everything that decides the content of a frame's files."""
        reading = self.reading
        return {
            "size_px": self.size_px,
            "byte_order": reading.byte_order,
            "unit": reading.unit,
            "overrides": asdict(reading.overrides),
        }


def ingest_backgrounds(
    folder: str | PathLike[str], out: str | PathLike[str], *, progress: bool = False, **options: Any
) -> dict[str, Any]:
    """Takes in real thermal files as backgrounds that keep their degrees, as `gis backgrounds` does.

    Args:
        folder: of thermal files, searched with its subfolders.
        out: folder of the frames; a run that was cut short goes on in it.
        progress: show a bar on stderr.
        options: ``size`` (int, 512): side of the square crops, pixels; ``byte_order`` of FLIR raw data: ``auto``,
            ``big`` or ``little``; ``unit`` of 16-bit and float pictures: ``stated`` in the file, ``kelvin``,
            ``centikelvin`` or ``celsius``; ``workers``: processes, one per core unless given; ``ray``: address of a
            cluster to work on; values in place of each
            file's own: ``emissivity``, ``reflected_C``, ``atmospheric_C``, ``humidity``, ``distance_m``, ``window_C``,
            ``window_transmittance``.

    Returns:
        the index of the folder: every file with what became of it, the frames, and counts.

    Raises:
        ConfigError: an option.
        BackgroundError: no file can be used.
        DatasetError: the output folder is another's.
        OutputError: a file cannot be written.
    """
    return ingest(make_options(IngestConfig, {**options, "folder": folder, "out": out}), progress=progress)


def ingest(
    config: IngestConfig, *, progress: bool = False, report: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Makes what the output folder does not hold yet, then its index; returns the index.

    Args:
        config: what to take in.
        progress: show a bar on stderr.
        report: takes lines for the user.

    Raises:
        ConfigError: an option.
        BackgroundError: no file can be used.
        DatasetError: the output folder is another's.
        OutputError: a file cannot be written.
    """
    sources = _sources(config)
    if not sources:
        raise BackgroundError(f"{config.folder} holds no files: expected thermal pictures")
    head = {"schema": INDEX_SCHEMA, "version": INDEX_VERSION, "configuration": config.to_json()}
    store = RunFolder(config.out, INDEX_FILE, head)
    store.check()
    with store.locked():
        remove_temporaries(config.out)
        store.describe({"complete": False, "frames": []})
        entries = _without_twins(list(_run(config, sources, progress, report)))
        index = _index(entries)
        check_present(config.out, index["frames"], "frames")
        store.describe(index)
        _remove_unlisted(config.out, index["frames"])
    if not index["frames"]:
        first = next(entry for entry in entries if entry["reason"])
        raise BackgroundError(
            f"{config.folder}: none of {len(entries)} files can be used, e.g. {first['source']}: {first['reason']}; "
            f"{config.out / INDEX_FILE} says why for each"
        )
    return {**head, **index}


def _sources(config: IngestConfig) -> list[str]:
    """Files of the folder, relative and sorted; without hidden ones, and those of the output, where it lies inside."""
    out = config.out.resolve()
    found = (
        path
        for path in config.folder.rglob("*")
        if not is_passed_over(path, config.folder) and path.is_file() and not path.resolve().is_relative_to(out)
    )
    return sorted(path.relative_to(config.folder).as_posix() for path in found)


def _run(config: IngestConfig, sources: list[str], progress: bool, report: Callable[[str], None]) -> Iterator[Entry]:
    with (
        _workers(config, sources, report) as workers,
        Bar(len(sources), "file", progress=progress) as bar,
    ):
        for _, entry in workers.run(range(len(sources))):
            bar.status = getattr(workers, "status", "")
            bar.update()
            yield entry
        if summary := getattr(workers, "summary", None):
            report(summary)


def _workers(
    config: IngestConfig, sources: list[str], report: Callable[[str], None]
) -> FrameWorkers[Entry] | RayWorkers[IngestedFile, Entry]:
    """Workers of this machine, which write frames themselves, or of a cluster, whose frames are written here."""
    if config.ray is None:
        job = IngestJob(config, tuple(sources))
        processes = min(config.workers or default_workers(), len(sources))
        return FrameWorkers(job, processes, timeout_s=config.worker_timeout, item=sources.__getitem__)
    from pipelines.cluster.ray_workers import RayCluster, RayWorkers

    def take(made: IngestedFile) -> Entry:
        for name, data in made.contents.items():
            write_bytes(config.out / name, data, root=config.out)
        return made.entry

    return RayWorkers(
        IngestJob(config, tuple(sources), _done_before(config)),
        RayCluster.of(config),
        len(sources),
        take=take,
        timeout_s=config.worker_timeout,
        report=report,
        what="file",
        largest_block=1,  # one file may hold thousands of frames
    )


def _without_twins(entries: list[Entry]) -> list[Entry]:
    """Of files with the same content the first is kept: their frames are the same."""
    seen: dict[str, str] = {}
    for entry in entries:
        first = seen.setdefault(entry["sha256"], entry["source"]) if entry["frames"] else entry["source"]
        if first != entry["source"]:
            entry.update(status="skipped", reason=f"the same file as {first}", frames=[])
    return entries


def _remove_unlisted(out: Path, frames: list[str]) -> None:
    """Deletes frames of ours that the index does not name: of twins, and of files that are gone or have changed."""
    listed = set(frames)
    for sidecar in sorted((out / _FRAMES).glob("*.json")):
        if f"{_FRAMES}/{sidecar.name}" in listed:
            continue
        known = _read_sidecar(sidecar)
        if isinstance(known, dict) and known.get("schema") == SIDECAR[0]:
            for path in (out / _CROPS / f"{sidecar.stem}.png", sidecar.with_suffix(".png"), sidecar):
                path.unlink(missing_ok=True)


def _read_sidecar(path: Path) -> Any:
    """Content of a sidecar of an earlier run; None where there is none, or a damaged one."""
    try:
        return read_json(path) if path.is_file() else None
    except DatasetError:
        return None


def _index(entries: list[Entry]) -> dict[str, Any]:
    counts = {
        "files": len(entries),
        **{status: sum(entry["status"] == status for entry in entries) for status in STATUSES},
        "frames": sum(len(entry["frames"]) for entry in entries),
        "with_warnings": sum(bool(entry["warnings"]) for entry in entries),
    }
    frames = [name for entry in entries for name in entry["frames"]]
    return {"complete": True, "generator": generator(), "counts": counts, "frames": frames, "files": entries}


STATUSES = ("radiometric", "display-only", "skipped")
"""What becomes of a file."""


# --- one file ---------------------------------------------------------------------------------------------------------


Done = Mapping[tuple[str, str], Entry]
"""What stands in the lines of files that an earlier run has done, by name and hash of the file."""


def _done_before(config: IngestConfig) -> Done:
    """All files that an earlier run with the same options has done."""
    done: dict[tuple[str, str], Entry] = {}
    for path in sorted((config.out / _FRAMES).glob("*.json")):
        known = _read_sidecar(path)
        named = known.get("source") if isinstance(known, dict) else None
        if isinstance(named, dict) and isinstance(named.get("file"), str) and isinstance(named.get("sha256"), str):
            source = (named["file"], named["sha256"])
            if (entry := _done_by(config.out, *source)) is not None:
                done[source] = entry
    return done


def _done_by(out: Path, source: str, digest: str) -> Entry | None:
    """What the sidecar of a file says, where an earlier run has made it and its pictures; else None."""
    name = f"{_FRAMES}/{_stem(source, digest)}"
    known = _read_sidecar(out / f"{name}.json")
    if not isinstance(known, dict) or (known.get("schema"), known.get("version")) != SIDECAR:
        return None
    try:
        told, files = known["source"], (known["frame"]["file"], known["crop"]["file"])
        whole = all(is_inside(file) and (out / file).is_file() for file in files)
        if not whole or (told["file"], told["sha256"]) != (source, digest):
            return None
        return {
            "kind": told["kind"],
            "status": "radiometric" if known["radiometric"] else "display-only",
            "warnings": [str(text) for text in known["warnings"]],
            "frames": [f"{name}.json"],
        }
    except (KeyError, TypeError):
        return None  # a sidecar that lacks something is written anew


@dataclass(frozen=True)
class IngestedFile:
    """What a worker on a cluster makes of a file: its line of the index, and the contents of its frames' files."""

    entry: Entry
    contents: Mapping[str, bytes]


@dataclass(frozen=True)
class IngestJob:
    """What a worker of `gis backgrounds` does.

    Args:
        config: what to take in.
        sources: names of the files below its folder.
        done: files that need not be done again; None: the output folder tells.
    """

    config: IngestConfig
    sources: tuple[str, ...]
    done: Done | None = None

    @contextmanager
    def open(self) -> Iterator[Callable[[int], Entry]]:
        """Silences what OpenCV and tifffile print of damaged files, in the worker: the index says it."""
        cv2.setLogLevel(0)
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)
        yield self.make

    @contextmanager
    def open_in_memory(self) -> Iterator[Callable[[int], IngestedFile]]:
        """As :meth:`open`; nothing is written."""
        with self.open():
            yield self.make_in_memory

    def described(self) -> dict[str, Any]:
        """See :class:`pipelines.cluster.node_worker.ClusterJob`."""
        folder = self.config.folder
        return {**self.config.to_json(), str(folder): sizes_sha256(folder / name for name in self.sources)}

    def make(self, index: int) -> Entry:
        """Writes the frames of a file and returns its line of the index."""
        out = self.config.out
        return self._make(index, lambda name, data: write_bytes(out / name, data, root=out))

    def make_in_memory(self, index: int) -> IngestedFile:
        """The frames of a file and its line of the index."""
        contents: dict[str, bytes] = {}
        entry = self._make(index, contents.__setitem__)
        return IngestedFile(entry, contents)

    def _make(self, index: int, put: Callable[[str, bytes], None]) -> Entry:
        """A file's line of the index; ``put`` takes names and contents of its frames' files."""
        source = self.sources[index]
        entry: Entry = {
            "source": source, "sha256": None, "kind": None, "status": "skipped", "reason": None, "warnings": [],
            "frames": [],
        }  # fmt: skip
        try:
            data = _read(self.config.folder / source)
            entry["sha256"] = sha256(data)
            done = self._find_done(source, entry["sha256"])
            if done is None:
                self._fill(entry, data, put)
            else:
                entry.update(done)
        except BackgroundError as error:
            entry["reason"] = str(error)
        except GisError:
            raise
        except Exception as error:  # one bad file never ends a folder's run, whatever a library makes of it
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            entry.update(reason=f"a file that gis fails at ({reason}): please report it", frames=[])
        return entry

    def _find_done(self, source: str, digest: str) -> Entry | None:
        if self.done is None:
            return _done_by(self.config.out, source, digest)
        return self.done.get((source, digest))

    def _fill(self, entry: Entry, data: bytes, put: Callable[[str, bytes], None]) -> None:
        """Adds what the file's frames are; of a sequence a bad frame is left out and named in a warning."""
        stem = _stem(entry["source"], entry["sha256"])
        sequence = _is_sequence(data)
        for number, decoded in enumerate(_frames(data, self.config.reading, entry["warnings"])):
            name = f"{stem}-{number:05d}" if sequence else stem
            made = self._frame(name, entry, decoded, put)
            entry.update(kind=decoded.kind, status="radiometric" if decoded.radiometric else "display-only")
            entry["frames"].append(made)
            entry["warnings"] += [text for text in decoded.warnings if text not in entry["warnings"]]
        if not entry["frames"]:
            raise BackgroundError(f"no frame can be used: {entry['warnings'][0]}")

    def _frame(self, name: str, entry: Entry, decoded: Decoded, put: Callable[[str, bytes], None]) -> str:
        """Gives away picture, crop and, last, sidecar; returns the sidecar's name."""
        sidecar = f"{_FRAMES}/{name}.json"
        files, about = _encode(name, decoded, self.config.size_px)
        content = {
            "schema": SIDECAR[0],
            "version": SIDECAR[1],
            "source": {"file": entry["source"], "sha256": entry["sha256"], "kind": decoded.kind},
            **about,
            **decoded.about,
            "warnings": list(decoded.warnings),
        }
        for file, data in files.items():
            put(file, data)
        put(sidecar, as_bytes(json_text(content, self.config.out / sidecar)))
        return sidecar


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except PictureError as error:
        raise BackgroundError(str(error)) from None


def _stem(source: str, digest: str) -> str:
    """Name of a file's frames: its own, made safe, and the beginning of its hash."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(source).stem).strip("_")[:60]
    return f"{stem or 'frame'}-{digest[:8]}"


def _is_sequence(data: bytes) -> bool:
    return data[:4] in (b"FFF\0", b"AFF\0") and len(fff_begins(data)) > 1


def _frames(data: bytes, reading: Reading, warnings: list[str]) -> Iterator[Decoded]:
    """Frames of a file; of a sequence those that can be read."""
    if not _is_sequence(data):
        yield from read_frames(data, reading)
        return
    begins = fff_begins(data)
    for number, (begin, end) in enumerate(zip(begins, [*begins[1:], len(data)], strict=True)):
        try:
            yield from read_frames(data[begin:end], reading)
        except BackgroundError as error:
            warnings.append(f"frame {number} is left out: {error}")


def _encode(name: str, decoded: Decoded, size_px: int) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Files of a frame, and what its sidecar says of them."""
    image = decoded.image
    span_K = None
    if decoded.radiometric:
        image, span_K = to_uint16(image)
    window = centred_window(image.shape, 1, 1)
    crop = resize_window(image, window, size_px, size_px)
    frame_file, crop_file = f"{_FRAMES}/{name}.png", f"{_CROPS}/{name}.png"
    files = {frame_file: encode_png(image), crop_file: encode_png(crop)}
    rows, columns = image.shape
    about = {
        "radiometric": decoded.radiometric,
        "span_K": None if span_K is None else list(span_K),
        **_levels(decoded),
        "size_px": [columns, rows],
        "frame": {"file": frame_file, "sha256": sha256(files[frame_file])},
        "crop": {
            "file": crop_file,
            "sha256": sha256(files[crop_file]),
            "window_px": list(window),
            "size_px": [size_px, size_px],
            "intrinsics": _cropped_camera(decoded.about.get("intrinsics"), window, size_px),
        },
    }
    return files, about


def _levels(decoded: Decoded) -> dict[str, float | None]:
    """Lowest, median and highest temperature; null where there is none."""
    if not decoded.radiometric:
        return {"min_C": None, "median_C": None, "max_C": None}
    celsius: NDArray[np.float64] = decoded.image.astype(np.float64) - KELVIN_AT_0_C
    values = (celsius.min(), np.median(celsius), celsius.max())
    return {f"{name}_C": round(float(value), 3) for name, value in zip(("min", "median", "max"), values, strict=True)}


def _cropped_camera(
    intrinsics: dict[str, Any] | None, window: tuple[int, int, int, int], size_px: int
) -> dict[str, Any] | None:
    if intrinsics is None:
        return None
    left, top, right, bottom = window
    whole = Camera.from_json(intrinsics)
    return whole.crop(left, top, right - left, bottom - top).resize(size_px, size_px).to_json()
