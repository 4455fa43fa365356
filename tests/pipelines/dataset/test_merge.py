"""Parts of a data set put together equal the folder of one run, byte for byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene

import pipelines
from pipelines.dataset.merge import merge
from pipelines.errors import ConfigError, DatasetError
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.passes import render
from pipelines.workers import FrameJob

COUNT = 70
"""More than a shard holds."""
BOUNDS = (0, 9, 10, 31, 40, 55, 63, 70)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class InThisProcess:
    """Stands in for the worker processes, each of which takes seconds to start."""

    def __init__(self, job: FrameJob[Any], *_: object, **__: object) -> None:
        self._opened = job.open()

    def __enter__(self) -> InThisProcess:
        self._make = self._opened.__enter__()
        return self

    def __exit__(self, *end: Any) -> None:
        self._opened.__exit__(*end)

    def wait_ready(self) -> None:
        pass

    def run(self, indices: Iterable[int]) -> Iterator[tuple[int, Any]]:
        return ((index, self._make(index)) for index in indices)

    def stop(self) -> None:
        pass


def in_this_process(config: Any, *, session_factory: FakeScene) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.synthesis.run.FrameWorkers", InThisProcess)
        run = synthesize_dataset if isinstance(config, SynthesizeConfig) else render
        return run(config, session_factory=session_factory)


def make(
    out: Path,
    frames: str | None = None,
    seed: int = 3,
    count: int = COUNT,
    scene: FakeScene = FakeScene(),  # noqa: B008
    run: Callable[..., Path] = in_this_process,
) -> Path:
    config = SynthesizeConfig(
        out, count=count, frames=frames, seed=seed, model="physics", tensors=True, size="64", workers=1
    )
    return run(config, session_factory=scene)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("whole") / "set")


@pytest.fixture(scope="module")
def made_parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("parts")
    ranges = list(pairwise(BOUNDS))
    order = np.random.default_rng(5).permutation(len(ranges))
    return [make(place / f"part{k}", f"{ranges[k][0]}:{ranges[k][1]}") for k in order]


@pytest.fixture
def parts(made_parts: Sequence[Path], tmp_path: Path) -> list[Path]:
    return [Path(shutil.copytree(part, tmp_path / part.name)) for part in made_parts]


@pytest.mark.parametrize("how", ["copy", "link", "move"])
def test_seven_unequal_parts_give_the_whole(how: str, whole: Path, parts: list[Path], tmp_path: Path) -> None:
    merge(parts, tmp_path / "out", how=how)  # type: ignore[arg-type]
    assert contents(tmp_path / "out") == contents(whole)
    assert not pipelines.validate(tmp_path / "out").problems
    left = [name for part in parts for name in contents(part) if name.endswith(".exr")]
    assert bool(left) == (how != "move")


def test_a_whole_data_set_is_a_part_that_goes_on(whole: Path, parts: list[Path], tmp_path: Path) -> None:
    half = make(tmp_path / "half", count=31)
    rest = [part for part in parts if json.loads((part / "part.json").read_text())["first"] >= 31]
    merge([*rest, half], tmp_path / "out")
    assert contents(tmp_path / "out") == contents(whole)


def test_passes_of_gis_render_are_merged_too(tmp_path: Path) -> None:
    def rendered(name: str, frames: str | None) -> Path:
        config = RenderConfig(tmp_path / name, count=9, frames=frames, seed=4, workers=1)
        return in_this_process(config, session_factory=FakeScene())

    one = rendered("one", None)
    merge([rendered("b", "4:9"), rendered("a", "0:4")], tmp_path / "out")
    assert contents(tmp_path / "out") == contents(one)


@pytest.mark.parametrize("how", ["copy", "move"])
def test_a_merge_that_is_killed_goes_on(how: str, whole: Path, parts: list[Path], tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from pipelines.dataset import merge, store\n"
        "append = store.WatchedLog.append\n"
        "def limited(self, line):\n"
        "    append(self, line)\n"
        "    if '\"index\": 37,' in line or '\"index\":37,' in line: os.kill(os.getpid(), 9)\n"
        "store.WatchedLog.append = limited\n"
        f"merge.merge([Path(p) for p in sys.argv[1:]], Path({str(tmp_path / 'out')!r}), how={how!r})"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, *map(str, parts)], env=environment, timeout=120, check=False)
    assert done.returncode == -9
    assert len((tmp_path / "out/frames.jsonl").read_text().splitlines()) == 38
    merge(parts, tmp_path / "out", how=how)  # type: ignore[arg-type]
    assert contents(tmp_path / "out") == contents(whole)


def test_a_part_goes_on_where_it_was_cut_short(tmp_path: Path) -> None:
    one = make(tmp_path / "one", "5:12")
    with pytest.raises(pipelines.WorkerError, match="frame 8"):
        make(tmp_path / "two", "5:12", scene=FakeScene(kill_at=8), run=synthesize_dataset)
    assert contents(make(tmp_path / "two", "5:12")) == contents(one)
    assert len(contents(make(tmp_path / "two", "5:14"))) > len(contents(one))


def test_what_does_not_belong_together_is_refused(parts: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    by_first = {json.loads((part / "part.json").read_text())["first"]: part for part in parts}
    with pytest.raises(DatasetError, match=r"frames 31 to 39 are in no part.*--frames 31:40"):
        merge([part for first, part in by_first.items() if first != 31], out)
    with pytest.raises(DatasetError, match=r"configuration\.seed is 3, now 4"):
        merge([by_first[0], make(tmp_path / "other", "9:12", seed=4)], out)
    with pytest.raises(ConfigError, match="no parts"):
        merge([], out)
    with pytest.raises(ConfigError, match="is a part and the output"):
        merge(parts, parts[0])
    with pytest.raises(DatasetError, match="expected a folder of gis synthesize --frames"):
        merge([tmp_path], out)
    assert not out.exists()


def test_parts_that_overlap_must_agree(whole: Path, parts: list[Path], tmp_path: Path) -> None:
    overlapping = make(tmp_path / "more", "5:20")
    merge([*parts, overlapping], tmp_path / "out")
    assert contents(tmp_path / "out") == contents(whole)
    log = overlapping / "frames.jsonl"
    log.write_text(log.read_text().replace('"hour"', '"hour "'))
    with pytest.raises(DatasetError, match="frame 5 is another one in"):
        merge([*parts, overlapping], tmp_path / "new")


def test_an_unfinished_or_damaged_part_is_named(parts: list[Path], tmp_path: Path) -> None:
    part = next(part for part in parts if json.loads((part / "part.json").read_text())["first"] == 0)
    image = part / "images/000004.png"
    whole, image_bytes = (part / "frames.jsonl").read_text(), image.read_bytes()
    image.write_bytes(image_bytes[:-9] + bytes(9))
    with pytest.raises(DatasetError, match=r"000004\.png: is not the file that was written"):
        merge(parts, tmp_path / "out")
    image.unlink()
    with pytest.raises(DatasetError, match=r"000004\.png: is missing"):
        merge(parts, tmp_path / "out")
    image.write_bytes(image_bytes)
    (part / "frames.jsonl").write_text("".join(whole.splitlines(keepends=True)[:5]))
    with pytest.raises(DatasetError, match="is not finished"):
        merge(parts, tmp_path / "out")


@pytest.mark.parametrize("text", ["5", "5:5", "7:3", "-1:4", "a:b", "1:2:3", " 1:2", "1:9999999999999"])
def test_a_range_that_names_no_frames_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected FIRST:END with FIRST below END"):
        SynthesizeConfig(tmp_path, frames=text)
