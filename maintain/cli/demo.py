"""`maintain demo`: the whole path on a synthetic hospital; needs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import console
from maintain.cli.exit_codes import of_state
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson, Place, RegistryStore
from maintain.settings import SETTINGS_FILE, STORE_OF_NEW_WORKSPACES

if TYPE_CHECKING:
    from maintain.report import Report


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="demo")(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the demo may write.")] = Path("demo"),
    patients: Annotated[int, typer.Option(min=60, help="Patients of the synthetic hospital.")] = 1300,
    epochs: Annotated[int, typer.Option(min=1, help="Passes of the champion's training.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Seed of hospital, split and weights.")] = 7,
    registry: RegistryStore = STORE_OF_NEW_WORKSPACES,
    as_json: AsJson = False,
) -> None:
    """Play the consent story on a synthetic hospital.

    From DICOM files to a proven, registered version, with a report.

    Saying it again shows the end; an interrupted demo goes on where it was.

    \b
    Example:
      maintain demo ~/maintain-demo
    """
    from maintain.cli.audit_ledger import verify_ledger
    from maintain.cli.catalogues import catalogues
    from maintain.cli.composition import open_context
    from maintain_pipelines.context import Talk
    from maintain_pipelines.demo import DemoOrder, prepare_hospital, tell_story
    from maintain_pipelines.report import read_report
    from maintain_pipelines.rundir import REPORT, RunFolder
    from maintain_policies import load_policy
    from maintain_registry import browsing_command

    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    order = DemoOrder(patients=patients, seed=seed, epochs=epochs)
    prepare_hospital(folder / "hospital", order, Talk(say=console.say, progress=console.progress))
    workspace = _workspace(folder / "workspace", seed, registry)
    policy = load_policy(workspace / "policies" / "consent-withdrawal.yaml", catalogues())
    with open_context(Place(workspace)) as ports, grace():
        run = tell_story(folder / "hospital", policy, order, ports)
        told = read_report(run, RunFolder(ports.workspace.runs / run), ports)
        browsing = browsing_command(ports.workspace)
    chain = verify_ledger(Place(workspace))
    report = RunFolder(workspace / "runs" / run).file(REPORT)
    lines = [
        *_story_lines(told),
        f"The ledger is whole: {chain.entries} entries, {chain.signed} signed.",
        f"Look around with: maintain --workspace {workspace} registry list",
        *([f"Or in MLflow's own pages: {browsing}"] if browsing else []),
        f"Report: {report}",
    ]
    document = {
        "workspace": str(workspace),
        "run": run,
        "state": told.ending.state.value,
        "excluded": [case.case_id for case in told.excluded],
        "ledger_entries": chain.entries,
        "report": str(report),
        "browsing": browsing,
    }
    console.answer(document, lines, schema="demo", as_json=as_json)
    if code := of_state(told.ending.state):
        raise typer.Exit(code)


# --- private ---------------------------------------------------------------------------------------


def _workspace(root: Path, seed: int, registry: str) -> Path:
    """The workspace of the demo, made unless it is there."""
    from maintain.cli.composition import actor
    from maintain.clock import SystemClock
    from maintain_pipelines.demo import demo_key
    from maintain_pipelines.workspace import create_workspace

    if not (root / SETTINGS_FILE).is_file():
        create_workspace(root, clock=SystemClock(), actor=actor(), pseudonym_key=demo_key(seed), registry=registry)
    return root


def _story_lines(told: Report) -> list[str]:
    from maintain.cli.runs import verdict_lines

    lines = ["", f"The story: {told.headline}"]
    lines += [told.claim_sentence] if told.claim_sentence else []
    lines += [f"  excluded  {case.case_id}  seen {case.times_seen} times in training" for case in told.excluded]
    return [*lines, "", *(verdict_lines(told.verdict) if told.verdict else [])]
