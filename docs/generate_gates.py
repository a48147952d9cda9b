"""Write `docs/gates.md` from the table of gates, so that the reference cannot lie.

Run `python docs/generate_gates.py` after changing a gate or a default; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maintain.gates import GATE_SET_ALIASES, GATE_SETS, GATES, PROOFS, GateInfo
from maintain.options import ROWS_HEAD

HEAD = """# Gates

Written by `python docs/generate_gates.py` from the program; a test keeps it true. What the gates can and cannot see,
with measured figures, is in [verifier.md](verifier.md).

A gate PASSES when its figure is shown to be inside the limit, FAILS when it is shown to be outside, and is NOT
EVALUATED otherwise; only a pass registers a version. A gate that judges answers first judges the champion, which must
be shown to remember: a check that could not have failed proves nothing.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_sets(), *_proofs(), *(line for info in GATES.values() for line in _gate(info))])


def _sets() -> Iterator[str]:
    aliases = {name: alias for alias, name in GATE_SET_ALIASES.items()}
    for name, entry in GATE_SETS.items():
        alias = f" (`gates: {aliases[name]}`)" if name in aliases else ""
        yield f"`{name}`{alias} holds every gate below: {', '.join(entry.gates)}. The claim decides which are asked.\n"


def _proofs() -> Iterator[str]:
    yield "## What proves a claim\n"
    yield "Besides `integrity` and `retention`, every gate of one of these rows must pass.\n"
    yield "| claim | gates |\n|---|---|"
    for claim, rows in PROOFS.items():
        yield from (f"| `{claim}` | {', '.join(f'`{gate}`' for gate in row)} |" for row in rows)
    yield "\n`never-saw` is asked of a candidate that was trained anew; its behaviour then decides nothing."
    yield "`zero` stands for `reference` where the forget group is all there is of its labels.\n"


def _gate(info: GateInfo) -> Iterator[str]:
    claims = "every claim" if info.always else ", ".join(f"`{claim}`" for claim in info.claims) or "no claim"
    reported = f"; reported for {', '.join(f'`{claim}`' for claim in info.reported)}" if info.reported else ""
    yield f"## {info.name}\n"
    yield f"For {claims}{reported}. {info.doc}\n"
    if info.options:
        yield ROWS_HEAD
        yield from (option.row for option in info.options)
        yield ""


if __name__ == "__main__":
    Path(__file__).with_name("gates.md").write_text(reference(), encoding="utf-8")
