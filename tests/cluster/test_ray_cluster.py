"""A real Ray cluster of three nodes with one core each, all on this machine (`make test-cluster`)."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_renderer import FakeScene

import pipelines
from pipelines.errors import ConfigError, WorkerError
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.passes import render

ray = pytest.importorskip("ray", reason="Ray is not installed: make test-cluster")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Ray's own sockets and processes
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
HELPERS = ROOT / "tests/pipelines"
COUNT = 200
PATIENCE_S = 500.0
"""Ray gives its workers the least share of a machine, which may have much else to do."""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(HELPERS)]))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    for _ in range(2):
        made.add_node(num_cpus=1)
    yield made
    ray.shutdown()
    made.shutdown()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def config(out: Path, address: str | None, **more: Any) -> SynthesizeConfig:
    more = {"count": COUNT, **more}
    return SynthesizeConfig(out, seed=3, model="physics", tensors=True, size="64", workers=None, ray=address, **more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By one process on this machine."""
    out = tmp_path_factory.mktemp("whole") / "set"
    alone = SynthesizeConfig(out, count=COUNT, seed=3, model="physics", tensors=True, size="64", workers=1)
    return synthesize_dataset(alone, session_factory=FakeScene())


def lines(folder: Path) -> int:
    log = folder / "frames.jsonl"
    return log.read_bytes().count(b"\n") if log.is_file() else 0


def wait_for(done: Callable[[], bool], limit_s: float = 120.0) -> None:
    end = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def living(log: Path) -> list[int]:
    """Processes that make frames, the one with the newest frame first."""
    marks = sorted(log.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    numbers = dict.fromkeys(int(path.suffix[1:]) for path in marks)
    return [number for number in numbers if Path(f"/proc/{number}").exists()]


def test_a_node_and_a_worker_are_lost_and_the_folder_is_that_of_one_process(
    cluster: Any, whole: Path, tmp_path: Path
) -> None:
    log, out, said = tmp_path / "log", tmp_path / "out", list[str]()
    log.mkdir()
    all_at_work, replaced = tmp_path / "all at work", tmp_path / "replaced"

    def makers() -> set[str]:
        return {path.suffix for path in log.iterdir()}

    def disturb() -> None:
        wait_for(lambda: lines(out) >= 40 and len(makers()) == 3, PATIENCE_S)  # one on each node
        cluster.remove_node(sorted(cluster.worker_nodes, key=str)[0], allow_graceful=False)
        all_at_work.touch()
        wait_for(lambda: lines(out) >= 100, PATIENCE_S)
        os.kill(living(log)[0], signal.SIGKILL)
        wait_for(lambda: len(makers()) == 4, PATIENCE_S)  # one in the place of the killed process
        replaced.touch()

    trouble = threading.Thread(target=disturb)
    trouble.start()
    # Frames wait for what is to happen, so that no worker comes too late to have one.
    scene = FakeScene(slow_s=0.04, log=log, gates=((60, all_at_work), (150, replaced)))
    synthesize_dataset(config(out, cluster.address), session_factory=scene, report=said.append)
    trouble.join()
    assert contents(out) == contents(whole)
    assert not pipelines.validate(out).problems
    assert len(makers()) == 4
    lost = [line for line in said if "was lost" in line]
    assert len(lost) == 2
    assert any("SIGKILL" in line for line in lost)
    retries = int(next(line for line in said if "retries" in line).rpartition("retries: ")[2].split()[0])
    assert 2 <= retries <= 4  # each of the two had one or two blocks


def test_a_killed_driver_goes_on(cluster: Any, whole: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    log.mkdir()
    script = (
        "import sys; from pathlib import Path; from fake_renderer import FakeScene\n"
        "from pipelines.synthesis.options.synthesize import SynthesizeConfig\n"
        "from pipelines.synthesis.dataset_run import synthesize_dataset\n"
        f"config = SynthesizeConfig(Path({str(out)!r}), count={COUNT}, seed=3, model='physics', tensors=True,"
        f" size='64', ray={cluster.address!r})\n"
        f"synthesize_dataset(config, session_factory=FakeScene(slow_s=0.03, log=Path({str(log)!r})))\n"
    )
    command = [sys.executable, "-c", script]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: lines(out) >= 50)
    first.kill()
    first.wait()
    assert lines(out) < COUNT
    wait_for(lambda: not living(log), 60.0)  # its workers end with it
    subprocess.run(command, check=True, timeout=200)
    assert contents(out) == contents(whole)


def test_the_current_folder_is_on_no_path_of_modules(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tifffile.py").write_text("from pathlib import Path; Path(__file__ + '.ran').touch()")
    (tmp_path / "platform.py").write_text("from pathlib import Path; Path(__file__ + '.ran').touch()")
    monkeypatch.chdir(tmp_path)
    synthesize_dataset(config(tmp_path / "out", cluster.address, count=3), session_factory=FakeScene())
    assert not list(tmp_path.glob("*.ran"))


def test_passes_are_those_of_one_process(cluster: Any, tmp_path: Path) -> None:
    one, other = (
        render(RenderConfig(tmp_path / name, count=9, ray=address), session_factory=FakeScene())
        for name, address in (("one", None), ("other", cluster.address))
    )
    assert contents(one) == contents(other)


def test_a_frame_that_kills_every_worker_is_named(cluster: Any, tmp_path: Path) -> None:
    told = config(tmp_path / "out", cluster.address, count=40)
    with pytest.raises(WorkerError, match=r"frames \d+ to \d+ cost 4 workers; .*SIGKILL at frame 13") as caught:
        synthesize_dataset(told, session_factory=FakeScene(kill_at=13))
    assert "\n" not in str(caught.value)
    assert lines(tmp_path / "out") <= 13


def test_a_scene_that_cannot_be_opened_is_one_line(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(pipelines.GisError, match=r"fake.blend: cannot be read"):
        synthesize_dataset(config(tmp_path / "out", cluster.address), session_factory=FakeScene(broken=True))
    assert not (tmp_path / "out").exists()


def test_more_cores_for_a_worker_than_a_node_has(cluster: Any, tmp_path: Path) -> None:
    told = config(tmp_path / "out", cluster.address, cpus_per_worker=2.0)
    with pytest.raises(ConfigError, match="no node of the cluster has more than 1"):
        synthesize_dataset(told, session_factory=FakeScene())


def test_a_node_with_other_sources_is_named(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = [str(ROOT / name) for name in ("renderer", "gan", "pipelines", "assets")]
    subprocess.run(["cp", "-r", *packages, str(tmp_path)], check=True)
    with (tmp_path / "renderer/__init__.py").open("a") as stream:
        stream.write("# changed\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(HELPERS)]))
    for node in list(cluster.worker_nodes):
        cluster.remove_node(node, allow_graceful=False)
    cluster.add_node(num_cpus=1)
    with pytest.raises(WorkerError, match=r"has sources of gis \w{12}, and the command was given with \w{12}"):
        synthesize_dataset(config(tmp_path / "out", cluster.address), session_factory=FakeScene(slow_s=0.1))


def _is_installed() -> bool:
    try:
        return bool(importlib.metadata.version("gis-thermal"))
    except importlib.metadata.PackageNotFoundError:
        return False


@pytest.mark.skipif(_is_installed(), reason="gis is installed in this environment, so that every node has it")
def test_nodes_without_gis_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    empty = tmp_path / "pipelines"
    empty.mkdir()
    (empty / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    bare = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(HELPERS)]))
    try:
        with pytest.raises(WorkerError, match=r"cannot start a worker of gis .*ModuleNotFoundError"):
            synthesize_dataset(config(tmp_path / "out", bare.address), session_factory=FakeScene())
    finally:
        ray.shutdown()
        bare.shutdown()


@pytest.mark.parametrize("listens", [False, True])
def test_an_address_that_does_not_answer_is_one_line_within_20_s(listens: bool, tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        if listens:
            held.listen()
        address = f"127.0.0.1:{held.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(ConfigError, match=f"no Ray cluster can be used at {address}") as caught:
            synthesize_dataset(config(tmp_path / "out", address), session_factory=FakeScene())
    assert time.monotonic() - begun < 20
    assert "\n" not in str(caught.value)
