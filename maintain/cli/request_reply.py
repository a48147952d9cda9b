"""`maintain request reply`: the letter that answers a request, for people, for mails and for programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maintain.cli import console
from maintain.cli.options import AsJson

if TYPE_CHECKING:
    from maintain_pipelines.replying import LineageTold, Replied, VersionTold
    from maintain_registry import Entry


class LetterFormat(StrEnum):
    """How the letter is written."""

    MARKDOWN = "markdown"
    """Text for a mail or a word processor."""
    HTML = "html"
    """A page to print."""


def add_to(application: typer.Typer) -> None:
    """Add the command to the noun."""
    application.command(name="reply")(reply)


def reply(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="REQUEST", help="Its name, for example R-2026-0007.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write it to a new file outside the workspace; else print it."),
    ] = None,
    edition: Annotated[LetterFormat, typer.Option("--format", help="markdown or html.")] = LetterFormat.MARKDOWN,
    as_json: AsJson = False,
) -> None:
    """Write the letter that answers a request: what was found, what was done, what was not, and why.

    A page in plain words for the person, then a technical page for the file. It names nobody: lines in brackets are for
    the office to fill in, and to check. In every state a letter can be written; of an open request it says how it
    stands. The ledger keeps the digest of the letter, not the letter. A file is readable by you alone and is never
    written over another.

    \b
    Examples:
      maintain request reply R-2026-0007
      maintain request reply R-2026-0007 --format html --output ~/letters/R-2026-0007.html
    """
    from maintain.cli.composition import open_context
    from maintain.cli.request_reading import load_shelf
    from maintain_pipelines import replying, requests

    with open_context(context.obj) as ports:
        for settled in requests.settle(ports):
            console.say(requests.spoken(settled))
        done = replying.reply(
            name, ports, edition=replying.Edition(edition.value), output=output, policies=load_shelf(ports)
        )
    lines = [f"Letter: {output}"] if output else done.text.splitlines()
    console.answer(_document(done, output), lines, schema="request-reply", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _document(done: Replied, output: Path | None) -> dict[str, Any]:
    """The parts of the letter as they are worded, and the facts that they are made of."""
    from maintain import codec
    from maintain.cli.request_pages import request_document

    told = done.told
    return {
        "request": request_document(told.standing.request),
        "today": told.today.isoformat(),
        "format": done.edition.value,
        "file": None if output is None else str(output),
        "digest": done.digest,
        "entry": done.entry,
        "again": done.again,
        "letter": codec.encode(done.letter),
        "text": done.text if output is None else None,
        "people": [
            {"number": person.number, "found": person.found.value, "images": images}
            for person, images in zip(told.standing.people, told.images, strict=True)
        ],
        "lineages": [_lineage(lineage) for lineage in told.lineages],
        "duties": codec.encode(told.duties),
        "erased": None if told.erased is None else dict(told.erased),
        "searched": told.searched,
        "out_of_reach": list(told.out_of_reach),
        "entries": [_entry(entry) for entry in told.standing.entries],
    }


def _lineage(lineage: LineageTold) -> dict[str, Any]:
    from maintain import codec

    return {
        "model": lineage.model,
        "versions": [_version(version) for version in lineage.versions],
        "evidence": None if lineage.evidence is None else codec.encode(lineage.evidence),
        "registered": _entry(lineage.registered),
        "serving": lineage.serving,
        "serving_since": _entry(lineage.since),
        "serving_free": lineage.serving_free,
        "action": None if lineage.prospect is None else lineage.prospect.action,
        "policy": None if lineage.prospect is None else lineage.prospect.policy,
    }


def _version(version: VersionTold) -> dict[str, Any]:
    return {
        "version": version.version,
        "answer": version.answer.value,
        "images": version.images,
        "serves": version.serves,
        "weights": version.weights,
        "retired": _entry(version.retired),
        "destroyed": _entry(version.destroyed),
    }


def _entry(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {"number": entry.number, "at": entry.at, "event": entry.event.value, "hash": entry.hash}
