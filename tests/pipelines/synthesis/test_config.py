from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assets import CAMERAS, CITY
from pipelines.cameras import named_camera, parse_size
from pipelines.errors import ConfigError
from pipelines.synthesis.options.choices import resolve_scene
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.geometry.camera import read_cameras


@pytest.mark.parametrize(("text", "size"), [("512", (512, 512)), ("1242x375", (1242, 375)), (" 64X32 ", (64, 32))])
def test_sizes(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "12x", "x12", "12x0", "-5", "1e3", "99999", "12x12x12"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ConfigError, match="size is"):
        parse_size(text)


def test_city_is_the_shipped_one_unless_there_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_scene(Path("city.blend")) == CITY
    assert resolve_scene(Path("./sub/city.blend")) == Path("sub/city.blend")
    (tmp_path / "city.blend").write_text("mine")
    assert resolve_scene(Path("city.blend")) == Path("city.blend")


@pytest.mark.parametrize("shape", [(512, 512), (1242, 375), (640, 160), (100, 300)])
def test_a_fitted_camera_sees_the_same_directions(shape: tuple[int, int]) -> None:
    """What the whole camera sees at a place in the window is seen at the same place in the picture."""
    whole = read_cameras(CAMERAS)["kitti-object"]
    fitted = whole.fitted(*shape)
    scale = min(whole.width / shape[0], whole.height / shape[1])
    left, top = (whole.width - shape[0] * scale) / 2, (whole.height - shape[1] * scale) / 2
    for across, down in ((0.0, 0.0), (0.5, 0.5), (1.0, 0.25)):
        column, row = left + across * shape[0] * scale, top + down * shape[1] * scale
        ray = np.array([(column - whole.cx) / whole.fx, (row - whole.cy) / whole.fy, 1.0])
        assert fitted.project(ray) == pytest.approx((across * shape[0], down * shape[1]))
    assert left >= -1e-9
    assert top >= -1e-9
    assert min(left, top) == pytest.approx(0.0)


def test_named_cameras(tmp_path: Path) -> None:
    assert named_camera(None, "512") is None
    preset = named_camera("kitti-object", None)
    assert preset is not None
    assert (preset.width, preset.height) == (512, 512)
    # KITTI's calibration, scaled from 375 rows to 512; its pixel centres are integers, ours are not.
    assert preset.fx == pytest.approx(721.5377 * 512 / 375)
    assert preset.cy == pytest.approx((172.854 + 0.5) * 512 / 375)
    own = tmp_path / "mine.json"
    own.write_text('{"width": 300, "height": 200, "fx": 250, "cx": 150, "cy": 100}')
    camera = named_camera(str(own), None)
    assert camera is not None
    assert (camera.width, camera.height, camera.fx) == (300, 200, 250)


def test_what_decides_the_files_is_told_without_paths(tmp_path: Path) -> None:
    told = RenderConfig(out=tmp_path, count=3, workers=2).to_json()
    assert told["scene"]["name"] == "city.blend"
    assert len(told["scene"]["sha256"]) == 64
    assert told == RenderConfig(out=tmp_path / "other", count=9, workers=1).to_json()
    more = SynthesizeConfig(out=tmp_path, count=3, hour=22.0).to_json()
    assert more["hour"] == 22.0
    assert more.items() >= told.items()
