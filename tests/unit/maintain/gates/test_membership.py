from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from helpers.behaviour import LIFT, examples_evidence, judged, margins_of, with_answers, with_margins
from helpers.evidence import CANDIDATE, CHAMPION
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence, build, request_for
from maintain.gates.membership import TailLimits
from maintain.records import GateResult, PlannedCase
from maintain.vocabulary import Outcome, Role


def measured(evidence: Evidence, **options: float) -> GateResult:
    return judged("membership", evidence, **options)


def values(result: GateResult) -> dict[str, float]:
    return {figure.name: figure.value for figure in result.figures}


def remembering(evidence: Evidence, *, one_in: int = 1, lifted: float = LIFT) -> Evidence:
    def chosen(case: PlannedCase) -> bool:
        return int(case.patient[-4:]) % one_in == 0

    return with_answers(evidence, CANDIDATE, Role.FORGET, lifted=lifted, when=chosen)


def test_all_tied_margins_are_not_evaluated() -> None:
    honest = examples_evidence()
    for role in (Role.FORGET, Role.NEVER_SEEN):
        honest = with_margins(honest, CANDIDATE, role, [0.0] * 400)
    with pytest.raises(NotEvaluatedError, match="tied"):
        measured(honest)


def test_too_small_arms_unmeasured_cases_and_unknown_difficulty_are_not_evaluated() -> None:
    with pytest.raises(NotEvaluatedError, match="24 patients"):
        measured(examples_evidence(forget=96))
    honest = examples_evidence()
    rows = tuple(row for row in honest.measurements.rows if row.case_id != "forget-0001")
    with pytest.raises(NotEvaluatedError, match="1 case of the forget set"):
        measured(replace(honest, measurements=replace(honest.measurements, rows=rows)))
    with pytest.raises(NotEvaluatedError, match="difficult"):
        measured(replace(honest, difficulty=None))


def test_answers_that_are_no_numbers_fail_the_candidate_and_leave_the_champion_open() -> None:
    honest = examples_evidence()
    broken = [math.inf, *margins_of(honest.roles.of(Role.FORGET), CANDIDATE)[1:]]
    assert measured(with_margins(honest, CANDIDATE, Role.FORGET, broken)).outcome is Outcome.FAIL
    with pytest.raises(NotEvaluatedError, match="NaN or infinite"):
        measured(with_margins(honest, CHAMPION, Role.FORGET, broken))


def test_where_the_champion_tells_nothing_nobody_passes() -> None:
    honest = with_answers(examples_evidence(), CHAMPION, Role.FORGET)
    assert measured(honest).reason.startswith("nothing to forget shown")
    assert measured(honest).outcome is Outcome.NOT_EVALUATED
    assert measured(remembering(honest)).outcome is Outcome.FAIL


def test_an_honest_candidate_passes_and_one_that_remembers_or_overforgets_fails() -> None:
    honest = examples_evidence()
    assert measured(honest).outcome is Outcome.PASS
    above, below = measured(remembering(honest)), measured(remembering(honest, lifted=-LIFT))
    assert (above.outcome, below.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert "shown above 0.60" in above.reason
    assert "shown below 0.40" in below.reason


def test_a_remembered_minority_is_found_in_the_tail() -> None:
    honest = examples_evidence()
    result = measured(remembering(honest, one_in=4))
    assert result.outcome is Outcome.FAIL
    assert "never-seen tail is shown above 0.12" in result.reason


def test_shifting_and_scaling_all_answers_hides_nothing() -> None:
    honest = remembering(examples_evidence())
    scaled = honest
    for role in (Role.FORGET, Role.NEVER_SEEN):
        lift = LIFT if role is Role.FORGET else 0.0
        margins = 0.05 * (margins_of(honest.roles.of(role), CANDIDATE) + lift) - 7.0
        scaled = with_margins(scaled, CANDIDATE, role, margins)
    assert measured(scaled).outcome is Outcome.FAIL
    same = values(measured(honest))["attack on the candidate, AUC"]
    assert values(measured(scaled))["attack on the candidate, AUC"] == pytest.approx(same, abs=1e-6)


def test_the_tail_limit_follows_the_number_of_forgotten_cases() -> None:
    limits = TailLimits(usual=0.10, small=0.12)
    assert [limits.of(cases) for cases in (100, 499, 500, 5000)] == [0.12, 0.12, 0.10, 0.10]
    small, large = (measured(examples_evidence(forget=cases)) for cases in (400, 520))
    for result, limit in ((small, 0.12), (large, 0.10)):
        assert next(one.limit for one in result.figures if one.name == "share in the tail, candidate") == limit


def test_a_relabelled_forget_set_has_lost_its_slope_on_difficulty() -> None:
    honest = examples_evidence()
    noise = np.random.default_rng(1).normal(1.2, 1.4, size=400)
    found = values(measured(with_margins(honest, CANDIDATE, Role.FORGET, noise)))
    assert abs(found["slope on difficulty, forgotten cases"]) < 0.5
    assert found["slope on difficulty, never-seen cases"] > 1.5
    assert 0.3 < found["share of never-seen answers that difficulty explains"] < 1.0


def test_the_plain_attack_and_the_champions_are_told_too() -> None:
    found = values(measured(examples_evidence()))
    assert found["attack on the champion, AUC"] > 0.95
    assert found["share in the tail, champion"] > 0.9
    assert 0.4 < found["attack on the candidate without difficulty, AUC"] < 0.6
    assert found["smallest leak that could have been seen"] < 0.1


def test_it_explains_each_outcome() -> None:
    gate, honest = build(request_for("membership")), examples_evidence()
    assert "does not rule out every other" in gate.explain(measured(honest))
    assert "not forgotten" in gate.explain(measured(remembering(honest)))
    open_end = measured(examples_evidence(forget=160), margin=0.01)
    assert "nothing is claimed" in gate.explain(open_end)
