"""Write `docs/methods/reference.md` from the table of methods, so that the reference cannot lie.

Run `python docs/generate_methods.py` after changing a method or a default; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maintain.options import ROWS_HEAD
from maintain.unlearn import METHODS, MethodInfo
from maintain.vocabulary import Claim

HEAD = """# Reference of the methods

Written by `python docs/generate_methods.py` from the program; a test keeps it true. What methods have in common, and
how to read a result, is in [README.md](README.md).

Options stand in a policy below `unlearn.options`; one that is left out has its default. A list of values is tried value
by value, in the order of the list, except of methods that are never measured before they go on.
"""

PAGES = Path(__file__).parent / "methods"


def reference() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_overview(), *(line for info in METHODS.values() for line in _method(info))])


def _overview() -> Iterator[str]:
    yield f"| method | {' | '.join(f'`{claim}`' for claim in Claim)} | loads forget cases |"
    yield f"|---|{'---|' * len(Claim)}---|"
    for info in METHODS.values():
        claims = " | ".join("yes" if claim in info.claims else "" for claim in Claim)
        yield f"| [`{info.name}`](#{info.name}) | {claims} | {'yes' if info.consumes_forget else ''} |"
    yield ""


def _method(info: MethodInfo) -> Iterator[str]:
    yield f"## {info.name}\n"
    yield f"{info.doc}\n"
    if (PAGES / f"{info.name}.md").is_file():
        yield f"More: [{info.name}.md]({info.name}.md).\n"
    yield f"After {info.citation}. Heads: {', '.join(f'`{head}`' for head in info.heads)}.\n"
    if info.options:
        yield ROWS_HEAD
        yield from (option.row for option in info.options)
        yield ""


if __name__ == "__main__":
    (PAGES / "reference.md").write_text(reference(), encoding="utf-8")
