"""Whether store and ledger agree on which versions there are, without mending anything.

Each irregularity says how it is repaired; a version that only the store knows counts as no version,
and one that only the ledger knows is a loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from maintain import codec
from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.errors import MaintainError
from maintain.vocabulary import Alias
from maintain_registry.aliases import Aliases, unfinished_moves
from maintain_registry.contents import WEIGHTS_FILE
from maintain_registry.intents import BEGUN, RECORDED, known_models, registered
from maintain_registry.ledger import stored_body
from maintain_registry.port import ModelStore
from maintain_registry.proof import other_beside
from maintain_registry.retirement import Retirement, retirements
from maintain_registry.serving import serving_of

_RESTORE = "Restore the registry folder from a backup; the ledger holds the digests to compare with."


@dataclass(frozen=True, slots=True)
class Irregularity:
    """Something about the registered versions; `serious` unless the next command mends it by itself."""

    said: str
    repair: str
    serious: bool = True


def irregularities(unit: UnitOfWork, store: ModelStore) -> tuple[Irregularity, ...]:
    """Everything in which store, ledger and the rows of registrations under way disagree."""
    known = {*known_models(unit), *store.models()}
    return tuple(item for model in sorted(known) for item in _of_model(unit, store, model))


# --- private ---------------------------------------------------------------------------------------


def _of_model(unit: UnitOfWork, store: ModelStore, model: str) -> Iterator[Irregularity]:
    versions, stored = registered(unit, model), store.versions(model)
    rows = unit.rows(select(t.intent).where(t.intent.c.model == model).order_by(t.intent.c.version))
    waiting = {row.version: row for row in rows if row.state == BEGUN}
    gone = retirements(unit, model)
    for number in versions:
        yield from _of_version(unit, store, model, number, gone.get(number))
    for number in (number for number in stored if number not in versions):
        if number in waiting:
            yield Irregularity(
                f"{model} version {number} is stored and not registered: its registration was interrupted.",
                "Say the command that made it again; until then it counts as no version.",
                serious=False,
            )
        else:
            yield Irregularity(
                f"{model} version {number} is stored, but no ledger entry knows it.",
                "Nobody may use it. Find out who put it there and move its folder out of the registry.",
            )
    for row in rows:
        if row.state == RECORDED:
            yield Irregularity(
                f"{model} version {row.version} is registered and its alias is not set yet.",
                "The next command that opens the workspace, `maintain registry list` for one, finishes it.",
                serious=False,
            )
    moving = unfinished_moves(unit, model)
    for entry in moving:
        yield Irregularity(
            f"Ledger entry {entry} moved the aliases of {model}, and the registry does not show it yet.",
            "The next command that opens the workspace, `maintain registry list` for one, finishes it.",
            serious=False,
        )
    pending = bool(moving) or any(row.state == RECORDED for row in rows)
    yield from _of_aliases(store, model, versions, None if pending else serving_of(unit, model).aliases)


def _of_version(
    unit: UnitOfWork, store: ModelStore, model: str, number: int, retirement: Retirement | None
) -> Iterator[Irregularity]:
    try:
        stored = store.get(model, number)
        for name in stored.files:
            stored.read(name)
    except MaintainError as error:
        yield Irregularity(f"{model} version {number} is registered, but: {error.message}", _RESTORE)
        return
    body = _entry_body(unit, model, number)
    if body.get("record") != codec.digest_of(stored.record):
        yield Irregularity(f"{model} version {number} is not the one that its ledger entry names.", _RESTORE)
    for name in other_beside(stored, body):
        yield Irregularity(f"{name} of {model} version {number} is not the one that its ledger entry names.", _RESTORE)
    if retirement is not None and retirement.unfinished:
        yield Irregularity(
            f"The destruction of {model} version {number} was ordered (ledger entry {retirement.ordered}) "
            "and not finished.",
            f"Say `maintain registry retire {model} {number} --reason TEXT --destroy` again; it goes on.",
        )
    elif WEIGHTS_FILE not in stored.files and (retirement is None or retirement.destroyed is None):
        yield Irregularity(
            f"{model} version {number} has lost its weights, and no entry of the ledger ordered that.", _RESTORE
        )
    elif WEIGHTS_FILE in stored.files and retirement is not None and retirement.destroyed is not None:
        yield Irregularity(
            f"The weights of {model} version {number} were destroyed, and they lie in the registry again.",
            f"Say `maintain registry retire {model} {number} --reason TEXT --destroy` again, and ask who did that.",
        )


def _entry_body(unit: UnitOfWork, model: str, number: int) -> dict[str, object]:
    mine = (t.intent.c.model == model) & (t.intent.c.version == number)
    query = select(t.ledger.c.body).join(t.intent, t.intent.c.entry == t.ledger.c.number).where(mine)
    return stored_body(unit.scalar(query))


def _of_aliases(
    store: ModelStore, model: str, versions: tuple[int, ...], decided: Aliases | None
) -> Iterator[Irregularity]:
    """Aliases that nobody decided; while a decision is still to be shown, only what they point at is asked."""
    for alias in Alias:
        try:
            number = store.alias(model, alias)
        except MaintainError as error:
            yield Irregularity(error.message, _RESTORE)
            return
        if number is not None and number not in versions:
            yield Irregularity(
                f"The alias {alias} of {model} points at version {number}, which is not registered.",
                "Restore the file of the aliases from a backup; nothing unregistered may serve.",
            )
        elif decided is not None and decided.at(alias) in (None, *versions) and number != decided.at(alias):
            yield Irregularity(
                f"The alias {alias} of {model} points at {_spoken(number)}; "
                f"the ledger says {_spoken(decided.at(alias))}.",
                "Somebody moved it past the ledger. Find out who, and restore the file of the aliases from a backup, "
                f"or decide anew with `maintain registry rollback {model} --to VERSION --reason TEXT`.",
            )


def _spoken(number: int | None) -> str:
    return "no version" if number is None else f"version {number}"
