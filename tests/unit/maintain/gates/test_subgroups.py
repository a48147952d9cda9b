from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.evidence import CHAMPION, LABELS, honest_evidence, linked
from helpers.keeping import (
    answered_by_candidate,
    answers_by,
    barely,
    figure_named,
    gate,
    grouped,
    is_right,
    losing,
    number_of,
    retention_of,
    with_strata,
)
from maintain.errors import InputError
from maintain.gates import Evidence
from maintain.gates.retention import Retention
from maintain.records import GateRequest, PlannedCase, Strata
from maintain.vocabulary import Outcome

FAIL, OPEN, PASS = Outcome.FAIL, Outcome.NOT_EVALUATED, Outcome.PASS
DEVICE = "device.model"


def device(case: PlannedCase) -> str:
    """One case in ten was taken by Beta."""
    return "Beta" if number_of(case) % 20 < 2 else "Alpha"


def side(case: PlannedCase) -> str:
    return "left" if number_of(case) % 8 < 4 else "right"


def corner(case: PlannedCase) -> str:
    """Four cases of two patients were taken by a device that nobody else used."""
    return "Rare" if number_of(case) < 4 else "Common"


def test_a_request_without_its_groups_is_refused() -> None:
    request = gate().request
    for name in ("by", "small", "include_forget_group"):
        options = tuple(setting for setting in request.options if setting.name != name)
        with pytest.raises(InputError, match=name):
            Retention(GateRequest("retention", options, True)).measure(honest_evidence())


def test_groups_that_nobody_fixed_are_not_evaluated() -> None:
    result = retention_of(honest_evidence(), by=DEVICE)
    assert result.outcome is OPEN
    assert "in which of them the held-out cases are is not known" in result.reason


def test_groups_that_the_plan_does_not_name_are_not_evaluated() -> None:
    evidence = grouped(honest_evidence(), DEVICE, side)
    chosen = grouped(honest_evidence(), DEVICE, corner).strata
    result = retention_of(replace(evidence, strata=chosen), by=DEVICE)
    assert result.outcome is OPEN
    assert "not the one that the plan names" in result.reason


def test_a_case_without_a_group_is_not_evaluated_and_counted() -> None:
    evidence = grouped(honest_evidence(), DEVICE, side)
    assert evidence.strata is not None
    result = retention_of(with_strata(evidence, Strata(evidence.strata.rows[1:])), by=DEVICE)
    assert result.outcome is OPEN
    assert "of 1 held-out case the group is not known" in result.reason


def test_a_case_in_two_groups_is_not_evaluated() -> None:
    evidence = grouped(honest_evidence(), DEVICE, side)
    assert evidence.strata is not None
    rows = evidence.strata.rows
    result = retention_of(with_strata(evidence, Strata((*rows, replace(rows[0], value="other")))), by=DEVICE)
    assert result.outcome is OPEN
    assert "1 are listed twice" in result.reason


def test_a_field_that_no_case_has_is_not_evaluated() -> None:
    evidence = grouped(honest_evidence(), DEVICE, side)
    result = retention_of(evidence, by=f"{DEVICE}, patient.sex")
    assert result.outcome is OPEN
    assert "patient.sex: no case has a group" in result.reason


def test_more_than_four_judged_groups_are_not_evaluated_and_still_reported() -> None:
    evidence = grouped(honest_evidence(holdout=2000), DEVICE, lambda case: str(number_of(case) // 2 % 5))
    result = retention_of(evidence, by=DEVICE)
    assert result.outcome is OPEN
    assert "5 groups would be judged, 4 at most can be" in result.reason
    assert figure_named(result, f"accuracy difference in {DEVICE}: 0").limit is None


def test_a_group_of_four_in_full_agreement_is_shown_wide_and_never_judged() -> None:
    evidence = grouped(honest_evidence(holdout=960), DEVICE, corner)
    rows = answers_by(evidence, CHAMPION)
    result = retention_of(answered_by_candidate(evidence, rows), by=DEVICE)
    rare = figure_named(result, f"accuracy difference in {DEVICE}: Rare")
    assert (rare.limit, rare.cases, rare.patients, rare.value) == (None, 4, 2, 0.0)
    assert rare.low is not None
    assert rare.high is not None
    assert rare.high - rare.low > 1.0
    assert result.outcome is PASS
    assert f"Too small to be judged, reported only: {DEVICE}: Rare (4 cases of 2 patients)." in result.reason


def test_a_group_of_one_patient_has_no_interval_and_so_no_figure() -> None:
    single = grouped(honest_evidence(), DEVICE, lambda case: "Rare" if number_of(case) < 2 else "Common")
    result = retention_of(single, by=DEVICE)
    assert not [figure for figure in result.figures if figure.name.endswith("Rare")]
    assert f"Not reported: accuracy in {DEVICE}: Rare: All cases are of one patient" in result.reason


def test_groups_that_are_all_small_are_reported_and_change_nothing() -> None:
    evidence = grouped(honest_evidence(), DEVICE, lambda case: str(number_of(case) // 2 % 4))
    result, without = retention_of(evidence, by=DEVICE), retention_of(honest_evidence())
    assert result.outcome is without.outcome
    assert {figure.limit for figure in result.figures if DEVICE in figure.name} == {None}


@pytest.mark.parametrize("cases_a_patient", [2, 8])
def test_a_group_needs_cases_and_patients(cases_a_patient: int) -> None:
    """240 cases are judged if they are of 120 patients, and not if they are of 30."""
    evidence = honest_evidence(holdout=960)
    rows = tuple(replace(row, patient=f"{row.role}-{number_of(row) // cases_a_patient}") for row in evidence.roles.rows)
    evidence = linked(replace(evidence, roles=replace(evidence.roles, rows=rows)))
    result = retention_of(grouped(evidence, DEVICE, lambda case: str(number_of(case) // 240)), by=DEVICE)
    limit = figure_named(result, f"accuracy difference in {DEVICE}: 0").limit
    assert limit == (-0.1 if cases_a_patient == 2 else None)


def test_a_policy_may_want_no_small_group() -> None:
    result = retention_of(grouped(honest_evidence(), DEVICE, corner), by=DEVICE, small="fail")
    assert result.outcome is FAIL
    assert f"A group is too small to be judged: {DEVICE}: Rare (4 cases of 2 patients)" in result.reason


def test_small_groups_are_judged_together_where_they_are_large_enough() -> None:
    evidence = grouped(honest_evidence(holdout=960), DEVICE, lambda case: str(number_of(case) // 2 % 8))
    result = retention_of(evidence, by=DEVICE, small="pool")
    others = figure_named(result, f"accuracy difference in {DEVICE}: others (8 groups)")
    assert result.outcome is PASS
    assert (others.limit, others.cases, others.patients) == (-0.1, 960, 480)


def test_small_groups_that_are_too_small_together_are_not_evaluated() -> None:
    result = retention_of(grouped(honest_evidence(), DEVICE, corner), by=DEVICE, small="pool")
    assert result.outcome is OPEN
    assert f"{DEVICE}: others (1 group) (4 cases of 2 patients)" in result.reason


def bought(evidence: Evidence) -> Evidence:
    """A candidate that is wrong in a quarter of Beta's cases, and better elsewhere to make up for it."""
    devices = {row.case_id: row.value for row in evidence.strata.rows} if evidence.strata else {}
    rows = answers_by(evidence, CHAMPION)
    sold = losing([row for row in rows if devices[row.case_id] == "Beta"], every=4)
    kept = [row for row in rows if devices[row.case_id] == "Alpha"]
    better = [barely(row, right=True) if number % 3 == 0 else row for number, row in enumerate(kept)]
    mended = [new if not is_right(old) else old for old, new in zip(kept, better, strict=True)]
    return answered_by_candidate(evidence, [*sold, *mended])


def test_retention_bought_on_one_group_fails_by_its_name() -> None:
    evidence = bought(grouped(honest_evidence(holdout=2400), DEVICE, device))
    assert retention_of(evidence).outcome is PASS
    result = retention_of(evidence, by=DEVICE)
    assert result.outcome is FAIL
    assert f"Shown to lose more than 0.1 in {DEVICE}: Beta: accuracy" in result.reason
    assert "Alpha" not in result.reason
    assert f"Is it as good as the one in use in {DEVICE}: Beta, to within 10 points?" in gate().explain(result)


def test_a_loss_that_small_groups_share_fails_where_they_are_judged_together() -> None:
    evidence = grouped(honest_evidence(holdout=2400), "score", device)
    split = grouped(evidence, DEVICE, lambda c: f"Beta {number_of(c) // 600}" if device(c) == "Beta" else "Alpha")
    assert retention_of(bought(evidence)).outcome is PASS
    forged = replace(bought(evidence), strata=split.strata, plan=split.plan, candidate=split.candidate)
    assert retention_of(forged, by=DEVICE, small="report").outcome is PASS
    result = retention_of(forged, by=DEVICE, small="pool")
    assert result.outcome is FAIL
    assert f"in {DEVICE}: others (4 groups)" in result.reason


def test_a_group_that_is_open_says_what_it_would_need() -> None:
    evidence = grouped(honest_evidence(holdout=2400), DEVICE, device)
    rows = answers_by(evidence, CHAMPION)
    names = {row.case_id: row.value for row in evidence.strata.rows} if evidence.strata else {}
    some = losing([row for row in rows if names[row.case_id] == "Beta"], every=11)
    result = retention_of(
        answered_by_candidate(evidence, [*some, *(r for r in rows if names[r.case_id] != "Beta")]), by=DEVICE
    )
    assert result.outcome is OPEN
    assert f"accuracy in {DEVICE}: Beta would need about" in result.reason
    assert "not 240" in result.reason


def test_every_judged_group_shows_balanced_accuracy_beside() -> None:
    evidence = grouped(grouped(honest_evidence(holdout=960), DEVICE, side), "image.eye", corner)
    result = retention_of(evidence, by=f"{DEVICE}, image.eye")
    assert result.outcome is PASS
    for name in (f"{DEVICE}: left", f"{DEVICE}: right", "image.eye: Common"):
        assert figure_named(result, f"accuracy difference in {name}").limit == -0.1
        assert figure_named(result, f"balanced accuracy difference in {name}").limit is None


def test_balanced_accuracy_of_a_group_of_one_label_does_not_exist_and_accuracy_decides() -> None:
    evidence = grouped(honest_evidence(holdout=960), DEVICE, lambda case: case.label)
    result = retention_of(evidence, by=DEVICE)
    assert result.outcome is PASS
    assert [figure.name for figure in result.figures if DEVICE in figure.name] == [
        f"accuracy difference in {DEVICE}: {label}" for label in LABELS
    ]
