"""`maintain registry`: registered versions and what they came from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import console, registry_moves, registry_retire
from maintain.cli.options import AsJson

if TYPE_CHECKING:
    from maintain_registry import Retirement

app = typer.Typer()
registry_moves.add_to(app)
registry_retire.add_to(app)


@app.command(name="list")
def list_versions(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="Only this model.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every registered version with its aliases.

    \b
    Examples:
      maintain registry list
      maintain registry list fundus-triage --json
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain.errors import UnknownNameError
    from maintain.hashing import short
    from maintain.vocabulary import Alias
    from maintain_registry import registered, retirements

    rows, documents = [], []
    with open_context(context.obj) as ports, ports.database.read() as unit:
        models = ports.store.models()
        if model is not None and model not in models:
            raise UnknownNameError("model", model, models)
        for name in models if model is None else (model,):
            aliases = {alias: ports.store.alias(name, alias) for alias in Alias}
            gone = retirements(unit, name)
            for number in registered(unit, name):
                record = ports.store.get(name, number).record
                held = [alias.value for alias, at in aliases.items() if at == number]
                mark = _mark(gone.get(number))
                rows.append(
                    (
                        name,
                        number,
                        ", ".join(held) or mark,
                        record.method,
                        record.parent,
                        short(record.weights),
                        record.run,
                    )
                )
                documents.append({**codec.encode(record), "aliases": held, "retired": mark or None})
    header = ("model", "version", "aliases", "method", "parent", "weights", "run")
    console.answer({"versions": documents}, console.table(header, rows), schema="registry-list", as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model.")],
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Its number.")],
    as_json: AsJson = False,
) -> None:
    """One registered version: every digest it names, and what it learned from.

    \b
    Example:
      maintain registry show fundus-triage 2
    """
    from maintain import codec
    from maintain.cli.audit_pages import standing
    from maintain.cli.composition import open_context
    from maintain.errors import UnknownNameError
    from maintain_pipelines.champions import read_version
    from maintain_registry import registered, retirements

    with open_context(context.obj) as ports:
        with ports.database.read() as unit:
            known, retirement = registered(unit, model), retirements(unit, model).get(version)
        if model not in ports.store.models():
            raise UnknownNameError("model", model, ports.store.models())
        if version not in known:
            raise UnknownNameError(f"version of {model}", str(version), map(str, known))
        found = read_version(ports.store, model, version)
    record, manifest = found.version, found.manifest
    lines = [f"{name:<12} {value}" for name, value in codec.encode(record).items() if value is not None]
    lines.append(
        f"{'learned':<12} {len(manifest.learned)} cases, {len(manifest.unlearned)} unlearned ({manifest.status})"
    )
    lines.append(f"{'origin':<12} {manifest.origin.kind} {manifest.origin.weights}")
    if retirement is not None:
        lines.append(f"{'retired':<12} {standing(retirement)}")
    document = {
        "version": codec.encode(record),
        "retirement": codec.encode(retirement),
        "manifest": {"status": manifest.status.value, "learned": len(manifest.learned)},
    }
    console.answer(document, lines, schema="registry-show", as_json=as_json)


@app.command()
def diff(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model.")],
    first: Annotated[int, typer.Argument(metavar="A", help="One version.")],
    second: Annotated[int, typer.Argument(metavar="B", help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """What differs between two registered versions: how they were made, what they learned, what judged them.

    \b
    Example:
      maintain registry diff fundus-triage 1 2
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.compare import compare
    from maintain_pipelines.promote import require_model

    with open_context(context.obj) as ports:
        require_model(model, ports)
        found = compare(model, first, second, ports)
    header = ("", f"version {first}", f"version {second}")
    differing = [(item.name, _cut(item.first), _cut(item.second)) for item in found.aspects if item.differs]
    same = [item.name for item in found.aspects if not item.differs]
    lists = [
        (row.name.replace("_", " "), row.first, row.second, row.only_first, row.only_second) for row in found.lists
    ]
    lines = [*console.table(header, differing), "", f"The same in both: {', '.join(same) or 'nothing'}.", ""]
    lines += console.table(("cases", *header[1:], f"only {first}", f"only {second}"), lists)
    if found.gates:
        gates = [(item.name, item.first, item.second) for item in found.gates]
        lines += ["", *console.table(("gate", *header[1:]), gates)]
    console.answer(codec.encode(found), lines, schema="registry-diff", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _mark(retirement: Retirement | None) -> str:
    if retirement is None:
        return ""
    return "destroyed" if retirement.destroyed is not None and not retirement.unfinished else "retired"


def _cut(text: str) -> str:
    """A text in which digests are as short as a person reads them."""
    from maintain.hashing import short

    return " ".join(short(word) if _DIGEST.fullmatch(word) else word for word in text.split(" "))


_DIGEST = re.compile(r"[0-9a-f]{64}")
