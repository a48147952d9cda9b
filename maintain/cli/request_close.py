"""`maintain request close`: what the workspace holds of a person is erased, and that is proven."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maintain.cli import console
from maintain.cli.options import AsJson
from maintain.errors import InputError

if TYPE_CHECKING:
    from maintain_pipelines.context import Context
    from maintain_pipelines.erasing import Closed


def add_to(application: typer.Typer) -> None:
    """Add the command to the noun."""
    application.command(name="close")(close)


def close(
    context: typer.Context,
    request: Annotated[
        str | None, typer.Argument(metavar="[REQUEST]", help="Its name; with --ready, every answered one without it.")
    ] = None,
    ready: Annotated[
        bool, typer.Option("--ready", help="Only say what stands in the way, and the command that removes it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; nothing brings back what is erased.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what the workspace holds of the people of an answered request, prove it, and close the request.

    Images, labels, rows, references, unfinished trainings and the lists of ended runs that name them are removed; a
    look through every file and every row proves that nothing is left, and the ledger keeps a tombstone that names what
    could not be reached. What bars them stays, and manifests of versions still answer who was learned from. Exits 1
    where something is left, 5 when it was closed or withdrawn before, 6 while something must happen first. Killed
    half-way, say it again.

    \b
    Examples:
      maintain request close --ready
      maintain request close R-2026-0001 --yes
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines.erasing import close_request
    from maintain_pipelines.requests import settle_after

    if ready and yes:
        raise InputError("`--yes` has no place beside `--ready`.", remedy="Leave one of them out.")
    with open_context(context.obj) as ports:
        settle_after(ports)
        if ready:
            document, lines = _ready(request, ports)
        else:
            name = _named(request)
            if not yes:
                _require_typed(name)
            document, lines = _closed(close_request(name, ports))
    console.answer(document, lines, schema="request-close", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _named(request: str | None) -> str:
    if request is None:
        raise InputError("Nobody said which request.", remedy="`maintain request list` has their names.")
    return request


def _ready(request: str | None, ports: Context) -> tuple[dict[str, Any], list[str]]:
    """What stands in the way of one request, or of every answered one."""
    from maintain.requests import RequestStore
    from maintain.vocabulary import Found
    from maintain_pipelines.erasing import answered, ready

    names = answered(ports) if request is None else (request,)
    found = {name: ready(name, ports) for name in names}
    with ports.database.read() as unit:
        doubtful = {name for name in names if RequestStore(unit).get(name).found is Found.CANNOT_EXCLUDE}
    lines = []
    for name, standing in found.items():
        lines += [f"{name}: {'not yet.' if standing else 'ready to be closed.'}", *(f"  {line}" for line in standing)]
        if name in doubtful:
            lines.append(f"  More images of them cannot be excluded: `maintain request show {name}` says why.")
    document = {"requests": [{"request": name, "standing": list(standing)} for name, standing in found.items()]}
    return document, lines or ["No request is answered and waits to be closed."]


def _require_typed(name: str) -> None:
    """Ask at a terminal for the name; elsewhere refuse, so that no script waits for an answer."""
    if not sys.stdin.isatty():
        raise InputError("Nobody is at the terminal to confirm.", remedy="Add `--yes`; nothing brings images back.")
    console.say(f"What this workspace holds of the people of {name} will be erased for good. Type {name} to go on:")
    if sys.stdin.readline().strip() != name:
        raise InputError("That is not the request.", remedy="Nothing was changed. Say it again, or add `--yes`.")


def _closed(done: Closed) -> tuple[dict[str, Any], list[str]]:
    from maintain import codec

    lines = [
        f"{done.request} is closed, ledger entry {done.entry}.",
        f"Afterwards {done.searched} files of the workspace and every row of its database were looked at; "
        "nothing that is known to be of these people is left but what bars them and what is listed below.",
        "",
        "Erased, besides what an earlier closing had erased before it was cut short:" if done.resumed else "Erased:",
        *console.table(("what", "how many"), [(kind, str(count)) for kind, count in done.erased.items() if count]),
        "",
        "Out of reach, and not shown to be free of them:",
        *(f"  {what}" for what in done.out_of_reach),
    ]
    return {**codec.encode(done), "erased": dict(done.erased)}, lines
