from __future__ import annotations

from itertools import product

import pytest

from maintain.errors import InputError
from maintain.gates import fold, request_for
from maintain.records import GateRequest, GateResult
from maintain.vocabulary import Claim, Outcome

PASS, FAIL, OPEN = Outcome.PASS, Outcome.FAIL, Outcome.NOT_EVALUATED
NAMES = ("integrity", "never-saw", "retention")
REQUESTED = tuple(request_for(name) for name in NAMES)


def results(*outcomes: Outcome, decisive: bool = True) -> tuple[GateResult, ...]:
    return tuple(
        GateResult(name, outcome, decisive, "so it is.") for name, outcome in zip(NAMES, outcomes, strict=False)
    )


def test_no_results_is_an_error() -> None:
    with pytest.raises(InputError, match="at least one"):
        fold((), claim=Claim.NEVER_SAW, requested=REQUESTED)


@pytest.mark.parametrize("missing", range(3))
def test_a_requested_gate_without_a_result_is_not_evaluated(missing: int) -> None:
    found = tuple(result for number, result in enumerate(results(PASS, PASS, PASS)) if number != missing)
    outcome, reason = fold(found, claim=Claim.NEVER_SAW, requested=REQUESTED)
    assert outcome is OPEN
    assert f"No result from {NAMES[missing]}." in reason


@pytest.mark.parametrize(("missing", "said"), [(0, "integrity"), (1, "the claim never-saw"), (2, "retention")])
def test_each_side_needs_a_decisive_gate(missing: int, said: str) -> None:
    requested = tuple(
        GateRequest(request.name, request.options, number != missing) for number, request in enumerate(REQUESTED)
    )
    found = results(PASS, PASS, PASS, decisive=False)
    outcome, reason = fold(found, claim=Claim.NEVER_SAW, requested=requested)
    assert outcome is OPEN
    assert f"No decisive gate guards {said}." in reason


def test_a_result_that_nobody_asked_for_guards_nothing() -> None:
    assert fold(results(PASS, PASS, PASS), claim=Claim.NEVER_SAW, requested=REQUESTED[:2])[0] is OPEN


def test_over_all_outcomes_the_worst_decides() -> None:
    for outcomes in product(Outcome, repeat=3):
        expected = FAIL if FAIL in outcomes else OPEN if OPEN in outcomes else PASS
        assert fold(results(*outcomes), claim=Claim.NEVER_SAW, requested=REQUESTED)[0] is expected


def test_a_failure_is_told_even_where_gates_are_missing() -> None:
    outcome, reason = fold(results(FAIL), claim=Claim.NEVER_SAW, requested=REQUESTED)
    assert outcome is FAIL
    assert reason == "Failed: integrity: so it is."


def test_a_result_cannot_make_itself_indecisive() -> None:
    found = results(PASS, FAIL, PASS, decisive=False)
    assert fold(found, claim=Claim.NEVER_SAW, requested=REQUESTED)[0] is FAIL


def test_a_gate_that_only_reports_changes_nothing() -> None:
    extra = GateResult("membership", FAIL, False, "reported.")
    found = (*results(PASS, PASS, PASS), extra)
    assert fold(found, claim=Claim.NEVER_SAW, requested=REQUESTED)[0] is PASS


@pytest.mark.parametrize("claim", [Claim.EXAMPLES, Claim.GROUP])
def test_other_claims_need_a_forgetting_gate_and_never_saw_proves_them_all(claim: Claim) -> None:
    assert fold(results(PASS, PASS, PASS), claim=claim, requested=REQUESTED)[0] is PASS
    without = tuple(result for result in results(PASS, PASS, PASS) if result.gate != "never-saw")
    requested = tuple(request for request in REQUESTED if request.name != "never-saw")
    outcome, reason = fold(without, claim=claim, requested=requested)
    assert outcome is OPEN
    assert str(claim) in reason
