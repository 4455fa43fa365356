"""What a set says of itself, whoever reads it: title, licence, what it was made of, how it is cited.

The data set of `gis synthesize` and everything that is exported of it say it in the same words: the card and
``CITATION.cff``, the head of COCO files, ``croissant.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipelines.dataset.store import generator
from pipelines.dataset.terms import Ingredient, ingredients, size_category
from pipelines.io.escape import for_console, for_markdown

__all__ = ["CITATION_FILE", "About", "about_set"]

CITATION_FILE: Final = "CITATION.cff"
_SPDX_PAGE: Final = "https://spdx.org/licenses/{}.html"
_FUSION_DN: Final = (("Xu", "Han"), ("Ma", "Jiayi"), ("Le", "Zhuliang"), ("Jiang", "Junjun"), ("Guo", "Xiaojie"))


@dataclass(frozen=True)
class About:
    """A set in words."""

    title: str
    sentence: str
    """What it is."""
    images: int
    version: int
    """Of the format of its records."""
    license: str | None
    """That who made it gives it, as SPDX names it; None: none was stated."""
    ingredients: tuple[Ingredient, ...]

    @property
    def license_page(self) -> str | None:
        """Address of the licence's text."""
        return None if self.license is None else _SPDX_PAGE.format(self.license)

    @property
    def citation(self) -> str:
        """How the set and what it was made of are cited, in one line."""
        return f"{self.title}, made by {generator()}. {' '.join(f'{line}.' for line in self.terms)}"

    @property
    def terms(self) -> list[str]:
        """One line for each thing that it was made of."""
        return [f"{one.what} {one.name}: {one.terms}" for one in self.ingredients]

    def coco_head(self, **more: Any) -> dict[str, Any]:
        """``info`` and ``licenses`` of a COCO file; all images are of the licence 1.

        Args:
            more: Further entries of ``info``.
        """
        info = {"description": self.sentence, "version": str(self.version), "contributor": generator()}
        name = self.license or "none was stated; info.ingredients has the terms of what the images were made of"
        licence = {"id": 1, "name": name, "url": self.license_page or ""}
        return {"info": {**info, **more, "ingredients": self.terms}, "licenses": [licence]}

    def front_matter(self) -> Iterator[str]:
        """What the Hugging Face hub reads of a card."""
        yield f"license: {'unknown' if self.license is None else self.license.lower()}"
        yield f"pretty_name: {json.dumps(self.title)}"
        yield from ("task_categories:", "- object-detection", "tags:", "- thermal", "- infrared", "- synthetic")
        yield from ("size_categories:", f"- {size_category(self.images)}")

    def terms_table(self) -> Iterator[str]:
        """A table of what it was made of, as Markdown."""
        yield from ("| what | name | terms |", "|---|---|---|")
        for one in self.ingredients:
            yield f"| {one.what} | {for_markdown(one.name)} | {for_markdown(one.terms)} |"

    def citation_file(self) -> str:
        """``CITATION.cff``, of Citation File Format 1.2."""
        return "\n".join(self._citation_lines()) + "\n"

    def _citation_lines(self) -> Iterator[str]:
        yield "cff-version: 1.2.0"
        yield "message: If you use this data set, please cite it and what it was made of."
        yield "type: dataset"
        yield f"title: {json.dumps(self.title)}"
        yield f"abstract: {json.dumps(self.sentence)}"
        yield from ("authors:", "- name: gis")
        if self.license is not None:
            yield f"license: {self.license}"
        if any("RoadScene" in one.terms for one in self.ingredients):
            yield from ("references:", "- type: conference-paper")
            yield '  title: "FusionDN: A Unified Densely Connected Network for Image Fusion"'
            yield from ("  year: 2020", "  authors:")
            for family, given in _FUSION_DN:
                yield from (f"  - family-names: {family}", f"    given-names: {given}")


def about_set(configuration: Mapping[str, Any], version: int, images: int, license: str | None = None) -> About:
    """What a set of images says of itself.

    Args:
        configuration: Of the data set that they are of.
        version: Of the format of its records.
        images: How many there are.
        license: That they get; None: that of the data set.
    """
    place = configuration["backgrounds"] or configuration["scene"]
    made = "objects rendered into real thermal images" if configuration["backgrounds"] else "a rendered scene"
    return About(
        f"Thermal street images: {for_console(str(place['name']))}",
        f"{images} synthetic long-wave infrared images with labels: {made}, made by gis.",
        images,
        version,
        license or configuration.get("license"),
        ingredients(configuration),
    )
