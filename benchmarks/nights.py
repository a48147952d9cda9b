"""A month of nights: new images every day, a letter a week, a withdrawn camera, and `jobs run-due` at five past three.

The clock is ours and nothing else is: intake, letters, turns, trainings, gates, promotions, retirements and erasures
are the product's own, in one workspace from the first of March to the first of April 2026 (Vienna sets its clocks
forward on the 29th). People come in the morning: they let a version serve that waits, and on Fridays they order the
weights of those that were left to be destroyed. At the end every request must be closed or say what it waits for, the
ledger must have held every night, and no ancestor of the serving version may have learned from the holdout.

    python benchmarks/nights.py --out benchmarks/results
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from evidence import read_cells, write_cells
from nights_world import Letter, World, letters_of

from maintain.cli.catalogues import catalogues
from maintain.cli.composition import build_context
from maintain.clock import FrozenClock
from maintain.cohort import splits_of
from maintain.database import open_database
from maintain.errors import NothingToDoError
from maintain.records import Network
from maintain.requests import RequestStore
from maintain.settings import FOLDER, find_workspace
from maintain.vocabulary import Alias, Health, RequestState, Split
from maintain_pipelines.champions import read_version
from maintain_pipelines.context import Context, silence
from maintain_pipelines.demo import demo_key
from maintain_pipelines.destroy import destroy
from maintain_pipelines.doctor import examine
from maintain_pipelines.freeze import freeze_snapshot, split_lineage
from maintain_pipelines.ingest import ingest_source
from maintain_pipelines.jobs import Night, run_due
from maintain_pipelines.promote import promote
from maintain_pipelines.requests import file_requests, orders_of_table, standing_of
from maintain_pipelines.train import TrainingOrder, train_first
from maintain_pipelines.workspace import create_workspace
from maintain_policies import load_policy
from maintain_registry import (
    compare_registry,
    load_public_key,
    public_key_path,
    registered,
    retirements,
    verify_chain,
)

#: Name of script and result.
NAME = "nights"
RESULTS = Path(__file__).parent / "results"
#: Threads of every training: two that share a busy core wait for each other.
THREADS = 1
#: Fixed before the first month was played; 7 was played while this was written.
SEEDS = (31, 32, 33)
#: The model, as the example policies name it, and how its first version is trained.
MODEL, EPOCHS = "fundus-triage", 12
#: Shares of patients to train on, select with and hold out.
SHARES = (6, 1, 6)
#: The first day, and how many nights follow it.
START, NIGHTS = datetime(2026, 3, 1, tzinfo=UTC), 31
#: Hours of a day (UTC) at which images and letters arrive, the jobs are called, and people come to work.
ARRIVAL, CALL, MORNING = 15, 2.1, 8
#: The night before which a camera is withdrawn, and the camera.
WITHDRAWN_ON, CAMERA = 12, "Cirrus 800 FA"
#: The weekday on which weights are destroyed: Friday.
DESTRUCTION = 4

REQUESTS_POLICY = f"""\
version: 1
name: forget-requests
owner: privacy@hospital.example
reason: data-subject
claim: never-saw
model: {{name: {MODEL}}}
forget: {{where: {{request.status: open}}}}
limits: {{max_percent: 10}}
unlearn: {{methods: [retrain], seed: 7}}
gates: default
schedule: {{cron: "0 3 * * *", zone: Europe/Vienna}}
"""

CAMERA_POLICY = f"""\
version: 1
name: retired-camera
owner: imaging-ai@hospital.example
reason: device-deprecated
claim: never-saw
model: {{name: {MODEL}}}
forget: {{where: {{device.model: {CAMERA}}}}}
limits: {{max_percent: 40, max_percent_of_any_label: 60}}
unlearn: {{methods: [retrain], seed: 7}}
gates: default
schedule: {{cron: "0 3 * * *", zone: Europe/Vienna}}
"""


@dataclass(slots=True)
class Month:
    """One month under way."""

    context: Context
    clock: FrozenClock
    world: World
    seed: int
    lines: list[dict[str, Any]]
    ledger_held: int = 0


def main() -> None:
    """Play the missing months and write both result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("--nights", type=int, default=NIGHTS)
    parser.add_argument("--patients", type=int, default=1300)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(THREADS)
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    for seed in given.seeds:
        if str(seed) in cells:
            continue
        with tempfile.TemporaryDirectory(prefix="maintain-nights-") as place:
            cells[str(seed)] = month(Path(place), seed, nights=given.nights, patients=given.patients)
        print(f"seed {seed}: {cells[str(seed)]['requests']}", flush=True)
        document = write_cells(path, NAME, cells, threads=THREADS)
        path.with_suffix(".md").write_text(render(document))


def month(place: Path, seed: int, *, nights: int = NIGHTS, patients: int = 1300) -> dict[str, Any]:
    """One month in a new workspace: what every night did, and how it all stands at the end."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    clock = FrozenClock(START + timedelta(hours=9))
    world = World.draw(place / "world", seed, patients=patients, nights=nights)
    create_workspace(
        place / "workspace", clock=clock, actor="simulation", pseudonym_key=demo_key(seed), registry=FOLDER
    )
    workspace = find_workspace(place / "workspace")
    workspace = replace(
        workspace, settings=replace(workspace.settings, compute=replace(workspace.settings.compute, threads=THREADS))
    )
    database = open_database(workspace.database)
    try:
        built = build_context(workspace, database)
        context = replace(built, clock=clock, ledger=replace(built.ledger, clock=clock), talk=silence())
        played = Month(context, clock, world, seed, [])
        _first_day(played)
        for number in range(1, nights + 1):
            _day(played, number)
        end = _end(played)
    finally:
        database.close()
    after = resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**end, "processor": round(processor, 1), "nights": played.lines}


def render(document: Mapping[str, Any]) -> str:
    """The table for people: how each month ended, then its nights on which something happened."""
    machine = document["machine"]
    taken = f"{machine['cpu']}, {machine['threads']} thread, torch {machine['torch']}, {machine['date']}"
    lines = [
        "# A month of nights",
        "",
        f"`jobs run-due` at 03:06 in Vienna on each of {NIGHTS} nights, one workspace a seed; {taken}. New images",
        "every day, a letter a week, a camera withdrawn on the twelfth. `make campaign-nights` makes this table anew.",
        "",
        "| seed | requests | ledger held | registry | doctor | holdout learned by an ancestor | processor s |",
        "| ---: | --- | ---: | --- | --- | ---: | ---: |",
    ]
    for seed, cell in document["cells"].items():
        told = ", ".join(f"{name} {one['state']}" for name, one in cell["requests"].items())
        lines.append(
            f"| {seed} | {told} | {cell['ledger_held']} of {len(cell['nights'])} nights | {cell['registry']} "
            f"| {cell['doctor']} | {cell['holdout_learned']} of {cell['holdout']} | {cell['processor']:.0f} |"
        )
    for seed, cell in document["cells"].items():
        lines += [
            "",
            f"## Seed {seed}",
            "",
            "| night | arrived | the call | in the morning |",
            "| ---: | --- | --- | --- |",
        ]
        lines += [line for night in cell["nights"] if (line := _row(night)) is not None]
        explained = [f"- {name}: {one['why']}" for name, one in cell["requests"].items() if one["why"]]
        lines += ["", "Not closed, and why:", "", *explained] if explained else []
    return "\n".join(lines) + "\n"


def _row(night: Mapping[str, Any]) -> str | None:
    """A night on which something happened, as a line of its table."""
    turns = [f"{one['job']}: {one['outcome']}" for one in night["turns"] if one["outcome"] != "nothing-to-do"]
    if night["closed"]:
        turns.append(f"closed {', '.join(night['closed'])}")
    if not (turns or night["letter"] or night["morning"]):
        return None
    return f"| {night['night']} | {night['letter'] or ''} | {'; '.join(turns)} | {night['morning']} |"


# --- private ---------------------------------------------------------------------------------------


def _first_day(played: Month) -> None:
    """The hospital as it is on the first of March, its champion, and the policy that answers letters."""
    context, world = played.context, played.world
    ingest_source("dicom", world.archive, context)
    ingest_source("labels", world.labels, context)
    split_lineage(MODEL, SHARES, played.seed, context)
    freeze_snapshot("first", MODEL, "diagnosis", None, context)
    train_first(TrainingOrder(MODEL, "first", Network("small-bn"), EPOCHS, played.seed), context)
    _lay("forget-requests.yaml", REQUESTS_POLICY, played)


def _lay(name: str, text: str, played: Month) -> None:
    """Put a policy into the workspace at the simulated time."""
    path = played.context.workspace.policies / name
    path.write_text(text)
    laid = played.clock.now().timestamp()
    os.utime(path, (laid, laid))


def _day(played: Month, number: int) -> None:
    """Afternoon, night and morning."""
    context, clock, world = played.context, played.clock, played.world
    midnight = START + timedelta(days=number - 1)
    clock.moment = midnight + timedelta(hours=ARRIVAL)
    world.arrive(number)
    ingest_source("dicom", world.archive, context)
    ingest_source("labels", world.labels, context)
    split_lineage(MODEL, SHARES, played.seed, context)
    letter = letters_of(world, played.context, MODEL).get(number)
    if letter is not None:
        _post(letter, played)
    if number == WITHDRAWN_ON:
        _lay("retired-camera.yaml", CAMERA_POLICY, played)
    clock.moment = midnight + timedelta(days=1, hours=CALL)
    night = run_due(context, load=lambda path: load_policy(path, catalogues()))
    clock.moment = midnight + timedelta(days=1, hours=MORNING)
    morning = _work(played)
    _verify(played)
    played.lines.append(_line(number, letter, night, morning))


def _post(letter: Letter, played: Month) -> None:
    path = played.world.root / "letter.csv"
    path.write_text(letter.table)
    file_requests(orders_of_table(path, played.context), played.context)
    path.unlink()


def _work(played: Month) -> str:
    """What people do in the morning: promote what waits; on Fridays order what was left to be destroyed."""
    context, done = played.context, []
    if context.store.alias(MODEL, Alias.CANDIDATE) is not None:
        done.append(f"version {promote(MODEL, None, context).version} serves")
    if played.clock.now().weekday() == DESTRUCTION:
        with context.database.read() as unit:
            gone = retirements(unit, MODEL)
            left = [number for number in registered(unit, MODEL) if number not in gone]
        serving = context.store.alias(MODEL, Alias.CHAMPION)
        for number in left:
            if number != serving:
                try:
                    destroy(MODEL, number, context, reason="replaced by a version that serves")
                    done.append(f"version {number} destroyed")
                except NothingToDoError:
                    continue
    return "; ".join(done)


def _verify(played: Month) -> None:
    context = played.context
    keys = (load_public_key(public_key_path(context.workspace.signing_key)),)
    with context.database.read() as unit:
        played.ledger_held += verify_chain(unit, heads=context.workspace.ledger_heads, public_keys=keys).anchored


def _line(number: int, letter: Letter | None, night: Night, morning: str) -> dict[str, Any]:
    turns = [{"job": turn.job, "outcome": turn.outcome.value, "told": turn.told} for turn in night.turns]
    return {
        "night": number,
        "letter": letter.told if letter else None,
        "turns": turns,
        "closed": list(night.requests.closed),
        "overdue": list(night.requests.overdue),
        "morning": morning,
    }


def _end(played: Month) -> dict[str, Any]:
    """How everything stands: requests, ledger, registry, workspace, and the holdout against every ancestor."""
    context = played.context
    with context.database.read() as unit:
        requests = RequestStore(unit).all()
        holdout = {patient for patient, split in splits_of(unit, MODEL).items() if split is Split.HOLDOUT}
        cases = {case.case_id for case in played.world.cases(unit) if case.patient in holdout}
    manifests = [read_version(context.store, MODEL, number).manifest for number in context.store.versions(MODEL)]
    learned = {ref.case_id for manifest in manifests for ref in (*manifest.learned, *manifest.unlearned)}
    troubles = [item for item in examine(lambda: context.workspace, played.clock) if item.health is Health.PROBLEM]
    compared = compare_registry(context.database, context.store)
    return {
        "requests": {request.name: _told(request.name, request.state, context) for request in requests},
        "ledger_held": played.ledger_held,
        "registry": "agrees" if not compared.disagreements else f"{len(compared.disagreements)} disagreements",
        "doctor": "no problem" if not troubles else "; ".join(item.said for item in troubles),
        "holdout": len(cases),
        "holdout_learned": len(cases & learned),
        "serving": context.store.alias(MODEL, Alias.CHAMPION),
    }


def _told(name: str, state: RequestState, context: Context) -> dict[str, Any]:
    page = standing_of(name, context)
    why = "" if state is RequestState.CLOSED else "; ".join((*page.unanswered, *page.unclosed))
    return {"state": state.value, "why": why}


if __name__ == "__main__":
    main()
