"""`maintain run`, `maintain runs`: policies at work."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maintain.cli import console, runs_cases
from maintain.cli.exit_codes import of_state
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson
from maintain.cli.plan import proof_lines, role_lines, slot_lines
from maintain.errors import ErasedError

if TYPE_CHECKING:
    from maintain.records import Verdict
    from maintain_policies import Policy

app = typer.Typer()

#: Letters of a line of a gate's reason: a long one goes on below itself.
REASON_WIDTH = 100
runs_cases.add_to(app)

RunName = Annotated[str, typer.Argument(metavar="RUN", help="The name of a run; `maintain runs list` has them.")]


def add_to(application: typer.Typer) -> None:
    """Add the command without a noun to the application."""
    application.command(name="run")(run)


def run(
    context: typer.Context,
    policy: Annotated[Path | None, typer.Argument(metavar="POLICY", help="A policy file (YAML).")] = None,
    resume: Annotated[str | None, typer.Option("--resume", metavar="RUN", help="Go on with a run instead.")] = None,
    allow_drift: Annotated[
        bool, typer.Option("--allow-drift", help="Resume although machine, device or versions are others.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Do what a policy says: unlearn, verify, register, report.

    Exits 0 when a version is registered, 1 when a gate failed, 3 when one could not be evaluated,
    5 when no serving version learned from any match, 6 when the run was interrupted, is under way
    elsewhere, or another one of the model has not ended.

    \b
    Examples:
      maintain run policies/consent-withdrawal.yaml
      maintain run --resume 20260101-120000-consent-withdrawal-1a2b
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain.vocabulary import RunState
    from maintain_pipelines.run import resume_run, run_policy

    loaded = _asked_policy(policy, resume, allow_drift)
    with open_context(context.obj) as ports, grace():
        end = run_policy(loaded, ports) if loaded else resume_run(resume or "", ports, allow_drift=allow_drift)
    document: dict[str, Any] = {
        "run": end.run,
        "state": end.state.value,
        "verdict": codec.encode(end.verdict),
        "registration": codec.encode(end.registration),
        "report": str(end.report),
    }
    lines = verdict_lines(end.verdict) if end.verdict else []
    if end.registration:
        lines.append(
            f"Registered {end.registration.model} version {end.registration.version}"
            f" (alias {end.registration.alias}), ledger entry {end.registration.entry}."
        )
    elif end.state is RunState.NOTHING_TO_DO:
        counted = "" if end.suppressed is None else f" {end.suppressed} cases newly suppressed."
        lines.append(f"Nothing to do: the champion learned nothing that the policy forgets.{counted}")
    elif end.verdict:
        lines.append(f"Nothing was registered ({end.state}). {end.verdict.reason}")
    lines.append(f"Report: {end.report}")
    console.answer(document, lines, schema="run", as_json=as_json)
    if code := of_state(end.state):
        raise typer.Exit(code)


@app.command(name="list")
def list_runs(context: typer.Context, as_json: AsJson = False) -> None:
    """Every run with its state.

    \b
    Example:
      maintain runs list
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines import journal

    with open_context(context.obj) as ports, ports.database.read() as unit:
        rows = journal.runs(unit)
    lines = console.table(
        ("run", "model", "policy", "state", "changed"),
        [(row.run, row.model, row.policy_name, row.state.value, row.changed) for row in rows],
    )
    console.answer({"runs": [codec.encode(row) for row in rows]}, lines, schema="runs-list", as_json=as_json)


@app.command()
def show(context: typer.Context, run: RunName, as_json: AsJson = False) -> None:
    """One run: its plan, its gates, how it ended. Exits with the code of its state.

    Of a run whose lists of cases were erased for a person's request it says that, and how it ended.

    \b
    Example:
      maintain runs show 20260101-120000-consent-withdrawal-1a2b
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines import journal
    from maintain_pipelines.report import read_report
    from maintain_pipelines.rundir import RunFolder

    with open_context(context.obj) as ports:
        with ports.database.read() as unit:
            row = journal.get(unit, run)
        try:
            told = read_report(run, RunFolder(ports.workspace.runs / run), ports)
        except ErasedError as error:
            erased = {"run": codec.encode(row), "erased": {"request": error.request, "entry": error.entry}}
            lines = [f"{row.run} is {row.state}. {error.message}", error.remedy]
            console.answer(erased, lines, schema="runs-show", as_json=as_json)
            raise typer.Exit(of_state(row.state)) from None
    lines = [f"{row.run} is {row.state}. {told.headline}", ""]
    lines += [f"Policy {row.policy_name} on version {told.plan.champion.version} of {row.model}.", ""]
    lines += [*proof_lines(told.plan), *slot_lines(told.plan), "", *role_lines(told.plan)]
    if told.verdict:
        lines += ["", *verdict_lines(told.verdict)]
    if row.error:
        lines += ["", row.error]
    document = {
        "run": codec.encode(row),
        "plan": codec.encode(told.plan),
        "verdict": codec.encode(told.verdict),
        "registration": codec.encode(told.registration),
    }
    console.answer(document, lines, schema="runs-show", as_json=as_json)
    if code := of_state(row.state):
        raise typer.Exit(code)


@app.command()
def abandon(context: typer.Context, run: RunName, as_json: AsJson = False) -> None:
    """Give up a run that has not ended. Its folder stays; the ledger says so.

    Refused while a process works on it (exit 6), and when it has ended (exit 1).

    \b
    Example:
      maintain runs abandon 20260101-120000-consent-withdrawal-1a2b
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines.endings import abandon_run

    with open_context(context.obj) as ports:
        abandon_run(run, ports)
    console.answer({"run": run, "state": "abandoned"}, [f"{run} is abandoned."], schema="runs-abandon", as_json=as_json)


def verdict_lines(verdict: Verdict) -> list[str]:
    """The gates of a verdict as a table, and the verdict."""
    words = {"pass": "PASS", "fail": "FAIL", "not-evaluated": "NOT EVALUATED"}
    rows = []
    for gate in verdict.gates:
        outcome = words[gate.outcome.value] + ("" if gate.decisive else " (reported)")
        first, *others = textwrap.wrap(gate.reason, REASON_WIDTH) or [""]
        rows += [(gate.gate, outcome, first), *(("", "", line) for line in others)]
    return [*console.table(("gate", "outcome", "why"), rows), "", f"Verdict: {words[verdict.outcome.value]}."]


# --- private ---------------------------------------------------------------------------------------


def _asked_policy(policy: Path | None, resume: str | None, allow_drift: bool) -> Policy | None:
    """The policy that was named, or None where a run is to be resumed. Exactly one of both must be."""
    from maintain.cli.catalogues import catalogues
    from maintain.errors import InputError
    from maintain_policies import load_policy

    if (policy is None) == (resume is None):
        raise InputError(
            "Say either a policy to run, or --resume with the name of a run.",
            remedy="`maintain run POLICY` begins a run; `maintain runs list` has the names of all.",
        )
    if allow_drift and resume is None:
        raise InputError("--allow-drift belongs to --resume.", remedy="A new run is planned for this environment.")
    return load_policy(policy, catalogues()) if policy is not None else None
