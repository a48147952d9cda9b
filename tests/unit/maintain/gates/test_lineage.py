from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from helpers.evidence import CHAMPION, honest_evidence
from helpers.keeping import (
    FOUNDER,
    answered_by_candidate,
    answers_by,
    figure_named,
    gate,
    losing,
    retention_of,
    with_founder,
    with_never_seen,
)
from maintain.gates import Evidence
from maintain.records import Measurement, Measurements
from maintain.vocabulary import Outcome

FAIL, OPEN, PASS = Outcome.FAIL, Outcome.NOT_EVALUATED, Outcome.PASS

#: One right answer in so many is lost at each step: about three points of accuracy.
EVERY = 28


def generations(evidence: Evidence, number: int) -> list[tuple[Measurement, ...]]:
    """The answers of so many versions, each a little worse than the one before."""
    found = [answers_by(evidence, CHAMPION)]
    for start in range(1, number):
        found.append(losing(found[-1], every=EVERY, start=start))
    return found


def after(evidence: Evidence, before: tuple[Measurement, ...], now: tuple[Measurement, ...]) -> Evidence:
    """The same, had the champion and the candidate answered so."""
    older = tuple(replace(row, weights=CHAMPION) for row in before)
    return answered_by_candidate(replace(evidence, measurements=Measurements(older)), now)


def test_a_first_version_without_measurements_is_not_evaluated() -> None:
    result = retention_of(replace(honest_evidence(), first=FOUNDER))
    assert result.outcome is OPEN
    assert "The lineage's first version was not measured on the whole holdout" in result.reason


def test_a_first_version_measured_in_part_or_as_nan_is_not_evaluated() -> None:
    honest = honest_evidence()
    rows = answers_by(honest, CHAMPION)
    broken = (replace(rows[0], logits=(float("nan"), 0.0)), *rows[1:])
    for some, said in ((rows[1:], "1 case of the holdout without a measurement"), (broken, "NaN")):
        result = retention_of(with_founder(honest, some))
        assert result.outcome is OPEN
        assert said in result.reason


def test_an_open_first_version_hides_no_loss_against_the_champion() -> None:
    honest = honest_evidence()
    worse = answered_by_candidate(honest, losing(answers_by(honest, CHAMPION), every=2))
    result = retention_of(replace(worse, first=FOUNDER))
    assert result.outcome is FAIL
    assert "Shown to lose more than 0.05" in result.reason
    assert "first version was not measured" in result.reason


def test_a_champion_that_is_the_first_version_is_asked_once() -> None:
    for evidence in (honest_evidence(), replace(honest_evidence(), first=CHAMPION)):
        result = retention_of(evidence)
        assert result.outcome is PASS
        assert not any("first version" in figure.name for figure in result.figures)


def test_every_metric_is_held_against_the_first_version() -> None:
    honest = honest_evidence()
    result = retention_of(with_founder(honest, answers_by(honest, CHAMPION)))
    assert result.outcome is PASS
    for metric in ("accuracy", "balanced accuracy", "AUROC"):
        assert figure_named(result, f"{metric} difference against the first version").limit == -0.08
    assert "Is it as good as the first version of its line, to within 8 points" in gate().explain(result)


def test_a_slow_drift_fails_though_each_step_passed() -> None:
    honest = honest_evidence(holdout=2400)
    versions = generations(honest, 5)
    for before, now in pairwise(versions):
        assert retention_of(after(honest, before, now)).outcome is PASS
    drifted = with_founder(after(honest, versions[-2], versions[-1]), versions[0])
    result = retention_of(drifted)
    assert result.outcome is FAIL
    assert "Shown to lose more than 0.08 against the first version: accuracy" in result.reason
    assert "more than 0.05" not in result.reason


def test_a_drift_near_the_margin_is_open_and_says_what_it_would_need() -> None:
    honest = honest_evidence(holdout=960)
    older, newer = generations(honest, 2)
    result = retention_of(with_founder(after(honest, older, newer), older), lineage_margin=0.045)
    assert result.outcome is OPEN
    assert "accuracy against the first version would need about" in result.reason


@pytest.mark.parametrize("include", [True, False])
def test_the_first_version_is_asked_about_the_cases_that_are_judged(include: bool) -> None:
    evidence = with_never_seen(honest_evidence(), 40)
    evidence = with_founder(evidence, answers_by(evidence, CHAMPION))
    result = retention_of(evidence, include_forget_group=include)
    found = "first version was not measured on the whole never-seen group" in result.reason
    assert found is include
