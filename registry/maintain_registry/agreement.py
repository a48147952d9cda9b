"""Whether a store holds what the ledger claims, and nothing else: `audit verify --registry`.

A store can be written by whoever has its own client, and most of them tell nobody when something is moved or
deleted, so it is asked as a whole and compared. Nothing is mended and no alias is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from maintain.database import Database
from maintain.errors import WaitingError
from maintain.hashing import Digest, digest_bytes
from maintain.vocabulary import Alias
from maintain_registry.account import Account, Claimed, ClaimedAlias, account_of
from maintain_registry.contents import ERASED_FILE, WEIGHTS_FILE, erased_marker, expected_files
from maintain_registry.holdings import CARD, PROMOTION_TAG, HeldAlias, HeldVersion, Holdings
from maintain_registry.port import ModelStore

#: How often a store that is being worked on is read again until the ledger stood still meanwhile.
ATTEMPTS = 5


class Odd(StrEnum):
    """How a store can disagree with the ledger."""

    VERSION_UNKNOWN = "version-unknown"
    """Somebody else made it."""
    VERSION_LOST = "version-lost"
    """It was registered and is not there."""
    FILE_CHANGED = "file-changed"
    """A file of a version is missing, another, or one too many."""
    TAG_CHANGED = "tag-changed"
    """A tag was edited, added or removed; the card counts as one."""
    ALIAS_MOVED = "alias-moved"
    """It points at another version than was decided, or at one where none was."""
    ALIAS_LOST = "alias-lost"
    """It points at nothing."""
    ALIAS_UNKNOWN = "alias-unknown"
    """The ledger knows no alias of that name."""
    STRAY = "stray"
    """It belongs to no version."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing in which a store and the ledger differ: where, what is there, which entry says otherwise."""

    kind: Odd
    model: str | None
    where: str
    said: str
    entry: int | None
    repair: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A whole store against the ledger as it stood at entry `head`; `untagged`: entries older than their tags."""

    head: int
    models: int
    versions: int
    aliases: int
    untagged: int
    disagreements: tuple[Disagreement, ...]


def compare_registry(database: Database, store: ModelStore) -> Comparison:
    """Ask the store for everything and compare it with the ledger. Nothing is written.

    Raises:
        RegistryUnreachableError: The store did not answer.
        WaitingError: Versions were registered or moved all the while.
    """
    for _ in range(ATTEMPTS):
        account, held, after = _account(database), store.holdings(), _account(database)
        if account == after:
            return Comparison(
                head=account.head,
                models=len({item.model for item in held.versions}),
                versions=len(held.versions),
                aliases=len(held.aliases),
                untagged=_untagged(account, held),
                disagreements=disagreements(account, held),
            )
    raise WaitingError(
        "The registry was worked on while it was compared with the ledger.",
        remedy="Say it again when no run registers and nobody promotes.",
    )


def disagreements(account: Account, held: Holdings) -> tuple[Disagreement, ...]:
    """Everything in which the two differ, what serves first."""
    return (*_of_aliases(account, held), *_of_versions(account, held), *_of_strays(account, held))


# --- private ---------------------------------------------------------------------------------------

_REMOVE = "Nobody may use it. Find out who made it, and remove it with the registry's own client."
_RESTORE = "Find out who did that, and restore the registry from a backup; until then nobody may use it."


def _account(database: Database) -> Account:
    with database.read() as unit:
        return account_of(unit)


def _untagged(account: Account, held: Holdings) -> int:
    tagged = {(item.model, item.number) for item in held.versions if item.tags is not None}
    return sum(claimed.tags is None for key, claimed in account.versions.items() if key in tagged)


def _of_aliases(account: Account, held: Holdings) -> Iterator[Disagreement]:
    shown = {(item.model, item.name): item for item in held.aliases}
    for (model, name), found in sorted(shown.items()):
        if name not in set(Alias) or (model, Alias(name)) not in account.aliases:
            said = f"The alias {name} of {model} points at {found.place}; the ledger knows no such alias."
            yield Disagreement(Odd.ALIAS_UNKNOWN, model, f"alias {name}", said, None, _remove_alias(model, name))
    for (model, alias), claimed in sorted(account.aliases.items()):
        present = shown.get((model, alias.value))
        if present is None and claimed.number is not None and None not in claimed.also:
            said = f"The alias {alias} of {model} is not there; {_decided(claimed)}."
            yield Disagreement(Odd.ALIAS_LOST, model, f"alias {alias}", said, claimed.entry, _put_back(model, claimed))
        elif present is not None and not _may_point(present, claimed):
            said = f"The alias {alias} of {model} points at {present.place}; {_decided(claimed)}."
            repair = _remove_alias(model, alias) if claimed.number is None else _put_back(model, claimed)
            yield Disagreement(Odd.ALIAS_MOVED, model, f"alias {alias}", said, claimed.entry, repair)


def _may_point(present: HeldAlias, claimed: ClaimedAlias) -> bool:
    return present.number is not None and present.number in {claimed.number, *claimed.also}


def _of_versions(account: Account, held: Holdings) -> Iterator[Disagreement]:
    numbers = Counter((item.model, item.number) for item in held.versions)
    for item in sorted(held.versions, key=lambda item: (item.model, item.number or 0, item.place)):
        claimed = None if item.number is None else account.versions.get((item.model, item.number))
        if claimed is not None and numbers[item.model, item.number] == 1:
            yield from _of_files(item, claimed)
            yield from _of_tags(account, item, claimed)
        elif claimed is not None:
            said = f"{_named(item)} is one of several that claim to be version {item.number}."
            yield Disagreement(Odd.VERSION_UNKNOWN, item.model, item.place, said, claimed.entry, _REMOVE)
        elif item.number is None or (item.model, item.number) not in account.begun:
            said = f"{_named(item)} lies in the registry; no entry of the ledger knows it."
            yield Disagreement(Odd.VERSION_UNKNOWN, item.model, item.place, said, None, _REMOVE)
    for (model, number), claimed in sorted(account.versions.items()):
        if (model, number) not in numbers:
            said = f"Version {number} of {model} is not in the registry; ledger entry {claimed.entry} registered it."
            yield Disagreement(Odd.VERSION_LOST, model, f"version {number}", said, claimed.entry, _RESTORE)


def _of_files(item: HeldVersion, claimed: Claimed) -> Iterator[Disagreement]:
    """Every file against the record of the entry; those that only the store knows against its own list."""
    due: dict[str, Digest] = {**item.listed, **expected_files(claimed.record), **claimed.beside}
    if "version.json" in item.files:
        due["version.json"] = claimed.digest
    gone = claimed.retirement
    if gone is not None and gone.ordered is not None and ERASED_FILE in item.files:
        due[ERASED_FILE] = digest_bytes(erased_marker(claimed.record))
    if gone is not None and gone.ordered is not None and WEIGHTS_FILE not in item.files:
        del due[WEIGHTS_FILE]
    elif gone is not None and gone.destroyed is not None and not gone.unfinished:
        said = f"The weights of {_version(claimed)} lie in the registry; ledger entry {gone.destroyed} destroyed them."
        again = f"`maintain registry retire {item.model} {item.number} --reason TEXT --destroy`"
        repair = f"Say {again} again, and ask who put them there."
        yield Disagreement(Odd.FILE_CHANGED, item.model, f"{item.place}, {WEIGHTS_FILE}", said, gone.destroyed, repair)
    for name in sorted({*due, *item.files}):
        if item.files.get(name) == due.get(name):
            continue
        what = "is missing" if name not in item.files else "was changed" if name in due else "was added"
        said = f"{name} of {_version(claimed)} {what}; ledger entry {claimed.entry} says otherwise."
        yield Disagreement(Odd.FILE_CHANGED, item.model, f"{item.place}, {name}", said, claimed.entry, _RESTORE)


def _of_tags(account: Account, item: HeldVersion, claimed: Claimed) -> Iterator[Disagreement]:
    if item.tags is None:
        return
    yield from _of_promotion_tag(account, item, claimed)
    if claimed.tags is None:
        return
    for name in sorted({*item.tags, *claimed.tags} - {PROMOTION_TAG}):
        found, wanted = item.tags.get(name), claimed.tags.get(name)
        if found != wanted:
            yield _tag(item, claimed, name, found, wanted, claimed.entry)


def _of_promotion_tag(account: Account, item: HeldVersion, claimed: Claimed) -> Iterator[Disagreement]:
    """Set when the alias was; missing only while the promotion is still being shown."""
    found = (item.tags or {}).get(PROMOTION_TAG)
    wanted = None if claimed.promoted is None else str(claimed.promoted)
    if found != wanted and not (found is None and claimed.promoted in account.showing):
        yield _tag(item, claimed, PROMOTION_TAG, found, wanted, claimed.promoted or claimed.entry)


def _tag(
    item: HeldVersion, claimed: Claimed, name: str, found: str | None, wanted: str | None, entry: int
) -> Disagreement:
    """A card is told by its change alone: it is long, and anybody may have written it."""
    thing = "The card" if name == CARD else f"The tag {name}"
    if found is None:
        what, repair = "was removed", f"Set it to {wanted} again there, and ask who removed it."
    elif wanted is None:
        what, repair = "was added by somebody", "Remove it there, and ask who set it; nothing reads it."
    else:
        what, repair = "was edited", f"Set it to {wanted} again there, and ask who edited it."
    if name == CARD:
        repair = "Believe `maintain registry show`, not the card, and ask who wrote it."
    says = "holds another" if wanted is not None else "holds none"
    said = f"{thing} of {_version(claimed)} {what}; ledger entry {entry} {says}."
    return Disagreement(Odd.TAG_CHANGED, item.model, f"{item.place}, {name}", said, entry, repair)


def _of_strays(account: Account, held: Holdings) -> Iterator[Disagreement]:
    for stray in held.strays:
        if stray.model is not None and stray.number is not None:
            key = (stray.model, stray.number)
            if key in account.begun or key in account.versions:
                continue  # its version is told above, or is being made
        yield Disagreement(Odd.STRAY, stray.model, stray.said, f"{stray.said} belongs to no version.", None, _REMOVE)


def _named(item: HeldVersion) -> str:
    place = item.place[:1].upper() + item.place[1:]
    return f"{place} of {item.model}"


def _version(claimed: Claimed) -> str:
    return f"{claimed.record.model} version {claimed.record.version}"


def _decided(claimed: ClaimedAlias) -> str:
    if claimed.entry is None:
        return "no entry of the ledger set it"
    at = "no version" if claimed.number is None else f"version {claimed.number}"
    return f"ledger entry {claimed.entry} says {at}"


def _remove_alias(model: str, name: str) -> str:
    return f"Find out who set it, and remove the alias {name} of {model} with the registry's own client."


def _put_back(model: str, claimed: ClaimedAlias) -> str:
    return (
        f"Find out who did that, and point it at version {claimed.number} again with the registry's own client, or "
        f"decide anew with `maintain registry rollback {model} --to VERSION --reason TEXT`."
    )
