"""`maintain registry promote | rollback | suspend`: what serves, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from maintain.cli import console
from maintain.cli.options import AsJson

if TYPE_CHECKING:
    from maintain_pipelines.promote import Moved
    from maintain_pipelines.rehearsal import Rehearsal
    from maintain_pipelines.rollback import RolledBack

Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model.")]
Why = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, in one line without identifiers; it stays in the ledger.")
]


def add_to(application: typer.Typer) -> None:
    """Add the commands that move aliases to the noun."""
    application.command(name="promote")(promote)
    application.command(name="rollback")(rollback)
    application.command(name="suspend")(suspend)


def promote(
    context: typer.Context,
    model: Model,
    version: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="Its number; without one, the candidate that waits.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Load the version and let it answer; change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let a candidate serve: it becomes champion, and the champion becomes previous.

    It must have passed its gates, come from the version that serves now, and have learned from nothing
    that was suppressed since. Exits 1 when it may not, 5 when it serves already, 6 when another process holds the lock.
    With --dry-run its answers about synthetic pictures are compared with those of its registration.

    \b
    Examples:
      maintain registry promote fundus-triage
      maintain registry promote fundus-triage --dry-run
      maintain registry promote fundus-triage 2 --json
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines.promote import promote as promote_version
    from maintain_pipelines.promote import rehearse
    from maintain_pipelines.rehearsal import load_and_answer

    with open_context(context.obj) as ports:
        if dry_run:
            number = rehearse(model, version, ports)
            _say_rehearsed(model, number, load_and_answer(model, number, ports), as_json=as_json)
            return
        moved = promote_version(model, version, ports)
    lines = [f"{model} version {moved.version} serves now, ledger entry {moved.entry}.", _previous_line(moved)]
    console.answer(_document(moved), lines, schema="registry-promote", as_json=as_json)


def rollback(
    context: typer.Context,
    model: Model,
    reason: Why,
    to: Annotated[
        int | None, typer.Option("--to", metavar="VERSION", help="A version that served, if not the previous one.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Load the version and let it answer; change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let a version that served before serve again, and say what that reopens.

    Refused when it learned from somebody who withdrew consent or asked for erasure. Exits 1 when it may not
    or there is none to return to, 5 when it serves already. Said twice it goes back once; further back with --to.

    \b
    Examples:
      maintain registry rollback fundus-triage --reason 'worse on the new camera'
      maintain registry rollback fundus-triage --to 1 --reason 'ticket 4711' --dry-run
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines.rehearsal import load_and_answer
    from maintain_pipelines.rollback import rehearse
    from maintain_pipelines.rollback import rollback as roll_back

    with open_context(context.obj) as ports:
        if dry_run:
            back = rehearse(model, ports, reason=reason, to=to)
            rehearsal = load_and_answer(model, back.version, ports)
        else:
            back, rehearsal = roll_back(model, ports, reason=reason, to=to), None
    document: dict[str, Any] = {"model": model, "version": back.version, "left": back.left, "dry_run": dry_run}
    document["reopened"] = _reopened(back)
    if rehearsal is not None:
        from maintain import codec

        document["checked"] = codec.encode(rehearsal)
        lines = [f"{model} version {back.version} could serve again. Nothing was changed.", *rehearsal.lines()]
    else:
        assert back.moved is not None, "only a rehearsal moves nothing"
        document |= _document(back.moved)
        lines = [f"{model} version {back.version} serves again, ledger entry {back.moved.entry}."]
        lines.append(_previous_line(back.moved))
    lines += _reopened_lines(back)
    console.answer(document, lines, schema="registry-rollback", as_json=as_json)


def suspend(context: typer.Context, model: Model, reason: Why, as_json: AsJson = False) -> None:
    """Take a model out of service: no version of it is champion any more.

    Allowed at any time. Exits 5 when none serves. Afterwards a candidate that came from the suspended version can
    be promoted, a version that served can be returned to, or the model can be trained anew on a new snapshot.

    \b
    Example:
      maintain registry suspend fundus-triage --reason 'recall of the camera, ticket 4711'
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines.suspend import suspend as suspend_model

    with open_context(context.obj) as ports:
        moved = suspend_model(model, ports, reason=reason)
    lines = [
        f"No version of {model} serves now; version {moved.left} was left, ledger entry {moved.entry}.",
        "What was deployed from it outside this registry runs on until somebody stops it.",
    ]
    if moved.previous is not None:
        lines.append(
            f"Version {moved.previous} served before: `maintain registry rollback {model} --dry-run` tries it."
        )
    console.answer(_document(moved), lines, schema="registry-suspend", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _say_rehearsed(model: str, number: int, rehearsal: Rehearsal, *, as_json: bool) -> None:
    from maintain import codec

    document = {"model": model, "version": number, "dry_run": True, "checked": codec.encode(rehearsal)}
    lines = [f"{model} version {number} could serve. Nothing was changed.", *rehearsal.lines()]
    console.answer(document, lines, schema="registry-promote", as_json=as_json)


def _document(moved: Moved) -> dict[str, Any]:
    from maintain import codec

    document: dict[str, Any] = codec.encode(moved)
    return document


def _previous_line(moved: Moved) -> str:
    if moved.previous is None:
        return "There is no version before it to return to."
    return f"Version {moved.previous} is the one before it."


def _reopened(back: RolledBack) -> list[dict[str, Any]]:
    from maintain import codec

    return [codec.encode(item) for item in back.reopened]


def _reopened_lines(back: RolledBack) -> list[str]:
    if not back.reopened:
        return ["Nothing is reopened: the version that is left answered no policy that this one does not."]
    from maintain.hashing import short

    lines = ["Open again, since the version that is left answered it and this one does not:"]
    for item in back.reopened:
        lines.append(
            f"  {item.policy_name}: {item.cases} cases, answered by version {item.version}"
            + (f" (forget set {short(item.forget_set)})" if item.forget_set else "")
        )
    return [*lines, "Say `maintain run POLICY` for each of them."]
