from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from fake_renderer import FakeScene
from flir_files import flir_jpeg, street_counts

from pipelines.backgrounds.ingest.readers import Reading, read_frames
from pipelines.backgrounds.ingest.run import IngestConfig, ingest
from pipelines.backgrounds.ingest.tiff import write_kelvin_tiff
from pipelines.errors import BackgroundError, ConfigError, DatasetError
from pipelines.export.tiff import export_tiff
from pipelines.io.images import read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.thermal.sensor import from_uint16


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dataset") / "out"
    return synthesize_dataset(
        SynthesizeConfig(out=out, count=3, seed=3, workers=1, model="physics"),
        session_factory=FakeScene(),
    )


def test_values_are_the_datasets_temperatures(dataset: Path, tmp_path: Path) -> None:
    export_tiff(dataset, tmp_path / "out")
    for line in (dataset / "frames.jsonl").read_text().splitlines():
        record = json.loads(line)
        name = f"{record['index']:06d}"
        wanted = from_uint16(read_png(dataset / f"images16/{name}.png"), record["span_K"])
        path = str(tmp_path / "out" / f"{name}.tiff")
        for pixels in (cv2.imread(path, cv2.IMREAD_UNCHANGED), tifffile.imread(path)):
            assert pixels.dtype == np.uint16
            assert np.abs(pixels * 0.01 - wanted).max() <= 0.00501


def test_the_file_states_its_convention(dataset: Path, tmp_path: Path) -> None:
    about = export_tiff(dataset, tmp_path / "out")
    with tifffile.TiffFile(tmp_path / "out" / "000000.tiff") as file:
        page = file.pages[0]
        lines = page.description.splitlines()
        assert lines[0].startswith("ImageJ=")  # then ImageJ reads the calibration: c0 + c1 * value
        assert {"cf=0", "c0=-273.15", "c1=0.01", "vunit=C"} <= set(lines)
        assert "kelvin = value * 0.01; celsius = value * 0.01 - 273.15" in page.description
        gdal = page.tags["GDAL_METADATA"].value
        assert 'role="scale">0.01<' in gdal
        assert 'role="offset">-273.15<' in gdal
        assert (page.compression, page.photometric) == (tifffile.COMPRESSION.NONE, tifffile.PHOTOMETRIC.MINISBLACK)
    assert about == json.loads((tmp_path / "out" / "export.json").read_text())
    assert about["kelvin_per_count"] == 0.01
    assert [row["file"] for row in about["frames"]] == ["000000.tiff", "000001.tiff", "000002.tiff"]


def test_the_same_export_is_the_same_files_and_another_is_refused(dataset: Path, tmp_path: Path) -> None:
    export_tiff(dataset, tmp_path / "a")
    export_tiff(dataset, tmp_path / "b")
    export_tiff(dataset, tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine.txt").write_text("x")
    with pytest.raises(DatasetError, match="holds other files"):
        export_tiff(dataset, tmp_path / "c")
    other = synthesize_dataset(
        SynthesizeConfig(out=tmp_path / "other", count=1, seed=4, workers=1, model="physics"),
        session_factory=FakeScene(),
    )
    with pytest.raises(DatasetError, match="holds another configuration"):
        export_tiff(other, tmp_path / "a")


def test_radiometric_backgrounds_are_exported_and_display_only_ones_left_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "street.jpg").write_bytes(flir_jpeg())
    cv2.imwrite(str(tmp_path / "in" / "grey.png"), (street_counts() >> 7).astype(np.uint8))
    ingest(IngestConfig(tmp_path / "in", tmp_path / "ingested", workers=1))
    about = export_tiff(tmp_path / "ingested", tmp_path / "out")
    assert about["left_out"] == 1
    (row,) = about["frames"]
    with tifffile.TiffFile(tmp_path / "out" / row["file"]) as file:
        assert "object temperature at emissivity 0.95" in file.pages[0].description
    (wanted,) = read_frames(flir_jpeg(), Reading())
    assert np.abs(tifffile.imread(tmp_path / "out" / row["file"]) * 0.01 - wanted.image).max() < 0.0061
    # What was written is radiometric for us too.
    ingest(IngestConfig(tmp_path / "out", tmp_path / "again", workers=1))
    (again,) = json.loads((tmp_path / "again" / "index.json").read_text())["frames"]
    assert json.loads((tmp_path / "again" / again).read_text())["median_C"] == pytest.approx(row["median_C"], abs=0.02)


def test_display_only_data_sets_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "grey.png"), (street_counts(96, 80) >> 7).astype(np.uint8))
    made = SynthesizeConfig(
        out=tmp_path / "made", count=2, workers=1, size="64", backgrounds=tmp_path / "in", model="physics"
    )
    synthesize_dataset(made, session_factory=FakeScene())
    with pytest.raises(DatasetError, match="none of 2 frames has temperatures"):
        export_tiff(tmp_path / "made", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_data_set_is_refused(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds neither dataset\.json nor index\.json"):
        export_tiff(tmp_path, tmp_path / "out")
    with pytest.raises(ConfigError, match="format is 'png'"):
        export_tiff(dataset, tmp_path / "out", "png")
    with pytest.raises(ConfigError, match="cannot hold the export"):
        export_tiff(dataset, dataset)


@pytest.mark.parametrize("value", [-0.01, 655.36, np.nan, np.inf])
def test_temperatures_that_16_bits_do_not_hold(value: float, tmp_path: Path) -> None:
    with pytest.raises(BackgroundError, match="beyond 0 to"):
        write_kelvin_tiff(tmp_path / "a.tiff", np.array([[300.0, value]]))
    assert list(tmp_path.iterdir()) == []
