"""The pages below docs/: every link leads somewhere, every command on them can be typed, and the site shows them all.

Needs nothing of what builds the site (`make docs`): generated pages are made by the same functions.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from gan.backends.registry import backend_names
from pipelines.cli.main import COMMANDS, load_command

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
sys.path.append(str(DOCS / "generate"))
from generated_pages import generated_pages, named_pages, with_all_pages  # noqa: E402
from option_pages import command_options  # noqa: E402
from page_links import with_titles  # noqa: E402

PAGES_BY_PATH = generated_pages()
PAGES = sorted(path.relative_to(ROOT) for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?: {4,}|\t).*$", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
OF_ALL_COMMANDS = ("--json", "--log-format", "json")
"""Options of gis itself, which may stand behind any command."""
PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_,=:/+-]*|\.\.\.")


def _text(page: Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _without_code(text: str) -> str:
    code = INDENTED.sub(lambda found: found[0] if "](" in found[0] else "", FENCE.sub("", text))
    return re.sub(r"`[^`\n]+`", "", code)


def _links(text: str) -> Iterator[str]:
    for target in LINK.findall(_without_code(text)):
        if not re.match(r"[a-z]+:", target) and not target.startswith("#"):
            yield target.partition("#")[0]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_files(page: Path) -> None:
    """On GitHub too: links between the files themselves, or to a page that the site generates."""
    missing = []
    for target in _links(_text(page)):
        path = (ROOT / page).parent / target
        below = path.resolve().relative_to(DOCS).as_posix() if path.resolve().is_relative_to(DOCS) else ""
        if not path.exists() and below not in PAGES_BY_PATH:
            missing.append(target)
    assert not missing


def test_links_of_generated_pages_lead_somewhere() -> None:
    missing = [
        f"{page}: {target}"
        for page, text in PAGES_BY_PATH.items()
        for target in _links(text)
        if (path := _joined(page, target)) not in PAGES_BY_PATH and not (DOCS / path).exists()
    ]
    assert not missing


def _joined(page: str, target: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(page).parent.parts, *PurePosixPath(target).parts):
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def test_every_page_is_in_the_navigation_once() -> None:
    entries = list(named_pages(with_all_pages(yaml.safe_load(_text(Path("mkdocs.yml")))["nav"])))
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert sorted(entries) == sorted([*pages, *PAGES_BY_PATH])


def test_a_page_that_no_line_names_is_shown_too() -> None:
    navigation = [{"Home": ["index.md"]}, {"How to": ["how-to/index.md", {"More": "*"}]}, {"Empty": []}]
    shown = with_all_pages(navigation)
    assert shown[0] == {"Home": ["index.md"]}
    assert "how-to/people.md" in shown[1]["How to"][1]["More"]
    assert not {"index.md", "how-to/index.md"} & set(shown[1]["How to"][1]["More"])


def test_names_of_files_become_titles_and_code_stays() -> None:
    named, linked = "docs/how-to/people.md", "[docs/how-to/cars.md](../how-to/cars.md#zones)"
    code = f"`{named}`\n\n    gis view  # {named}\n"
    people = "[People and two-wheelers](../how-to/people.md)"
    cars = "[Car models from files](../how-to/cars.md#zones)"
    assert with_titles(f"{named}, {linked}, {code}", "tutorials/blender.md") == f"{people}, {cars}, {code}"


def test_every_option_of_a_command_is_in_the_reference() -> None:
    """Against what the command line itself takes."""
    for name in COMMANDS:
        page = PAGES_BY_PATH[f"reference/commands/{name}.md"]
        taken = {flag for one in load_command(name).params for flag in (*one.opts, *one.secondary_opts)}
        shown = set(re.findall(r"`(--[a-zA-Z0-9-]+)`(?=<br>| \|)", page))
        assert shown == {flag for flag in taken if flag.startswith("--")}, f"gis {name}"


def _command_lines(text: str) -> Iterator[str]:
    """Lines of code that begin with gis, joined where they go on."""
    code = "\n".join([*FENCE.findall(text), *INDENTED.findall(FENCE.sub("", text))])
    for line in re.sub(r"\\\n\s*", " ", code).splitlines():
        found = re.match(r"\s*(?:\$ )?(?:[A-Z]+=\S+ )*(?:time )?(?:\.venv/bin/)?gis ([a-z].*)", line)
        if found and found[1].split()[0].isalpha():
            yield found[1]


def _words(line: str) -> list[str]:
    """Arguments of a line without its comment and without what marks some of them as left out."""
    words = shlex.split(line.split("  #")[0].split(" && ")[0].split(" | ")[0].rstrip("&\\ "), comments=True)
    return [word.strip("[]") for word in words if word not in ("...", "[...]")]


ALL_LINES = [(str(page), line) for page in PAGES for line in dict.fromkeys(_command_lines(_text(page)))]


@pytest.mark.parametrize(("page", "line"), [one for one in ALL_LINES if one[0] != "CHANGELOG.md"])
def test_commands_on_the_pages_can_be_typed(page: str, line: str) -> None:
    name, *arguments = [word for word in _words(line) if word not in OF_ALL_COMMANDS]
    assert name in COMMANDS, f"{page}: gis {name} is no command"
    command = _command(name)
    context = command.make_context(name, [_example(word) for word in arguments])
    _check_values(name, {key: value for key, value in context.params.items() if _was_typed(context, key)})


@cache
def _command(name: str) -> Any:
    return load_command(name)


def _was_typed(context: Any, name: str) -> bool:
    return str(context.get_parameter_source(name)).endswith("COMMANDLINE")


def _example(word: str) -> str:
    """A value in the place of a placeholder such as N."""
    return "1" if re.fullmatch(r"[A-Z]", word) else word


def _check_values(name: str, values: dict[str, Any]) -> None:
    """Words and limits, as the dataclass checks them; whether files exist is not asked."""
    for one in command_options(name):
        value = values.get(one.name)
        if one.declared is None or value is None or PLACEHOLDER.fullmatch(str(value)):
            continue
        if one.declared.choices:
            words = value if isinstance(value, list) else str(value).split("|")
            assert {*words} <= {*one.declared.choices}, f"{one.name} {value}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_commands_in_sentences_have_these_options(page: Path) -> None:
    """`gis synthesize --density 2` in a line of text."""
    if page.name == "CHANGELOG.md":
        pytest.skip("speaks of earlier versions too")
    text = INDENTED.sub("", FENCE.sub("", _text(page)))
    for code in re.findall(r"`gis ([a-z]+ [^`\n]*)`", text):
        name, *words = code.split()
        assert name in COMMANDS, code
        flags = {flag for one in command_options(name) for flag in one.flags}
        typed = {word.strip("[],.:;").partition("=")[0] for word in words if word.strip("[").startswith("--")}
        assert typed <= flags, code


PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
MAKER = re.compile(r"(?:^|[\s`/])(?:gis [a-z]+\b|python -m benchmarks\.|make [a-z])")


@pytest.mark.parametrize("page", [page for page in PAGES if PICTURE.search(_text(page))], ids=str)
def test_pictures_stand_with_the_command_that_makes_them(page: Path) -> None:
    """In the same part of the page, between two headings."""
    without = []
    for part in re.split(r"^(?=#{1,4} )", FENCE.sub(_without_headings, _text(page)), flags=re.MULTILINE):
        code = [*FENCE.findall(part), *INDENTED.findall(part), *re.findall(r"`[^`\n]+`", part)]
        if not any(MAKER.search(piece) for piece in code if "](" not in piece):
            without += PICTURE.findall(part)
    assert not without


def _without_headings(found: re.Match[str]) -> str:
    """Code whose comments do not look like headings."""
    return re.sub(r"^#", " #", found[0], flags=re.MULTILINE)


def test_every_picture_is_shown() -> None:
    pages = "".join(_text(page) for page in PAGES)
    assert [path.name for path in (DOCS / "images").rglob("*.*") if f"/{path.name})" not in pages] == []


def test_messages_of_the_troubleshooting_page_are_ours() -> None:
    """What stands first in a row as code is a part of a message, word for word."""
    files = [path for name in ("gan", "pipelines", "renderer") for path in (ROOT / name).rglob("*.py")]
    sources = "".join(path.read_text(encoding="utf-8") for path in [*files, ROOT / "Makefile"])
    said = re.findall(r"^\| `([^`]+)` \|", _text(Path("docs/troubleshooting.md")), re.MULTILINE)
    assert len(said) > 20
    assert [message for message in said if message not in sources] == []


@pytest.mark.parametrize("name", backend_names())
def test_every_model_has_its_paper(name: str) -> None:
    """`gis models` points at a heading of the page of papers."""
    assert f"\n## {name}\n" in (DOCS / "models" / "papers.md").read_text(encoding="utf-8")
