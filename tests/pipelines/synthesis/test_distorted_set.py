"""`--distortion` and `--fisheye`: what is refused, and a distorted sequence of the city with all passes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import assets
import pipelines
import renderer
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError
from pipelines.export.run import export_dataset
from pipelines.io.exr import read_exr
from pipelines.io.images import read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.frame_maker import FrameMaker, read_inputs
from pipelines.synthesis.infrared import open_infrared
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.session import open_session
from renderer.errors import CameraError
from renderer.geometry.lens import Lens
from renderer.random_streams import Draw

BARREL = "-0.25,0.06,0.0008,-0.0005"


def test_what_a_lens_cannot_be_with_is_refused(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()

    def refused(named: str, error: type[Exception] = ConfigError, **options: object) -> None:
        with pytest.raises(error, match=named):
            SynthesizeConfig(out=tmp_path / "out", **options)  # type: ignore[arg-type]

    refused("give one of them", distortion=BARREL, fisheye="0,0,0,0")
    refused("engine cycles draws no lens", distortion=BARREL, engine="cycles", camera="flir-adas")
    refused("undistort the images first", distortion=BARREL, backgrounds=tmp_path / "frames")
    refused("expected numbers k1,k2,p1,p2", CameraError, distortion="1,2,3")
    refused("turns back inside of the picture", CameraError, distortion="-4,0,0,0", camera="flir-adas")


def test_without_a_lens_nothing_tells_of_one(tmp_path: Path) -> None:
    told = json.dumps(RenderConfig(out=tmp_path, camera="flir-adas").to_json())
    assert not any(word in told for word in ("lens", "distortion", "fisheye", "rig"))
    told = json.dumps(SynthesizeConfig(out=tmp_path, camera="flir-adas").to_json())
    assert not any(word in told for word in ("lens", "distortion", "fisheye", '"rig'))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    camera = tmp_path_factory.mktemp("camera") / "wide.toml"
    camera.write_text("width=256\nheight=200\nhfov_deg=75\nvfov_deg=62\nheight_m=1.5\n")
    config = SynthesizeConfig(
        out=tmp_path_factory.mktemp("distorted") / "set", count=1, sequence=0.3, seed=46, workers=1, model="physics",
        camera=str(camera), distortion=BARREL, passes="normals,parts,amodal,flow",
    )  # fmt: skip
    return synthesize_dataset(config)


def test_the_set_is_valid(made: Path) -> None:
    """Validation projects 3-D boxes by OpenCV, and looks at masks, depth and all passes."""
    assert validate(made).problems == []
    records = [*read_records(made, FrameRecord)]
    assert all(record.camera.lens is not None for record in records)
    assert sum(len(record.labelled) for record in records) >= 6


def test_flow_leads_to_the_ids_of_the_next_distorted_frame(made: Path) -> None:
    ids = [read_png(made / f"masks/{k:06d}.png") for k in (0, 1)]
    flow = read_exr(made / "flow/000000.exr")
    rows, columns = np.indices(ids[0].shape)
    x, y = np.floor(columns + 0.5 + flow["u"]).astype(int), np.floor(rows + 0.5 + flow["v"]).astype(int)
    inside = (flow["valid"] > 0) & (x >= 0) & (y >= 0) & (x < 256) & (y < 200)
    assert inside.mean() > 0.6
    # Without telling what is hidden: most of the few that differ are.
    assert (ids[0][inside] == ids[1][y[inside], x[inside]]).mean() > 0.98


def test_the_export_says_so(made: Path, tmp_path: Path) -> None:
    export_dataset(made, tmp_path / "kitti", "kitti")
    rows = (tmp_path / "kitti/training/calib/000000.txt").read_text().splitlines()
    assert [float(value) for value in rows[-1].split(":")[1].split()] == [float(value) for value in BARREL.split(",")]
    assert rows[-1].startswith("D_02: ")


def test_an_object_that_only_the_distorted_picture_shows_has_its_label() -> None:
    """A bicycle of the street of which no pixel of the pinhole picture below hits anything, and one here does."""
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    (sample,) = pipelines.synthesize(frames="24:25", model="physics", distortion="-0.3,0.1,0,0", seed=5)
    ids = set(np.unique(sample.instance_id).tolist()) - {0}
    assert ids == {item.id for item in sample.labelled if item.visible_px}


def test_edges_of_near_vehicles_are_those_of_the_pinhole_picture_alone() -> None:
    """They are numbers of its pixels, of which the distorted picture has others."""
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    camera = replace(assets.camera("flir-adas", (640, 512)), lens=Lens("brown-conrady", (-0.28, 0.07, 0.0008, -0.0005)))
    with renderer.open_scene(assets.CITY, camera=camera, seed=0) as scene:
        frame = scene.render(1)
    assert frame.edges is None
    assert frame.undistorted is not None
    assert frame.undistorted.edges is not None
    assert frame.undistorted.edges.pixel.max() < frame.undistorted.depth_m.size


def test_edges_are_for_pictures_alone(tmp_path: Path) -> None:
    """Passes without a picture have none and are the same; the picture of a near vehicle is another with them."""
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    config = SynthesizeConfig(out=tmp_path, camera="flir-adas", size="640x512", seed=0, model="physics")
    with open_session(config) as session:
        maker = FrameMaker(config, read_inputs(config), session, open_infrared(config))
        picture, passes = maker.place(Draw(0, 1)), maker.place(Draw(0, 1), edges=False)
        assert session.frame(1, normals=True, parts=True).edges is None
        blended, plain = (maker.infrared.make(one.frame, one.conditions, None, one.draw) for one in (picture, passes))
    assert picture.frame.edges is not None
    assert passes.frame.edges is None
    for name in ("depth_m", "instance_id", "zone", "part", "normal"):
        np.testing.assert_array_equal(getattr(picture.frame, name), getattr(passes.frame, name))
    assert (blended.image16 != plain.image16).any()
