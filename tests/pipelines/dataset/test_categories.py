"""Categories that came later: old data sets go on with theirs; words of other data sets are ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.dataset.contact_sheet import CATEGORY_COLOURS
from pipelines.dataset.description import dataset_header
from pipelines.dataset.labels import CATEGORIES, ORDINARY, SAME_AS, SUPERCATEGORIES
from pipelines.dataset.labels.coco import KEY_POINTS, SKELETON
from pipelines.dataset.labels.kitti import kitti_type
from pipelines.errors import ConfigError
from pipelines.export.formats.mot import CLASSES as MOT_CLASSES
from pipelines.synthesis.options.choices import parse_objects
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.source_tensor import LABEL_COLOURS
from renderer.scene.object_sizes import is_plausible


def header(stored: dict[str, Any] | None = None) -> dict[str, Any]:
    return dataset_header({}, "flat", 1, stored)


def test_old_data_sets_keep_their_categories_and_zones() -> None:
    old = {"categories": ["car", "van", "truck", "bus"], "zones": {"background": 0, "body": 1}}
    assert header(old)["categories"] == old["categories"]
    assert header(old)["zones"] == old["zones"]
    assert header()["categories"] == list(ORDINARY)
    assert header({"categories": ["bus", "car"]})["categories"] == list(ORDINARY), "not ours: refused elsewhere"
    assert header({"categories": [], "zones": {"body": 7}})["zones"] == header()["zones"]


def test_numbers_of_old_data_sets_stay() -> None:
    old = ("car", "van", "truck", "bus", "person", "bicycle", "motorcycle", "dog", "deer", "scooter", "stroller", "cat")
    assert CATEGORIES[:12] == ORDINARY == old
    assert set(SAME_AS.values()) <= set(CATEGORIES)


def test_every_category_has_a_row_in_every_table() -> None:
    for table in (SUPERCATEGORIES, CATEGORY_COLOURS, LABEL_COLOURS, MOT_CLASSES):
        assert set(table) == set(CATEGORIES)
    assert len(set(CATEGORY_COLOURS.values())) == len(set(LABEL_COLOURS.values())) == len(CATEGORIES)
    assert not is_plausible("tram", (0.2, 0.2, 0.2))
    assert not any(is_plausible(name, (1000.0, 1.0, 1.0)) for name in CATEGORIES)


def test_a_set_lists_street_furniture_where_it_may_show_it(tmp_path: Path) -> None:
    """Else its files are the same as before there was any; a user's own scene may be marked with everything."""
    own = tmp_path / "own.blend"
    own.touch()

    def listed(**options: Any) -> tuple[str, ...]:
        return SynthesizeConfig(out=tmp_path / "out", model="physics", **options).categories

    assert listed() == listed(scene=Path("worlds")) == listed(backgrounds=tmp_path) == ORDINARY
    assert listed(label_furniture=True) == listed(scene=own) == CATEGORIES
    told = SynthesizeConfig(out=tmp_path / "out", model="physics").to_json()
    assert "label_furniture" not in told, "as data sets from before"
    assert listed(objects="trams=1") == CATEGORIES
    assert listed(objects="trams=0") == ORDINARY
    assert listed(objects="trailers=1") == CATEGORIES
    with pytest.raises(ConfigError, match="trailers are put into single frames of streets: leave --sequence or"):
        listed(objects="trailers=1", sequence=2.0)
    with pytest.raises(ConfigError, match="trams are put into single frames of streets: leave --sequence or"):
        listed(objects="trams=1", sequence=2.0)
    with pytest.raises(ConfigError, match="trams are put into single frames of streets: leave --backgrounds or"):
        listed(objects="trams=1", backgrounds=tmp_path)
    with pytest.raises(ConfigError, match="label-furniture is drawn by --engine raster alone"):
        listed(label_furniture=True, engine="cycles")


def test_kitti_and_coco_know_people_by_their_own_words() -> None:
    """Types of KITTI's development kit; COCO's 17 points and 19 lines of person_keypoints_val2017.json."""
    assert kitti_type("person", "walking") == "Pedestrian"
    assert kitti_type("person", "sitting") == "Person_sitting"
    assert kitti_type("car") == "Car"
    assert (len(KEY_POINTS), len(SKELETON)) == (17, 19)
    assert max(max(pair) for pair in SKELETON) == 17


def test_counts_of_objects(tmp_path: Any) -> None:
    assert parse_objects(None) == {}
    assert parse_objects("people=8") == {"people": 8}
    for text in ("people", "people=-1", "people=x", "tram=2", "people=101"):
        with pytest.raises(ConfigError, match=r"objects: .*expected KIND=NUMBER"):
            parse_objects(text)
    config = SynthesizeConfig(out=tmp_path / "out", model="physics", objects="people=0")
    assert config.most_people == 0
    assert "objects" not in config.to_json(), "as data sets from before there were people"
