"""A version is withdrawn for good: no alias, no loading; its files are kept until somebody orders their destruction.

The ledger's entry is the retirement. Record, manifest and every entry stay, so that who was learned from is
answered for ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from maintain.database import UnitOfWork
from maintain.errors import MaintainError, NothingToDoError, RefusedError, UnknownNameError
from maintain.hashing import Digest
from maintain.vocabulary import Alias
from maintain_pipelines.champions import read_version
from maintain_pipelines.context import Context
from maintain_pipelines.promote import require_model
from maintain_pipelines.requests import settle_after
from maintain_pipelines.wording import check_reason
from maintain_registry import (
    Aliases,
    EventKind,
    Move,
    entry_of_version,
    known_models,
    move_aliases,
    registered,
    retirements,
    serving_of,
)


@dataclass(frozen=True, slots=True)
class Heirs:
    """The versions whose weights began from others: each carries what those learned. `unknown` cannot be read."""

    versions: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retired:
    """A version that was withdrawn, by which entry, the aliases that pointed at it, and who began from it."""

    model: str
    version: int
    entry: int
    cleared: tuple[str, ...]
    heirs: Heirs


def retire(model: str, number: int, context: Context, *, reason: str) -> Retired:
    """Withdraw a version, and clear `previous` and `candidate` where they point at it.

    Raises:
        NothingToDoError: It is retired already.
        RefusedError: It serves, or registry and ledger disagree on what does.
        UnknownNameError: There is no such model or version.
    """
    require_model(model, context)
    check_reason(reason, context)
    heirs = heirs_of(model, number, context)

    def decide(unit: UnitOfWork, found: Aliases) -> Move:
        entry = entry_of_version(unit, context.ledger, model, number)
        _refuse(unit, model, number, found)
        after = dataclasses.replace(found, **{alias.value: None for alias in _pointing(found, number)})
        body = {"reason": reason, "record": entry.body["record"], "weights": entry.body["weights"]}
        return Move(EventKind.VERSION_RETIRED, number, after, {**body, "heirs": list(heirs.versions)})

    cleared = tuple(alias.value for alias in Alias if context.store.alias(model, alias) == number)
    _, entry = move_aliases(context.database, context.ledger, context.store, model, decide)
    settle_after(context)
    return Retired(model, number, entry.number, cleared, heirs)


def heirs_of(model: str, number: int, context: Context) -> Heirs:
    """The versions of any model that began from this one's weights, by their own manifests, near and far."""
    origins: dict[str, tuple[Digest, Digest]] = {}
    unknown = []
    for name, version in _versions(context):
        try:
            read = read_version(context.store, name, version)
            origins[f"{name} {version}"] = (read.version.weights, read.manifest.origin.weights)
        except MaintainError:
            unknown.append(f"{name} {version}")
    me = origins.get(f"{model} {number}")
    carrying = set() if me is None else {me[0]}
    found: set[str] = set()
    while new := {name for name, (_, origin) in origins.items() if origin in carrying} - found:
        found |= new
        carrying |= {origins[name][0] for name in new}
    return Heirs(tuple(name for name in origins if name in found), tuple(unknown))


# --- private ---------------------------------------------------------------------------------------


def _versions(context: Context) -> Iterator[tuple[str, int]]:
    with context.database.read() as unit:
        yield from [(model, number) for model in known_models(unit) for number in registered(unit, model)]


def _pointing(found: Aliases, number: int) -> tuple[Alias, ...]:
    return tuple(alias for alias in Alias if found.at(alias) == number)


def _refuse(unit: UnitOfWork, model: str, number: int, found: Aliases) -> None:
    known = registered(unit, model)
    if number not in known:
        raise UnknownNameError(f"registered version of {model}", str(number), map(str, known))
    before = retirements(unit, model).get(number)
    if before is not None:
        raise NothingToDoError(
            f"Version {number} of {model} is retired already (ledger entry {before.retired}).",
            remedy="Nothing was changed. `--destroy` deletes its weights.",
        )
    decided = serving_of(unit, model).aliases.champion
    if number in (found.champion, decided):
        raise RefusedError(
            f"Version {number} of {model} serves, so it is not retired.",
            remedy=f"Let another serve first: `maintain registry promote {model}` or `maintain registry rollback "
            f"{model} --reason TEXT`; or take the model out of service with `maintain registry suspend`.",
        )
    if found.champion != decided:
        raise RefusedError(
            f"The registry and the ledger disagree on the champion of {model}.",
            remedy="`maintain doctor` names it. `maintain registry rollback --to VERSION` sets what shall serve.",
        )
