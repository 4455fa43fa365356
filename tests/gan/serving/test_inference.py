"""Serving: engines by CPU, refusal of what is not exact enough, the cache, determinism, ONNX."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.backends import pix2pix
from gan.errors import CheckpointError, ServingError
from gan.serving import openvino_engine
from gan.serving.engine import InferenceConfig, LoadedNetwork
from gan.serving.hardware import cpu_flags
from gan.serving.inference import ServingWarning, TranslationModel, choose_configs, load_model, mean_error
from gan.serving.openvino_convert import export_onnx
from gan.serving.ship import ship
from gan.storage.model_file import write_model_file

ALL = frozenset({"openvino", "nncf"})
AMX = frozenset({"avx2", "avx512_vnni", "amx_bf16", "amx_int8"})
VNNI = frozenset({"avx2", "avx512_vnni", "avx512_bf16"})
SIZE = 64


def _sources(count: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Smooth random sources: what a network that was trained on images sees."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(-1, 1, (count, 7, 8, 8)).astype(np.float32))
    return torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear").numpy()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIS_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A small network that brings its own calibration samples."""
    torch.manual_seed(0)
    config = pix2pix.Config(ngf=8, levels=4)
    network = pix2pix.build_translator(config)
    with torch.no_grad():  # weights as small as at the start of training give an almost constant image
        network.decoder[0].weight.mul_(2)
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    write_model_file(path, "pix2pix", config, network.state_dict(), {}, torch.from_numpy(_sources(6)))
    return path


@pytest.fixture(scope="module")
def plain(model: Path) -> torch.nn.Module:
    from gan.storage.model_file import read_model_file

    return read_model_file(model).build()


def _names(**changes: object) -> list[str]:
    options = {
        "precision": "auto", "engine": "auto", "device": "cpu", "flags": AMX, "installed": ALL, "calibrated": True,
    }  # fmt: skip
    return [f"{config.engine} {config.precision}" for config in choose_configs(**{**options, **changes})]  # type: ignore[arg-type]


def test_engines_follow_what_the_machine_has() -> None:
    assert _names() == ["openvino int8", "openvino bf16", "openvino fp32", "torch fp32"]
    assert _names(flags=VNNI) == ["openvino int8", "openvino fp32", "torch fp32"]
    assert _names(flags=frozenset()) == ["openvino fp32", "torch fp32"]
    assert _names(calibrated=False)[0] == "openvino bf16"
    assert _names(calibrated=False, flags=VNNI)[0] == "openvino fp32"
    assert _names(installed=frozenset()) == ["torch bf16", "torch fp32"]
    assert _names(installed=frozenset(), flags=VNNI) == ["torch fp32"]
    assert _names(device="cuda") == ["torch bf16", "torch fp32"]
    assert _names(precision="bf16", flags=VNNI) == ["openvino bf16", "torch bf16", "torch fp32"]


def test_a_quantised_network_that_was_handed_on_is_taken_by_the_cpu_alone() -> None:
    for installed in (ALL, frozenset({"openvino"})):  # what else is installed changes nothing
        given = {"calibrated": False, "quantised": True, "installed": installed}
        assert _names(**given)[0] == "openvino int8"
        assert _names(**given, flags=VNNI) == ["openvino int8", "openvino fp32", "torch fp32"]
        assert _names(**given, flags=frozenset({"avx2", "avx_vnni"}))[0] == "openvino int8"
        assert _names(**given, flags=frozenset({"avx2"}))[0] == "openvino fp32"
        assert _names(**given, precision="int8", flags=frozenset({"avx2"}))[0] == "openvino int8"
        assert _names(**given, device="cuda")[0] == "torch bf16"
    assert _names(quantised=True, calibrated=False, installed=frozenset(), flags=VNNI) == ["torch fp32"]


def test_what_cannot_be_had_is_said() -> None:
    with pytest.raises(ServingError, match="int8 needs OpenVINO"):
        _names(precision="int8", installed=frozenset())
    with pytest.raises(ServingError, match="cannot run on cuda"):
        _names(engine="openvino", device="cuda")
    with pytest.raises(ServingError, match="expected auto"):
        _names(precision="int4")


@pytest.mark.parametrize(
    ("precision", "engine", "bound"),
    [("fp32", "torch", 1e-6), ("fp32", "openvino", 1e-5), ("bf16", "torch", 1 / 255), ("int8", "openvino", 1 / 255)],
)
def test_every_engine_gives_the_image_of_the_plain_network(
    model: Path, plain: torch.nn.Module, precision: str, engine: str, bound: float
) -> None:
    translator = load_model(model, precision=precision, engine=engine, device="cpu", threads=1)  # type: ignore[arg-type]
    assert (translator.about.inference.precision, translator.about.inference.engine) == (precision, engine)
    source = _sources(3, seed=1)
    with torch.inference_mode():
        wanted = plain(torch.from_numpy(source)).numpy()[:, 0]
    images = translator.translate(source)
    assert images.shape == (3, SIZE, SIZE)
    assert images.dtype == np.float32
    assert wanted.std() > 0.02  # an image worth comparing
    assert np.abs(images - wanted).mean() / 2 <= bound
    np.testing.assert_array_equal(translator.translate(source[1]), images[1])  # neighbours change nothing


def test_auto_takes_int8_where_the_file_brings_samples(model: Path) -> None:
    if not {"avx2"} & cpu_flags():
        pytest.skip("this CPU does not say that it has AVX2")
    assert load_model(model, device="cpu").about.inference == InferenceConfig("openvino", "int8")


def test_sizes_that_the_network_cannot_halve(model: Path, plain: torch.nn.Module) -> None:
    translator = load_model(model, engine="torch", device="cpu", threads=1)
    source = _sources(1, 100)[0, :, :70, :90]
    image = translator.translate(np.ascontiguousarray(source))
    assert image.shape == (70, 90)
    padded = np.pad(source, ((0, 0), (0, 10), (0, 6)), mode="symmetric")
    with torch.inference_mode():
        wanted = plain(torch.from_numpy(padded[None])).numpy()[0, 0, :70, :90]
    np.testing.assert_allclose(image, wanted, atol=1e-5)


def test_a_shipped_model_is_served_without_torch_and_without_a_cache(
    model: Path, plain: torch.nn.Module, tmp_path: Path
) -> None:
    shipped = tmp_path / "shipped.safetensors"
    (folder,) = ship(model, shipped)
    source = _sources(1, seed=1)
    np.save(tmp_path / "source.npy", source)
    script = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "sys.modules['torch'] = sys.modules['nncf'] = None\n"  # as where they are not installed
        "from gan.serving.inference import load_model\n"
        "folder = Path(sys.argv[1])\n"
        "translator = load_model(folder / 'shipped.safetensors', precision='fp32', threads=1)\n"
        "np.save(folder / 'image.npy', translator.translate(np.load(folder / 'source.npy')))\n"
    )
    environment = os.environ | {"GIS_CACHE": str(tmp_path / "cache"), "CI": "true"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=environment)
    assert not (tmp_path / "cache").exists()
    with torch.inference_mode():
        wanted = plain(torch.from_numpy(source)).numpy()[:, 0]
    assert np.abs(np.load(tmp_path / "image.npy") - wanted).max() < 1e-3
    # A conversion of another file is not taken for this one's.
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {"file_sha256": "0" * 64}))
    again = load_model(shipped, precision="fp32", engine="openvino", threads=1, cache_dir=tmp_path / "other")
    np.testing.assert_allclose(again.translate(source), wanted, atol=1e-4)
    assert any((tmp_path / "other").iterdir())


def test_a_shipped_model_brings_its_int8_network(model: Path, plain: torch.nn.Module, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    shipped, source = tmp_path / "shipped.safetensors", _sources(1, seed=1)
    save_file({"source": _sources(12, seed=2)}, tmp_path / "samples.safetensors")
    _, folder = ship(model, shipped, samples=tmp_path / "samples.safetensors")
    script = (
        "import sys, numpy as np\n"
        "sys.modules['torch'] = sys.modules['nncf'] = None\n"  # as where they are not installed
        "from gan.serving import inference\n"
        "inference.cpu_flags = lambda: frozenset(sys.argv[2].split())\n"
        "translator = inference.load_model(sys.argv[1] + '/shipped.safetensors', threads=1, any_size=True)\n"
        "image = translator.translate_part(np.load(sys.argv[1] + '/source.npy')[0], (3, 5, 40, 60))\n"
        "np.save(sys.argv[1] + '/image.npy', image)\n"
        "print(translator.about.inference.precision)\n"
    )
    np.save(tmp_path / "source.npy", source)
    with torch.inference_mode():
        wanted = plain(torch.from_numpy(source)).numpy()[0, 0, 3:40, 5:60]
    environment = os.environ | {"GIS_CACHE": str(tmp_path / "cache"), "CI": "true"}
    for flags, precision, least, most in (("avx2 avx512_vnni", "int8", 1e-6, 1 / 255), ("avx2", "fp32", 0, 1e-4)):
        command = [sys.executable, "-W", "error", "-c", script, str(tmp_path), flags]
        done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
        assert done.stdout.split() == [precision]
        assert least <= np.abs(np.load(tmp_path / "image.npy") - wanted).mean() / 2 <= most
    assert not (tmp_path / "cache").exists()
    # Of another file it is not taken.
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {"file_sha256": "0" * 64}))
    assert not openvino_engine.quantised_beside(shipped)
    # Shipped again without samples, there is none of before.
    assert ship(model, shipped) == [shipped.with_suffix(".openvino")]
    assert not folder.exists()


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with each network that OpenVINO compiles."""
    import openvino

    found: list[object] = []
    compile_model = openvino.Core.compile_model

    def counted(*args: object, **options: object) -> object:
        found.append(args)
        return compile_model(*args, **options)

    monkeypatch.setattr(openvino.Core, "compile_model", counted)
    return found


def _rows(translator: TranslationModel, sizes: list[int]) -> list[np.ndarray]:
    """What a translator makes of the first rows of a source."""
    source = _sources(1, SIZE)[0]
    return [translator.translate(np.ascontiguousarray(source[:, :rows])) for rows in sizes]


def test_sizes_that_come_back_are_not_compiled_again(model: Path, compiled: list[object]) -> None:
    translator = load_model(model, precision="fp32", engine="openvino", device="cpu", threads=1)
    sizes = [SIZE // 2, SIZE]
    first = _rows(translator, sizes)
    before = len(compiled)
    again = _rows(translator, sizes * 2)
    assert len(compiled) == before
    for image, other in zip(again, first * 2, strict=True):
        np.testing.assert_array_equal(image, other)


@pytest.mark.parametrize(("precision", "most"), [("fp32", 1e-5), ("int8", 0.05)])
def test_any_size_is_served_by_one_network(model: Path, compiled: list[object], precision: str, most: float) -> None:
    sizes = list(range(16, SIZE + 1, 16))
    fixed = _rows(load_model(model, precision=precision, engine="openvino", threads=1), sizes)
    before = len(compiled)
    translator = load_model(model, precision=precision, engine="openvino", threads=1, any_size=True)
    assert translator.about.inference.precision == precision
    for image, other in zip(_rows(translator, sizes), fixed, strict=True):
        np.testing.assert_allclose(image, other, atol=most)
    assert len(compiled) == before + 1
    # In another order, as in another worker, the same bytes.
    for image, other in zip(_rows(translator, sizes[::-1])[::-1], _rows(translator, sizes), strict=True):
        np.testing.assert_array_equal(image, other)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize(("norm", "whole"), [("instance", True), ("batch", False)])
def test_a_model_says_whether_it_needs_the_whole_picture(
    tmp_path: Path, cache: Path, engine: str, norm: str, whole: bool
) -> None:
    config = pix2pix.Config(ngf=4, levels=3, norm=norm)
    path = tmp_path / "model.safetensors"
    write_model_file(path, "pix2pix", config, pix2pix.build_translator(config).state_dict(), {})
    info = load_model(path, precision="fp32", engine=engine, device="cpu", threads=1).about
    assert (info.whole_image, info.multiple_px) == (whole, 8)


def test_noise_is_off_unless_asked_for(model: Path) -> None:
    source = _sources(2)[0]
    still = load_model(model, engine="torch", device="cpu", threads=1)
    np.testing.assert_array_equal(still.translate(source), still.translate(source, seed=5))
    noisy = load_model(model, noise=True, device="cpu", threads=1)
    state = torch.random.get_rng_state()
    np.testing.assert_array_equal(noisy.translate(source, seed=5), noisy.translate(source, seed=5))
    assert np.abs(noisy.translate(source, seed=5) - noisy.translate(source, seed=6)).max() > 1e-3
    np.testing.assert_array_equal(
        noisy.translate(np.stack([source, source]), seed=5)[1], noisy.translate(source, seed=6)
    )
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(
    "source",
    [np.zeros((3, 32, 32), np.float32), np.zeros((7, 32, 32)), np.zeros((32, 32), np.float32),
     np.full((7, 32, 32), np.nan, np.float32)],
)  # fmt: skip
def test_bad_sources(model: Path, source: np.ndarray) -> None:
    with pytest.raises(ServingError, match="expected"):
        load_model(model, engine="torch", device="cpu").translate(source)


def test_bad_files(tmp_path: Path, model: Path, cache: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_model(tmp_path / "none.safetensors", device="cpu")
    damaged = tmp_path / "damaged.safetensors"
    content = bytearray(model.read_bytes())
    content[-100] ^= 1
    damaged.write_bytes(content)
    for engine in ("torch", "openvino"):
        with pytest.raises(CheckpointError, match="hash"):
            load_model(damaged, engine=engine, device="cpu")  # type: ignore[arg-type]
    assert not [path for path in cache.iterdir() if path.name.startswith(".")]  # nothing half-made stays


def test_int8_without_samples_is_not_tried_by_auto_and_falls_back_when_asked_for(tmp_path: Path, cache: Path) -> None:
    config = pix2pix.Config(ngf=4, levels=3)
    path = tmp_path / "bare.safetensors"
    write_model_file(path, "pix2pix", config, pix2pix.build_translator(config).state_dict(), {})
    assert load_model(path, device="cpu").about.inference.precision != "int8"
    with pytest.warns(ServingWarning, match="calibrate"):
        translator = load_model(path, precision="int8", device="cpu")
    assert translator.about.inference == InferenceConfig("torch", "fp32")


def test_an_engine_that_is_not_exact_enough_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = openvino_engine._compile

    def off(*arguments: object) -> object:
        run, run_part = real(*arguments)  # type: ignore[arg-type]
        return (lambda source, seed: run(source, seed) + np.float32(2.5 * 2 / 255)), run_part

    monkeypatch.setattr(openvino_engine, "_compile", off)
    with pytest.warns(ServingWarning, match=r"2\.\d\d/255") as caught:
        translator = load_model(model, device="cpu", threads=1)
    assert translator.about.inference == InferenceConfig("torch", "fp32")
    assert len(caught) >= 1


@pytest.mark.parametrize("device", ["cuda:77", "toaster"])
def test_a_device_that_is_not_there(model: Path, device: str) -> None:
    with pytest.raises(ServingError, match="cannot be used"):
        load_model(model, device=device)


def test_an_engine_that_fails_while_it_runs_is_passed_over(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> object:
        def run(source: np.ndarray, seed: int | None) -> np.ndarray:
            raise RuntimeError("no kernel\nfor this CPU")

        return run, None

    monkeypatch.setattr(openvino_engine, "_compile", broken)
    with pytest.warns(ServingWarning, match="no kernel for this CPU"):
        translator = load_model(model, device="cpu", threads=1)
    assert translator.about.inference == InferenceConfig("torch", "fp32")


def test_mean_error_is_a_fraction_of_full_range() -> None:
    probes, reference = np.zeros((2, 1, 4, 4), np.float32), np.zeros((2, 1, 4, 4), np.float32)
    network = LoadedNetwork(lambda source, seed: source + np.float32(0.5), 1, 1, "", "", probes, reference, {})
    assert mean_error(network) == 0.25
    broken = LoadedNetwork(lambda source, seed: source * np.float32("nan"), 1, 1, "", "", probes, reference, {})
    assert mean_error(broken) == float("inf")


def _bytes_in_another_process(model: str, cache: str, queue: multiprocessing.Queue[bytes]) -> None:
    translator = load_model(Path(model), device="cpu", threads=1, cache_dir=Path(cache))
    queue.put(translator.translate(_sources(2, seed=3)).tobytes())


def test_workers_that_race_for_the_cache_give_the_same_bytes(model: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [
        context.Process(target=_bytes_in_another_process, args=(str(model), str(tmp_path), queue)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    results = [queue.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    entries = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(entries) == 1
    assert results[0] == results[1]
    here = load_model(model, device="cpu", threads=1, cache_dir=tmp_path).translate(_sources(2, seed=3))
    assert here.tobytes() == results[0]


@pytest.mark.slow
def test_int8_converted_again_is_the_same(model: Path, tmp_path: Path, cache: Path) -> None:
    source = _sources(1, seed=4)
    images = [
        load_model(model, precision="int8", device="cpu", threads=1, cache_dir=folder).translate(source)
        for folder in (cache, tmp_path)
    ]
    np.testing.assert_array_equal(*images)


def test_a_cached_model_is_served_without_torch(model: Path, cache: Path) -> None:
    import subprocess
    import sys

    load_model(model, device="cpu", threads=1)
    code = (
        "import sys, numpy as np; from pathlib import Path; from gan.serving.inference import load_model\n"
        f"t = load_model(Path({str(model)!r}), device='cpu', threads=1)\n"
        "t.translate(np.zeros((7, 64, 64), np.float32)); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(openvino_engine.__file__).parents[2])


def test_threads_of_one_process(model: Path) -> None:
    """Translators of their own in several threads do not disturb each other."""
    source = _sources(1, seed=6)
    wanted = load_model(model, device="cpu", threads=1).translate(source)
    results: list[np.ndarray] = []

    def work() -> None:
        results.append(load_model(model, device="cpu", threads=1).translate(source))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert all((result == wanted).all() for result in results)


def test_onnx_gives_the_same_image_at_any_size(model: Path, plain: torch.nn.Module, tmp_path: Path) -> None:
    import openvino

    export_onnx(model, tmp_path / "model.onnx", size_px=64)
    compiled = openvino.Core().compile_model(str(tmp_path / "model.onnx"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    source = _sources(2, 96)
    with torch.inference_mode():
        wanted = plain(torch.from_numpy(source)).numpy()
    np.testing.assert_allclose(compiled(source)[0], wanted, atol=1e-4)


def test_a_folder_that_cannot_hold_the_cache_is_named(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        translator = load_model(model, device="cpu", cache_dir=tmp_path / "file" / "cache")
    assert translator.about.inference == InferenceConfig("torch", "fp32")
    assert any("GIS_CACHE" in str(warning.message) for warning in caught)


def test_converted_models_lie_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIS_CACHE", str(tmp_path / "named"))
    assert openvino_engine.cache_folder() == tmp_path / "named"
    monkeypatch.delenv("GIS_CACHE")
    if sys.platform == "linux":  # the XDG Base Directory Specification
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert openvino_engine.cache_folder() == tmp_path / "xdg" / "gis"
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert openvino_engine.cache_folder() == tmp_path / ".cache" / "gis"
