"""What an export says of itself: the card, the citation, the head of COCO files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pipelines.dataset.store import generator
from pipelines.dataset.terms import ingredients, size_category
from pipelines.export.formats import FORMATS
from pipelines.export.job import Job
from pipelines.io.escape import for_markdown

__all__ = [
    "card_text",
    "citation_text",
    "coco_head",
    "description_text",
    "front_matter",
    "licence_page",
    "title_text",
    "write_about",
]

_SPDX_PAGE: Final = "https://spdx.org/licenses/{}.html"
_CARD: Final = "README.md"


def description_text(job: Job) -> str:
    """One sentence about the set."""
    real = job.description.configuration["backgrounds"] is not None
    made = "objects rendered into real thermal images" if real else "a rendered scene"
    return f"{len(job.split.of)} synthetic long-wave infrared images with labels: {made}, made by gis."


def coco_head(job: Job) -> dict[str, Any]:
    """``info`` and ``licenses`` of a COCO file."""
    terms = [f"{one.what} {one.name}: {one.terms}" for one in ingredients(job.description.configuration)]
    info = {
        "description": description_text(job),
        "version": str(job.description.version),
        "contributor": generator(),
        "classes": job.classes.name,
        "ingredients": terms,
    }
    licence = job.config.license
    return {
        "info": info,
        "licenses": [] if licence is None else [{"id": 1, "name": licence, "url": licence_page(licence)}],
    }


def licence_page(name: str) -> str:
    """Address of a licence's text, by its SPDX name."""
    return _SPDX_PAGE.format(name)


def citation_text(job: Job) -> str:
    """How the set and what it was made of are cited, in one line."""
    terms = " ".join(f"{one.what} {one.name}: {one.terms}." for one in ingredients(job.description.configuration))
    return f"{title_text(job)}, made by {generator()}. {terms}"


def write_about(job: Job) -> None:
    """Writes the card, unless the format has one of its own, and ``CITATION.cff``."""
    if not (job.out / _CARD).exists():
        job.write_text(_CARD, "\n".join(_card(job)) + "\n")
    job.write_text("CITATION.cff", "\n".join(_citation(job)) + "\n")


def _card(job: Job) -> Iterator[str]:
    yield from ("---", *front_matter(job), "---", "")
    yield from card_text(job)


def front_matter(job: Job) -> Iterator[str]:
    """What the hub reads of a card."""
    if job.config.license is not None:
        yield f"license: {job.config.license.lower()}"
    yield f"pretty_name: {json.dumps(title_text(job))}"
    yield "task_categories:"
    yield "- object-detection"
    yield "tags:"
    yield from ("- thermal", "- infrared", "- synthetic")
    yield from ("size_categories:", f"- {size_category(len(job.split.of))}")


def title_text(job: Job) -> str:
    """Title of the set."""
    return f"Thermal street images: {job.description.place['name']}"


def card_text(job: Job) -> Iterator[str]:
    """The card below its front matter."""
    yield f"# Thermal street images: {for_markdown(job.description.place['name'])}"
    yield from ("", description_text(job), "")
    yield f"Format: {FORMATS[job.config.format].about}. `export.json` says how it was made, `splits.json` which"
    yield "frame is in which split: frames of one background, sequence or place of a scene stand in one split only."
    yield from ("", "| class | of | objects |", "|---|---|---:|")
    counts = _count_objects(job)
    for number in job.classes.used:
        name = job.classes.names[number]
        ours = ", ".join(for_markdown(one) for one, theirs in job.classes.of.items() if theirs == name)
        yield f"| {for_markdown(name)} | {ours} | {counts.get(number, 0)} |"
    yield from ("", f"{counts.get(-1, 0)} more are ignored: {_how_ignored(job)}.", "")
    yield from ("## Made of", "", "| what | name | terms |", "|---|---|---|")
    for one in ingredients(job.description.configuration):
        yield f"| {one.what} | {for_markdown(one.name)} | {one.terms} |"
    yield from ("", "## Licence", "")
    yield for_markdown(job.config.license) if job.config.license else "None was stated when the set was exported."


def _how_ignored(job: Job) -> str:
    if job.paints:
        return "painted over in the images"
    if job.config.ignored in ("leave-out", "background"):
        return "their images were left out" if job.config.ignored == "leave-out" else "they count as background"
    return "marked as the format marks them"


def _count_objects(job: Job) -> dict[int, int]:
    """Objects by the place of their class; -1 are those that are ignored."""
    counts: dict[int, int] = {}
    for frame in job.frames():
        for item in (*frame.objects, *frame.painted):
            number = -1 if item.ignored else item.number
            counts[number] = counts.get(number, 0) + 1
    return counts


def _citation(job: Job) -> Iterator[str]:
    """Citation File Format 1.2."""
    yield "cff-version: 1.2.0"
    yield "message: If you use this data set, please cite it and what it was made of."
    yield "type: dataset"
    yield f"title: {json.dumps(title_text(job))}"
    yield f"abstract: {json.dumps(description_text(job))}"
    yield "authors:"
    yield "- name: gis"
    if job.config.license is not None:
        yield f"license: {job.config.license}"
    if any("RoadScene" in one.terms for one in ingredients(job.description.configuration)):
        yield "references:"
        yield "- type: conference-paper"
        yield '  title: "FusionDN: A Unified Densely Connected Network for Image Fusion"'
        yield "  year: 2020"
        yield "  authors:"
        for family, given in (
            ("Xu", "Han"),
            ("Ma", "Jiayi"),
            ("Le", "Zhuliang"),
            ("Jiang", "Junjun"),
            ("Guo", "Xiaojie"),
        ):
            yield from (f"  - family-names: {family}", f"    given-names: {given}")
