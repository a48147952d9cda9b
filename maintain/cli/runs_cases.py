"""`maintain runs cases`: the cases of a run one by one, and the held-out ones whose decision changed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maintain.cli import console
from maintain.cli.options import AsJson
from maintain.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maintain_pipelines.run_cases import Decided, RunCase, RunCases

#: Rows that are shown unless more are asked for: what fits on a screen or two.
SHOWN = 50


def add_to(application: typer.Typer) -> None:
    """Add the command to the noun."""
    application.command(name="cases")(cases)


def cases(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The name of a run; `maintain runs list` has them.")],
    changed: Annotated[
        bool, typer.Option("--changed", help="Only held-out cases decided otherwise; newly missed ones first.")
    ] = False,
    role: Annotated[
        Role | None, typer.Option("--role", help="Only cases of this role; with --changed, instead of the holdout.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows to show.")] = SHOWN,
    as_json: AsJson = False,
) -> None:
    """The cases of a run by keyed identifier: role, reason, label, and what was decided before and after.

    Decisions are the champion's and those of the last candidate that was verified, with the probability of the
    decided label. With --changed only cases that the two decide differently: first those that the candidate newly
    gets wrong, its surest mistakes before others. Exits 3 for --changed where nothing was measured, and where a list
    of cases was removed from the run's folder.

    \b
    Examples:
      maintain runs cases 20260101-120000-consent-withdrawal-1a2b --role forget
      maintain runs cases 20260101-120000-consent-withdrawal-1a2b --changed
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines import journal, run_cases
    from maintain_pipelines.rundir import RunFolder

    with open_context(context.obj) as ports:
        with ports.database.read() as unit:
            row = journal.get(unit, run)
        found = run_cases.cases_of(row, RunFolder(ports.workspace.runs / run))
    if changed:
        asked = found.judged(role or Role.HOLDOUT)
        rows = run_cases.changed(asked)
        head = _changed_line(found, asked, rows, role or Role.HOLDOUT)
    else:
        rows = found.rows if role is None else found.of(role)
        head = _cases_line(found, rows)
    console.answer(
        _document(found, rows, rows[:limit], changed=changed),
        [head, *_table(rows[:limit], changed=changed), *_rest(len(rows), limit)],
        schema="runs-cases",
        as_json=as_json,
    )


# --- private ---------------------------------------------------------------------------------------


def _changed_line(found: RunCases, asked: Sequence[RunCase], rows: Sequence[RunCase], role: Role) -> str:
    compared = f"version {found.champion} and the candidate by {found.candidate} (slot {found.slot})"
    if not rows:
        return f"All {len(asked)} {role.value} images are decided alike by {compared}."
    told = ", ".join(f"{count} {kind}" for kind, count in _kinds(rows).items())
    return f"Of {len(asked)} {role.value} images {len(rows)} are decided otherwise by {compared}: {told}."


def _cases_line(found: RunCases, rows: Sequence[RunCase]) -> str:
    counts = Counter(row.role.value for row in rows)
    told = ", ".join(f"{count} {role}" for role, count in counts.items())
    measured = "no candidate of it was verified, so no decision is shown" if found.slot is None else _before(found)
    return f"{len(rows)} images of {found.run} ({told}); {measured}."


def _before(found: RunCases) -> str:
    return f"old is version {found.champion}, new the candidate by {found.candidate} (slot {found.slot})"


def _kinds(rows: Sequence[RunCase]) -> dict[str, int]:
    """How many of each kind of change, in the order of the rows."""
    return dict(Counter(row.change.value for row in rows if row.change is not None))


def _table(rows: Sequence[RunCase], *, changed: bool) -> list[str]:
    if not rows:
        return []
    header = (
        "change" if changed else "role",
        "case",
        "patient",
        "label",
        "old",
        "new",
        *(() if changed else ("reason",)),
    )
    body = [
        (
            row.change if changed else row.role,
            row.case_id,
            row.patient,
            row.label or "-",
            _told(row.old),
            _told(row.new),
            *(() if changed else (row.reason,)),
        )
        for row in rows
    ]
    return ["", *console.table(header, body)]


def _told(decided: Decided | None) -> str:
    return "-" if decided is None else f"{decided.label} ({decided.confidence:.2f})"


def _rest(total: int, limit: int) -> list[str]:
    return [f"... and {total - limit} more; --limit {total} shows all."] if total > limit else []


def _document(found: RunCases, rows: Sequence[RunCase], shown: Sequence[RunCase], *, changed: bool) -> dict[str, Any]:
    from maintain import codec

    return {
        "run": found.run,
        "champion": found.champion,
        "slot": found.slot,
        "candidate": found.candidate,
        "changed": changed,
        "total": len(rows),
        "changes": _kinds(rows),
        "cases": [{**codec.encode(row), "change": row.change.value if row.change else None} for row in shown],
    }
