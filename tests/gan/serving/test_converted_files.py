"""The cache of converted networks: damage and swaps are found, and made anew; what is served is what was converted."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from assets import CAR_WEIGHTS
from gan.backends import pix2pix
from gan.errors import ServingError
from gan.serving.converted_files import DamagedError, belongs_to, check_owner, read_converted, write_about
from gan.serving.engine import ServingWarning
from gan.serving.hardware import cpu_flags
from gan.serving.inference import TranslationModel, load_model
from gan.serving.ship import ship
from gan.storage.model_file import write_model_file

SOURCE = np.random.default_rng(1).uniform(-1, 1, (7, 32, 32)).astype(np.float32)


def model_file(path: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    config = pix2pix.Config(ngf=4, levels=3)
    network = pix2pix.build_translator(config)
    with torch.no_grad():
        network.decoder[0].weight.mul_(5)
    write_model_file(path, "pix2pix", config, network.state_dict(), {})
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two model files, and a cache with both of them converted."""
    folder = tmp_path_factory.mktemp("made")
    for name, seed in (("a", 1), ("b", 2)):
        load(model_file(folder / f"{name}.safetensors", seed), folder / "cache" / name)
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made"


def load(model: Path, cache: Path) -> TranslationModel:
    return load_model(model, precision="fp32", engine="openvino", device="cpu", threads=1, cache_dir=cache)


def entry(cache: Path) -> Path:
    (found,) = (path for path in cache.iterdir() if path.is_dir())
    return found


def flip(name: str, count: int = 1) -> Callable[[Path, Path], None]:
    """400 flipped bytes are spread over the file, as in a run that shifted pictures by 11 grey levels."""

    def damage(mine: Path, other: Path) -> None:
        data = bytearray((mine / name).read_bytes())
        for place in np.linspace(len(data) // 10, len(data) - 2, count).astype(int):
            data[place] ^= 0x10
        (mine / name).write_bytes(data)

    return damage


def cut(name: str) -> Callable[[Path, Path], None]:
    return lambda mine, other: (mine / name).write_bytes((mine / name).read_bytes()[:-20]) and None


def empty(name: str) -> Callable[[Path, Path], None]:
    return lambda mine, other: (mine / name).write_bytes(b"") and None


def gone(name: str) -> Callable[[Path, Path], None]:
    return lambda mine, other: (mine / name).unlink()


def about(**changes: object) -> Callable[[Path, Path], None]:
    def damage(mine: Path, other: Path) -> None:
        stored = json.loads((mine / "about.json").read_text())
        (mine / "about.json").write_text(json.dumps(stored | changes))

    return damage


def swap_network(mine: Path, other: Path) -> None:
    for name in ("model.xml", "model.bin"):
        shutil.copy(other / name, mine / name)


def swap_network_and_probes(mine: Path, other: Path) -> None:
    swap_network(mine, other)
    shutil.copy(other / "probes.safetensors", mine / "probes.safetensors")


def swap_all(mine: Path, other: Path) -> None:
    shutil.rmtree(mine)
    shutil.copytree(other, mine)


def a_file(mine: Path, other: Path) -> None:
    shutil.rmtree(mine)
    mine.write_text("x")


DAMAGE = {
    "one byte of the weights": flip("model.bin"),
    "400 bytes of the weights": flip("model.bin", 400),
    "one byte of the graph": flip("model.xml"),
    "one byte of the probes": flip("probes.safetensors"),
    "one byte of about.json": flip("about.json"),
    "weights cut": cut("model.bin"),
    "graph cut": cut("model.xml"),
    "about.json cut": cut("about.json"),
    "graph empty": empty("model.xml"),
    "about.json empty": empty("about.json"),
    "no weights": gone("model.bin"),
    "no probes": gone("probes.safetensors"),
    "no about.json": gone("about.json"),
    "a backend of another name": about(backend="evil"),
    "another hash of the weights": about(weights_sha256="0" * 64),
    "files that are no table": about(files=[1]),
    "another multiple": about(multiple_px=1),
    "about.json deep": lambda mine, other: (mine / "about.json").write_text("[" * 100_000) and None,
    "another's network": swap_network,
    "another's network and probes": swap_network_and_probes,
    "another's entry": swap_all,
    "a file in its place": a_file,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_found_before_it_is_served(place: Path, damage: Callable[[Path, Path], None]) -> None:
    """Found is enough here: that what is found is made anew is one other test, for it takes seconds."""
    mine, other = entry(place / "cache/a"), entry(place / "cache/b")
    read_converted(mine, mine.name)
    name = mine.name
    damage(mine, other)
    with pytest.raises(DamagedError):
        read_converted(mine, name)


@pytest.mark.parametrize(
    "damage",
    [
        DAMAGE["400 bytes of the weights"],
        pytest.param(swap_all, marks=pytest.mark.slow),
        pytest.param(a_file, marks=pytest.mark.slow),
    ],
    ids=["bytes", "swap", "file"],
)
def test_what_is_damaged_is_made_anew_with_the_same_bytes(place: Path, damage: Callable[[Path, Path], None]) -> None:
    cache, model = place / "cache/a", place / "a.safetensors"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = load(model, cache).translate(SOURCE)
    damage(entry(cache), entry(place / "cache/b"))
    with pytest.warns(ServingWarning, match="is damaged .*: made anew"):
        again = load(model, cache)
    assert np.array_equal(again.translate(SOURCE), whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(load(model, cache).translate(SOURCE), whole)
    assert not np.array_equal(load(place / "b.safetensors", place / "cache/b").translate(SOURCE), whole)


def test_a_damaged_conversion_beside_its_model_is_not_served(place: Path, tmp_path: Path) -> None:
    shipped = tmp_path / "shipped.safetensors"
    (folder,) = ship(place / "a.safetensors", shipped)
    whole = load(shipped, tmp_path / "none").translate(SOURCE)
    assert not (tmp_path / "none").exists()
    flip("model.bin", 400)(folder, folder)
    with pytest.warns(ServingWarning, match="is damaged .*get it again"):
        again = load(shipped, tmp_path / "cache").translate(SOURCE)
    np.testing.assert_allclose(again, whole, atol=1e-3)


@pytest.mark.parametrize("suffix", [".openvino", ".openvino-int8"])
def test_the_shipped_conversion_is_whole(suffix: str) -> None:
    folder = CAR_WEIGHTS.with_suffix(suffix)
    stored = read_converted(folder).about
    assert stored["in_channels"] == 7
    assert belongs_to(CAR_WEIGHTS, folder)


@pytest.mark.skipif(not {"avx512_vnni", "avx_vnni"} & cpu_flags(), reason="int8 is taken where the CPU has VNNI")
def test_the_shipped_model_is_served_in_int8(tmp_path: Path) -> None:
    """As exact as its card says, against what torch made of real windows."""
    model = load_model(CAR_WEIGHTS, device="cpu", threads=1, any_size=True, cache_dir=tmp_path / "none")
    assert str(model.about.inference) == "openvino int8 on cpu"
    assert 0.05 / 255 < model.about.mean_error < 0.3 / 255
    assert model._network.run_part is not None, "it computes parts"
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no owner here")
def test_a_cache_that_others_write_to_is_not_used(place: Path) -> None:
    cache = place / "cache/a"
    cache.chmod(0o777)
    with pytest.raises(ServingError, match="other users can write"):
        check_owner(cache)
    with pytest.warns(ServingWarning, match="other users can write"):
        served = load_model(place / "a.safetensors", precision="fp32", device="cpu", cache_dir=cache)
    assert served.about.inference.engine == "torch"


def test_about_is_written_with_hashes(tmp_path: Path) -> None:
    for name in ("model.xml", "model.bin", "probes.safetensors"):
        (tmp_path / name).write_bytes(b"")
    write_about(tmp_path, {"x": 1})
    with pytest.raises(DamagedError, match="probes"):
        read_converted(tmp_path)
