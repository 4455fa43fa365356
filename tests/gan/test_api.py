"""What `import gan` offers: found lazily, typed, and doing what the rooms behind it do."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import io
import subprocess
import sys
import tarfile
import types
from pathlib import Path

import numpy as np
import pytest

import gan
from gan.data.layout import Sample, encode_sample

SMALL = {
    "batch": 2, "ngf": 2, "ndf": 2, "discriminator_layers": 3, "precision": "fp32", "threads": 1,
    "weights_dir": "none",  # else LPIPS would look for its weights in the network
}  # fmt: skip


def _sample(index: int, size: int = 32, seed: int = 0) -> Sample:
    rng = np.random.default_rng([seed, index])
    segmentation = np.zeros((size, size), np.uint8)
    segmentation[8:24, 8:24] = 1 + index % 3
    return Sample(
        index,
        rng.integers(0, 256, (size, size, 3), dtype=np.uint8),
        segmentation,
        rng.integers(0, 65536, (size, size), dtype=np.uint16),
        target=rng.integers(0, 65536, (size, size), dtype=np.uint16),
    )


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    for index in range(6):
        (folder / f"{index:06d}.safetensors").write_bytes(encode_sample(_sample(index)))
    return folder


@pytest.fixture(scope="module")
def trained(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gan.train(pairs, tmp_path_factory.mktemp("run"), epochs=1, **SMALL)


def test_every_public_name_is_there_and_nothing_else_is_promised() -> None:
    lazy = [name for names in gan._MODULES.values() for name in names]
    assert sorted(lazy) == sorted(set(lazy))
    assert {name for name in gan.__all__ if not name.endswith("Error")} == set(lazy)
    for name in gan.__all__:
        assert getattr(gan, name).__name__ == name
        assert inspect.getdoc(getattr(gan, name))
    assert set(gan.__all__) <= set(dir(gan))
    with pytest.raises(AttributeError, match="no attribute 'load_modell'"):
        gan.load_modell  # noqa: B018


def test_what_mypy_sees_is_what_is_imported() -> None:
    tree = ast.parse(Path(gan.__file__).read_text())
    seen = {
        (node.module, alias.name)
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {(module, name) for module, names in gan._MODULES.items() for name in names}
    assert Path(gan.__file__).with_name("py.typed").is_file()


def test_import_loads_nothing_heavy() -> None:
    code = (
        "import sys, gan; gan.TrainOptions, gan.DataOptions, gan.ServingError\n"
        "heavy = {'torch', 'numba', 'cv2', 'openvino', 'bpy', 'lightning_fabric', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(gan.__file__).parents[1])


def test_list_models() -> None:
    models = {model.name: model for model in gan.list_models()}
    assert models["pix2pix"].pairing == "paired"
    assert models["cyclegan"].pairing == "unpaired"
    assert "CVPR 2017" in models["pix2pix"].paper


def test_train_then_load_then_translate(trained: Path) -> None:
    assert trained.name == "model.safetensors"
    model = gan.load_model(str(trained), engine="torch", threads=1)
    assert (model.name, model.layout, model.in_channels) == ("pix2pix", "flat", 7)
    assert model.about.source_layout == gan.SourceLayout("flat", 2, 7, display=True)
    source = gan.build_source(
        np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8), np.full((32, 32), np.inf, np.float32)
    )
    image = model.translate(source)
    assert (image.shape, image.dtype) == ((32, 32), np.float32)
    assert np.abs(image).max() <= 1
    np.testing.assert_array_equal(model.translate(np.stack([source, source]))[1], image)
    assert repr(model) == "<pix2pix: 7 channels (flat), torch fp32 on cpu>"


def test_train_by_keywords_is_train_by_options(pairs: Path, trained: Path, tmp_path: Path) -> None:
    from gan.training.train import train

    config = {name: SMALL[name] for name in ("ngf", "ndf", "discriminator_layers")}
    options = gan.TrainOptions(epochs=1, batch=2, precision="fp32", threads=1, weights_dir="none")
    again = train(pairs, tmp_path / "run", "pix2pix", config, options, gan.DataOptions())
    assert again.read_bytes() == trained.read_bytes()


def test_training_is_silent_unless_asked_for(pairs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    gan.train(pairs, tmp_path, epochs=1, **SMALL)
    assert capfd.readouterr() == ("", "")
    gan.train(pairs, tmp_path, epochs=1, resume=True, progress=True, **SMALL)
    assert "going on at epoch 1" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epoch": 3}, "unknown option 'epoch' of pix2pix: expected one of accumulate, "),
        ({"model": "pix3pix"}, "pix3pix"),
        ({"emsn": "joint"}, "unknown option 'emsn' of pix2pix"),  # CycleGAN has it
        ({"batch": 0}, "batch is 0"),
        ({"ngf": "wide"}, "ngf is 'wide'"),
        ({"extra_data": ["more"], "also": ["more"]}, "one option"),
    ],
)
def test_options_that_cannot_work_are_named(pairs: Path, tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(gan.ConfigError, match=message):
        gan.train(pairs, tmp_path / "run", **options)
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_no_option_has_two_meanings() -> None:
    from gan.backends.registry import load_backend
    from gan.options import declarations

    parameters = set(inspect.signature(gan.train).parameters)
    for model in gan.list_models():
        kinds = (load_backend(model.name).Config, gan.TrainOptions, gan.DataOptions)
        names = [one.name for kind in kinds for one in declarations(kind)]
        assert len(names) == len(set(names))
        assert set(names) & parameters == {"epochs"}


def test_read_samples_from_files_and_shards(tmp_path: Path) -> None:
    loose, sharded = tmp_path / "loose", tmp_path / "sharded"
    loose.mkdir()
    (sharded / "tensors").mkdir(parents=True)
    with tarfile.open(sharded / "tensors" / "shard-000000.tar", "w") as archive:
        for index in (0, 1, 2):
            data = encode_sample(_sample(index))
            (loose / f"{index:06d}.safetensors").write_bytes(data)
            member = tarfile.TarInfo(f"{index:06d}.safetensors")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    for folder in (loose, sharded):
        read = list(gan.read_samples(folder))
        assert [sample.index for sample in read] == [0, 1, 2]
        np.testing.assert_array_equal(read[1].source(), _sample(1).source())
    with pytest.raises(gan.DataError, match="no samples"):
        gan.read_samples(tmp_path)


def test_image_files_are_named_by_their_path(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("b.PNG", "a/c.jpg", "note.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"")
    assert gan.image_files(tmp_path) == {"b": tmp_path / "b.PNG"}
    assert list(gan.image_files(str(tmp_path), recursive=True)) == ["a/c", "b"]
    (tmp_path / "b.npy").write_bytes(b"")
    with pytest.raises(gan.DataError, match=r"b\.PNG and b\.npy|b\.npy and b\.PNG"):
        gan.image_files(tmp_path)
    with pytest.raises(gan.DataError, match="no such folder"):
        gan.image_files(tmp_path / "none")


def test_evaluate_is_the_mean_over_pairs() -> None:
    black, grey = np.zeros((32, 32), np.uint8), np.full((32, 32), 51, np.uint8)
    same = gan.evaluate([(black, black)])
    assert (same["ssim"], same["mae"], same["psnr_dB"]) == (1.0, 0.0, float("inf"))
    # 51 of 255 is a fifth of the range; the mean of 0 and 1/5 is 1/10, of 0 and 1/25 is 1/50.
    both = gan.evaluate([(black, black), (black, grey)])
    assert both["mae"] == pytest.approx(0.1)
    assert both["mse"] == pytest.approx(0.02)
    assert gan.evaluate([(black / 255, grey / 255)]) == pytest.approx(gan.evaluate([(black, grey)]))
    with pytest.raises(gan.MetricError, match="no pairs"):
        gan.evaluate([])
    with pytest.raises(gan.MetricError, match=r"from -1\.0 to -1\.0"):
        gan.evaluate([(black / 255, black / 255 - 1)])


@pytest.mark.parametrize("name", sorted(gan._MODULES))
def test_examples_run(name: str) -> None:
    module = importlib.import_module(name)
    assert isinstance(module, types.ModuleType)
    failed, _ = doctest.testmod(module, extraglobs={"np": np})
    assert failed == 0
