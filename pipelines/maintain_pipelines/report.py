"""The report stage: whatever a run left behind, told in three editions. Always written, pass or fail.

It reads the run folder, the journal and what the folder names, so `maintain report RUN` can write it again at any
time. Answers and figures are computed again from the measurements that the verdict names.
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
from maintain.report import (
    Attempt,
    Ending,
    Report,
    build_report,
    render_html,
    render_json,
    render_markdown,
)
from maintain_pipelines import journal
from maintain_pipelines.champions import MANIFEST_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.reporting import pictures_of, shown_of
from maintain_pipelines.reporting.evidence import Left
from maintain_pipelines.rundir import (
    CANDIDATE,
    PLAN,
    REGISTRATION,
    REPORT,
    REPORT_JSON,
    REPORT_MARKDOWN,
    REPORT_WITH_IMAGES,
    VERDICT,
    RunFolder,
)
from maintain_pipelines.runlog import logged

T = TypeVar("T")


@logged("report")
def write_report(run: str, folder: RunFolder, context: Context) -> Path:
    """Write the three editions of a run into its folder and return where the page lies."""
    report = tell_report(run, folder, context)
    editions = {
        REPORT: render_html(report),
        REPORT_MARKDOWN: render_markdown(report),
        REPORT_JSON: render_json(report),
    }
    for name, text in editions.items():
        folder.guard()
        codec.write_bytes(folder.file(name), text.encode())
    return folder.file(REPORT)


@logged("report-with-images")
def write_report_with_images(run: str, folder: RunFolder, context: Context) -> Path:
    """Write the page once more with a sheet of forgotten images, as a file of its own.

    Raises `InputError` for reasons of consent and data subjects, before anything is read.
    """
    plan = folder.kept(PLAN, Plan)
    pictures = pictures_of(plan, folder.read_table("roles", plan.roles, RoleTable), context)
    page = render_html(tell_report(run, folder, context), pictures)
    folder.guard()
    codec.write_bytes(folder.file(REPORT_WITH_IMAGES), page.encode())
    return folder.file(REPORT_WITH_IMAGES)


def tell_report(run: str, folder: RunFolder, context: Context) -> Report:
    """The whole report: what `read_report` says, and everything that is computed from the measurements."""
    report = read_report(run, folder, context)
    roles = folder.read_table("roles", report.plan.roles, RoleTable)
    left = None
    if report.candidate is not None and report.verdict is not None:
        place = replace(folder, slot=report.candidate.slot)
        log = place.read_table("loader-log", report.candidate.loader_log, LoaderLog)
        left = Left(place, report.plan, roles, report.candidate, report.verdict, log)
    return replace(report, shown=shown_of(report.plan, roles, report.ending.state, left, folder, context))


def read_report(run: str, folder: RunFolder, context: Context) -> Report:
    """Assemble the report of a run from its records alone: its folder, and its row in the journal."""
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
