"""Asking long manifests for a few cases without decoding them: millions of rows in a second.

The bytes are those of the digest in the ledger, so they are searched as they stand. The three lists are
cut out and the rest is read strictly; a manifest of any other shape is decoded as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
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
    for quoted, at in _places(data, tuple(wanted)):
        name = next((name for name, (start, end) in cut.items() if start <= at < end), None)
        if name is not None:
            found[name].add(wanted[quoted])
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

_KEY = b'"case_id":'

#: So many cases are looked for one after the other; a pattern of all of them costs as much as these.
_ONE_BY_ONE = 4


def _places(data: bytes, wanted: tuple[bytes, ...]) -> Iterator[tuple[bytes, int]]:
    """Where each of the quoted cases stands as the case of a row."""
    if len(wanted) > _ONE_BY_ONE:
        for match in re.finditer(_KEY + b"(%s)" % b"|".join(map(re.escape, wanted)), data):
            yield match[1], match.start()
        return
    for quoted in wanted:
        at = data.find(_KEY + quoted)
        while at >= 0:
            yield quoted, at
            at = data.find(_KEY + quoted, at + 1)


def _quoted(case: str) -> bytes:
    return json.dumps(case, ensure_ascii=False).encode()


def _manifest(data: bytes) -> TrainingManifest:
    return codec.from_text(TrainingManifest, data.decode(), source="manifest.json")


def _cut(data: bytes) -> dict[str, tuple[int, int]] | None:
    """Where the rows of each list stand, looked for in the order of a canonical text; None for any other shape.

    Rows hold no bracket of their own, and outside the rows each list opens once.
    """
    places: dict[str, tuple[int, int]] = {}
    end, outside = 0, 0
    for name in sorted(_LISTS):
        opening = b'"%s":[' % name.encode()
        start = data.find(opening, end)
        if start < 0:
            return None
        outside += data.count(b"[", end, start)
        start += len(opening)
        end = data.find(b"]", start)
        if end < 0 or (end > start and not (data[start : start + 1] == b"{" and data[end - 1 : end] == b"}")):
            return None
        if data.find(b"[", start, end) >= 0:
            return None
        places[name] = (start, end)
    outside += data.count(b"[", end)
    return None if outside else places


def _decoded(data: bytes, wanted: frozenset[str]) -> Listed:
    manifest = _manifest(data)
    lists = (manifest.learned, manifest.unlearned, manifest.selected_with)
    learned, unlearned, selected = (wanted & {ref.case_id for ref in refs} for refs in lists)
    return Listed(learned, unlearned, selected, manifest)
