"""A letter to a person who asked that their images be forgotten: a page in plain words, and a page for the file.

Two editions of one value, alike word for word. Neither names anybody: lines in brackets are for the office to fill in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeAlias

from jinja2 import Environment, StrictUndefined, select_autoescape

from maintain.report.marked import safe, table

#: A paragraph, which may be a blank, or the points of a list.
Block: TypeAlias = str | tuple[str, ...]

#: Lines that the office fills in; a workspace has none of this.
BLANKS = {
    "sender": "[name and address of the office]",
    "person": "[name and address of the person]",
    "greeting": "[salutation]",
    "late": "[The office says here why it is late.]",
    "doubts": "[The office says here what it does about that, and by when.]",
    "reach": "[The office says here what happens to these.]",
    "check": "[The office checks this part before the letter is sent; it is no legal advice.]",
    "signature": "[name, office and signature; how to reach the data protection officer]",
}


@dataclass(frozen=True, slots=True)
class LetterPart:
    """Some paragraphs and lists under a title."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class LetterTable:
    """A table of the technical page; where it has no rows, `empty` says so."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written. `late` is None where no date has passed; `rights` is said to be for the office to check."""

    request: str
    title: str
    day: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    late: str | None
    parts: tuple[LetterPart, ...]
    rights: LetterPart
    tables: tuple[LetterTable, ...]
    notes: tuple[str, ...]


def render_letter_html(letter: Letter) -> str:
    """The page: no script, nothing to fetch; the template escapes everything."""
    environment = Environment(
        autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = files("maintain.report").joinpath("templates/letter.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(letter=letter, blanks=BLANKS).rstrip() + "\n"


def render_letter_markdown(letter: Letter) -> str:
    """The letter as text, ended by a newline."""
    parts = (_head(letter), *map(_part, letter.parts), _rights(letter.rights), _file(letter))
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


# --- private ---------------------------------------------------------------------------------------


def _head(letter: Letter) -> Iterator[str]:
    yield from (f"# {safe(letter.title)}", "", BLANKS["sender"], "", BLANKS["person"], "", safe(letter.day), "")
    yield from (BLANKS["greeting"], "", f"**{safe(letter.lead)}**", "")
    if letter.late:
        yield from (f"**{safe(letter.late)}** {BLANKS['late']}", "")
    yield from (f"- {safe(name)}: {safe(value)}" for name, value in letter.facts)
    yield ""


def _part(part: LetterPart) -> Iterator[str]:
    yield from (f"## {safe(part.title)}", "")
    yield from _blocks(part.blocks)


def _blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, str):
            yield block if block in BLANKS.values() else safe(block)
        else:
            yield from (f"- {safe(point)}" for point in block)
        yield ""


def _rights(part: LetterPart) -> Iterator[str]:
    yield from (f"## {safe(part.title)}", "", BLANKS["check"], "")
    yield from _blocks(part.blocks)
    yield from (BLANKS["signature"], "")


def _file(letter: Letter) -> Iterator[str]:
    yield from ("---", "", f"## {safe(letter.request)}: technical page for the file", "")
    yield from _blocks(letter.notes)
    for one in letter.tables:
        yield from (f"### {safe(one.title)}", "")
        yield from table(one.head, one.rows) if one.rows else (safe(one.empty), "")
