"""`maintain registry`: registered versions and what they came from."""

from __future__ import annotations

from typing import Annotated

import typer

from maintain.cli import console, registry_moves
from maintain.cli.options import AsJson

app = typer.Typer()
registry_moves.add_to(app)


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
    from maintain_registry import registered

    rows, documents = [], []
    with open_context(context.obj) as ports, ports.database.read() as unit:
        models = ports.store.models()
        if model is not None and model not in models:
            raise UnknownNameError("model", model, models)
        for name in models if model is None else (model,):
            aliases = {alias: ports.store.alias(name, alias) for alias in Alias}
            for number in registered(unit, name):
                record = ports.store.get(name, number).record
                held = [alias.value for alias, at in aliases.items() if at == number]
                rows.append(
                    (
                        name,
                        number,
                        ", ".join(held),
                        record.method,
                        record.parent,
                        short(record.weights),
                        record.run,
                    )
                )
                documents.append({**codec.encode(record), "aliases": held})
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
    from maintain.cli.composition import open_context
    from maintain.errors import UnknownNameError
    from maintain_pipelines.champions import load_version
    from maintain_registry import registered

    with open_context(context.obj) as ports:
        with ports.database.read() as unit:
            known = registered(unit, model)
        if model not in ports.store.models():
            raise UnknownNameError("model", model, ports.store.models())
        if version not in known:
            raise UnknownNameError(f"version of {model}", str(version), map(str, known))
        found = load_version(ports.store, model, version)
    record, manifest = found.version, found.manifest
    lines = [f"{name:<12} {value}" for name, value in codec.encode(record).items() if value is not None]
    lines.append(
        f"{'learned':<12} {len(manifest.learned)} cases, {len(manifest.unlearned)} unlearned ({manifest.status})"
    )
    lines.append(f"{'origin':<12} {manifest.origin.kind} {manifest.origin.weights}")
    document = {
        "version": codec.encode(record),
        "manifest": {"status": manifest.status.value, "learned": len(manifest.learned)},
    }
    console.answer(document, lines, schema="registry-show", as_json=as_json)
