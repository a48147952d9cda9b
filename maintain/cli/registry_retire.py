"""`maintain registry retire`: a version is withdrawn for good, and with `--destroy` its weights are deleted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import console
from maintain.cli.options import AsJson
from maintain.cli.registry_moves import Model, Why
from maintain.errors import InputError

if TYPE_CHECKING:
    from maintain_pipelines.destroy import Destroyed
    from maintain_pipelines.retire import Heirs, Retired


def add_to(application: typer.Typer) -> None:
    """Add the command to the noun."""
    application.command(name="retire")(retire)


def retire(
    context: typer.Context,
    model: Model,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Its number.")],
    reason: Why,
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Delete its weights wherever they lie, and prove it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --destroy: do not ask; nothing brings them back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw a version for good: no alias points at it and nothing loads it; its files are kept.

    With --destroy its weights are deleted everywhere below the workspace: registry, runs, trainings, references,
    checkpoints and copies; and in MLflow, on a server too, what its own deletion leaves. A look by digest through all
    of it proves that none is left, and the ledger keeps a tombstone that names what could not be reached. Manifest
    and entries stay, so who was learned from is still answered. Exits 1 for a version that serves or whose very
    weights another one has, 5 when it was done before, 6 while work on the model is under way or the registry is away.
    Killed half-way, say it again.

    \b
    Examples:
      maintain registry retire fundus-triage 1 --reason 'superseded, ticket 4711'
      maintain registry retire fundus-triage 1 --reason 'erasure, ticket 4712' --destroy --yes
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.destroy import destroy as destroy_version
    from maintain_pipelines.retire import retire as retire_version

    if yes and not destroy:
        raise InputError("`--yes` belongs to `--destroy`.", remedy="Leave it out; nothing is deleted without it.")
    if destroy and not yes:
        _require_typed(model, version)
    with open_context(context.obj) as ports:
        if destroy:
            gone = destroy_version(model, version, ports, reason=reason)
            document, lines = codec.encode(gone), _destroyed(gone)
        else:
            done = retire_version(model, version, ports, reason=reason)
            document, lines = codec.encode(done), _retired(done)
    console.answer({**document, "destroyed": destroy}, lines, schema="registry-retire", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _require_typed(model: str, version: int) -> None:
    """Ask at a terminal for model and version; elsewhere refuse, so that no script waits for an answer."""
    if not sys.stdin.isatty():
        raise InputError("Nobody is at the terminal to confirm.", remedy="Add `--yes`; nothing brings weights back.")
    wanted = f"{model} {version}"
    console.say(f"The weights of {wanted} will be deleted for good. Type {wanted!r} to go on:")
    if sys.stdin.readline().strip() != wanted:
        raise InputError("That is not the version.", remedy="Nothing was changed. Say it again, or add `--yes`.")


def _retired(done: Retired) -> list[str]:
    lines = [f"{done.model} version {done.version} is retired, ledger entry {done.entry}; its files are kept."]
    if done.cleared:
        lines.append(f"It was {' and '.join(done.cleared)}; that alias points nowhere now.")
    return [*lines, *_heirs(done.heirs)]


def _destroyed(gone: Destroyed) -> list[str]:
    lines = [
        f"The weights of {gone.model} version {gone.version} are destroyed, ledger entry {gone.entry}.",
        f"Afterwards {gone.searched} files of the workspace were looked at; none holds {gone.weights}.",
        "",
        "They lay at:",
        *(f"  {place}" for place in gone.places),
        "",
        "Out of reach, and not shown to be free of them:",
        *(f"  {what}" for what in gone.out_of_reach),
    ]
    others = [name for name in gone.versions if name != f"{gone.model} {gone.version}"]
    if others:
        lines += ["", f"The same weights were those of {', '.join(others)}, retired before: theirs are gone too."]
    return [*lines, "", *_heirs(gone.heirs)]


def _heirs(heirs: Heirs) -> list[str]:
    lines = []
    if heirs.versions:
        lines.append(f"Began from these weights, and still carry what they learned: {', '.join(heirs.versions)}.")
    if heirs.unknown:
        lines.append(f"Nobody can say what these began from, their files are damaged: {', '.join(heirs.unknown)}.")
    return lines or ["No other version began from these weights."]
