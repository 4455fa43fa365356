"""`--rig`: which cameras there are, what is refused, and a stereo pair of the city against geometry and OpenCV."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.dataset.passes.stereo import disparity_files, disparity_px
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.rig import projection, read_rig
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.errors import ConfigError
from pipelines.export.run import export_dataset
from pipelines.io.exr import read_exr
from pipelines.io.images import read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.rigs.rig_files import named_rig
from renderer.random_streams import Draw, Moment, Stream

THREE = """
[front]
camera = "flir-adas"
size = "96x64"

[side]
camera = "flir-one-pro"
sensor = "lepton"
position_m = [-0.4, 0.1, 0.2]
rotation_deg = [3.0, -40.0, 1.0]

[beside]
camera = "flir-adas"
size = "96x64"
position_m = [0.3, 0.0, 0.0]
"""


def test_the_shipped_pair_is_rectified_and_takes_the_camera_that_is_named() -> None:
    rig = named_rig("kitti-stereo", "flir-adas", "640x512")
    left, right = rig.cameras
    assert (left.name, right.name, left.camera.width) == ("left", "right", 640)
    assert rig.partner("left") == (right, 0.54)
    assert rig.partner("right") == (left, -0.54)
    # As KITTI's devkit has it: P1 takes points of the first camera's axes, and its last column is -f * b.
    assert projection(right)[0, 3] == pytest.approx(-0.54 * left.camera.fx)
    assert projection(left)[0, 2] == left.camera.cx - 0.5


def test_points_go_through_a_rig_as_through_opencv(tmp_path: Path) -> None:
    (tmp_path / "three.toml").write_text(THREE)
    rig = named_rig(str(tmp_path / "three.toml"))
    side = rig.camera("side")
    assert side.camera.sensor == "lepton"
    points = np.random.default_rng(1).uniform((-6, -2, 4), (2, 2, 30), (40, 3))
    to_side = np.linalg.inv(side.cam_to_first)
    turn, _ = cv2.Rodrigues(to_side[:3, :3])
    K = side.camera.K - [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]]
    wanted = cv2.projectPoints(points, turn, to_side[:3, 3], K, np.zeros(4))[0][:, 0]
    found = np.concatenate([points, np.ones((40, 1))], axis=1) @ projection(side).T
    assert np.abs(found[:, :2] / found[:, 2:] - wanted).max() < 1e-6
    # Turned by -40 degrees about the axis that points down, it looks to the left; by 3 about the one to the right, up.
    assert side.cam_to_first[0, 2] < -0.5
    assert side.cam_to_first[1, 2] < 0
    assert rig.partner("front") == (rig.camera("beside"), 0.3)
    assert rig.partner("side") is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[one]\n", "two cameras or more"),
        ("[one]\n[two]\nposition = [1, 0, 0]\n", "unknown key 'position'"),
        ("[one]\n[two]\nposition_m = [1, 0]\n", "three numbers"),
        ("[one]\nposition_m = [1, 0, 0]\n[two]\n", "is the first"),
        ('[one]\n["../two"]\n', "a name that a folder can have"),
        ("[one]\n[two]\ncam_to_first = [[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]\n", "a turn and a position"),
        ("[one]\n[two]\ncamera = 'nothing'\n", "unknown camera 'nothing'"),
    ],
)
def test_tables_that_are_no_rig_are_refused(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "rig.toml").write_text(text)
    with pytest.raises(ConfigError, match=named):
        named_rig(str(tmp_path / "rig.toml"))


def test_what_a_rig_cannot_have_is_refused(tmp_path: Path) -> None:
    def refused(named: str, **options: object) -> None:
        with pytest.raises(ConfigError, match=named):
            SynthesizeConfig(out=tmp_path / "out", **options)  # type: ignore[arg-type]

    (tmp_path / "frames").mkdir()
    (tmp_path / "three.toml").write_text(THREE.replace("[0.3, 0.0, 0.0]", "[0.3, 0.01, 0.0]"))
    refused("stereo needs a second camera", passes="stereo")
    refused("rig-camera is one of a --rig", rig_camera="left")
    refused("expected one of left, right", rig="kitti-stereo", rig_camera="middle")
    refused("cannot be with backgrounds", rig="kitti-stereo", backgrounds=tmp_path / "frames")
    refused("cannot be with max-label-error", rig="kitti-stereo", max_label_error=0.5)
    refused("no two cameras .* are rectified", rig=str(tmp_path / "three.toml"), passes="stereo")
    refused("unknown rig 'stereo'", rig="stereo")


def test_disparity_files_are_those_of_kitti(tmp_path: Path) -> None:
    depth = np.array([[10.0, np.inf, 0.5], [54.3, 7.77, 1000.0]], np.float32)
    disparity = disparity_px(depth, 721.5, -0.54)
    files = disparity_files("000003", disparity)
    coded = cv2.imdecode(np.frombuffer(files["disparity/000003.png"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert coded.dtype == np.uint16
    (tmp_path / "d.exr").write_bytes(files["disparity/000003.exr"])
    exact = read_exr(tmp_path / "d.exr")["disparity"]
    wanted = 721.5 * 0.54 / depth
    assert np.allclose(exact, wanted, rtol=1e-6)
    assert coded.tolist()[0][1:] == [0, 0]  # the sky, and what 16 bits do not hold
    assert np.abs(coded / 256 - wanted)[[0, 1, 1], [0, 0, 1]].max() <= 1 / 512


def test_cameras_have_noise_of_their_own_and_nothing_else() -> None:
    first, second, alone = (Draw(3, 7, camera=number) for number in (0, 1, None))
    drawn = {name: [one.rng(name).random() for one in (first, second, alone)] for name in Stream}
    assert {name for name, (a, b, _) in drawn.items() if a != b} == {Stream.SENSOR, Stream.SENSOR_VARIETY}
    assert all(a == c for a, _, c in drawn.values())
    moving = [Draw(3, 7, 0, Moment(1, 2, 5, 10.0), number).rng(Stream.SENSOR).random() for number in (0, 1, 2)]
    assert len(set(moving)) == 3


# --- the city, seen by two cameras ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("bpy", reason="Blender as a Python module is not installed")
    out = tmp_path_factory.mktemp("stereo") / "set"
    config = SynthesizeConfig(
        out=out, count=2, seed=4, workers=1, model="physics", rig="kitti-stereo", size="416x128", passes="stereo"
    )
    return synthesize_dataset(config)


def _planes(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ids, depth = read_png(folder / f"masks/{name}.png"), read_exr(folder / f"depth/{name}.exr")["Z"]
    return ids, depth, read_exr(folder / f"disparity/{name}.exr")["disparity"]


def test_disparity_takes_the_left_ids_onto_the_right_ones(pair: Path) -> None:
    agreeing = both = moved = 0
    for name in ("000000", "000001"):
        (ids, depth, disparity), (others, far, _) = (_planes(pair / side, name) for side in ("left", "right"))
        rows, columns = np.indices(ids.shape)
        there = np.floor(columns + 0.5 - disparity).astype(int)
        inside = (there >= 0) & np.isfinite(depth)
        rows, there = rows[inside], there[inside]
        # Both see a point where the right picture has its depth; rows of the road are farther apart than that.
        seen = np.abs(1 / far[rows, there] - 1 / depth[inside]) * 0.54 * 360 < 0.35
        same = ids[inside] == others[rows, there]
        agreeing, both = agreeing + int((same & seen).sum()), both + int(seen.sum())
        moved += int((ids[inside] != others[rows, columns[inside]]).sum())
    assert both > 0.5 * 2 * 416 * 128
    assert agreeing / both >= 0.999
    assert moved > 500


def test_the_same_objects_are_as_warm_for_both(pair: Path) -> None:
    sets = [[*read_records(pair / side, FrameRecord)] for side in ("left", "right")]
    compared = 0
    for left, right in zip(*sets, strict=True):
        assert left.conditions == right.conditions
        known = {item.id: item for item in left.labelled}
        kelvin = []
        for side, record in (("left", left), ("right", right)):
            low, high = record.span_K or (0.0, 1.0)
            kelvin.append(low + read_png(pair / side / f"images16/{record.stem}.png") / 65535 * (high - low))
        masks = [read_png(pair / side / f"masks/{left.stem}.png") for side in ("left", "right")]
        assert not np.array_equal(kelvin[0], kelvin[1])
        for item in right.labelled:
            if item.id in known and min(item.visible_px, known[item.id].visible_px) > 300 and item.truncation < 0.1:
                means = [float(picture[mask == item.id].mean()) for picture, mask in zip(kelvin, masks, strict=True)]
                assert abs(means[0] - means[1]) < 0.3
                compared += 1
    assert compared >= 2


def test_the_pair_is_valid_and_exported_as_kitti_has_pairs(pair: Path, tmp_path: Path) -> None:
    assert validate(pair).problems == []
    rig = read_rig(pair)
    export_dataset(pair, tmp_path / "kitti", "kitti")
    for side, place in (("left", 2), ("right", 3)):
        path = tmp_path / f"kitti/training/image_{place}/000001.png"
        assert path.read_bytes() == (pair / side / "images/000001.png").read_bytes()
    rows = dict(line.split(": ", 1) for line in (tmp_path / "kitti/training/calib/000001.txt").read_text().splitlines())
    matrices = {name: np.array(values.split(), float).reshape(3, 4) for name, values in rows.items() if name[0] == "P"}
    baseline = (matrices["P2"][0, 3] - matrices["P3"][0, 3]) / matrices["P2"][0, 0]
    assert baseline == pytest.approx(0.54)
    assert np.allclose(matrices["P3"], projection(rig.camera("right")))


def test_validation_finds_a_pair_that_is_none(pair: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(pair, tmp_path / "copy"))
    about = json.loads((copy / "rig.json").read_text())
    about["cameras"][1]["cam_to_first"][0][3] = 0.6
    (copy / "rig.json").write_text(json.dumps(about))
    assert any("calib.txt: P1" in problem for problem in validate(copy).problems)
    (copy / "right/images/000000.png").write_bytes((copy / "left/images/000000.png").read_bytes())
    assert any(problem.startswith("right/images/000000.png") for problem in validate(copy).problems)
