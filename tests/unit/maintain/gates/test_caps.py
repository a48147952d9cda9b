from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.evidence import CHAMPION, honest_evidence
from helpers.keeping import answered_by_candidate, answers_by, barely, figure_named, gate, losing, retention_of
from maintain.gates import Evidence
from maintain.records import Measurements
from maintain.vocabulary import Outcome

FAIL, OPEN, PASS = Outcome.FAIL, Outcome.NOT_EVALUATED, Outcome.PASS


def changed(every: int) -> Evidence:
    """A candidate that lost one in so many of the champion's right answers."""
    honest = honest_evidence(holdout=960)
    return answered_by_candidate(honest, losing(answers_by(honest, CHAMPION), every=every))


def test_a_capped_share_that_does_not_exist_is_not_evaluated() -> None:
    honest = honest_evidence()
    wrong = tuple(barely(row, right=False) for row in answers_by(honest, CHAMPION))
    better = tuple(barely(row, right=True) for row in wrong)
    rows = (*wrong, *(replace(row, weights=honest.candidate.weights) for row in better))
    evidence = replace(honest, measurements=Measurements(rows))
    result = retention_of(evidence, max_new_misses=0.1)
    assert result.outcome is OPEN
    assert "(new misses): The first model decided no case rightly" in result.reason
    assert retention_of(evidence).outcome is PASS


@pytest.mark.parametrize("name", ["churn", "new misses"])
def test_a_share_above_its_cap_fails_below_it_passes_and_between_is_open(name: str) -> None:
    option = f"max_{name.replace(' ', '_')}"
    for every, outcome in ((5, FAIL), (11, OPEN), (40, PASS)):
        result = retention_of(changed(every), margin=0.5, **{option: 0.1})
        assert result.outcome is outcome, result.reason
        assert figure_named(result, name).limit == 0.1
        assert name in result.reason
    assert retention_of(changed(5), margin=0.5).outcome is PASS


def test_without_a_cap_both_are_reported() -> None:
    result = retention_of(changed(40))
    for name in ("churn", "new misses"):
        assert figure_named(result, name).limit is None
    assert "Is the share of" not in gate().explain(result)


def test_a_cap_is_told_in_percent() -> None:
    told = gate().explain(retention_of(changed(5), margin=0.5, max_churn=0.1, max_new_misses=0.5))
    assert "Is the share of decisions that change (churn) below 10 %?" in told
    assert ": no." in told
    assert "Is the share of right decisions that become wrong (new misses) below 50 %?" in told
    assert ": yes." in told
