from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest

from helpers.evidence import (
    CHAMPION,
    LABELS,
    answering,
    honest_evidence,
    linked,
    measurements_of,
    planned,
    with_role,
)
from helpers.keeping import grouped, retention_of, with_founder
from maintain import codec
from maintain.errors import InputError, NotEvaluatedError
from maintain.gates import Evidence, evaluate, request_for
from maintain.gates.retention import Retention
from maintain.records import GateRequest, GateResult, Measurements, PlannedCase, Setting, Verdict
from maintain.vocabulary import Head, Outcome, Role

#: Processor time for 20,000 held-out cases of 5,000 patients in 12 groups, by the longest that anyone should wait.
SECONDS = 10.0


def measured(evidence: Evidence, **options: float) -> GateResult:
    settings = (Setting(name, value) for name, value in options.items())
    return Retention(request_for("retention", settings)).measure(evidence)


def losing(evidence: Evidence, share: float) -> Evidence:
    """The candidate is barely wrong in a share of the cases and otherwise the champion."""
    every = round(1 / share)
    answers = []
    for number, row in enumerate(evidence.measurements.of(CHAMPION, Role.HOLDOUT)):
        logits = row.logits
        if number % every == 0:
            logits = (0.0, 0.1) if row.label == (0,) else (0.1, 0.0)
        answers.append(logits)
    return answering(evidence, answers)


def test_a_request_without_its_margin_is_refused() -> None:
    with pytest.raises(InputError, match="margin"):
        Retention(GateRequest("retention", (Setting("alpha", 0.025),), True)).measure(honest_evidence())


def test_a_missing_case_is_not_evaluated_and_counted() -> None:
    honest = honest_evidence()
    rows = tuple(row for row in honest.measurements.rows if row.case_id != "holdout-0007")
    evidence = replace(honest, measurements=Measurements(rows))
    with pytest.raises(NotEvaluatedError, match="1 case of the holdout without a measurement"):
        measured(evidence)


def test_foreign_doubled_and_misshapen_answers_are_not_evaluated() -> None:
    honest = honest_evidence()
    rows = honest.measurements.rows
    foreign = replace(rows[0], case_id="elsewhere")
    misshapen = replace(rows[0], logits=(1.0, 2.0, 3.0))
    for more, said in ((foreign, "does not hold there"), (rows[0], "twice"), (misshapen, "number of classes")):
        with pytest.raises(NotEvaluatedError, match=said):
            measured(replace(honest, measurements=Measurements((*rows, more))))


def test_an_unlabelled_case_is_not_evaluated() -> None:
    honest = honest_evidence()
    rows = tuple(replace(row, label_mask=(False,)) for row in honest.measurements.rows)
    with pytest.raises(NotEvaluatedError, match="another label"):
        measured(replace(honest, measurements=Measurements(rows)))


def with_cataract(evidence: Evidence) -> Evidence:
    """The same, had both models a third label, which they never give and no case has."""
    spec = replace(evidence.candidate_spec, label_order=(*LABELS, "cataract"))
    rows = tuple(replace(row, logits=(*row.logits, -9.0)) for row in evidence.measurements.rows)
    return linked(replace(evidence, candidate_spec=spec, measurements=Measurements(rows)))


def test_a_label_that_is_retained_but_not_held_out_is_not_evaluated() -> None:
    evidence = with_cataract(honest_evidence())
    retained = replace(planned(Role.RETAIN, 900), label="cataract")
    result = measured(with_role(evidence, retained))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "balanced accuracy: 1 of 3 classes" in result.reason


def test_a_label_that_is_wholly_forgotten_is_left_out_and_named() -> None:
    evidence = with_cataract(honest_evidence())
    forgotten = replace(planned(Role.FORGET, 900), label="cataract")
    result = measured(with_role(evidence, forgotten))
    assert result.outcome is Outcome.PASS
    assert "for no case held out or retained has it: cataract." in result.reason
    decisive, plain = result.figures[:3], measured(honest_evidence()).figures[:3]
    assert [figure.low for figure in decisive] == pytest.approx([figure.low for figure in plain], abs=1e-6)


def test_a_holdout_of_one_label_is_not_evaluated() -> None:
    honest = honest_evidence(holdout=960)
    roles = replace(honest.roles, rows=tuple(row for row in honest.roles.rows if row.label == LABELS[0]))
    rows = tuple(row for row in honest.measurements.rows if row.label == (0,))
    one = linked(replace(honest, roles=roles, measurements=Measurements(rows)))
    result = measured(with_role(one, replace(planned(Role.RETAIN, 900), label=LABELS[1])))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "balanced accuracy: 1 of 2 classes have no case" in result.reason
    assert [figure.name for figure in result.figures if figure.limit is not None] == ["accuracy difference"]
    assert "not shown either way" in Retention(request_for("retention")).explain(result)


def test_a_holdout_of_one_patient_is_not_evaluated() -> None:
    honest = honest_evidence()
    rows = tuple(replace(row, patient="the only one") for row in honest.roles.rows)
    result = measured(linked(replace(honest, roles=replace(honest.roles, rows=rows))))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "accuracy: All cases are of one patient" in result.reason
    assert not result.figures


def test_an_empty_holdout_is_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="plan has none"):
        measured(honest_evidence(holdout=0))


@pytest.mark.parametrize("head", [Head.BINARY, Head.MULTI_LABEL, Head.ORDINAL])
def test_other_heads_are_not_evaluated(head: Head) -> None:
    honest = honest_evidence()
    with pytest.raises(NotEvaluatedError, match=str(head)):
        measured(replace(honest, candidate_spec=replace(honest.candidate_spec, head=head)))


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_one_answer_that_is_no_number_fails(broken: float) -> None:
    honest = honest_evidence()
    rows = honest.measurements.rows
    last = replace(rows[-1], logits=(broken, 0.0))
    result = measured(replace(honest, measurements=Measurements((*rows[:-1], last))))
    assert result.outcome is Outcome.FAIL
    assert "1 case with NaN" in result.reason


def test_a_champion_that_answers_nan_is_not_evaluated() -> None:
    honest = honest_evidence()
    rows = tuple(
        replace(row, logits=(math.nan, 0.0)) if row.weights == CHAMPION else row for row in honest.measurements.rows
    )
    with pytest.raises(NotEvaluatedError, match="NaN"):
        measured(replace(honest, measurements=Measurements(rows)))


def test_a_loss_beyond_the_margin_fails_one_below_passes_and_between_is_open() -> None:
    honest = honest_evidence(holdout=960)
    assert measured(losing(honest, 0.5)).outcome is Outcome.FAIL
    assert measured(losing(honest, 0.05)).outcome is Outcome.NOT_EVALUATED
    assert measured(losing(honest, 0.01)).outcome is Outcome.PASS
    assert measured(losing(honest, 0.05), margin=0.3).outcome is Outcome.PASS


def test_an_open_result_says_how_many_cases_it_would_need() -> None:
    result = measured(honest_evidence(holdout=120))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "would need about" in result.reason
    assert "not 120" in result.reason


def test_the_level_is_the_slots() -> None:
    honest = honest_evidence()
    strict = replace(honest.slot, alpha=0.001)
    lows = [measured(evidence).figures[0].low for evidence in (honest, replace(honest, slot=strict))]
    assert lows[0] is not None
    assert lows[1] is not None
    assert lows[1] < lows[0]


def test_a_plan_of_one_slot_may_spend_the_level_whole() -> None:
    honest = honest_evidence()
    slot = replace(honest.slot, alpha=0.025)
    evidence = linked(replace(honest, slot=slot, plan=replace(honest.plan, slots=(slot,))))
    assert measured(evidence).outcome is Outcome.PASS
    assert measured(evidence, alpha=0.01).outcome is Outcome.FAIL


def test_every_deciding_figure_carries_its_bounds_limit_and_counts() -> None:
    figures = measured(honest_evidence()).figures[:3]
    assert [figure.name.removesuffix(" difference") for figure in figures] == [
        "accuracy",
        "balanced accuracy",
        "AUROC",
    ]
    for figure in figures:
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < figure.value < figure.high
        assert (figure.limit, figure.cases, figure.patients) == (-0.05, 480, 240)


def test_results_survive_being_written_down() -> None:
    verdict = Verdict("c", 1, Outcome.PASS, "", evaluate(honest_evidence()), "m", 1)
    assert codec.from_text(Verdict, codec.to_text(verdict)) == verdict
    assert codec.to_text(codec.from_text(Verdict, codec.to_text(verdict))) == codec.to_text(verdict)


def test_it_explains_each_outcome() -> None:
    gate = Retention(request_for("retention"))
    honest = honest_evidence()
    told = gate.explain(measured(honest))
    assert "Is the revised model as good as the one in use, to within 5 points" in told
    assert "on 480 cases of 240 patients: yes." in told
    assert "shown to be worse" in gate.explain(measured(losing(honest, 0.5)))
    assert "Neither is shown" in gate.explain(measured(honest_evidence(holdout=120)))
    assert "Reported, not decisive: Brier score difference" in gate.explain(measured(honest))


def test_calibration_operating_points_and_changes_are_reported_without_a_limit() -> None:
    figures = {figure.name: figure for figure in measured(honest_evidence()).figures[3:]}
    assert list(figures) == [
        "Brier score difference",
        "calibration error difference",
        "calibration slope difference",
        "sensitivity at specificity 0.90 difference",
        "specificity at sensitivity 0.90 difference",
        "churn",
        "new misses",
    ]
    for figure in figures.values():
        assert figure.limit is None
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= figure.value <= figure.high
        assert figure.low < figure.high


def test_a_candidate_that_answers_everything_alike_fails_and_what_does_not_exist_is_named() -> None:
    honest = honest_evidence()
    result = measured(answering(honest, [(0.0, 0.0)] * 480))
    assert result.outcome is Outcome.FAIL
    assert "Not reported: calibration slope difference: No calibration slope fits best" in result.reason
    assert "churn" in {figure.name for figure in result.figures}


def test_scaled_logits_keep_every_decision_and_show_in_the_slope() -> None:
    honest = honest_evidence()
    rows = honest.measurements.of(honest.candidate.weights, Role.HOLDOUT)
    result = measured(answering(honest, [tuple(4.0 * logit for logit in row.logits) for row in rows]))
    assert result.outcome is Outcome.PASS
    slope = next(figure for figure in result.figures if figure.name.startswith("calibration slope"))
    assert slope.high is not None
    assert slope.high < 0.0


def test_a_loss_is_named_though_other_parts_are_open() -> None:
    result = retention_of(losing(honest_evidence(holdout=960), 0.5), by="device.model", max_new_misses=0.5)
    assert result.outcome is Outcome.FAIL
    assert result.reason.startswith("Shown to lose more than 0.05: accuracy")
    assert "Declared groups: The policy declares groups" in result.reason
    assert "the share of right decisions that become wrong (new misses) may be" in result.reason


def test_20000_cases_in_12_groups_are_judged_in_seconds() -> None:
    """A budget, not a benchmark: about 0.6 s of one core where it was written."""
    honest = honest_evidence()
    cases = (replace(planned(Role.HOLDOUT, number), patient=f"{number // 4:05d}") for number in range(20_000))
    retained = honest.roles.of(Role.RETAIN)
    roles = replace(honest.roles, rows=(*cases, *retained))
    large = linked(replace(honest, roles=roles, measurements=measurements_of(roles, seed=5)))
    evidence = grouped(large, "device.model", twelve_groups)
    evidence = with_founder(evidence, evidence.measurements.of(CHAMPION, Role.HOLDOUT))
    began = time.process_time()
    result = retention_of(evidence, by="device.model", max_churn=0.2)
    assert time.process_time() - began < SECONDS
    groups = [figure for figure in result.figures if figure.name.startswith("accuracy difference in device.model")]
    assert [figure.limit for figure in groups] == [-0.1] * 4 + [None] * 8
    assert (result.outcome, result.figures[0].cases, result.figures[0].patients) == (Outcome.PASS, 20_000, 5_000)


def twelve_groups(case: PlannedCase) -> str:
    """Eight groups of 20 patients, and the others in four."""
    patient = int(case.patient)
    return f"small {patient // 20}" if patient < 160 else f"large {patient % 4}"
