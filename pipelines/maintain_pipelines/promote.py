"""A candidate becomes the version that serves, by rules that are looked at again at that moment.

Everything is asked under the lock and inside the transaction that writes the entry: what a colleague,
a second process or a letter of last night changed is seen, and a refusal changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain.database import UnitOfWork
from maintain.errors import NothingToDoError, RefusedError, StaleError, UnknownNameError
from maintain.hashing import Digest
from maintain.records import ModelVersion
from maintain.vocabulary import Outcome
from maintain_pipelines.barred import barred_since
from maintain_pipelines.champions import read_version
from maintain_pipelines.context import Context
from maintain_pipelines.requests import settle_after
from maintain_registry import (
    Aliases,
    EventKind,
    Move,
    Serving,
    aliases_of,
    entries_about,
    entry_of_version,
    move_aliases,
    registered,
    require_signed,
    require_whole,
    serving_of,
)


@dataclass(frozen=True, slots=True)
class Moved:
    """A move of a model's aliases: which version serves now, which was left, and the ledger's entry."""

    model: str
    version: int | None
    left: int | None
    previous: int | None
    entry: int
    entry_hash: Digest


def promote(model: str, version: int | None, context: Context) -> Moved:
    """Make a candidate the champion; without a number, the one behind the alias `candidate`.

    Raises:
        NothingToDoError: It serves already, or no candidate waits.
        RefusedError: Its verdict, its parent, or the aliases as they stand do not allow it.
        StaleError: Something it learned from was suppressed since.
        UnknownNameError: There is no such model or version.
    """
    require_model(model, context)

    def decide(unit: UnitOfWork, found: Aliases) -> Move:
        return _decided(unit, model, version, found, context)

    move, entry = move_aliases(context.database, context.ledger, context.store, model, decide)
    settle_after(context)
    after = move.after
    left = entry.body["left"]
    return Moved(model, move.version, left if isinstance(left, int) else None, after.previous, entry.number, entry.hash)


def rehearse(model: str, version: int | None, context: Context) -> int:
    """The version that `promote` would let serve, decided in the same way; nothing is written. Raises as it does."""
    require_model(model, context)
    found = aliases_of(context.store, model)
    with context.database.read() as unit:
        return _decided(unit, model, version, found, context).version


def require_model(model: str, context: Context) -> None:
    """Raise `UnknownNameError` listing the models there are, unless this is one."""
    if model not in context.store.models():
        raise UnknownNameError("model", model, context.store.models())


def refuse_foreign(model: str, found: Aliases, state: Serving) -> None:
    """Raise `RefusedError` where somebody moved the champion past the ledger: nothing is built on that."""
    if found.champion != state.aliases.champion:
        raise RefusedError(
            f"The registry and the ledger disagree on the champion of {model}.",
            remedy="`maintain doctor` names it. `maintain registry rollback --to VERSION` sets what shall serve.",
        )


# --- private ---------------------------------------------------------------------------------------


def _decided(unit: UnitOfWork, model: str, version: int | None, found: Aliases, context: Context) -> Move:
    state = serving_of(unit, model)
    number = _asked(unit, model, version, found)
    if number == found.champion == state.aliases.champion:
        raise NothingToDoError(
            f"Version {number} of {model} already serves, since ledger entry {state.entry}.",
            remedy="Nothing was changed.",
        )
    refuse_foreign(model, found, state)
    return _promotion(unit, model, number, found, state, context)


def _asked(unit: UnitOfWork, model: str, version: int | None, found: Aliases) -> int:
    if version is None:
        if found.candidate is None:
            serves = "no version serves" if found.champion is None else f"version {found.champion} already serves"
            raise NothingToDoError(
                f"No candidate of {model} waits for promotion; {serves}.",
                remedy="Name a version, or make one with `maintain run POLICY`.",
            )
        return found.candidate
    known = registered(unit, model)
    if version not in known:
        raise UnknownNameError(f"registered version of {model}", str(version), map(str, known))
    return version


def _promotion(unit: UnitOfWork, model: str, number: int, found: Aliases, state: Serving, context: Context) -> Move:
    record = require_whole(unit, context.ledger, context.store, model, number).record
    if number in state.served:
        raise RefusedError(
            f"Version {number} of {model} served before and was left.",
            remedy=f"Return to it with `maintain registry rollback {model} --to {number} --reason TEXT`.",
        )
    verdict = _passed(unit, record, context)
    if record.parent is None or record.parent != state.head:
        head = "serves now" if found.champion is not None else "served last"
        raise StaleError(
            f"Version {number} of {model} was made from version {record.parent}; version {state.head} {head}.",
            remedy="Promoted, it would undo what that version forgot. Run its policy again on the champion.",
        )
    version = read_version(context.store, model, number)
    barred = barred_since(unit, version.manifest, version.spec.label_name)
    if barred:
        raise StaleError(
            f"Version {number} of {model} learned from what may not be used any more: {barred.spoken()}.",
            remedy="Say `maintain run POLICY` again; the new version leaves them out.",
        )
    previous = found.previous if found.champion is None else found.champion
    return Move(
        kind=EventKind.VERSION_PROMOTED,
        version=number,
        after=Aliases(champion=number, candidate=None, previous=previous),
        body={
            "left": found.champion,
            "record": entry_of_version(unit, context.ledger, model, number).body["record"],
            "weights": record.weights,
            "verdict": record.verdict,
            "verdict_entry": verdict,
            "policy": record.policy,
            "forget_set": record.forget_set,
        },
    )


def _passed(unit: UnitOfWork, record: ModelVersion, context: Context) -> int:
    """The number of the signed entry that says this candidate passed. Raises `RefusedError` without one."""
    for entry in entries_about(unit, context.ledger, record.model, EventKind.VERDICT_REACHED):
        body = entry.body
        if record.verdict is not None and body.get("verdict") == record.verdict:
            require_signed(entry, context.ledger)
            if body.get("outcome") == Outcome.PASS.value and body.get("candidate") == record.candidate:
                return entry.number
    raise RefusedError(
        f"The ledger holds no passed verdict for version {record.version} of {record.model}.",
        remedy="Only a version that passed its gates may serve: make one with `maintain run POLICY`.",
    )
