"""`maintain doctor`: whether machine and workspace are fit for work, and bringing a workspace up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode
from maintain.cli.options import AsJson, Place

if TYPE_CHECKING:
    from maintain_pipelines.doctor import Finding

app = typer.Typer(invoke_without_command=True)

#: How each finding begins, for a person who runs an eye down the page.
_MARKS = {"ok": "OK", "note": "note", "problem": "PROBLEM"}


@app.callback()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check machine and workspace: packages, device, disk, keys, database, ledger, registry, weights, runs.

    Changes nothing. Each note and each problem names its repair. Exits 0 when there is no problem, else 1.

    \b
    Examples:
      maintain doctor
      maintain doctor --json
      maintain doctor migrate
      maintain doctor weights
    """
    if context.invoked_subcommand is not None:
        return
    from maintain import codec
    from maintain.clock import SystemClock
    from maintain.settings import find_workspace
    from maintain.vocabulary import Health
    from maintain_pipelines.doctor import examine

    place: Place = context.obj
    found = examine(lambda: find_workspace(place.workspace), SystemClock())
    problems = sum(finding.health is Health.PROBLEM for finding in found)
    notes = sum(finding.health is Health.NOTE for finding in found)
    lines = [line for finding in found for line in _lines(finding)]
    lines += ["", f"Problems: {problems}. Notes: {notes}." if problems or notes else "All is as it should be."]
    document = {"problems": problems, "notes": notes, "findings": [codec.encode(finding) for finding in found]}
    console.answer(document, lines, schema="doctor", as_json=as_json)
    if problems:
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
def migrate(context: typer.Context, as_json: AsJson = False) -> None:
    """Bring a workspace of an earlier version to this program's schema, after a backup.

    The backup lies beside the database, readable by its owner alone. All of the migration happens, or
    nothing of it; exits 5 when there is nothing to migrate.

    \b
    Example:
      maintain doctor migrate
    """
    from maintain.cli.composition import build_ledger
    from maintain.clock import SystemClock
    from maintain.settings import find_workspace
    from maintain_pipelines.migrate import migrate_workspace

    place: Place = context.obj
    workspace = find_workspace(place.workspace)
    done = migrate_workspace(workspace, build_ledger(workspace), SystemClock())
    document = {"before": done.before, "after": done.after, "backup": str(done.backup), "entry": done.entry}
    lines = [
        f"The workspace was brought from schema {done.before} to {done.after}, ledger entry {done.entry}.",
        f"The database as it was: {done.backup}",
        "Remove that copy once you are content; it holds everything that the database held.",
    ]
    console.answer(document, lines, schema="doctor-migrate", as_json=as_json)


@app.command()
def weights(context: typer.Context, as_json: AsJson = False) -> None:
    """Bring the register of weights in line with the files that really hold some.

    Looks into every file below the workspace, enters what no row names and strikes rows whose file is gone; files
    are left as they are. Exits 6 when a row was left because work on its model is under way.

    \b
    Example:
      maintain doctor weights
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.doctor import mend_register

    with open_context(context.obj) as ports:
        mended = mend_register(ports)
    lines = [f"Entered: {len(mended.entered)}. Struck: {len(mended.struck)}."]
    lines += [f"  + {place}" for place in mended.entered] + [f"  - {place}" for place in mended.struck]
    lines += [f"  left, work is under way: {place}" for place in mended.busy]
    console.answer(codec.encode(mended), lines, schema="doctor-weights", as_json=as_json)
    if mended.busy:
        raise typer.Exit(ExitCode.WAITING)


# --- private ---------------------------------------------------------------------------------------


def _lines(finding: Finding) -> list[str]:
    lines = [f"{_MARKS[finding.health.value]:<8} {finding.check:<9} {finding.said}"]
    return [*lines, f"{'':<18} -> {finding.repair}"] if finding.repair else lines
