"""After a person was erased the model that serves goes on: it is planned on, revised, and asked who it learned from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from helpers.commands import say
from helpers.erasing import file_about
from helpers.lineage import opened
from maintain.cohort import CohortStore, load_snapshot
from maintain.database import tables as t
from maintain.records import Case
from maintain.vocabulary import RequestState, Split
from maintain_pipelines.erasing import close_request, ready

MODEL, OPEN = "fundus-triage", "R-2026-0002"

POLICY = """\
version: 1
name: requests
owner: imaging-ai@hospital.example
reason: data-subject
claim: never-saw
model: {name: fundus-triage}
forget:
  where: {request.status: open}
unlearn: {methods: [retrain], seed: 12}
gates: [default, {retention: {margin: 0.25}}]
"""


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory, finished: Path) -> tuple[Path, tuple[Case, ...]]:
    """The consent story, its version promoted, the first one destroyed, and everybody who withdrew erased."""
    workspace = tmp_path_factory.mktemp("erased") / "workspace"
    shutil.copytree(finished, workspace)
    for words in (
        ("registry", "promote", MODEL),
        ("registry", "retire", MODEL, 1, "--reason", "ticket 4711", "--destroy", "--yes"),
    ):
        said = say(*words, workspace=workspace)
        assert said.code == 0, said.err
    with opened(workspace) as context:
        with context.database.read() as unit:
            store = CohortStore(unit)
            rows = unit.rows(select(t.patient.c.patient).where(t.patient.c.consent == "withdrawn"))
            patients = tuple(row.patient for row in rows)
            cases = tuple(case for patient in patients for case in store.of_patient(patient))
            copies = store.copies(cases)
        about = {case.case_id: False for case in cases} | {case.case_id: True for case in copies}
        file_about(workspace, patients, about)
        assert ready("R-2026-0001", context) == ()
        close_request("R-2026-0001", context)
    return workspace, cases


def test_nothing_is_left_of_them_in_any_file(erased: tuple[Path, tuple[Case, ...]]) -> None:
    workspace, cases = erased
    marks = {mark for case in cases for mark in (case.patient, case.study, case.series)}
    pixels = {case.pixels for case in cases}
    assert cases
    for path in (path for path in workspace.rglob("*") if path.is_file()):
        data, barring = path.read_bytes(), path.name.startswith("maintain.db")
        for mark in marks | (set() if barring else pixels):
            assert mark.encode() not in data, path.name
            assert bytes.fromhex(mark) not in data, path.name


def test_the_ledger_and_the_workspace_are_whole(erased: tuple[Path, tuple[Case, ...]]) -> None:
    workspace, cases = erased
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    checked = say("doctor", workspace=workspace)
    assert "PROBLEM" not in checked.out, checked.out
    learned = say("audit", "exposure", cases[0].case_id, "--json", workspace=workspace).document
    assert [item["answer"] for item in learned["versions"]] == ["yes", "no"]


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "show", MODEL, 2),
        ("registry", "show", MODEL, 2),
        ("registry", "list"),
        ("runs", "list"),
        ("cohort", "status"),
        ("reference", "list"),
    ],
)
def test_what_reads_versions_and_runs_goes_on(
    erased: tuple[Path, tuple[Case, ...]], words: tuple[str | int, ...]
) -> None:
    said = say(*words, workspace=erased[0])
    assert said.code == 0, said.err


def test_the_next_plan_says_that_nobody_is_left_to_forget(erased: tuple[Path, tuple[Case, ...]]) -> None:
    workspace, _ = erased
    planned = say("plan", workspace / "policies" / "consent.yaml", workspace=workspace)
    assert (planned.code, "0 images match" in planned.out) == (5, True), planned.err


def test_the_next_person_is_forgotten_by_a_run_of_its_own(
    erased: tuple[Path, tuple[Case, ...]], tmp_path: Path
) -> None:
    workspace = Path(shutil.copytree(erased[0], tmp_path / "workspace"))
    with opened(workspace) as context, context.database.read() as unit:
        member = load_snapshot(unit, "first").of(Split.TRAIN)[0]
        cases = CohortStore(unit).of_patient(member.patient)
        about = {case.case_id: False for case in cases}
    file_about(workspace, (member.patient,), about, name=OPEN, state=RequestState.OPEN)
    (workspace / "policies" / "requests.yaml").write_text(POLICY, encoding="utf-8")
    planned = say("plan", workspace / "policies" / "requests.yaml", workspace=workspace)
    assert planned.code == 0, planned.err
    ran = say("run", workspace / "policies" / "requests.yaml", workspace=workspace)
    assert ran.code == 0, ran.out + ran.err
