"""What carrying out a plan bars: of a wrong label the pairs that were used, and never the corrected one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from helpers.cohorts import NOW, fill, make_case, undone
from helpers.evidence import plan_of
from maintain.cohort import (
    CohortStore,
    LabelFact,
    SplitShares,
    decide_splits,
    suppress,
    suppressed,
    take_snapshot,
)
from maintain.database import Database, UnitOfWork, create_database
from maintain.records import MethodRequest, Plan, PlannedCase, RoleTable, Slot
from maintain.vocabulary import Claim, Reason, Role
from maintain_pipelines.barring import Barring, bar_matches

ONE = "case-0001"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = create_database(tmp_path_factory.mktemp("barring") / "maintain.db")
    yield database
    database.close()


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    """A cohort whose label is `diagnosis`, with every patient on a side."""
    with undone(database) as unit:
        fill(unit, [make_case(number) for number in range(20)])
        decide_splits(unit, "m", SplitShares(train=2, validation=1, holdout=1), seed=1, now=NOW)
        yield unit


def plan(roles: RoleTable, reason: Reason) -> Plan:
    slot = Slot(1, (MethodRequest("retrain", ()),), 0.0125)
    return replace(plan_of(roles, Claim.NEVER_SAW, slot), model="m", policy="p", reason=reason)


def planned(role: Role, version: int) -> PlannedCase:
    case = make_case(1)
    return PlannedCase(ONE, version, "drusen", case.patient, case.pixels, role, "marked")


def correct(unit: UnitOfWork, version: int) -> None:
    """Record answers until the case has that version."""
    for number in range(2, version + 1):
        CohortStore(unit).record_labels([LabelFact(ONE, "diagnosis", f"answer {number}")], now=NOW)


def freeze(unit: UnitOfWork) -> None:
    take_snapshot(unit, name="s", model="m", label_name="diagnosis", where=None, now=NOW)


def bar(unit: UnitOfWork, row: PlannedCase | None, *, reason: Reason = Reason.WRONG_LABEL) -> Barring:
    roles = RoleTable(() if row is None else (row,))
    matches = (CohortStore(unit).case(ONE),)
    return bar_matches(unit, plan(roles, reason), roles, matches, label_name="diagnosis", now=NOW)


def barred_before(unit: UnitOfWork, version: int) -> None:
    listed = planned(Role.FORGET, version)
    suppress(unit, [listed], reason=Reason.WRONG_LABEL, policy="p", model="m", now=NOW)


@pytest.mark.parametrize("row", [planned(Role.RETAIN, 2), planned(Role.HOLDOUT, 2), None])
def test_a_label_that_was_corrected_since_it_was_barred_is_not_barred(
    unit: UnitOfWork, row: PlannedCase | None
) -> None:
    """Also where a snapshot froze the corrected label: learned, held out, or waiting for the next training."""
    barred_before(unit, 1)
    correct(unit, 2)
    freeze(unit)
    done = bar(unit, row)
    assert (done.cases, done.newly) == ((), 0)
    assert suppressed(unit, "m").labels == {ONE: 1}


@pytest.mark.parametrize(
    ("role", "used", "current", "before", "barred"),
    [
        (Role.FORGET, 1, 1, 0, 1),
        (Role.FORGET, 1, 2, 0, 1),  # corrected, and a later snapshot froze the correction
        (Role.FORGET, 1, 3, 0, 2),  # what was between was given up too
        (Role.FORGET, 2, 2, 0, 2),
        (Role.FORGET, 1, 2, 1, 1),  # registered before and not promoted
        (Role.FORGET, 2, 3, 1, 2),  # corrected once more
        (Role.FORGET, 2, 2, 2, 2),
        (Role.NEVER_SEEN_VALIDATION, 1, 2, 0, 1),
        (Role.NEVER_SEEN, 1, 1, 0, 1),
    ],
)
def test_the_pair_that_was_used_is_barred_and_the_next_answer_is_not(
    unit: UnitOfWork, role: Role, used: int, current: int, before: int, barred: int
) -> None:
    if before:
        barred_before(unit, before)
    correct(unit, current)
    freeze(unit)
    done = bar(unit, planned(role, used))
    assert done.newly == (1 if barred > before else 0)
    assert suppressed(unit, "m").labels == {ONE: barred}
    assert bar(unit, planned(role, used)).newly == 0
    assert suppressed(unit, "m").labels == {ONE: barred}


def test_a_match_without_the_label_is_barred_for_the_answer_to_come(unit: UnitOfWork) -> None:
    fill(unit, [make_case(30)], labels=None)
    matches = (CohortStore(unit).case("case-0030"),)
    none = RoleTable(())
    bar_matches(unit, plan(none, Reason.WRONG_LABEL), none, matches, label_name="diagnosis", now=NOW)
    assert suppressed(unit, "m").labels == {"case-0030": 1}


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.WRONG_LABEL])
def test_for_another_reason_the_case_is_barred_whatever_its_label(unit: UnitOfWork, reason: Reason) -> None:
    correct(unit, 2)
    bar(unit, planned(Role.FORGET, 2), reason=reason)
    barred = suppressed(unit, "m")
    assert barred.why(make_case(1), label_version=3) == f"suppressed: {reason.value}"
