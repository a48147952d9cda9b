"""What `maintain request` reads: identifiers that are never repeated, words and dates, and the workspace's policies."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from maintain.cli import console
from maintain.errors import InputError

if TYPE_CHECKING:
    from maintain_pipelines.context import Context
    from maintain_pipelines.requests import Shelved

_Word = TypeVar("_Word", bound=StrEnum)

#: The largest list of identifiers; more is the wrong file.
LARGEST_BYTES = 1 << 20


def identifiers(source: Path | None) -> tuple[str, ...]:
    """PatientIDs, one a line: of the file, of stdin, or asked for where that is a terminal and then not shown.

    Raises `InputError` for what cannot be read; it repeats nothing of it.
    """
    from maintain.intake import read_identifiers

    if source is not None:
        return read_identifiers(_of_file(source).splitlines())
    if sys.stdin.isatty():
        return read_identifiers([getpass.getpass("PatientID: ", stream=sys.stderr)])
    return read_identifiers(_of_stdin().splitlines())


def choice(kind: type[_Word], text: str, option: str, *, only: Callable[[_Word], bool] = lambda _: True) -> _Word:
    """The member that a word means. Raises `InputError` without repeating a word that is none: it may be a name."""
    known = [member for member in kind if only(member)]
    found = next((member for member in known if member.value == text), None)
    if found is None:
        raise InputError(f"{option} is not one of its words.", remedy=f"Say one of: {', '.join(known)}.")
    return found


def day(text: str | None, option: str) -> date | None:
    """A date as people write it in ISO. Raises `InputError` without repeating what is none."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option} is no date.", remedy="Write it as 2026-03-31.") from error


def load_shelf(context: Context) -> tuple[Shelved, ...]:
    """Every policy in `policies/` of the workspace that can be read; the others are named on stderr."""
    from maintain.cli.catalogues import catalogues
    from maintain_pipelines.requests import Shelved
    from maintain_policies import load_policy

    known, found = catalogues(), []
    for path in sorted(context.workspace.policies.glob("*.yaml")):
        try:
            found.append(Shelved(path.name, load_policy(path, known)))
        except InputError:
            console.say(f"policies/{path.name} is no valid policy: `maintain policy validate` says why.")
    return tuple(found)


# --- private ---------------------------------------------------------------------------------------


def _of_file(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
        return _small(data, "The file after --from").decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"The file after --from cannot be read ({error.strerror}).", remedy="Name a file, or leave --from out."
        ) from error
    except UnicodeError as error:
        raise InputError("The file after --from is not UTF-8 text.", remedy="Give one PatientID a line.") from error


def _of_stdin() -> str:
    """In the C locale Python mends bytes that are no text; they would name somebody else, whom nobody would find."""
    try:
        text = sys.stdin.read(LARGEST_BYTES + 1)
        _small(text.encode(), "What stands on stdin")
    except UnicodeError as error:
        raise InputError("What stands on stdin is not UTF-8 text.", remedy="Give one PatientID a line.") from error
    return text


def _small(data: bytes, where: str) -> bytes:
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{where} is too large for a list.", remedy="Give one PatientID a line.")
    return data
