"""Asking long manifests for a few cases without decoding them: millions of rows in a second.

The bytes are those of the digest in the ledger, so they are searched as they stand. The three lists are
cut out and the rest is read strictly; a manifest of any other shape is decoded as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from maintain import codec
from maintain.errors import RecordError
from maintain.records import TrainingManifest


@dataclass(frozen=True, slots=True)
class Listed:
    """Which of the cases asked for a manifest lists, and the manifest itself with empty lists."""

    learned: frozenset[str]
    unlearned: frozenset[str]
    selected_with: frozenset[str]
    head: TrainingManifest


def listed(data: bytes, cases: Iterable[str]) -> Listed:
    """Look for cases in the bytes of a manifest. Raises `RecordError` where they are none."""
    wanted = {_quoted(case): case for case in cases}
    cut = _cut(data)
    if cut is None:
        return _decoded(data, frozenset(wanted.values()))
    found: dict[str, set[str]] = {name: set() for name in _LISTS}
    pattern = re.compile(b'"case_id":(%s)' % (b"|".join(map(re.escape, wanted)) or _NOTHING))
    for match in pattern.finditer(data):
        name = next((name for name, (start, end) in cut.items() if start <= match.start() < end), None)
        if name is not None:
            found[name].add(wanted[match[1]])
    rest, position = b"", 0
    for start, end in sorted(cut.values()):
        rest, position = rest + data[position:start], end
    try:
        head = _manifest(rest + data[position:])
    except RecordError:  # a name with brackets of its own: only the whole tells where a list ends
        return _decoded(data, frozenset(wanted.values()))
    learned, unlearned, selected = (frozenset(found[name]) for name in _LISTS)
    return Listed(learned, unlearned, selected, head)


# --- private ---------------------------------------------------------------------------------------

_LISTS = ("learned", "unlearned", "selected_with")

#: A pattern that no text has.
_NOTHING = rb"(?!)"


def _quoted(case: str) -> bytes:
    return json.dumps(case, ensure_ascii=False).encode()


def _manifest(data: bytes) -> TrainingManifest:
    return codec.from_text(TrainingManifest, data.decode(), source="manifest.json")


def _cut(data: bytes) -> dict[str, tuple[int, int]] | None:
    """Where the rows of each list stand; None unless each opens once and rows hold no bracket of their own."""
    places: dict[str, tuple[int, int]] = {}
    for name in _LISTS:
        opening = b'"%s":[' % name.encode()
        start = data.find(opening)
        if start < 0 or data.find(opening, start + 1) >= 0:
            return None
        start += len(opening)
        end = data.find(b"]", start)
        if end < 0 or (end > start and not (data[start : start + 1] == b"{" and data[end - 1 : end] == b"}")):
            return None
        places[name] = (start, end)
    return places


def _decoded(data: bytes, wanted: frozenset[str]) -> Listed:
    manifest = _manifest(data)
    lists = (manifest.learned, manifest.unlearned, manifest.selected_with)
    learned, unlearned, selected = (wanted & {ref.case_id for ref in refs} for refs in lists)
    return Listed(learned, unlearned, selected, manifest)
