"""Closing a request: nothing of the person is left below the workspace, whoever looks and wherever it was killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import killing
from helpers.commands import say
from helpers.erasing import (
    HELD_OUT,
    LEARNED,
    REQUEST,
    RUN,
    SNAPSHOT,
    TWIN,
    VALIDATED,
    Person,
    file_answered,
    make_hospital,
    state_of,
    traces,
)
from helpers.lineage import MODEL, opened
from helpers.retiring import events
from maintain.cohort import load_snapshot, load_snapshot_by_digest, named_digest
from maintain.errors import NothingToDoError, WaitingError
from maintain_pipelines.erasing import close_request, ready
from maintain_pipelines.rundir import REPORT_WITH_IMAGES
from maintain_registry import EventKind

#: Closing in a process of its own.
CLOSE = "helpers.erasing:say_close"

EVERYBODY = (LEARNED, VALIDATED, HELD_OUT)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy it."""
    return make_hospital(tmp_path_factory.mktemp("hospital") / "workspace")


@pytest.fixture
def workspace(tmp_path: Path, hospital: Path) -> Path:
    return Path(shutil.copytree(hospital, tmp_path / "workspace"))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    rooms = ("maintain_pipelines.erasing", "helpers.erasing")
    with killing.nursery(tmp_path_factory.mktemp("nursery"), *rooms) as opened_nursery:
        yield opened_nursery


def problems(workspace: Path) -> list[str]:
    """What the doctor finds wrong; the cohort of these tests was read under no real key."""
    lines = say("doctor", workspace=workspace).out.splitlines()
    return [line for line in lines if line.startswith(("PROBLEM", "Problems"))]


@pytest.mark.parametrize("number", EVERYBODY)
def test_nothing_below_the_workspace_is_left_of_a_person(workspace: Path, number: int) -> None:
    person, before = Person(number), problems(workspace)
    assert len(traces(workspace, person)) >= 5, "the look sees what is there"
    file_answered(workspace, number, copies=(TWIN,) if number == LEARNED else ())
    with opened(workspace) as context:
        assert ready(REQUEST, context) == ()
        closed = close_request(REQUEST, context)
    assert traces(workspace, person) == []
    assert state_of(workspace) == "closed"
    assert closed.erased["pictures"] == 1
    assert closed.erased["patient"] == 1
    assert any("PACS" in what for what in closed.out_of_reach)
    assert say("audit", "verify", workspace=workspace).code == 0
    assert problems(workspace) == before
    exposed = say("audit", "exposure", person.case, "--json", workspace=workspace)
    if number == LEARNED:
        answers = [item["answer"] for item in exposed.document["versions"]]
        assert answers == ["yes", "no"]


def test_the_twin_stays_a_patient_and_loses_the_picture(workspace: Path) -> None:
    file_answered(workspace, LEARNED, copies=(TWIN,))
    with opened(workspace) as context:
        close_request(REQUEST, context)
    found = traces(workspace, Person(TWIN))
    assert found == ["maintain.db"], "the other patient is nobody's business"
    status = say("cohort", "status", "--json", workspace=workspace).document
    assert status["images"] == 38


def test_a_twin_that_no_request_named_goes_with_the_picture(workspace: Path) -> None:
    file_answered(workspace, LEARNED)
    with opened(workspace) as context:
        assert close_request(REQUEST, context).erased["image_case"] == 2


def test_a_snapshot_keeps_its_name_and_is_held_to_the_rest(workspace: Path) -> None:
    with opened(workspace) as context, context.database.read() as unit:
        before = named_digest(unit, SNAPSHOT)
    for number, name in ((LEARNED, REQUEST), (HELD_OUT, "R-2026-0002")):
        file_answered(workspace, number, name=name)
        with opened(workspace) as context:
            (remains,) = close_request(name, context).snapshots
            assert (remains.digest, remains.name) == (before, SNAPSHOT)
    with opened(workspace) as context, context.database.read() as unit:
        cases = {member.case_id for member in load_snapshot(unit, SNAPSHOT).members}
        assert load_snapshot_by_digest(unit, before).name == SNAPSHOT
    assert not cases & {Person(number).case for number in (LEARNED, TWIN, HELD_OUT)}


def test_what_read_the_lists_says_for_whom_they_were_erased(workspace: Path) -> None:
    file_answered(workspace, LEARNED)
    with opened(workspace) as context:
        entry = close_request(REQUEST, context).ordered
    for words in (("report", RUN), ("runs", "cases", RUN), ("run", "--resume", RUN)):
        said = say(*words, workspace=workspace)
        assert said.code == 2, words
        assert f"erased for request {REQUEST}, ledger entry {entry}" in said.err, words
    shown = say("runs", "show", RUN, workspace=workspace)
    assert (shown.code, f"erased for request {REQUEST}" in shown.out) == (1, True)


def test_two_requests_about_one_person_end_one_after_the_other(workspace: Path) -> None:
    file_answered(workspace, LEARNED)
    file_answered(workspace, LEARNED, HELD_OUT, name="R-2026-0002")
    with opened(workspace) as context:
        first = close_request(REQUEST, context)
        assert any("R-2026-0002" in what for what in first.out_of_reach)
        close_request("R-2026-0002", context)
    for number in (LEARNED, HELD_OUT):
        assert traces(workspace, Person(number)) == []


@pytest.mark.parametrize("point", killing.ERASURE)
def test_killed_between_any_two_steps_it_ends_as_if_undisturbed(
    workspace: Path, nursery: killing.Nursery, point: str
) -> None:
    file_answered(workspace, *EVERYBODY, copies=(TWIN,))
    killed = nursery.run(REQUEST, workspace=workspace, call=CLOSE, point=point)
    assert killed.code == -9, killed.said
    assert say("audit", "verify", workspace=workspace).code == 0
    told = EventKind.REQUEST_CLOSED.value in events(workspace)
    waits = EventKind.ERASURE_ORDERED.value in events(workspace) and not told
    assert any(f"The erasure for {REQUEST} was ordered" in line for line in problems(workspace)) is waits
    assert (state_of(workspace) == "closed") is told
    again = nursery.run(REQUEST, workspace=workspace, call=CLOSE)
    assert again.code == 0, again.said
    for number in EVERYBODY:
        assert traces(workspace, Person(number)) == []
    counted = events(workspace)
    assert [counted.count(kind.value) for kind in (EventKind.ERASURE_ORDERED, EventKind.REQUEST_CLOSED)] == [1, 1]
    with opened(workspace) as context, pytest.raises(NothingToDoError, match="is closed, ledger entry"):
        close_request(REQUEST, context)


def test_two_who_close_at_once_do_it_once(workspace: Path, nursery: killing.Nursery) -> None:
    file_answered(workspace, LEARNED)
    first = nursery.run(REQUEST, workspace=workspace, call=CLOSE, point="pictures erased", send="stop")
    assert first.stopped
    with opened(workspace) as context:
        assert any(f"request close works on {MODEL}" in line for line in ready(REQUEST, context))
        with pytest.raises(WaitingError):
            close_request(REQUEST, context)
    assert nursery.wake(first).code == 0
    assert traces(workspace, Person(LEARNED)) == []
    assert events(workspace).count(EventKind.REQUEST_CLOSED.value) == 1


def test_the_version_that_serves_goes_on_serving(workspace: Path) -> None:
    file_answered(workspace, *EVERYBODY)
    with opened(workspace) as context:
        close_request(REQUEST, context)
    assert say("registry", "show", MODEL, 2, workspace=workspace).code == 0
    assert (workspace / "references" / "few" / "weights.safetensors").is_file()
    assert not (workspace / "references" / "everybody").exists()
    assert not list((workspace / "runs").rglob("*.safetensors"))
    assert not (workspace / "runs" / RUN / REPORT_WITH_IMAGES).exists(), "it shows whom the lists name"
