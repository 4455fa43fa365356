"""Names out of files where people read them: the card, pages, the terminal, the sheet of a fit."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipelines.dataset.card import _how, _table
from pipelines.dataset.description import DatasetDescription
from pipelines.errors import ConfigError
from pipelines.fitting.review import read_decisions, write_sheet, written
from pipelines.io.escape import for_console, for_markdown
from pipelines.io.html import fill_template

NAMES = [
    "<script>alert(1)</script>", "a](javascript:alert(1))", "a\n# Heading", "\x1b[2Jgone", "car\u202egpj", "a|b|c",
    "`x`", "![p](http://x/y.png)", "http://evil.example", "www.evil.example", "__init__", "*b*", "-\n-",
    "<!-- x", "&lt;b&gt;",
    "a\r\nb", "\u2028x", "&#60;script&#62;", "\\", "{{ 7 * 7 }}", "{% include 'x' %}",
    "'\"><img src=x onerror=y>", "\x00",
]  # fmt: skip


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_the_card_is_plain_text(name: str) -> None:
    """Against a reader of CommonMark, with GitHub's tables and bare addresses, that is not ours."""
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py, which rich brings, is not installed")
    reader = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    text = "\n".join(_table(("category", "objects"), {name: 3}))
    html = reader.render(text)
    assert Tags(html).seen == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    shown = re.findall(r"<td>(.*)</td>", html)
    assert unescape(shown[0]) == for_console(name).strip()


@pytest.mark.parametrize("name", ["hatchback", "city.blend", "parked_cold", "2024-06-01", "0.5", "null", "a b"])
def test_plain_names_stay_as_they_are(name: str) -> None:
    assert for_markdown(name) == name


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_page_is_plain_text(name: str) -> None:
    page = fill_template("<p title='{{ name }}'>{{ name }}</p>", name=name)
    assert Tags(page).seen == ["p"]
    assert "\n".join(for_console(line) for line in name.split("\n")) == unescape(
        page.split(">", 1)[1].rsplit("</p>", 1)[0]
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", page)


def test_options_of_a_set_are_escaped_too() -> None:
    description = DatasetDescription.__new__(DatasetDescription)
    layout = type("Layout", (), {"name": "flat", "version": 1})
    scene = {"name": "a|b<script>.blend", "sha256": "`x`" * 9}
    for key, value in {
        "configuration": {"scene": scene, "x\ny": "[z](w)", "seed": 3}, "schema": "s", "version": 1, "layout": layout,
    }.items():  # fmt: skip
        object.__setattr__(description, key, value)
    rows = [line for line in _how(description) if line.startswith("|")]
    assert rows[2:] == [
        r"| scene | a\|b\<script\>\.blend (\`x\`\`x\`\`x\`\`x\`) |", r"| x\\ny | \[z\]\(w\) |", "| seed | 3 |",
    ]  # fmt: skip


@pytest.mark.parametrize("frame", ["a b", "  two  spaces ", "#1", "x#y", "ü", "a\nb", "accept", "\udcff", "\u202e"])
def test_what_the_sheet_says_of_a_frame_is_read_back(frame: str, tmp_path: Path) -> None:
    """The page joins name, space and decision: `s.name + ' ' + s.value` in review.html.j2."""
    key = f"{frame}#3"
    car = {"key": key, "model": "<b>", "confidence": 0.5, "box_iou": 0.5}
    write_sheet(tmp_path / "review.html", [(car, b"")], {key: "flip"})
    page = (tmp_path / "review.html").read_text(encoding="utf-8")
    (name,) = re.findall(r'<select name="(.*?)">', page, re.DOTALL)
    assert "<option selected>flip" in page
    (tmp_path / "review.txt").write_text(f"# a remark\n{unescape(name)} flip\r\n\nb#0 reject\n", encoding="utf-8")
    assert read_decisions(tmp_path / "review.txt") == {written(key): "flip", "b#0": "reject"}


def test_decisions_that_are_none_are_one_line(tmp_path: Path) -> None:
    for content in (b"a#1 maybe\n", b"a accept\n", b"accept\n", b"\xff\xfe\x00a"):
        (tmp_path / "review.txt").write_bytes(content)
        with pytest.raises(ConfigError, match=r"review\.txt") as caught:
            read_decisions(tmp_path / "review.txt")
        assert "\n" not in str(caught.value)
