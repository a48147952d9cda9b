"""The way back: a version that served before serves again, unless a person forbids it.

Said twice it goes back once; further back only to a version that is named. What the version that is left
had answered is open again, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from maintain.database import UnitOfWork
from maintain.errors import NothingToDoError, RefusedError, UnknownNameError
from maintain.hashing import Digest
from maintain.records import ModelVersion
from maintain_pipelines.barred import Barred, barred_by_people
from maintain_pipelines.champions import read_version
from maintain_pipelines.context import Context
from maintain_pipelines.promote import Moved, require_model
from maintain_pipelines.requests import settle_after
from maintain_pipelines.wording import check_reason
from maintain_registry import (
    Aliases,
    EventKind,
    Move,
    Serving,
    aliases_of,
    entry_of_version,
    move_aliases,
    registered,
    require_whole,
    retirements,
    serving_of,
)


@dataclass(frozen=True, slots=True)
class Reopened:
    """A wish that a version answered and the one returned to does not: by policy and forget set."""

    version: int
    policy: Digest
    policy_name: str
    forget_set: Digest | None
    cases: int


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A move back, or with `moved` None what it would be; and what it reopens."""

    model: str
    version: int
    left: int | None
    reopened: tuple[Reopened, ...]
    moved: Moved | None


def rollback(model: str, context: Context, *, reason: str, to: int | None = None) -> RolledBack:
    """Let `previous`, or the version named, serve again.

    Raises:
        RefusedError: There is nothing to return to, or the version learned from somebody who took it back.
        NothingToDoError: It serves already, or a rollback led here and no version is named.
        DamagedError: The files of the version are not those that were registered.
    """
    require_model(model, context)
    check_reason(reason, context)
    reopened: list[Reopened] = []

    def decide(unit: UnitOfWork, found: Aliases) -> Move:
        state = serving_of(unit, model)
        target = _target(unit, model, to, found, state, context)
        reopened.extend(_reopened(unit, model, _left(found, state), target, context))
        return _move(unit, model, target, found, state, reason, tuple(reopened), context)

    move, entry = move_aliases(context.database, context.ledger, context.store, model, decide)
    left = entry.body["left"]
    number = left if isinstance(left, int) else None
    settle_after(context)
    moved = Moved(model, move.version, number, move.after.previous, entry.number, entry.hash)
    return RolledBack(model, move.version, number, tuple(reopened), moved)


def rehearse(model: str, context: Context, *, reason: str, to: int | None = None) -> RolledBack:
    """What `rollback` would do, decided in the same way; nothing is written. Raises what it would raise."""
    require_model(model, context)
    check_reason(reason, context)
    found = aliases_of(context.store, model)
    with context.database.read() as unit:
        state = serving_of(unit, model)
        target = _target(unit, model, to, found, state, context)
        reopened = tuple(_reopened(unit, model, _left(found, state), target, context))
    return RolledBack(model, target, found.champion, reopened, None)


# --- private ---------------------------------------------------------------------------------------


def _left(found: Aliases, state: Serving) -> int | None:
    """The version that is left: the one that serves, or where none does the one that served last."""
    return state.head if found.champion is None else found.champion


def _target(unit: UnitOfWork, model: str, to: int | None, found: Aliases, state: Serving, context: Context) -> int:
    """The version to return to, proven whole and free of anybody who took it back."""
    target = _asked(unit, model, to, found, state)
    require_whole(unit, context.ledger, context.store, model, target)
    barred = _forbidden(unit, model, target, context)
    if not barred:
        return target
    gone = retirements(unit, model)
    earlier = (number for number in _before(target, state) if number not in gone)
    safe = next((number for number in earlier if not _forbidden(unit, model, number, context)), None)
    way_on = f"`maintain registry suspend {model} --reason TEXT` takes the model out of service."
    if found.champion is None:
        way_on = (
            f"`maintain registry promote {model}` lets a candidate serve; `maintain model train` takes a new snapshot."
        )
    if safe is not None and safe != found.champion:
        way_on = f"Version {safe} is the nearest before it that may: add `--to {safe}`."
    raise RefusedError(
        f"Version {target} of {model} learned from {barred.spoken()} "
        "that nobody may use any more (consent withdrawn, or erasure asked for).",
        remedy=way_on,
    )


def _asked(unit: UnitOfWork, model: str, to: int | None, found: Aliases, state: Serving) -> int:
    if to is None:
        return _before_this(model, found, state)
    known = registered(unit, model)
    if to not in known:
        raise UnknownNameError(f"registered version of {model}", str(to), map(str, known))
    if to not in state.served:
        raise RefusedError(
            f"Version {to} of {model} never served, so there is no way back to it.",
            remedy=f"A candidate that passed is promoted: `maintain registry promote {model} {to}`.",
        )
    if to == found.champion:
        raise NothingToDoError(f"Version {to} of {model} already serves.", remedy="Nothing was changed.")
    return to


def _before_this(model: str, found: Aliases, state: Serving) -> int:
    """The version behind `previous`, once: a rollback that is said again must not go back twice."""
    if found.champion is not None and state.last is EventKind.VERSION_ROLLED_BACK:
        raise NothingToDoError(
            f"A rollback led to version {found.champion} of {model} already (ledger entry {state.entry}).",
            remedy="Nothing was changed. To go to another version, name it with `--to VERSION`.",
        )
    if found.previous is None or found.previous == found.champion:
        raise RefusedError(
            f"There is no version of {model} to return to: none served before.",
            remedy=f"`maintain registry suspend {model} --reason TEXT` takes the model out of service.",
        )
    return found.previous


def _before(target: int, state: Serving) -> Iterator[int]:
    """The versions that served before this one, nearest first, each as `previous` named it at the time."""
    seen = {target}
    number = state.served.get(target)
    while number is not None and number not in seen:
        yield number
        seen.add(number)
        number = state.served.get(number)


def _forbidden(unit: UnitOfWork, model: str, number: int, context: Context) -> Barred:
    version = read_version(context.store, model, number)
    return barred_by_people(unit, version.manifest, version.spec.label_name)


def _move(
    unit: UnitOfWork,
    model: str,
    target: int,
    found: Aliases,
    state: Serving,
    reason: str,
    reopened: tuple[Reopened, ...],
    context: Context,
) -> Move:
    candidate = found.candidate
    if candidate is not None and context.store.get(model, candidate).record.parent != target:
        candidate = None
    gone = retirements(unit, model)
    previous = next((number for number in _before(target, state) if number not in gone), None)
    return Move(
        kind=EventKind.VERSION_ROLLED_BACK,
        version=target,
        after=Aliases(champion=target, candidate=candidate, previous=previous),
        body={
            "left": found.champion,
            "reason": reason,
            "record": entry_of_version(unit, context.ledger, model, target).body["record"],
            "reopened": [
                {"version": item.version, "policy": item.policy, "forget_set": item.forget_set} for item in reopened
            ],
        },
    )


def _reopened(unit: UnitOfWork, model: str, left: int | None, target: int, context: Context) -> Iterator[Reopened]:
    """What the ancestry of the version that is left answered, and the ancestry of the target does not."""
    kept = {record.version for record in _ancestry(model, target, context)}
    for record in _ancestry(model, left, context):
        if record.version in kept or record.policy is None:
            continue
        body = entry_of_version(unit, context.ledger, model, record.version).body
        cases = body.get("forgotten_cases")
        yield Reopened(
            version=record.version,
            policy=record.policy,
            policy_name=str(body.get("policy_name")),
            forget_set=record.forget_set,
            cases=cases if isinstance(cases, int) else 0,
        )


def _ancestry(model: str, number: int | None, context: Context) -> Iterator[ModelVersion]:
    seen: set[int] = set()
    while number is not None and number not in seen:
        seen.add(number)
        record = context.store.get(model, number).record
        yield record
        number = record.parent
