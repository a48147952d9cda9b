"""The suppression list: scope follows the reason, and saying it twice changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from helpers.cohorts import NOW, fill, make_case
from maintain.cohort import (
    CohortStore,
    ConsentFact,
    LabelFact,
    SplitShares,
    decide_splits,
    suppress,
    suppressed,
    take_snapshot,
)
from maintain.database import UnitOfWork, tables
from maintain.errors import InputError
from maintain.records import SnapshotMember
from maintain.vocabulary import ConsentStatus, Reason, Split

LOCAL = [reason for reason in Reason if not reason.personal]


def member(number: int, version: int = 1) -> SnapshotMember:
    case = make_case(number)
    return SnapshotMember(case.case_id, version, "drusen", case.patient, case.pixels, Split.TRAIN)


@pytest.mark.parametrize("reason", LOCAL)
def test_a_reason_of_one_lineage_needs_its_model(unit: UnitOfWork, reason: Reason) -> None:
    with pytest.raises(InputError, match="concern one model"):
        suppress(unit, [member(1)], reason=reason, policy="p", model=None, now=NOW)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("asked", ["m", "other", None])
def test_scope(unit: UnitOfWork, reason: Reason, asked: str | None) -> None:
    assert suppress(unit, [member(1)], reason=reason, policy="p", model="m", now=NOW) == 1
    barred = suppressed(unit, asked)
    case, copy = make_case(1), make_case(2, pixels=make_case(1).pixels)
    reached = reason.personal or asked == "m"
    assert (barred.why(case, label_version=1) is not None) is reached
    assert (barred.why(copy, label_version=1) is not None) is reason.personal
    assert (barred.why(case, label_version=2) is not None) is (reached and reason is not Reason.WRONG_LABEL)
    assert barred.why(make_case(3), label_version=1) is None


def test_the_why_names_the_reason(unit: UnitOfWork) -> None:
    suppress(unit, [member(1)], reason=Reason.CONSENT, policy="p", model="m", now=NOW)
    suppress(unit, [member(2)], reason=Reason.OUTLIER, policy="p", model="m", now=NOW)
    barred = suppressed(unit, "m")
    assert barred.why(make_case(1), label_version=1) == "suppressed: consent"
    assert barred.why(make_case(2), label_version=1) == "suppressed: outlier"
    copy = make_case(3, pixels=make_case(1).pixels)
    assert barred.why(copy, label_version=1) == "exact copy of a suppressed image: consent"


@pytest.mark.parametrize("reason", list(Reason))
def test_saying_it_twice_changes_nothing(unit: UnitOfWork, reason: Reason) -> None:
    for expected in (1, 0):
        cases = [member(1), member(1)]
        assert suppress(unit, cases, reason=reason, policy="p", model="m", now=NOW) == expected
    assert suppress(unit, [member(1)], reason=reason, policy="q", model="m", now=NOW) == 1
    assert unit.scalar(select(func.count()).select_from(tables.suppression)) == 2


def test_a_second_wrong_version_is_barred_too(unit: UnitOfWork) -> None:
    for version in (1, 2):
        cases = [member(1, version), member(1, version)]
        assert suppress(unit, cases, reason=Reason.WRONG_LABEL, policy="p", model="m", now=NOW) == 1
    barred = suppressed(unit, "m")
    said = [barred.why(make_case(1), label_version=version) is not None for version in (1, 2, 3)]
    assert said == [True, True, False]


def test_withdrawn_consent_bars_without_any_policy(unit: UnitOfWork) -> None:
    copy = make_case(2, pixels=make_case(1).pixels)
    store = fill(unit, [make_case(1), copy, make_case(3)])
    store.record_consents([ConsentFact("patient-0001", ConsentStatus.WITHDRAWN, None)])
    barred = suppressed(unit, None)
    said = [barred.why(case, label_version=1) for case in store.cases()]
    assert said == ["consent withdrawn", "exact copy of a suppressed image: consent withdrawn", None]


def test_of_a_plain_case_the_learned_version_is_meant(unit: UnitOfWork) -> None:
    store = fill(unit, [make_case(number) for number in range(20)])
    decide_splits(unit, "m", SplitShares(train=2, validation=1, holdout=1), seed=1, now=NOW)
    take_snapshot(unit, name="s", model="m", label_name="diagnosis", where=None, now=NOW)
    store.record_labels([LabelFact("case-0001", "diagnosis", "corrected")], now=NOW)
    cases = [CohortStore(unit).case(f"case-000{number}") for number in (1, 2)]
    suppress(unit, cases, reason=Reason.WRONG_LABEL, policy="p", model="m", now=NOW)
    barred = suppressed(unit, "m")
    assert [barred.why(cases[0], label_version=version) is None for version in (1, 2)] == [False, True]
    assert [barred.why(cases[1], label_version=version) is None for version in (1, 2)] == [False, True]


def test_another_label_of_the_case_does_not_widen_what_is_wrong(unit: UnitOfWork) -> None:
    """Of a case that no snapshot froze, the label that its lineage learns counts, however often others changed."""
    store = fill(unit, [make_case(number) for number in range(20)])
    decide_splits(unit, "m", SplitShares(train=2, validation=1, holdout=1), seed=1, now=NOW)
    take_snapshot(unit, name="s", model="m", label_name="diagnosis", where=None, now=NOW)
    fill(unit, [make_case(30)])
    for grade in ("good", "poor", "fair", "none"):
        store.record_labels([LabelFact("case-0030", "quality", grade)], now=NOW)
    case = store.case("case-0030")
    suppress(unit, [case], reason=Reason.WRONG_LABEL, policy="p", model="m", now=NOW)
    barred = suppressed(unit, "m")
    assert [barred.why(case, label_version=version) is None for version in (1, 2)] == [False, True]
