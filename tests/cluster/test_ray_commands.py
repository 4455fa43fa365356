"""`gis backgrounds`, `gis fit` and `gis translate` on a Ray cluster: the folders are those of one process."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import pipelines
from gan.backends import pix2pix
from gan.data.layout import Sample, depth_to_inverse, encode_sample
from gan.errors import DataError
from gan.storage.model_file import write_model_file
from pipelines.backgrounds.ingest.run import IngestConfig, ingest
from pipelines.errors import ConfigError
from pipelines.fitting.run import fit_cars
from pipelines.fitting.shapes import Shape, make_shape, save_shapes
from pipelines.translation.config import TranslateConfig
from pipelines.translation.translate import translate_folder
from renderer.geometry.camera import Camera
from renderer.zones.catalogue import Zone

ray = pytest.importorskip("ray", reason="Ray is not installed: make test-cluster")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Ray's own sockets and processes
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two nodes of one core; the second says that it has a GPU, which nothing here computes on."""
    from ray.cluster_utils import Cluster

    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(ROOT))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0, "include_dashboard": False})
    made.add_node(num_cpus=1, num_gpus=1)
    yield made.address
    ray.shutdown()
    made.shutdown()
    patch.undo()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_backgrounds(cluster: str, tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(5):
        kelvin = (28000 + rng.normal(0, 300, (60, 80)) + 100 * number).astype(np.uint16)
        cv2.imwrite(str(source / f"deep/{number}.png"), kelvin)
    (source / "notes.txt").write_bytes(b"nothing")
    (source / "twin.png").write_bytes((source / "deep/3.png").read_bytes())
    ingest(IngestConfig(source, tmp_path / "one", size_px=32, workers=1))
    said: list[str] = []
    told = IngestConfig(source, tmp_path / "ray", size_px=32, ray=cluster)
    ingest(told, report=said.append)
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")
    assert any("7 files from a Ray cluster" in line and "retries: 0" in line for line in said)
    # What is there already is not made again; what is gone is.
    kept, gone = sorted((tmp_path / "ray/crops").iterdir())[:2]
    before = kept.stat().st_mtime_ns
    gone.unlink()
    ingest(told)
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")
    assert kept.stat().st_mtime_ns == before


def _car() -> Shape:
    """A body and a cabin that sits behind the middle, as blocks."""
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = np.array([(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads], np.int32)
    edges = (((-2.2, 2.2), (-0.9, 0.9), (0.2, 0.85)), ((-1.9, 0.6), (-0.75, 0.75), (0.85, 1.5)))
    body, cabin = (np.array(list(itertools.product(*sides)), np.float32) for sides in edges)
    zones = np.r_[np.full(12, Zone.BODY), np.full(12, Zone.GLASS)].astype(np.uint8)
    return make_shape("block", "car", np.concatenate([body, cabin]), np.concatenate([faces, faces + 8]), zones)


def test_fit(cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pipelines.fitting.run._read_models",
        lambda config, report: save_shapes(config.out / "models.safetensors", [_car()]),
    )
    (tmp_path / "frames").mkdir()
    rng = np.random.default_rng(2)
    for name in "abc":
        image = rng.integers(90, 140, (240, 320)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"frames/{name}.png"), cv2.GaussianBlur(image, (0, 0), 3))
    boxes = {name: {"boxes": [{"cls": "car", "xyxy": [100, 108, 155, 152]}]} for name in "abc"}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    (tmp_path / "cars.blend").write_bytes(b"stands in")
    camera = Camera("test", 320, 240, 386.0, 386.0, 160.0, 120.0, height_m=1.42)
    for name, more in (("one", {"workers": 1}), ("ray", {"ray": cluster})):
        done = fit_cars(
            tmp_path / "frames",
            tmp_path / "boxes.json",
            tmp_path / name,
            camera=camera,
            cars=tmp_path / "cars.blend",
            passes=2,
            **more,
        )
        assert done.fitted == 3
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    config = pix2pix.Config(in_channels=7, ngf=4, levels=3)
    write_model_file(path, "pix2pix", config, pix2pix.build_translator(config).state_dict(), {})
    return path


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven samples of two sizes in turn, and one that is no sample."""
    folder = tmp_path_factory.mktemp("tensors")
    for index in range(11):
        rng, size = np.random.default_rng(index), (32, 48)[index % 2]
        label = cv2.resize(rng.integers(0, 255, (4, 4, 3), dtype=np.uint8), (size, size))
        depth = np.linspace(60, 3, size, dtype=np.float32)[:, None].repeat(size, 1)
        sample = Sample(index, label, (label[..., 0] // 70).astype(np.uint8), depth_to_inverse(depth))
        (folder / f"{index:06d}.safetensors").write_bytes(encode_sample(sample))
    (folder / "000004.safetensors").write_bytes(b"no sample")
    return folder


@pytest.mark.parametrize("batch", [1, 4])
def test_translate(cluster: str, model: Path, tensors: Path, tmp_path: Path, batch: int) -> None:
    quick = {"engine": "torch", "precision": "fp32", "threads": 1, "bits": 16}
    translate_folder(TranslateConfig(model, tensors, tmp_path / "one", batch=batch, **quick))
    said: list[str] = []
    told = TranslateConfig(model, tensors, tmp_path / "ray", batch=batch, ray=cluster, **quick)
    translate_folder(told, report=said.append)
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")
    assert len(list((tmp_path / "ray").glob("*.png"))) == 10
    assert any("000004" in line for line in said)
    # One by one and together differ by rounding alone.
    alone = translate_folder(TranslateConfig(model, tensors, tmp_path / "alone", **quick))
    assert alone.images == 10
    for path in (tmp_path / "alone").glob("*.png"):
        images = [cv2.imread(str(one), cv2.IMREAD_UNCHANGED) for one in (path, tmp_path / "ray" / path.name)]
        assert np.abs(np.subtract(*images, dtype=np.int64)).max() <= 2  # of 65535


def test_a_share_of_a_gpu_is_kept(cluster: str, model: Path, tensors: Path, tmp_path: Path) -> None:
    """On the one node that says that it has one; the network itself runs on cores here."""
    quick = {"engine": "torch", "precision": "fp32", "device": "cpu", "threads": 1}
    told = TranslateConfig(
        model, tensors, tmp_path / "ray", ray=cluster, gpus_per_worker=0.5, cpus_per_worker=0.5, **quick
    )
    assert translate_folder(told).images == 10
    with pytest.raises(ConfigError, match="gpus-per-worker: 2, and no node of the cluster has more than 1"):
        translate_folder(TranslateConfig(model, tensors, tmp_path / "more", ray=cluster, gpus_per_worker=2.0, **quick))


def test_a_folder_without_inputs_is_one_line(cluster: str, model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="holds neither tensors"):
        translate_folder(TranslateConfig(model, tmp_path / "in", tmp_path / "out", ray=cluster))


def test_other_files_on_a_node_are_named(tmp_path: Path) -> None:
    """What a node says whose files are not those of the command."""
    from pipelines.backgrounds.ingest.run import IngestJob
    from pipelines.cluster.node_worker import JobOnNode

    (tmp_path / "a.png").write_bytes(b"1234")
    config = IngestConfig(tmp_path, tmp_path / "out")
    job = IngestJob(config, ("a.png",), {})
    there = JobOnNode(job, job.described(), os.getcwd())
    (tmp_path / "a.png").write_bytes(b"12345")
    with pytest.raises(pipelines.GisError, match=f"{tmp_path} is another one on this node"), there.open():
        pass
    (tmp_path / "a.png").unlink()
    gone = r"a.png: cannot be read .* must lie at the same place on all nodes"
    with pytest.raises(pipelines.GisError, match=gone), there.open():
        pass
