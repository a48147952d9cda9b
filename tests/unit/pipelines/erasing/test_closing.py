"""A request is closed only when it may be, never half, and whoever brings the identifier again is answered."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from helpers.cohorts import arrive, make_case
from helpers.erasing import (
    HELD_OUT,
    LEARNED,
    REQUEST,
    RUN,
    SNAPSHOT,
    VALIDATED,
    Person,
    file_answered,
    make_hospital,
    picture,
    set_run_state,
    state_of,
    traces,
)
from helpers.lineage import MODEL, add_candidate, manifest_of, opened
from helpers.retiring import events
from maintain.cohort import CohortStore, Marks, barred_cases, named_digest
from maintain.database import tables as t
from maintain.errors import InputError, NothingToDoError, RefusedError, UnknownNameError, WaitingError
from maintain.hashing import short
from maintain.intake import Pseudonyms
from maintain.vocabulary import Exposed, RequestState
from maintain_pipelines.claims import hold
from maintain_pipelines.context import Context
from maintain_pipelines.erasing import answered, close_request, order_of, ready
from maintain_pipelines.erasing.looking import look
from maintain_pipelines.exposure import exposures, patient_sought


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hospital(tmp_path_factory.mktemp("hospital") / "workspace")


@pytest.fixture
def workspace(tmp_path: Path, hospital: Path) -> Path:
    return Path(shutil.copytree(hospital, tmp_path / "workspace"))


@pytest.fixture
def context(workspace: Path) -> Iterator[Context]:
    with opened(workspace) as found:
        yield found


def refused(context: Context, *words: str) -> None:
    """Nothing may be closed, and every one of these words says why; nothing was ordered or erased."""
    (line,) = ready(REQUEST, context)
    assert all(word in line for word in words), line
    with pytest.raises(WaitingError, match="cannot be closed yet"):
        close_request(REQUEST, context)
    with context.database.read() as unit:
        assert order_of(unit, REQUEST) is None
    assert context.arrays.has(Person(LEARNED).pixels)


# --- refusals --------------------------------------------------------------------------------------


def test_a_request_that_nobody_filed_cannot_be_closed(context: Context) -> None:
    with pytest.raises(UnknownNameError, match="no request called"):
        close_request(REQUEST, context)


def test_an_open_request_is_not_closed(workspace: Path, context: Context) -> None:
    file_answered(workspace, LEARNED, state=RequestState.OPEN)
    refused(context, "is open, not answered", f"maintain request show {REQUEST}")
    assert answered(context) == ()


def test_weights_that_learned_from_them_must_be_destroyed_first(workspace: Path, context: Context) -> None:
    number = add_candidate(context, 2, manifest_of(), salt=5)
    file_answered(workspace, LEARNED)
    refused(context, f"Version {number} of {MODEL} learned", f"maintain registry retire {MODEL} {number}", "--destroy")


def test_the_version_that_serves_must_be_replaced_first(workspace: Path, context: Context) -> None:
    file_answered(workspace, 5)
    (line,) = ready(REQUEST, context)
    assert f"`maintain registry promote {MODEL}` first" in line


def test_a_version_of_which_nobody_can_say_it_counts_as_one_that_learned(workspace: Path, context: Context) -> None:
    manifest = workspace / f"registry/{MODEL}/v0002/manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b" ")
    file_answered(workspace, LEARNED)
    refused(context, f"Version 2 of {MODEL} cannot be shown not to know them")


def test_an_unfinished_run_that_lists_them_must_end_first(workspace: Path, context: Context) -> None:
    set_run_state(workspace, "planned")
    file_answered(workspace, LEARNED)
    refused(context, f"maintain run --resume {RUN}", f"maintain runs abandon {RUN}")


def test_work_under_way_is_waited_for(workspace: Path, context: Context) -> None:
    file_answered(workspace, LEARNED)
    with hold(context.database, MODEL, "somebody", lease_seconds=60):
        refused(context, f"somebody works on {MODEL}")
    assert ready(REQUEST, context) == ()


def test_a_backup_with_their_rows_must_go_first(workspace: Path, context: Context) -> None:
    with closing(sqlite3.connect(workspace / "maintain.db")) as source:
        source.execute("vacuum into ?", (str(workspace / "maintain.db.0005.bak"),))
    file_answered(workspace, LEARNED)
    refused(context, "maintain.db.0005.bak", "remove it, or move it elsewhere")


def test_an_unfinished_training_of_nobody_knows_what_must_go_first(workspace: Path, context: Context) -> None:
    folder = workspace / "trainings" / "adopt-other"
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"half")
    file_answered(workspace, LEARNED)
    refused(context, "unfinished adoption in trainings/adopt-other", "remove that folder")


@pytest.mark.parametrize(
    ("place", "data"),
    [
        ("notes.txt", Person(LEARNED).case.encode()),
        ("policies/by-hand.yaml", b"where: {patient: patient-0003}"),
        ("registry/remark.bin", b"\0" + bytes.fromhex(Person(LEARNED).pixels)),
        (f"exports/{Person(LEARNED).pixels}.txt", b""),
    ],
)
def test_what_only_a_person_can_remove_is_named_and_the_request_stays_answered(
    workspace: Path, context: Context, place: str, data: bytes
) -> None:
    (workspace / place).parent.mkdir(exist_ok=True)
    (workspace / place).write_bytes(data)
    file_answered(workspace, LEARNED)
    with pytest.raises(RefusedError, match=place):
        close_request(REQUEST, context)
    with context.database.read() as unit:
        assert order_of(unit, REQUEST) is not None
        assert Person(LEARNED).case in CohortStore(unit).case_ids(), "rows go with the tombstone, or not at all"
    assert state_of(workspace) == "answered"
    (workspace / place).unlink()
    close_request(REQUEST, context)
    assert traces(workspace, Person(LEARNED)) == []
    assert events(workspace).count("erasure-ordered") == 1


def test_a_row_that_still_names_them_stops_the_tombstone(workspace: Path, context: Context) -> None:
    with context.database.begin() as unit:
        unit.execute(update(t.run).values(error=f"it failed on {Person(LEARNED).case}"))
    file_answered(workspace, LEARNED)
    with pytest.raises(RefusedError, match="the column error of the table run"):
        close_request(REQUEST, context)
    assert state_of(workspace) == "answered"
    with context.database.read() as unit:
        assert Person(LEARNED).case in CohortStore(unit).case_ids()


def test_weights_that_no_manifest_accounts_for_are_not_taken_for_clean(workspace: Path, context: Context) -> None:
    stray = workspace / "stray.bin"
    shutil.copy(workspace / "runs" / RUN / "abc.weights.safetensors", stray)
    file_answered(workspace, LEARNED)
    with pytest.raises(RefusedError, match=r"stray\.bin \(weights that no manifest accounts for\)"):
        close_request(REQUEST, context)


def test_what_lies_behind_a_link_is_left_to_a_person(workspace: Path, context: Context, tmp_path: Path) -> None:
    stored = next((workspace / "arrays").rglob(f"{Person(LEARNED).pixels}.npy"))
    outside = tmp_path / "outside.npy"
    shutil.copy(stored, outside)
    (workspace / "linked").symlink_to(outside)
    file_answered(workspace, LEARNED)
    with pytest.raises(RefusedError, match="behind a link: linked"):
        close_request(REQUEST, context)
    assert stored.exists()
    outside.unlink()
    (workspace / "linked").unlink()
    close_request(REQUEST, context)


def test_closed_is_closed(workspace: Path, context: Context) -> None:
    file_answered(workspace, LEARNED)
    done = close_request(REQUEST, context)
    with pytest.raises(NothingToDoError, match=f"ledger entry {done.entry}"):
        close_request(REQUEST, context)
    assert ready(REQUEST, context) == (f"{REQUEST} is closed: nothing is left to do.",)


def test_a_request_that_was_withdrawn_has_nothing_to_close(workspace: Path, context: Context) -> None:
    file_answered(workspace, LEARNED)
    with context.database.begin() as unit:
        unit.execute(update(t.request).values(state="withdrawn"))
    with pytest.raises(NothingToDoError, match="was withdrawn"):
        close_request(REQUEST, context)


def test_who_could_not_be_excluded_is_out_of_reach(workspace: Path, context: Context) -> None:
    file_answered(workspace, LEARNED)
    with context.database.begin() as unit:
        unit.execute(update(t.request).values(found="cannot-exclude"))
    assert any("could not be excluded" in line for line in close_request(REQUEST, context).out_of_reach)


# --- what goes and what stays ----------------------------------------------------------------------


def test_copies_of_a_picture_go_whatever_their_name(workspace: Path, context: Context) -> None:
    stored = next((workspace / "arrays").rglob(f"{Person(LEARNED).pixels}.npy"))
    shutil.copy(stored, workspace / "a-copy")
    (stored.parent / f".{stored.stem}.7.partial").write_bytes(b"cut short")
    file_answered(workspace, LEARNED)
    assert close_request(REQUEST, context).erased["pictures"] == 3
    assert not (workspace / "a-copy").exists()


def test_archives_are_said_not_to_have_been_opened(workspace: Path, context: Context) -> None:
    shutil.make_archive(str(workspace / "keep"), "gztar", workspace / "runs")
    file_answered(workspace, LEARNED)
    done = close_request(REQUEST, context)
    assert done.closed == 1
    assert any("1 files of the workspace that are archives" in what for what in done.out_of_reach)


def test_an_unfinished_training_goes_where_its_snapshot_lists_them(workspace: Path, context: Context) -> None:
    with context.database.read() as unit:
        digest = short(named_digest(unit, SNAPSHOT))
    folder = workspace / "trainings" / f"other-{digest}-seed7-30"
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"PK\x03\x04 cut short")
    file_answered(workspace, HELD_OUT)
    assert close_request(REQUEST, context).erased["trainings"] == 1
    assert not folder.exists()


def test_files_of_a_source_stay_known_as_refused(workspace: Path, context: Context) -> None:
    file_answered(workspace, LEARNED)
    close_request(REQUEST, context)
    with context.database.read() as unit:
        rows = unit.rows(select(t.file.c.status, t.file.c.case_id).where(t.file.c.reason == "suppressed-data-subject"))
    assert [tuple(row) for row in rows] == [("rejected", None)] * 2


def test_a_visit_in_which_somebody_elses_image_is_left_stays(context: Context) -> None:
    shared = make_case(90, patient="patient-0036", study="study-0036", series="series-0036")
    with context.database.begin() as unit:
        store = CohortStore(unit)
        store.add(1, [arrive(shared, "ab12")])
    file_answered(context.workspace.root, LEARNED)
    done = close_request(REQUEST, context)
    assert (done.erased["image_case"], done.erased["study"], done.erased["series"]) == (2, 1, 1)


def test_a_request_about_nobody_is_closed_without_a_trace(workspace: Path, context: Context) -> None:
    file_answered(workspace)
    done = close_request(REQUEST, context)
    assert not any(done.erased[kind] for kind in ("pictures", "image_case", "patient", "lists"))


def test_whoever_brings_the_identifier_again_is_still_answered(workspace: Path, context: Context) -> None:
    pseudonyms = Pseudonyms(bytes(range(32)))
    patient = pseudonyms.patient("MRN-77", "CITY")
    assert patient is not None
    with context.database.begin() as unit:
        unit.execute(insert(t.patient), {"patient": patient, "consent": "unknown", "salt": b"salt"})
        unit.execute(update(t.study).where(t.study.c.study == "study-0003").values(patient=patient))
    file_answered(workspace, LEARNED)
    mark = pseudonyms.barred(patient)
    with context.database.begin() as unit:
        unit.execute(update(t.request_person).values(patient=patient))
        unit.execute(update(t.barred_person).values(mark=mark))
    close_request(REQUEST, context)
    with context.database.read() as unit:
        assert barred_cases(unit, mark) == {Person(LEARNED).case}
        assert barred_cases(unit, "another mark") == frozenset()
    sought = patient_sought("MRN-77", "CITY", context)
    assert sought.cases == {Person(LEARNED).case}
    assert [item.answer for item in exposures(sought, context)] == [Exposed.YES, Exposed.NO]
    with pytest.raises(InputError, match="knows nobody"):
        patient_sought("MRN-78", "CITY", context)


def test_who_helped_to_choose_or_to_judge_goes_and_the_versions_stay(workspace: Path, context: Context) -> None:
    file_answered(workspace, VALIDATED, HELD_OUT)
    done = close_request(REQUEST, context)
    assert done.erased["look_patient"] == 1
    assert (done.erased["references"], done.erased["weights"]) == (0, 1)
    assert context.store.versions(MODEL) == (1, 2)


def test_the_look_finds_a_picture_by_digest_and_a_mark_in_a_name(workspace: Path, context: Context) -> None:
    (workspace / "elsewhere").mkdir()
    shutil.copy(next((workspace / "arrays").rglob(f"{Person(7).pixels}.npy")), workspace / "elsewhere" / "x")
    found = look(context.workspace, Marks(pixels=frozenset({Person(7).pixels})))
    assert {path.name for path in found.pictures} == {"x", f"{Person(7).pixels}.npy"}
    assert picture(7).shape == (6, 4, 3)


def test_a_closing_that_was_cut_short_says_that_its_counts_are_those_of_the_last_pass(
    workspace: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_answered(workspace, LEARNED)

    def cut(*_: object) -> None:
        raise RefusedError("Cut short.", remedy="Say it again.")

    with monkeypatch.context() as patched:
        patched.setattr("maintain_pipelines.erasing.closing._prove", cut)
        with pytest.raises(RefusedError, match="Cut short"):
            close_request(REQUEST, context)
    done = close_request(REQUEST, context)
    assert done.resumed
    assert done.erased["pictures"] == 0
