"""The page behind a letter that stays in the file: entries, versions, evidence, what is open, what is out of reach."""

from __future__ import annotations

import re
from collections.abc import Iterator

from maintain.hashing import Digest, short
from maintain.report import LetterTable
from maintain.vocabulary import Duty, Exposed
from maintain_pipelines.replying.told import LineageTold, Told, VersionTold
from maintain_pipelines.replying.voice import many
from maintain_registry import EventKind

#: What stands where there is nothing to say.
NONE = "\N{EN DASH}"


def notes() -> tuple[str, ...]:
    """How to read it."""
    return (
        "Entries are those of the signed ledger; “maintain audit verify” checks every one. A version answers by its "
        "proven manifest (claim never-saw): digests show what it was trained on; nothing is claimed of its behaviour.",
    )


def tables(told: Told) -> tuple[LetterTable, ...]:
    """Every table, in the order in which they are read."""
    request = told.standing.request
    own = (
        ("name", request.name),
        ("state", request.state.value),
        ("reason, legal basis", f"{request.reason}, {request.basis}"),
        ("found", request.found.value),
        ("images, exact copies", f"{request.images}, {request.copies}"),
        ("filed", request.filed),
        ("answered", request.answered or NONE),
        ("ended", request.ended or NONE),
    )
    reach = "what" if told.erased is not None else "what will not be reached"
    return (
        LetterTable("Request", ("what", "value"), own, ""),
        LetterTable("Ledger", ("entry", "fact", "at", "hash (SHA-256)"), tuple(_entries(told)), "No entry."),
        LetterTable("Versions that learned from the images", _VERSIONS, tuple(_versions(told)), "No version did."),
        LetterTable("Evidence", _EVIDENCE, tuple(_evidence(told)), "No version has to answer, or none does yet."),
        LetterTable("To be done by a person", ("model", "what"), tuple(_actions(told)), "Nothing."),
        LetterTable("Owed to the images", ("duty", "images"), tuple(_duties(told)), "Nothing any more."),
        LetterTable("Erased", ("what", "how many"), tuple(_erased(told)), "Nothing yet."),
        LetterTable("Out of reach", (reach,), tuple((text,) for text in told.out_of_reach), "Nothing."),
    )


# --- private ---------------------------------------------------------------------------------------

_COMMAND = re.compile("`([^`]*)`")

_VERSIONS = ("model", "version", "learned", "weights", "retired, entry", "destroyed, entry")

_EVIDENCE = ("version", "what", "value")


def _entries(told: Told) -> Iterator[tuple[str, ...]]:
    """Letters are left out: one would change the next."""
    for entry in told.standing.entries:
        if entry.event is not EventKind.REQUEST_REPLIED:
            yield str(entry.number), entry.event.value, entry.at, entry.hash


def _versions(told: Told) -> Iterator[tuple[str, ...]]:
    for lineage in told.lineages:
        yield from (_version(lineage, version) for version in lineage.versions)


def _version(lineage: LineageTold, version: VersionTold) -> tuple[str, ...]:
    learned = many(version.images, "image") if version.answer is Exposed.YES else "unknown"
    ends = (NONE if entry is None else f"{entry.at}, {entry.number}" for entry in (version.retired, version.destroyed))
    serves = f"{version.version}, champion" if version.serves else str(version.version)
    return (lineage.model, serves, learned, _digest(version.weights), *ends)


def _evidence(told: Told) -> Iterator[tuple[str, ...]]:
    for lineage in told.lineages:
        one, made = lineage.evidence, lineage.registered
        if one is None or made is None:
            continue
        judged = "" if one.verdict_entry is None else f", entry {one.verdict_entry}"
        name = f"{one.model} {one.version}"
        yield name, "registered", f"{made.at}, entry {made.number}"
        yield name, "run", one.run or NONE
        yield name, "weights", one.weights
        yield name, "manifest", one.manifest
        yield name, "verdict", NONE if one.verdict is None else f"{one.verdict}{judged}"


def _actions(told: Told) -> Iterator[tuple[str, ...]]:
    standing = told.standing
    for lineage in told.lineages:
        if lineage.prospect is not None and lineage.prospect.action is not None:
            yield lineage.model, _quoted(lineage.prospect.action)
    for text in standing.unclosed:
        what, _, how = text.partition(": ")
        yield what, _quoted(how)


def _duties(told: Told) -> Iterator[tuple[str, ...]]:
    """Images that are erased are owed nothing but what was chosen or judged with them."""
    for one in told.duties:
        if one.images and not (told.erased is not None and one.duty is Duty.ERASE_ONLY):
            yield one.duty.value, str(one.images)


def _erased(told: Told) -> Iterator[tuple[str, ...]]:
    for kind, count in (told.erased or {}).items():
        if count:
            yield kind, str(count)


def _quoted(text: str) -> str:
    """Commands in quotation marks: a letter has no other way to set them off."""
    return _COMMAND.sub("\u201c\\1\u201d", text)


def _digest(digest: Digest | None) -> str:
    return NONE if digest is None else short(digest)
