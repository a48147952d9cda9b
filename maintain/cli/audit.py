"""`maintain audit`: whether the trail is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode
from maintain.cli.options import AsJson

app = typer.Typer()


@app.callback()
def _noun() -> None:
    """Keep `audit` a group although it has one command so far."""


@app.command()
def verify(
    context: typer.Context,
    require_anchor: Annotated[
        bool, typer.Option("--require-anchor", help="Exit 3 when there is no head file to compare with.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute the ledger: every hash, every signature, and its head file.

    Names the first entry that disagrees and exits 1.

    \b
    Example:
      maintain audit verify
    """
    from maintain.cli.audit_ledger import verify_ledger

    report = verify_ledger(context.obj)
    lines = [
        f"The chain is whole: {report.entries} entries, {report.signed} of them signed.",
        "Anchored: every entry agrees with the head file."
        if report.anchored
        else "Unanchored: there is no head file, so a ledger that was rewritten as a whole would not show.",
    ]
    lines += [f"Note: {warning}" for warning in report.warnings]
    from maintain import codec

    console.answer(codec.encode(report), lines, schema="audit-verify", as_json=as_json)
    if require_anchor and not report.anchored:
        raise typer.Exit(ExitCode.NOT_EVALUATED)
