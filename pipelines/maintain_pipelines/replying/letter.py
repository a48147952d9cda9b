"""A letter is written: it is put together from what is known today, and the ledger keeps its digest.

The text itself is kept nowhere: the office adds names to it. The same text said again is no new entry.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from maintain import codec
from maintain.errors import InputError
from maintain.hashing import Digest, digest_bytes
from maintain.report import Letter, render_letter_html, render_letter_markdown
from maintain_pipelines.context import Context
from maintain_pipelines.replying import plain, technical
from maintain_pipelines.replying.told import Told, tell_request
from maintain_pipelines.replying.voice import ASKED, BASES, Voice, spoken_day, spoken_state
from maintain_pipelines.requests import Shelved, entries_of
from maintain_pipelines.suppress import EVERYWHERE
from maintain_registry import Event, EventKind


class Edition(StrEnum):
    """How a letter is written."""

    MARKDOWN = "markdown"
    """Text for a mail or a word processor."""
    HTML = "html"
    """A page to print."""


@dataclass(frozen=True, slots=True)
class Replied:
    """A letter: its parts, the facts in it, its text, and the entry that names the text by digest.

    `again` where this very text was written before; then the entry is the earlier one.
    """

    letter: Letter
    told: Told
    edition: Edition
    text: str
    digest: Digest
    entry: int
    again: bool


def reply(
    name: str,
    context: Context,
    *,
    edition: Edition = Edition.MARKDOWN,
    output: Path | None = None,
    policies: Sequence[Shelved] | None = None,
) -> Replied:
    """Write the letter of a request, to a new file where one is named.

    Raises:
        UnknownNameError: There is no such request.
        InputError: The file is there already, cannot be written, or would lie in the workspace.
        BrokenChainError: The ledger does not hold what the letter would say.
    """
    if output is not None:
        check_output(output, context)
    told = tell_request(name, context, policies=policies)
    letter = compose(told)
    text = {Edition.MARKDOWN: render_letter_markdown, Edition.HTML: render_letter_html}[edition](letter)
    digest = digest_bytes(text.encode())
    if output is not None:
        _write_new(output, text.encode())
    try:
        entry, again = _record(told, edition, digest, context)
    except BaseException:
        if output is not None:
            output.unlink(missing_ok=True)
        raise
    return Replied(letter, told, edition, text, digest, entry, again)


def compose(told: Told) -> Letter:
    """The letter of what was told."""
    request, voice = told.standing.request, Voice(max(len(told.standing.people), 1))
    facts = (
        ("Request", request.name),
        ("You asked", ASKED[request.reason].format(theirs=voice.theirs)),
        ("Legal basis", BASES[request.basis]),
        ("Received on", spoken_day(request.received)),
        ("To be answered by", spoken_day(request.due)),
        ("It stands", spoken_state(request.state, request.found)),
    )
    return Letter(
        request=request.name,
        title=f"Our reply to your request {request.name}",
        day=spoken_day(told.today),
        lead=plain.lead(told, voice),
        facts=facts,
        late=plain.late(told),
        parts=plain.parts(told, voice),
        rights=plain.rights(voice),
        tables=technical.tables(told),
        notes=technical.notes(),
    )


def check_output(path: Path, context: Context) -> None:
    """Raise `InputError` where no letter may be written: over another file, or in the workspace."""
    if not path.parent.is_dir():
        raise _refused("There is no such folder to write the letter into.")
    if path.parent.resolve().is_relative_to(context.workspace.root.resolve()):
        raise _refused("A name is added to the letter; a workspace keeps none.")
    if os.path.lexists(path):
        raise _refused("There is a file where the letter should be written; it was left as it is.")


# --- private ---------------------------------------------------------------------------------------


def _refused(what: str) -> InputError:
    return InputError(what, remedy="Name a new file, in a folder outside the workspace.")


def _record(told: Told, edition: Edition, digest: Digest, context: Context) -> tuple[int, bool]:
    """The entry that names this text, and whether it stood before."""
    request = told.standing.request
    body = {"request": request.name, "state": request.state.value, "letter": digest, "format": edition.value}
    with context.ledger.begin(context.database) as unit:
        for entry in entries_of(unit, request.name, context, EventKind.REQUEST_REPLIED):
            if entry.body.get("letter") == digest:
                return entry.number, True
        return context.ledger.append(unit, Event(EventKind.REQUEST_REPLIED, EVERYWHERE, body)).number, False


def _write_new(path: Path, data: bytes) -> None:
    try:
        codec.write_new(path, data)
    except OSError as error:
        raise _refused(f"The letter could not be written ({error.strerror}).") from error
