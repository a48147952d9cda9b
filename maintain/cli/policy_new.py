"""`maintain policy new`: a policy to start from, written out of a worked example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maintain.cli import console
from maintain.cli.options import AsJson
from maintain.errors import InputError


def add_to(application: typer.Typer) -> None:
    """Add the command to `maintain policy`."""
    application.command(name="new")(new)


def new(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="What it is for; --list says what there is.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="What people call the policy.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="The registered model that it revises.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Who answers for it.")] = None,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="FIELD=VALUE", help="What a field of the example is tested for; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file; NAME.yaml here if omitted.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Say which kinds there are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a policy to start from: a worked example with your own words in it, valid as it stands.

    \b
    Examples:
      maintain policy new --list
      maintain policy new retired-camera --model fundus-triage --field device.model="Visucam 500"
    """
    from maintain.cli.catalogues import catalogues
    from maintain_policies import begin_policy, parse_policy

    if listed:
        if kind is not None:
            raise InputError("--list takes no kind.", remedy="Say one or the other.")
        _list(as_json)
        return
    if kind is None:
        raise InputError(
            "No kind of policy was named.", remedy="`maintain policy new --list` says which kinds there are."
        )
    text = begin_policy(kind, name=name, model=model, owner=owner, fields=_fields(field or []))
    policy = parse_policy(text, source=str(output or "the new policy"), catalogues=catalogues())
    file = output or Path(f"{policy.name}.yaml")
    _write(file, text, force=force)
    document = {"file": str(file), "kind": kind, "name": policy.name, "digest": policy.digest}
    lines = [
        f"Wrote {file}: the policy {policy.name}, after the worked example {kind}.",
        f"Next: read and mend it, then `maintain plan {file}` says whom it would touch, and changes nothing.",
    ]
    console.answer(document, lines, schema="policy-new", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _list(as_json: bool) -> None:
    from maintain.cli.catalogues import catalogues
    from maintain_policies import KINDS, parse_policy, summary_of, worked_policy

    known = catalogues()
    policies = [(kind, parse_policy(worked_policy(kind), source=kind, catalogues=known)) for kind in KINDS]
    summaries = {kind: summary_of(kind).rstrip(".").partition(": ")[0] for kind in KINDS}
    rows = [(kind, policy.reason.value, policy.claim.value, summaries[kind]) for kind, policy in policies]
    words = ("kind", "reason", "claim", "summary")
    document = {"kinds": [dict(zip(words, row, strict=True)) for row in rows]}
    lines = [*console.table(("kind", "reason", "claim", "what it is for"), rows), "", "maintain policy new KIND"]
    console.answer(document, lines, schema="policy-kinds", as_json=as_json)


def _fields(words: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for word in words:
        field, equals, value = word.partition("=")
        if not equals or not field.strip() or not value.strip():
            raise InputError(f"--field {word!r} gives no field a value.", remedy="Say --field FIELD=VALUE.")
        if field.strip() in fields:
            raise InputError(f"--field {field.strip()} is given twice.", remedy="Give it once.")
        fields[field.strip()] = value.strip()
    return fields


def _write(file: Path, text: str, *, force: bool) -> None:
    try:
        with file.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise InputError(
            f"{file} is there already; nothing was written.", remedy="Name another file, or say --force."
        ) from error
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror}.", remedy="Name a file in a folder that this user may write."
        ) from error
