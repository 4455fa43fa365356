"""`gis synthesize --ray --translators`: workers ask a model that they share; the folder is that of one process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from fake_renderer import FakeScene

import pipelines
from gan.backends import pix2pix
from gan.data.layout import SourceLayout
from gan.storage.model_file import write_model_file
from pipelines.errors import ConfigError
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

ray = pytest.importorskip("ray", reason="Ray is not installed: make test-cluster")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Ray's own sockets and processes
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
COUNT = 24


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two nodes of two cores; the second says that it has a GPU, which nothing here computes on."""
    from ray.cluster_utils import Cluster

    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests/pipelines")]))
    patch.setenv("GIS_CACHE", str(tmp_path_factory.mktemp("cache")))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "num_gpus": 0, "include_dashboard": False})
    made.add_node(num_cpus=2, num_gpus=1)
    yield made.address
    ray.shutdown()
    made.shutdown()
    patch.undo()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that can be given windows of a picture."""
    import torch

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    config = pix2pix.Config(in_channels=7, ngf=4, levels=3, norm="batch")
    layout = SourceLayout.of(7, "physics")
    write_model_file(path, "pix2pix", config, pix2pix.build_translator(config).state_dict(), {}, layout=layout)
    return path


def made(out: Path, weights: Path, scene: FakeScene | None = None, said: list[str] | None = None, **more: Any) -> Path:
    config = SynthesizeConfig(out, count=COUNT, seed=3, size="192x128", model="pix2pix", weights=weights, **more)
    report = (lambda line: None) if said is None else said.append
    return synthesize_dataset(config, session_factory=scene or FakeScene(), report=report)


@pytest.fixture(scope="module")
def whole(cluster: str, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By one process, which has a model of its own."""
    return made(tmp_path_factory.mktemp("whole") / "set", weights, workers=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def actors() -> list[psutil.Process]:
    """Processes of shared models, of the nodes that this process has started."""
    found = []
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            if "ray::SharedModel" in "".join(one.cmdline()):
                found.append(one)
    return found


@pytest.mark.parametrize(
    "more", [{"translators": 1, "translator_device": "cpu"}, {}, {"translators": 0}], ids=["cores", "GPU", "own"]
)
def test_the_folder_is_that_of_one_process(
    cluster: str, weights: Path, whole: Path, tmp_path: Path, more: dict[str, Any]
) -> None:
    held: list[int] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.2):
            held.append(len(actors()))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        out = made(tmp_path / "out", weights, FakeScene(slow_s=0.05), ray=cluster, **more)
    finally:
        stop.set()
        looking.join()
    assert contents(out) == contents(whole)
    assert (max(held) > 0) == (more != {"translators": 0})


def test_batches_differ_by_rounding_alone(cluster: str, weights: Path, whole: Path, tmp_path: Path) -> None:
    more = {"translators": 1, "translator_device": "cpu", "translator_batch": 8}
    out = made(tmp_path / "out", weights, ray=cluster, **more)
    assert not pipelines.validate(out).problems
    for path in (whole / "images16").iterdir():
        images = [cv2.imread(str(one), cv2.IMREAD_UNCHANGED) for one in (path, out / "images16" / path.name)]
        assert np.abs(np.subtract(*images, dtype=np.int64)).max() <= 2  # of 65535
    same = {name for name, data in contents(whole).items() if contents(out)[name] == data}
    assert {f"masks/{index:06d}.png" for index in range(COUNT)} <= same


def test_a_model_that_is_killed_is_started_again(cluster: str, weights: Path, whole: Path, tmp_path: Path) -> None:
    killed: list[int] = []
    out = tmp_path / "out"

    def disturb() -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end and not (out / "frames.jsonl").is_file():
            time.sleep(0.05)
        for one in actors():
            killed.append(one.pid)
            one.kill()

    trouble = threading.Thread(target=disturb)
    trouble.start()
    made(out, weights, FakeScene(slow_s=0.2), ray=cluster, translators=1, translator_device="cpu")
    trouble.join()
    assert killed
    assert contents(out) == contents(whole)


def test_what_cannot_be_is_one_line(cluster: str, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="translators: 2, and the cluster has 1 GPUs"):
        made(tmp_path / "out", weights, ray=cluster, translators=2)
    with pytest.raises(pipelines.GisError, match="no_such_device") as caught:
        made(tmp_path / "out", weights, ray=cluster, translators=1, translator_device="no_such_device")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
