"""What an export says of itself: the card, the citation, the head of COCO files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.dataset.about import CITATION_FILE, About, about_set
from pipelines.export.formats import FORMATS
from pipelines.export.job import Job
from pipelines.io.escape import for_markdown

__all__ = ["about", "card_text", "write_about"]

_CARD: Final = "README.md"


def about(job: Job) -> About:
    """The export in words."""
    return about_set(job.description.configuration, job.description.version, len(job.split.of), job.config.license)


def write_about(job: Job) -> None:
    """Writes the card, unless the format has one of its own, and ``CITATION.cff``."""
    told = about(job)
    if not (job.out / _CARD).exists():
        job.write_text(_CARD, "\n".join(("---", *told.front_matter(), "---", "", *card_text(job))) + "\n")
    job.write_text(CITATION_FILE, told.citation_file())


def card_text(job: Job) -> Iterator[str]:
    """The card below its front matter."""
    told = about(job)
    yield f"# {for_markdown(told.title)}"
    yield from ("", told.sentence, "")
    yield f"Format: {FORMATS[job.config.format].about}. `export.json` says how it was made, `splits.json` which"
    yield "frame is in which split: frames of one background, sequence or place of a scene stand in one split only."
    yield from ("", "| class | of | objects |", "|---|---|---:|")
    counts = _count_objects(job)
    for number in job.classes.used:
        name = job.classes.names[number]
        ours = ", ".join(for_markdown(one) for one, theirs in job.classes.of.items() if theirs == name)
        yield f"| {for_markdown(name)} | {ours} | {counts.get(number, 0)} |"
    yield from ("", f"{counts.get(-1, 0)} more are ignored: {_how_ignored(job)}.", "")
    yield from ("## Made of", "", *told.terms_table())
    yield from ("", "## Licence", "")
    yield (for_markdown(told.license) if told.license else "None was stated.")


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
