"""Categories that came later: old data sets go on with theirs; words of other data sets are ours."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.dataset.description import dataset_header
from pipelines.dataset.labels import CATEGORIES, SAME_AS, SUPERCATEGORIES
from pipelines.dataset.labels.coco import KEY_POINTS, SKELETON
from pipelines.dataset.labels.kitti import kitti_type
from pipelines.errors import ConfigError
from pipelines.synthesis.config import SynthesizeConfig, parse_objects
from renderer.zones.names import CATEGORIES as OF_RENDERER


def header(stored: dict[str, Any] | None = None) -> dict[str, Any]:
    return dataset_header({}, "flat", 1, stored)


def test_old_data_sets_keep_their_categories_and_zones() -> None:
    old = {"categories": ["car", "van", "truck", "bus"], "zones": {"background": 0, "body": 1}}
    assert header(old)["categories"] == old["categories"]
    assert header(old)["zones"] == old["zones"]
    assert header()["categories"] == list(CATEGORIES)
    assert header({"categories": ["bus", "car"]})["categories"] == list(CATEGORIES), "not ours: refused elsewhere"
    assert header({"categories": [], "zones": {"body": 7}})["zones"] == header()["zones"]


def test_both_packages_name_the_same_categories_in_one_order() -> None:
    assert CATEGORIES == OF_RENDERER
    assert CATEGORIES[:4] == ("car", "van", "truck", "bus"), "numbers of old data sets"
    assert set(SUPERCATEGORIES) <= set(CATEGORIES)
    assert set(SAME_AS.values()) <= set(CATEGORIES)


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
    for text in ("people", "people=-1", "people=x", "trams=2", "people=101"):
        with pytest.raises(ConfigError, match=r"objects: .*expected KIND=NUMBER"):
            parse_objects(text)
    config = SynthesizeConfig(out=tmp_path / "out", model="physics", objects="people=0")
    assert config.most_people == 0
    assert "objects" not in config.to_json(), "as data sets from before there were people"
