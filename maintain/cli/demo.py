"""`maintain demo`: five stories on a synthetic hospital; needs nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode, of_state, worst
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson, Place, RegistryStore
from maintain.cli.places import filling
from maintain.errors import InputError
from maintain.settings import SETTINGS_FILE, STORE_OF_NEW_WORKSPACES, RegistrySettings

if TYPE_CHECKING:
    from maintain_pipelines.demo import DemoOrder, Told

#: What a demo was begun with, beside its hospital.
ORDER_FILE = "demo.json"


#: Patients for whom the stories were sized; with fewer than this share of them the gates can hardly show anything.
PATIENTS, FEW = 2600, 0.8


def add_to(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="demo")(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the demo may write.")] = Path("demo"),
    patients: Annotated[int, typer.Option(min=60, help="Patients of the synthetic hospital.")] = PATIENTS,
    epochs: Annotated[int, typer.Option(min=1, help="Passes of the champion's training.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of hospital, split and weights.")] = 101,
    registry: RegistryStore = STORE_OF_NEW_WORKSPACES,
    as_json: AsJson = False,
) -> None:
    """Play five stories on a synthetic hospital, from DICOM files to registered versions, with reports.

    A withdrawn camera, an impostor, a variant anatomy, a patient's consent and a retired diagnosis: each
    starts from the version that the one before it promoted. The impostor must be refused.

    Saying it again shows the end; an interrupted demo goes on where it was. Exits 0 when every story
    ended with a version and the impostor was refused, else by what ended otherwise.

    \b
    Example:
      maintain demo ~/maintain-demo
    """
    from maintain.cli.audit_ledger import verify_ledger
    from maintain.cli.catalogues import catalogues
    from maintain.cli.composition import open_context
    from maintain_pipelines.demo import DemoOrder, play_chain, prepare_champion
    from maintain_policies import load_policy
    from maintain_registry import browsing_command

    folder = folder.absolute()
    RegistrySettings(store=registry)  # refused before minutes are spent on drawing
    order = DemoOrder(patients=patients, seed=seed, epochs=epochs)
    hospital = _drawn(folder, order)
    workspace = _workspace(folder / "workspace", seed, registry)
    known = catalogues()
    with open_context(Place(workspace)) as ports, grace():
        prepare_champion(hospital, order, ports)
        stories = play_chain(hospital, lambda path: load_policy(path, known), ports)
        browsing = browsing_command(ports.workspace)
    chain = verify_ledger(Place(workspace))
    lines = [
        *_lines(stories),
        "",
        f"The ledger is whole: {chain.entries} entries, {chain.signed} signed.",
        f"Look around with: maintain --workspace {workspace} registry list",
        f"What became of the letter: maintain --workspace {workspace} request list --all",
        *([f"Or in MLflow's own pages: {browsing}"] if browsing else []),
        f"Reports: {workspace / 'runs'}/*/{stories[0].page.name}",
    ]
    document = {
        "workspace": str(workspace),
        "stories": [_document(told) for told in stories],
        "ledger_entries": chain.entries,
        "browsing": browsing,
    }
    console.answer(document, lines, schema="demo", as_json=as_json)
    if code := worst(map(_code, stories)):
        raise typer.Exit(code)


# --- private ---------------------------------------------------------------------------------------


def _drawn(folder: Path, order: DemoOrder) -> Path:
    """The hospital of the demo, drawn unless it is there."""
    from maintain_pipelines.context import Talk
    from maintain_pipelines.demo import prepare_hospital

    if order.patients < FEW * PATIENTS:
        said = f"with {order.patients} most gates can show nothing"
        console.say(f"The stories are sized for {PATIENTS} patients: {said}.")
    hospital = folder / "hospital"
    with filling(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _keep_order(folder / ORDER_FILE, order, begun=hospital.exists())
        prepare_hospital(hospital, order, Talk(say=console.say, progress=console.progress))
    return hospital


def _keep_order(file: Path, order: DemoOrder, *, begun: bool) -> None:
    """What this demo is played with. Raises `InputError` where the folder holds one that was begun otherwise."""
    said = f"--patients {order.patients} --epochs {order.epochs} --seed {order.seed}"
    if not begun:
        file.write_text(json.dumps({"begun_with": said}) + "\n", encoding="utf-8")
    elif file.is_file() and (kept := json.loads(file.read_text(encoding="utf-8"))["begun_with"]) != said:
        raise InputError(
            f"The demo in {file.parent} was begun with {kept}, not with {said}.",
            remedy="Say those to go on with it or to see its end, or name another folder.",
        )


def _workspace(root: Path, seed: int, registry: str) -> Path:
    """The workspace of the demo, made unless it is there, with the policies of its stories."""
    from maintain.cli.composition import actor
    from maintain.clock import SystemClock
    from maintain_pipelines.demo import demo_key
    from maintain_pipelines.workspace import create_workspace
    from maintain_policies import STORY_POLICIES, demo_policy

    if not (root / SETTINGS_FILE).is_file():
        create_workspace(root, clock=SystemClock(), actor=actor(), pseudonym_key=demo_key(seed), registry=registry)
    for path in (root / "policies" / name for name in STORY_POLICIES):
        if not path.is_file():
            path.write_text(demo_policy(path.name), encoding="utf-8")
    return root


def _code(told: Told) -> ExitCode:
    """An impostor that is refused is a success, and one that is not is the worst thing that can be said."""
    from maintain_pipelines.demo import Way

    if told.story.way is Way.REFUSED:
        return ExitCode.PASSED if told.as_meant else ExitCode.REFUSED
    return of_state(told.state)


def _lines(stories: tuple[Told, ...]) -> list[str]:
    """What each story claims and how it ended, as a table and a sentence each."""
    from maintain_pipelines.demo import Way

    rows = []
    for told in stories:
        plan, candidate, registration = told.report.plan, told.report.candidate, told.report.registration
        version = f"version {registration.version}" if registration else "nothing registered"
        made = candidate.told if candidate else "-"
        if told.story.way is Way.REFUSED:
            made = "the champion, a bias nudged"
        rows.append((told.story.letter, told.story.title, plan.claim.value, made, version))
    lines = ["", *console.table(("", "story", "claim", "made by", "ended with"), rows), ""]
    for told in stories:
        lines += [f"({told.story.letter}) {_said(told)}", *_attempts(told)]
        if not told.as_meant:
            lines.append("    This is not how the story is meant to end; its report says why.")
    return lines


def _said(told: Told) -> str:
    from maintain_pipelines.demo import Way

    if told.story.way is Way.REFUSED and told.as_meant:
        return f"Refused by {', '.join(told.failed)}. {told.report.verdict.reason if told.report.verdict else ''}"
    return told.report.claim_sentence or f"Nothing is claimed. {told.report.headline}"


def _attempts(told: Told) -> list[str]:
    """What was tried and left before the last candidate: by the search, or by the gates."""
    candidate = told.report.candidate
    left = [
        f"    {decision.told} was left: {decision.reason}"
        for decision in (candidate.decisions if candidate else ())
        if not decision.chosen
    ]
    refused = [
        f"    {attempt.candidate.told} was refused: {attempt.verdict.reason}" for attempt in told.report.attempts
    ]
    return [*left, *refused]


def _document(told: Told) -> dict[str, Any]:
    registration, candidate = told.report.registration, told.report.candidate
    return {
        "story": told.story.letter,
        "title": told.story.title,
        "run": told.run,
        "state": told.state.value,
        "claim": told.report.plan.claim.value,
        "method": candidate.method if candidate else None,
        "version": registration.version if registration else None,
        "failed": list(told.failed),
        "as_meant": told.as_meant,
        "excluded": len(told.report.excluded),
        "report": str(told.page),
    }
