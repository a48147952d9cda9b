"""Text and tables as Markdown that is shown as it stands: what it holds cannot make headings, links or tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

#: What would be markup, here or in the HTML that Markdown may hold. https://spec.commonmark.org/0.31.2/#backslash-escapes
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def safe(text: str) -> str:
    """One line of it, escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, its cells escaped, and an empty one."""
    yield _line(head)
    yield _line(["---"] * len(head))
    for row in rows:
        yield _line([safe(cell) for cell in row])
    yield ""


# --- private ---------------------------------------------------------------------------------------


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
