"""`gis backgrounds`: what becomes of a folder, and of a run that is disturbed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_renderer import FakeScene
from flir_files import PREVIEW, camera_record, exif_of, fff, flir_jpeg, jpeg, raw_record, street_counts
from typer.testing import CliRunner

from pipelines.backgrounds.images import open_background, scan_backgrounds
from pipelines.backgrounds.ingest.metadata import Overrides
from pipelines.backgrounds.ingest.readers import Reading
from pipelines.backgrounds.ingest.run import IngestConfig, ingest, ingest_backgrounds
from pipelines.cli.main import app
from pipelines.dataset.validation import validate
from pipelines.errors import BackgroundError, ConfigError, DatasetError
from pipelines.io.images import decode_png, read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.thermal.sensor import from_uint16

ROOT = Path(__file__).resolve().parents[3]
GREY = (street_counts(96, 80) >> 7).astype(np.uint8)


def fill(folder: Path) -> Path:
    """A folder as people have them."""
    (folder / "trip").mkdir(parents=True)
    sequence = [fff(raw_record(street_counts() + 40 * i), camera_record()) for i in range(3)]
    files = {
        "street.jpg": flir_jpeg(),
        "trip/street.jpg": flir_jpeg(street_counts()[:, ::-1].copy(), "little", fov_deg=180.0),
        "trip/copy of street.jpg": flir_jpeg(),
        "trip/film.seq": sequence[0] + sequence[1][:900] + sequence[2],
        "grey.png": cv2.imencode(".png", GREY)[1].tobytes(),
        "counts.png": cv2.imencode(".png", street_counts(96, 80))[1].tobytes(),
        "palette.jpg": jpeg(None, preview=PREVIEW),
        "sent.jpg": jpeg(None, exif=exif_of(b"FLIR Systems AB")),
        "cut.jpg": flir_jpeg()[:5000],
        "notes.txt": b"nothing",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("sources") / "in")


@pytest.fixture(scope="module")
def whole(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    ingest(IngestConfig(sources, out, workers=1))
    return out


def entries(out: Path) -> dict[str, dict]:
    return {entry["source"]: entry for entry in json.loads((out / "index.json").read_text())["files"]}


def test_the_index_tells_of_every_file(sources: Path, whole: Path) -> None:
    index = json.loads((whole / "index.json").read_text())
    assert [entry["source"] for entry in index["files"]] == sorted(
        path.relative_to(sources).as_posix() for path in sources.rglob("*") if path.is_file()
    )
    assert index["complete"]
    counts = {"files": 10, "radiometric": 3, "display-only": 3, "skipped": 4, "frames": 7, "with_warnings": 3}
    assert index["counts"] == counts
    found = entries(whole)
    assert "cut short" in found["cut.jpg"]["reason"]
    assert "without raw data" in found["sent.jpg"]["reason"]
    assert found["notes.txt"]["reason"].startswith("not a picture")
    assert found["trip/copy of street.jpg"]["reason"] == "the same file as street.jpg"
    assert "180 degrees" in found["trip/street.jpg"]["warnings"][0]
    assert "frame 1 is left out" in found["trip/film.seq"]["warnings"][0]
    assert found["palette.jpg"]["kind"] == "palette preview"
    for entry in found.values():
        assert (entry["status"] == "skipped") == bool(entry["reason"]) == (not entry["frames"])


def test_frames_hold_the_temperatures_and_crops_the_same_ones(whole: Path) -> None:
    (name,) = entries(whole)["street.jpg"]["frames"]
    about = json.loads((whole / name).read_text())
    kelvin = from_uint16(read_png(whole / about["frame"]["file"]), about["span_K"])
    assert kelvin.shape == (60, 80)
    for value, key in ((kelvin.min(), "min_C"), (np.median(kelvin), "median_C"), (kelvin.max(), "max_C")):
        assert value - 273.15 == pytest.approx(about[key], abs=2e-3)
    assert about["crop"]["window_px"] == [10, 0, 70, 60]
    crop = from_uint16(read_png(whole / about["crop"]["file"]), about["span_K"])
    assert crop.shape == (512, 512)
    cut = kelvin[:, 10:70]
    assert np.median(crop) == pytest.approx(np.median(cut), abs=0.05)
    assert cut.min() - 1e-3 <= crop.min() <= crop.max() <= cut.max() + 1e-3
    cropped = about["crop"]["intrinsics"]
    assert cropped["fx"] == pytest.approx(about["intrinsics"]["fx"] * 512 / 60)
    assert cropped["cx"] == pytest.approx(256)


def test_display_frames_are_kept_and_have_no_degrees(whole: Path) -> None:
    for source, pixels in (("grey.png", GREY), ("counts.png", street_counts(96, 80))):
        (name,) = entries(whole)[source]["frames"]
        about = json.loads((whole / name).read_text())
        assert np.array_equal(read_png(whole / about["frame"]["file"]), pixels)
        assert not about["radiometric"]
        assert [about[key] for key in ("span_K", "min_C", "median_C", "max_C", "constants")] == [None] * 5


def test_nothing_says_where_when_or_whose(sources: Path, whole: Path) -> None:
    for name, data in contents(whole).items():
        if name.endswith(".json"):
            text = data.decode()
            assert str(sources) not in text
            assert str(whole) not in text
            assert "serial" not in text.lower()


def test_workers_change_no_byte(sources: Path, whole: Path, tmp_path: Path) -> None:
    ingest(IngestConfig(sources, tmp_path / "two", workers=2))
    assert contents(tmp_path / "two") == contents(whole)


def test_a_disturbed_run_ends_the_same(sources: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ingest(IngestConfig(sources, out, workers=1))
    names = sorted(entries(out)["street.jpg"]["frames"] + entries(out)["grey.png"]["frames"])
    (out / names[0]).unlink()
    (out / names[1].replace("frames", "crops").replace(".json", ".png")).unlink()
    (out / "frames" / ".half.png.123.tmp").write_bytes(b"half")
    (out / "index.json").write_text(json.dumps({**json.loads((out / "index.json").read_text()), "complete": False}))
    with pytest.raises(BackgroundError, match="cut short"):
        scan_backgrounds(out)
    ingest(IngestConfig(sources, out, workers=1))
    assert contents(out) == contents(whole)


def test_what_is_there_is_not_made_again(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ingest(IngestConfig(sources, out, workers=1))
    (name,) = entries(out)["street.jpg"]["frames"]
    before = (out / name).stat().st_mtime_ns
    ingest(IngestConfig(sources, out, workers=1))
    assert (out / name).stat().st_mtime_ns == before


def test_other_options_and_other_folders_are_refused(sources: Path, whole: Path, tmp_path: Path) -> None:
    other = IngestConfig(sources, whole, Reading(Overrides(emissivity=0.9)))
    with pytest.raises(DatasetError, match=r"overrides\.emissivity is null, now 0\.9"):
        ingest(other)
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(DatasetError, match="holds other files"):
        ingest(IngestConfig(sources, tmp_path))


def test_frames_of_files_that_are_gone_go_too(tmp_path: Path) -> None:
    folder, out = fill(tmp_path / "in"), tmp_path / "out"
    ingest(IngestConfig(folder, out, workers=1))
    assert len(list((out / "crops").iterdir())) == 7  # one of the two same files
    (out / "frames" / "mine.json").write_text("{}")
    (folder / "grey.png").unlink()
    (folder / "street.jpg").write_bytes(flir_jpeg(emissivity=0.9))
    ingest(IngestConfig(folder, out, workers=1))
    listed = json.loads((out / "index.json").read_text())["frames"]
    names = {Path(name).stem for name in listed}
    assert {path.stem for path in (out / "frames").iterdir()} == {*names, "mine"}
    assert {path.stem for path in (out / "crops").iterdir()} == names


BAD_OPTIONS = {
    "no folder": ({"folder": Path("nowhere")}, "no such folder"),
    "size": ({"size": 3}, "size is 3: expected 16 to 8192 pixels"),
    "workers": ({"workers": 0}, "workers is 0: expected 1 to 1024"),
    "emissivity": ({"emissivity": 1.2}, r"emissivity is 1\.2: expected 0\.01 to 1$"),
    "humidity": ({"humidity": 50.0}, "humidity is 50: expected 0 to 1$"),
    "not a number": ({"distance_m": float("nan")}, "distance-m is nan: expected a number"),
    "too hot": ({"reflected_C": 2000}, "reflected-c is 2000: expected -150 to 1500 C"),
    "byte order": ({"byte_order": "middle"}, "unknown byte-order 'middle': expected one of auto, big, little"),
    "unit": ({"unit": "fahrenheit"}, "unknown unit 'fahrenheit': expected one of stated, kelvin"),
    "no option": ({"emmisivity": 1}, "unknown option 'emmisivity'; expected one of .*emissivity"),
}


@pytest.mark.parametrize(("options", "said"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_options_that_cannot_work(options: dict[str, object], said: str, sources: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        ingest_backgrounds(**{"folder": sources, "out": tmp_path / "out", **options})
    assert not (tmp_path / "out").exists()


def test_keywords_and_the_command_line_give_the_same_files(sources: Path, tmp_path: Path) -> None:
    """Every override, by its name in Python and on the command line; what is written says the values."""
    values = {
        "emissivity": 0.9, "reflected_C": 15.5, "atmospheric_C": -5.0, "humidity": 0.25, "distance_m": 12.0,
        "window_C": 21.0, "window_transmittance": 0.75,
    }  # fmt: skip
    index = ingest_backgrounds(str(sources), tmp_path / "a", size=64, byte_order="big", workers=1, **values)
    assert index["configuration"] == {"size_px": 64, "byte_order": "big", "unit": "stated", "overrides": values}
    flags = [text for name, value in values.items() for text in (f"--{name.replace('_', '-').lower()}", str(value))]
    more = ["--out", str(tmp_path / "b"), "--size", "64", "--byte-order", "big", "--workers", "1"]
    done = CliRunner().invoke(app, ["backgrounds", *more, *flags, str(sources)])
    assert done.exit_code == 0, done.output
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) > 10
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_the_output_may_lie_in_the_folder(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in")
    for _ in range(2):
        index = ingest(IngestConfig(folder, folder / "out", workers=1))
        assert index["counts"]["files"] == 10
    with pytest.raises(ConfigError, match="is the folder that is read"):
        IngestConfig(folder, folder)


def test_nothing_usable_is_one_error_and_an_index(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(BackgroundError, match="holds no files"):
        ingest(IngestConfig(folder, tmp_path / "out"))
    (folder / "a.txt").write_text("x")
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(BackgroundError, match=r"none of 2 files can be used, e\.g\. a\.txt: not a picture"):
        ingest(IngestConfig(folder, tmp_path / "out"))
    assert {entry["status"] for entry in entries(tmp_path / "out").values()} == {"skipped"}
    with pytest.raises(BackgroundError, match="holds no usable frame"):
        scan_backgrounds(tmp_path / "out")


def test_the_command_tells_what_became_of_the_files(sources: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "backgrounds", str(sources), "--out", str(tmp_path / "out")]
    done = subprocess.run([*command, "--workers", "1"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("10 files: 3 radiometric, 3 display-only, 4 skipped; 7 frames in ")
    assert "cut.jpg: skipped, a JPEG without end" in done.stderr
    again = subprocess.run([*command, "--humidity", "3"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "humidity is 3: expected 0 to 1" in again.stderr


# --- as backgrounds ---------------------------------------------------------------------------------------------------


def test_an_ingested_folder_brings_its_camera_and_degrees(whole: Path) -> None:
    backgrounds = scan_backgrounds(whole)
    assert len(backgrounds.files) == 7
    by_source = {file.sidecar["source"]["file"]: file for file in backgrounds.files}
    street = open_background(backgrounds, by_source["street.jpg"], size="60")
    about = by_source["street.jpg"].sidecar
    assert street.radiometric
    stored = from_uint16(decode_png((whole / about["frame"]["file"]).read_bytes()), about["span_K"])
    assert np.array_equal(street.kelvin, stored[:, 10:70])
    assert street.camera.fx == pytest.approx(about["intrinsics"]["fx"])
    assert street.camera_source == "field of view in the file"
    grey = np.rint((street.kelvin - street.span_K[0]) / (street.span_K[1] - street.span_K[0]) * 255)
    assert np.array_equal(street.image, grey)
    display = open_background(backgrounds, by_source["grey.png"], size="80")
    assert (display.radiometric, display.span_K, display.kelvin) == (False, None, None)
    assert np.array_equal(display.image, GREY[:, 8:88])
    assert open_background(backgrounds, by_source["street.jpg"], camera="flir-adas").camera_source == "given"


def test_a_frame_that_was_changed_is_refused(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ingest(IngestConfig(sources, out, workers=1))
    (name,) = entries(out)["street.jpg"]["frames"]
    (out / name.replace(".json", ".png")).write_bytes(b"other")
    with pytest.raises(BackgroundError, match="is not the file of its sidecar"):
        scan_backgrounds(out)
    (out / name).write_text("{}")
    with pytest.raises(BackgroundError, match="expected a sidecar"):
        scan_backgrounds(out)
    (out / "index.json").write_text('{"schema": "other"}')
    with pytest.raises(BackgroundError, match="expected gis-backgrounds 1"):
        scan_backgrounds(out)


def test_synthesize_keeps_the_degrees_of_the_background(whole: Path, tmp_path: Path) -> None:
    options = {"out": tmp_path / "out", "count": 8, "seed": 3, "workers": 1, "size": "60", "backgrounds": whole}
    options["model"] = "physics"
    synthesize_dataset(SynthesizeConfig(**options), session_factory=FakeScene())
    assert validate(tmp_path / "out").problems == []
    backgrounds = scan_backgrounds(whole)
    by_name = {file.name: file for file in backgrounds.files}
    checked = 0
    for line in (tmp_path / "out" / "frames.jsonl").read_text().splitlines():
        record = json.loads(line)
        behind = open_background(backgrounds, by_name[record["background"]["name"]], size="60")
        assert record["background"]["radiometric"] == behind.radiometric == (record["span_K"] is not None)
        if not behind.radiometric:
            continue
        image = from_uint16(read_png(tmp_path / "out" / f"images16/{record['index']:06d}.png"), record["span_K"])
        zones = read_png(tmp_path / "out" / f"zones/{record['index']:06d}.png")  # of objects without a label too
        away = cv2.dilate((zones > 0).astype(np.uint8), np.ones((21, 21))) == 0
        away[27:] = False  # below the horizon cars warm the road
        count_K = (record["span_K"][1] - record["span_K"][0]) / 65535
        assert np.abs(image[away] - behind.kelvin[away]).max() <= 0.51 * count_K + 1e-4
        checked += int(away.sum())
    assert checked > 500
