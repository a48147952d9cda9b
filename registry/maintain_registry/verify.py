"""The audit: does the ledger still say what it said when it was written?

Everything is recomputed and nothing is believed: hashes, links, numbers, signatures, and the head
file line by line. The first entry that disagrees is named, because all after it are in doubt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from maintain.clock import timestamp
from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.errors import BrokenChainError, RefusedError
from maintain.hashing import canonical_json
from maintain_registry import heads as headfile
from maintain_registry.events import CLOCK_BEHIND, EventKind
from maintain_registry.ledger import GENESIS, PAYLOAD_TYPE, entry_hash, payload
from maintain_registry.signing import PublicKey, verify_envelope


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was found in a chain that holds. `anchored`: every entry has its line in the head file."""

    entries: int
    signed: int
    anchored: bool
    first: str | None
    last: str | None
    warnings: tuple[str, ...]


def verify_chain(unit: UnitOfWork, *, heads: Path, public_keys: Iterable[PublicKey]) -> AuditReport:
    """Check the whole ledger. Raises `BrokenChainError` for the first entry that disagrees."""
    keys = tuple(public_keys)
    lines = _lines(heads)
    times: list[str] = []
    warnings: list[str] = []
    signed = 0
    previous = GENESIS
    for number, columns in enumerate(_rows(unit), start=1):
        _check_link(columns, number, previous)
        _check_time(columns, times, warnings)
        signed += _check_signature(columns, keys)
        _check_head(columns, lines)
        previous = columns["hash"]
        times.append(columns["at"])
    anchored = _check_end(lines, len(times), warnings)
    first, last = (times[0], times[-1]) if times else (None, None)
    return AuditReport(len(times), signed, anchored, first, last, tuple(warnings))


# --- private ---------------------------------------------------------------------------------------

_TEXTS = ("at", "actor", "event", "subject", "body", "previous", "hash")


def _rows(unit: UnitOfWork) -> Iterator[dict[str, Any]]:
    """Every row, read strictly, one at a time: what stands before a broken row is still checked."""
    expected = 1
    try:
        for row in unit.connection.execute(select(t.ledger).order_by(t.ledger.c.number)):
            yield _columns(row._mapping, expected)
            expected += 1
    except DBAPIError as error:
        raise _broken(expected, "cannot be read") from error


def _columns(row: Mapping[Any, Any], expected: int) -> dict[str, Any]:
    if row["number"] != expected:
        raise _broken(expected, "is missing")
    if not all(isinstance(row[name], str) for name in _TEXTS):
        raise _broken(expected, "holds something that is not text")
    columns: dict[str, Any] = {**row, "body": _parsed(row["body"], expected)}
    if row["envelope"] is not None:
        columns["envelope"] = _parsed(row["envelope"], expected)
    return columns


def _parsed(text: object, number: int) -> dict[str, Any]:
    """A JSON object, only if the text is its canonical form: then nothing can hide in the text."""
    if isinstance(text, str):
        try:
            value = json.loads(text)
            if isinstance(value, dict) and canonical_json(value) == text:
                return value
        except (ValueError, RecursionError) as error:
            raise _broken(number, "holds JSON that cannot be read") from error
    raise _broken(number, "holds JSON that this program did not write")


def _check_link(columns: Mapping[str, Any], number: int, previous: str) -> None:
    if entry_hash(columns) != columns["hash"]:
        raise _broken(number, "was changed: its content and its hash disagree")
    if previous != columns["previous"]:
        raise _broken(number, "does not follow the entry before it")


def _check_time(columns: Mapping[str, Any], times: Sequence[str], warnings: list[str]) -> None:
    number, at = columns["number"], columns["at"]
    try:
        well_formed = timestamp(datetime.fromisoformat(at)) == at
    except (ValueError, OverflowError):
        well_formed = False
    if not well_formed:
        raise _broken(number, "has a time that is none")
    behind = bool(times) and at < times[-1]
    if behind != (columns["body"].get(CLOCK_BEHIND) is True):
        raise _broken(number, "and the clock disagree on whether time went backwards")
    if behind:
        warnings.append(f"Entry {number}: the clock stood behind the entry before it.")


def _check_signature(columns: Mapping[str, Any], keys: Sequence[PublicKey]) -> int:
    """1 when the entry is signed; its envelope must then say exactly what the row says."""
    number, envelope = columns["number"], columns["envelope"]
    try:
        decides = EventKind(columns["event"]).decides
    except ValueError as error:
        raise _broken(number, "records an event that this version does not know") from error
    if envelope is None:
        if decides:
            raise _broken(number, "decides something and is not signed")
        return 0
    try:
        said = verify_envelope(envelope, keys, payload_type=PAYLOAD_TYPE)
    except RefusedError as error:
        raise _broken(number, f"is not validly signed: {error.message}") from error
    if said != payload(columns):
        raise _broken(number, "is signed for other content")
    return 1


def _lines(heads: Path) -> list[bytes] | None:
    content = headfile.read_heads(heads)
    return None if content is None else content.splitlines(keepends=True)


def _check_head(columns: Mapping[str, Any], lines: Sequence[bytes] | None) -> None:
    number: int = columns["number"]
    if lines is None or number > len(lines):
        return
    wanted, found = headfile.head_line((number, columns["hash"])), lines[number - 1]
    cut_short = number == len(lines) and wanted.startswith(found)
    if found != wanted and not cut_short:
        raise headfile.disagreement(number)


def _check_end(lines: Sequence[bytes] | None, entries: int, warnings: list[str]) -> bool:
    if lines is None:
        warnings.append("There is no head file: a removed end of the ledger would not be seen.")
        return False
    if len(lines) > entries:
        raise headfile.ahead(entries)
    whole = len(lines) - (1 if lines and not lines[-1].endswith(b"\n") else 0)
    if whole < entries:
        warnings.append(f"The head file ends at entry {whole}; {entries - whole} after it have no line.")
    return whole == entries


def _broken(number: int, what: str) -> BrokenChainError:
    return BrokenChainError(
        f"Entry {number} of the ledger {what}.",
        entry=number,
        remedy="Trust nothing from this entry on; compare with a backup and with the head file.",
    )
