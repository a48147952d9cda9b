"""The report stage: whatever a run left behind, told on one page. Always written, pass or fail.

It reads the run folder and the journal only, so `maintain report RUN` can write it again at any time.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from maintain import codec
from maintain.clock import timestamp
from maintain.gates import build
from maintain.records import (
    Candidate,
    LoaderLog,
    Plan,
    Registration,
    RoleTable,
    TrainingManifest,
    Verdict,
)
from maintain.report import Attempt, Ending, Report, build_report, render_html
from maintain_pipelines import journal
from maintain_pipelines.champions import MANIFEST_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.rundir import CANDIDATE, PLAN, REGISTRATION, REPORT, VERDICT, RunFolder
from maintain_pipelines.runlog import logged

T = TypeVar("T")


@logged("report")
def write_report(run: str, folder: RunFolder, context: Context) -> Path:
    """Render the page of a run into its folder and return where it lies."""
    folder.guard()
    path = folder.file(REPORT)
    codec.write_bytes(path, render_html(read_report(run, folder, context)).encode())
    return path


def read_report(run: str, folder: RunFolder, context: Context) -> Report:
    """Assemble the report of a run from its folder and its row in the journal."""
    with context.database.read() as unit:
        row = journal.get(unit, run)
    plan = folder.kept(PLAN, Plan)
    last = _last_slot(folder, row.slot)
    attempts = _attempts(folder, last.slot)
    folder = last
    candidate = _present(folder.file(CANDIDATE), Candidate)
    verdict = _present(folder.file(VERDICT), Verdict)
    log = folder.read_table("loader-log", candidate.loader_log, LoaderLog) if candidate else None
    return build_report(
        Ending(run, row.state, row.started, timestamp(context.clock.now()), row.error),
        plan=plan,
        plan_digest=codec.digest_of(plan),
        roles=folder.read_table("roles", plan.roles, RoleTable),
        candidate=candidate,
        manifest=_present(folder.file(f"02-{MANIFEST_FILE}"), TrainingManifest),
        log=log,
        verdict=verdict,
        registration=_present(folder.file(REGISTRATION), Registration),
        attempts=attempts,
        told=_told(plan, verdict),
    )


# --- private ---------------------------------------------------------------------------------------


def _last_slot(folder: RunFolder, slot: int) -> RunFolder:
    """The folder as its last slot sees it; as the first one does, while the second has no candidate."""
    last = replace(folder, slot=slot)
    return last if last.file(CANDIDATE).is_file() else replace(folder, slot=1)


def _attempts(folder: RunFolder, last: int) -> tuple[Attempt, ...]:
    """The candidates of the slots before the last one, with the verdicts that refused them."""
    earlier = [replace(folder, slot=number) for number in range(1, last)]
    return tuple(
        Attempt(codec.read(slot.file(CANDIDATE), Candidate), codec.read(slot.file(VERDICT), Verdict))
        for slot in earlier
        if slot.file(CANDIDATE).is_file() and slot.file(VERDICT).is_file()
    )


def _told(plan: Plan, verdict: Verdict | None) -> dict[str, str]:
    """What each gate says of its own result, for readers who do not know the gates."""
    requests = {request.name: request for request in plan.gates}
    results = verdict.gates if verdict else ()
    return {result.gate: build(requests[result.gate]).explain(result) for result in results if result.gate in requests}


def _present(path: Path, kind: type[T]) -> T | None:
    return codec.read(path, kind) if path.is_file() else None
