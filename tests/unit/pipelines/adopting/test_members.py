"""Declared trainings: nobody of whom nothing is declared is held out, and nothing learned is forgotten about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from helpers.cohorts import NOW, fill, make_case, undone
from maintain.cohort import SplitShares, decide_splits, declare_splits, keep_snapshot, read_standings, splits_of
from maintain.database import Database, UnitOfWork, create_database
from maintain.errors import InputError
from maintain.hashing import digest_bytes
from maintain.intake import MemberRow
from maintain.records import Case, CaseRef
from maintain.vocabulary import Split
from maintain_pipelines.adopting.members import NO_LABEL_VERSION, Membership, membership
from unit.pipelines.adopting.test_order import ORDER as ANY

ONE = digest_bytes(b"one")
ORDER = replace(ANY, label_order=("drusen", "atrophy"))
TRAIN, VALIDATION, HOLDOUT = Split.TRAIN, Split.VALIDATION, Split.HOLDOUT


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = create_database(tmp_path_factory.mktemp("members") / "maintain.db")
    yield database
    database.close()


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    with undone(database) as unit:
        yield unit


def join(unit: UnitOfWork, cases: list[Case], roles: dict[int, Split], *, allow_absent: bool = False) -> Membership:
    fill(unit, cases)
    rows = [MemberRow(f"case-{number:04d}", role) for number, role in roles.items()]
    standings = read_standings(unit, "diagnosis")
    return membership(replace(ORDER, allow_absent=allow_absent), rows, standings, unit)


def plain(count: int) -> list[Case]:
    return [make_case(number) for number in range(1, count + 1)]


ROLES = {1: TRAIN, 2: TRAIN, 3: VALIDATION, 4: HOLDOUT}


def test_members_of_another_cohort_are_refused(unit: UnitOfWork) -> None:
    with pytest.raises(InputError, match="None of the cases"):
        join(unit, plain(4), {number + 100: role for number, role in ROLES.items()})


def test_a_learned_case_that_the_cohort_lacks_is_refused_unless_it_may_be(unit: UnitOfWork) -> None:
    with pytest.raises(InputError, match="1 of 4 cases") as caught:
        join(unit, plain(4), {**ROLES, 99: TRAIN})
    assert "--allow-absent" in caught.value.remedy


def test_an_absent_case_stays_in_the_manifest_as_learned(unit: UnitOfWork) -> None:
    found = join(unit, plain(4), {**ROLES, 99: TRAIN, 98: HOLDOUT}, allow_absent=True)
    assert found.learned == (CaseRef("case-0001", 1), CaseRef("case-0002", 1), CaseRef("case-0099", NO_LABEL_VERSION))
    assert found.absent == 1
    assert len(found.snapshot.members) == 4


def test_labels_that_the_model_does_not_answer_are_refused(unit: UnitOfWork) -> None:
    fill(unit, plain(4))
    rows = [MemberRow(f"case-{number:04d}", role) for number, role in ROLES.items()]
    order = replace(ORDER, label_order=("drusen", "myopia"))
    with pytest.raises(InputError, match="does not answer: atrophy"):
        membership(order, rows, read_standings(unit, "diagnosis"), unit)


@pytest.mark.parametrize("lacking", [TRAIN, VALIDATION, HOLDOUT])
def test_every_role_needs_a_case(unit: UnitOfWork, lacking: Split) -> None:
    with pytest.raises(InputError, match=f"no case for {lacking.value}"):
        join(unit, plain(4), {number: role for number, role in ROLES.items() if role is not lacking})


def test_a_patient_without_a_role_gets_no_side_now_or_later(unit: UnitOfWork) -> None:
    found = join(unit, plain(6), ROLES)
    assert found.silent == 2
    assert set(found.sides) == {f"patient-000{number}" for number in (1, 2, 3, 4)}
    declare_splits(unit, "triage", found.sides, now=NOW)
    keep_snapshot(unit, found.snapshot, where=None, now=NOW)
    with pytest.raises(InputError, match="declared when it was adopted"):
        decide_splits(unit, "triage", SplitShares(train=1, validation=1, holdout=1), seed=1, now=NOW)
    assert splits_of(unit, "triage") == found.sides
    with pytest.raises(InputError, match="given their sides already"):
        declare_splits(unit, "triage", found.sides, now=NOW)


def test_a_patient_with_images_in_several_roles_is_not_held_out(unit: UnitOfWork) -> None:
    cases = [*plain(4), make_case(5, patient="patient-0001"), make_case(6, patient="patient-0003")]
    found = join(unit, cases, {**ROLES, 5: HOLDOUT, 6: TRAIN})
    assert (found.conflicting, found.moved) == (2, 1)
    assert (found.sides["patient-0001"], found.sides["patient-0003"]) == (TRAIN, TRAIN)
    assert [member.case_id for member in found.snapshot.of(HOLDOUT)] == ["case-0004"]
    assert found.selected_with == (CaseRef("case-0003", 1),)


def test_a_copy_of_a_learned_picture_is_not_held_out(unit: UnitOfWork) -> None:
    cases = [make_case(1, pixels=ONE), *plain(4)[1:], make_case(5, pixels=ONE)]
    found = join(unit, cases, {**ROLES, 5: HOLDOUT})
    assert found.sides["patient-0005"] is TRAIN
    assert found.moved == 1
    assert {member.case_id for member in found.snapshot.of(HOLDOUT)} == {"case-0004"}


def test_a_case_without_a_label_is_learned_all_the_same(unit: UnitOfWork) -> None:
    fill(unit, [make_case(5, patient="patient-0004")], labels=None)
    fill(unit, [*plain(4), make_case(6)])
    rows = [MemberRow(f"case-{number:04d}", role) for number, role in {**ROLES, 5: TRAIN, 6: HOLDOUT}.items()]
    joined = membership(replace(ORDER, allow_absent=True), rows, read_standings(unit, "diagnosis"), unit)
    assert CaseRef("case-0005", NO_LABEL_VERSION) in joined.learned
    assert joined.sides["patient-0004"] is TRAIN
    assert [member.case_id for member in joined.snapshot.of(HOLDOUT)] == ["case-0006"]
