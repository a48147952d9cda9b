"""`maintain jobs`: policies that say when they are due, looked at and run; what cron calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode, of_night
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson

if TYPE_CHECKING:
    from maintain_pipelines.jobs import JobOutlook, Night, Outlook, TurnTold
    from maintain_policies import Policy

app = typer.Typer()

#: Years that can be asked about; with margin on both sides for zones and for the next due moment.
YEARS = range(1970, 9000)


@app.command()
def due(
    context: typer.Context,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="As of this time (ISO 8601 with its offset), not now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which jobs are due, what would become of each, and why. Changes nothing.

    A job is a policy file of the workspace with a `schedule`. Times are in the zone of the job and in UTC. With --at
    the schedules are asked about another moment; cohort and champions are those of now.

    Exits 2 when a policy file cannot be read, which may be a job.

    \b
    Examples:
      maintain jobs due
      maintain jobs due --at 2026-03-29T04:00+02:00
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.jobs import outlook

    moment = None if at is None else _moment(at)
    with open_context(context.obj) as ports:
        found = outlook(ports, load=_loader(), at=moment or ports.clock.now())
    document = {
        "at": found.at,
        "jobs": [codec.encode(job) for job in found.jobs],
        "unreadable": [codec.encode(file) for file in found.unreadable],
    }
    console.answer(document, _outlook_lines(found), schema="jobs-due", as_json=as_json)
    if found.unreadable:
        raise typer.Exit(ExitCode.BAD_INPUT)


@app.command(name="run-due")
def run_due(
    context: typer.Context,
    job: Annotated[str | None, typer.Option("--job", metavar="NAME", help="Only this job, if it is due.")] = None,
    again: Annotated[
        str | None,
        typer.Option("--again", metavar="REASON", help="Run --job now, due or held back; why stays in the ledger."),
    ] = None,
    detailed_exit: Annotated[
        bool, typer.Option("--detailed-exit", help="Exit 5 for nothing to do, and 6 for waiting or held back.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run every job that is due, one after the other; what a crontab calls.

    Each due moment is run once, by one process; those that were missed are caught up once. A run that was killed is
    gone on with. What failed its gates is not tried again on the same policy, images and champion, unless --again.

    Exits 0 also when there was nothing to do, when a version waits for promotion, and when a job is held back;
    1 when a gate failed, 2 for a policy that cannot be run, 3 when a gate could not be evaluated, 4 for an error of the
    program, 6 when it was interrupted: the next call goes on.

    \b
    Examples:
      maintain jobs run-due
      maintain jobs run-due --job consent-withdrawal --again "labels of site B were corrected"
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain.errors import InputError
    from maintain_pipelines.jobs import Again
    from maintain_pipelines.jobs import run_due as work

    if again is not None and job is None:
        raise InputError("--again needs --job.", remedy="Name the job that shall run again.")
    asked = Again(job, again) if job is not None and again is not None else None
    with open_context(context.obj) as ports, grace():
        night = work(ports, load=_loader(), only=job, again=asked)
    code = of_night(
        [turn.outcome for turn in night.turns],
        elsewhere=bool(night.elsewhere),
        interrupted=night.interrupted,
        detailed=detailed_exit,
    )
    document: dict[str, Any] = {**codec.encode(night), "exit": int(code)}
    console.answer(document, _night_lines(night), schema="jobs-run-due", as_json=as_json)
    if code:
        raise typer.Exit(code)


# --- private ---------------------------------------------------------------------------------------


def _loader() -> Callable[[Path], Policy]:
    from maintain.cli.catalogues import catalogues
    from maintain_policies import load_policy

    known = catalogues()
    return lambda path: load_policy(path, known)


def _moment(text: str) -> datetime:
    """A time that says how far it is from UTC. Raises `InputError` for any other text."""
    from maintain.errors import InputError

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        raise InputError(
            f"--at cannot be {text!r}.", remedy="Write a time with its offset, such as 2026-03-29T04:00+02:00 or ...Z."
        )
    return moment


def _outlook_lines(found: Outlook) -> list[str]:
    lines = [f"As of {found.at}:"]
    for job in found.jobs:
        lines += ["", *_job_lines(job)]
    for file in found.unreadable:
        lines += ["", f"{file.file}: cannot be run", f"  {file.told}"]
    return lines if len(lines) > 1 else [*lines, "", "No policy of this workspace has a schedule."]


def _job_lines(job: JobOutlook) -> list[str]:
    lines = [f"{job.job}: {_state(job)}"]
    if job.due is not None:
        missed = f", {job.missed} earlier missed" if job.missed else ""
        lines.append(f"  due       {_local(job.due, job.zone)}{missed}")
    lines.append(f"  next      {_local(job.following, job.zone)}")
    lines.append(f"  schedule  {job.schedule}")
    return lines if job.due is None else [*lines, f"  {job.told}"]


def _state(job: JobOutlook) -> str:
    if job.elsewhere:
        return "under way in another process"
    if job.due is None:
        return "not due"
    if job.outcome is None:
        return "would go on" if job.left_open and job.run else "would run"
    return f"due, {job.outcome.value}"


def _night_lines(night: Night) -> list[str]:
    lines = [line for turn in night.turns for line in _turn_lines(turn)]
    lines += [f"{job}: another process works on it, or did just now." for job in night.elsewhere]
    if night.interrupted:
        lines.append("Interrupted. What was finished is kept; the next call goes on.")
    elif not lines:
        lines.append("No job is due.")
    if night.following:
        lines.append(f"Next due moment: {night.following}")
    return lines


def _turn_lines(turn: TurnTold) -> list[str]:
    caught_up = f" (due {turn.due}, {turn.missed} earlier missed and caught up)" if turn.missed and turn.due else ""
    lines = [f"{turn.job}: {turn.outcome.value}{caught_up}", f"  {turn.told}"]
    return [*lines, f"  Run: {turn.run}"] if turn.run else lines


def _local(moment: str, zone: str) -> str:
    """A moment by the clocks of a zone, and in UTC."""
    there = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    return f"{there:%a %Y-%m-%d %H:%M} {zone} ({moment})"
