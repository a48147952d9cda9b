"""A registered version, proven: its entry is signed, its record is the one the entry names, every byte is there.

What is about to serve is not believed because an alias says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from maintain import codec
from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.errors import BrokenChainError, DamagedError, RefusedError, UnknownNameError
from maintain.hashing import digest_bytes
from maintain_registry.contents import BESIDE_FILES, WEIGHTS_FILE
from maintain_registry.events import EventKind
from maintain_registry.intents import BESIDE, registered
from maintain_registry.ledger import PAYLOAD_TYPE, Entry, Ledger, entry_hash, payload
from maintain_registry.port import ModelStore, StoredVersion
from maintain_registry.retirement import require_not_retired, retirements
from maintain_registry.signing import verify_envelope


def entry_of_version(unit: UnitOfWork, ledger: Ledger, model: str, number: int) -> Entry:
    """The entry that brought a version into being. Raises `UnknownNameError` listing the registered ones."""
    known = registered(unit, model)
    if number not in known:
        raise UnknownNameError(f"registered version of {model}", str(number), map(str, known))
    mine = (t.intent.c.model == model) & (t.intent.c.version == number)
    return ledger.entry(unit, unit.scalar(select(t.intent.c.entry).where(mine)))


def entries_about(unit: UnitOfWork, ledger: Ledger, model: str, *kinds: EventKind) -> tuple[Entry, ...]:
    """The entries of these kinds whose subject is a model, oldest first."""
    wanted = (t.ledger.c.subject == model) & t.ledger.c.event.in_([kind.value for kind in kinds])
    rows = unit.rows(select(t.ledger.c.number).where(wanted).order_by(t.ledger.c.number))
    return tuple(ledger.entry(unit, row.number) for row in rows)


def require_signed(entry: Entry, ledger: Ledger) -> Entry:
    """The entry, if hash and signature hold under the key of the ledger. Raises `BrokenChainError` otherwise."""
    columns = {name: getattr(entry, name) for name in ("number", "at", "actor", "subject", "previous")}
    columns |= {"event": entry.event.value, "body": dict(entry.body)}
    columns["envelope"] = None if entry.envelope is None else dict(entry.envelope)
    try:
        said = verify_envelope(columns["envelope"] or {}, (ledger.signer.public,), payload_type=PAYLOAD_TYPE)
    except RefusedError as error:
        raise _broken(entry, "is not validly signed") from error
    if said != payload(columns) or entry_hash(columns) != entry.hash:
        raise _broken(entry, "is not what was signed")
    return entry


def require_whole(unit: UnitOfWork, ledger: Ledger, store: ModelStore, model: str, number: int) -> StoredVersion:
    """A registered version that may serve: not retired, and every file of it read and hashed just now.

    Raises `RetiredError` for one that was withdrawn, else as `require_record` does.
    """
    require_not_retired(unit, model, number)
    return require_record(unit, ledger, store, model, number)


def require_record(unit: UnitOfWork, ledger: Ledger, store: ModelStore, model: str, number: int) -> StoredVersion:
    """A registered version, retired or not, whose every file that is to be there was read and hashed just now.

    Raises `UnknownNameError` for one that is not registered, `BrokenChainError` where its entry does not hold,
    and `DamagedError` where record or files are not those that the entry names.
    """
    entry = require_signed(entry_of_version(unit, ledger, model, number), ledger)
    try:
        stored = store.get(model, number)
    except UnknownNameError as error:
        raise _damaged(model, number, "is registered and lies no longer in the registry") from error
    if codec.digest_of(stored.record) != entry.body.get("record"):
        raise _damaged(model, number, "is not the one that its ledger entry names")
    retirement = retirements(unit, model).get(number)
    if WEIGHTS_FILE not in stored.files and (retirement is None or retirement.ordered is None):
        raise _damaged(model, number, "has lost its weights, and no entry of the ledger ordered that")
    for name in stored.files:
        stored.read(name)
    for name in other_beside(stored, entry.body):
        raise _damaged(model, number, f"has another {name} than its ledger entry names")
    return stored


def other_beside(stored: StoredVersion, body: Mapping[str, object]) -> tuple[str, ...]:
    """The files beside the record of a version that are not those of its entry, too many or too few."""
    named = body.get(BESIDE, {})
    named = named if isinstance(named, dict) else {}
    found = {name: digest_bytes(stored.read(name)) for name in stored.files if name in BESIDE_FILES}
    return tuple(sorted(name for name in {*named, *found} if named.get(name) != found.get(name)))


# --- private ---------------------------------------------------------------------------------------


def _broken(entry: Entry, what: str) -> BrokenChainError:
    return BrokenChainError(
        f"Entry {entry.number} of the ledger {what}.",
        entry=entry.number,
        remedy="Say `maintain audit verify`; nothing is decided on a ledger that does not hold.",
    )


def _damaged(model: str, number: int, what: str) -> DamagedError:
    return DamagedError(
        f"Version {number} of {model} {what}.",
        remedy="Restore the registry folder from a backup; the ledger holds the digests to compare with.",
    )
