"""Files of weights: what was planted in the cache of torch.hub is never run, and what is damaged is one line."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import urllib.error
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from gan.errors import MetricError
from gan.metrics import weight_files
from gan.metrics.features import backbone_state, inception_extractor
from gan.metrics.lpips import Lpips
from gan.metrics.weight_files import PUBLISHED, PublishedFile, published_weights, read_weights


class Canary:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch.hub, and no network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("GIS_WEIGHTS", raising=False)

    def offline(url: str, *_: object, **__: object) -> None:
        raise urllib.error.URLError(f"no network for {url}")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    folder = tmp_path / "torch/hub/checkpoints"
    folder.mkdir(parents=True)
    return folder


def planted(kind: str, canary: Path) -> bytes:
    if kind == "bare pickle":
        return pickle.dumps(Canary(canary))
    stream = io.BytesIO()
    state = {"features.0.weight": torch.zeros(64, 3, 11, 11), "evil": Canary(canary)}
    torch.save(state, stream, _use_new_zipfile_serialization=kind == "torch's zip")
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["bare pickle", "torch's zip", "torch's legacy format"])
@pytest.mark.parametrize(("backbone", "model"), [("alex", "alexnet"), ("vgg", "vgg16")])
def test_a_planted_file_is_never_run(hub: Path, tmp_path: Path, kind: str, backbone: Any, model: str) -> None:
    path = hub / PUBLISHED[model].name
    path.write_bytes(planted(kind, tmp_path / "canary"))
    for read in (backbone_state, Lpips):
        with (
            pytest.warns(UserWarning, match="is not the file that torchvision publishes"),
            pytest.raises(MetricError, match="could not be downloaded"),
        ):
            read(backbone)
    assert not (tmp_path / "canary").exists()


def test_canaries_sing_where_pickles_are_run(tmp_path: Path) -> None:
    """The oracle: the planted files do what they are planted for."""
    pickle.loads(planted("bare pickle", tmp_path / "a"))
    torch.load(io.BytesIO(planted("torch's zip", tmp_path / "b")), weights_only=False)
    assert (tmp_path / "a").is_dir()
    assert (tmp_path / "b").is_dir()


def test_hashes_are_those_in_the_published_names() -> None:
    from gan.metrics.torchvision_shim import import_torchvision

    models = import_torchvision().models
    for model, file in PUBLISHED.items():
        assert file.url == models.get_model_weights(model).DEFAULT.url
        assert file.name.endswith(f"-{file.sha256[:8]}.pth")
        assert len(file.sha256) == 64


def test_a_genuine_file_is_read_from_the_cache_and_a_false_one_fetched_anew(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = tmp_path / "genuine.pth"
    torch.save({"features.0.weight": torch.arange(6.0)}, genuine)
    file = PublishedFile("a.pth", hashlib.sha256(genuine.read_bytes()).hexdigest())
    monkeypatch.setitem(weight_files.PUBLISHED, "alexnet", file)
    shutil.copy(genuine, hub / "a.pth")
    assert published_weights("alexnet", "x")["features.0.weight"].tolist() == [0, 1, 2, 3, 4, 5]

    (hub / "a.pth").write_bytes(planted("bare pickle", tmp_path / "canary"))
    asked: list[str] = []

    def fetch(url: str, to: str, hash_prefix: str, progress: bool) -> None:
        asked.append(hash_prefix)
        shutil.copy(genuine, to)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    with pytest.warns(UserWarning, match="fetched anew"):
        assert len(published_weights("alexnet", "x")["features.0.weight"]) == 6
    assert asked == [file.sha256]
    assert not (tmp_path / "canary").exists()


def _bomb(path: Path) -> None:
    """Two gigabytes of zeros in two megabytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(33):
            archive.writestr(f"archive/data/{number}", bytes(64 << 20))


BAD_FILES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: (torch.save({"a": torch.ones(9999)}, path), path.write_bytes(path.read_bytes()[:-3000])),
    "a list": lambda path: torch.save([torch.ones(3)], path),
    "numbers": lambda path: torch.save({"fc.weight": 3}, path),
    "nested": lambda path: torch.save({"state": {"fc.weight": torch.ones(3)}}, path),
    "not finite": lambda path: torch.save({"fc.weight": torch.tensor([float("nan")])}, path),
    "bomb": _bomb,
}


@pytest.mark.parametrize("make", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_damaged_weights_are_one_line(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "inception.pth"
    make(path)
    for read in (read_weights, inception_extractor):
        with pytest.raises(MetricError, match=r"inception\.pth") as error:
            read(path)
        assert "\n" not in str(error.value)
