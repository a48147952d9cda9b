"""Three panels, each with answers or with the reason why it has none."""

from __future__ import annotations

from dataclasses import replace

from helpers.behaviour import examples_evidence, with_rows
from helpers.evidence import honest_evidence
from maintain.report import NotShown, OldAndNew
from maintain.vocabulary import Role
from maintain_pipelines.reporting.evidence import TOO_FEW
from maintain_pipelines.reporting.panels import UNREAD, panels_of


def test_without_a_verdict_every_panel_says_so() -> None:
    evidence = examples_evidence()
    panels = panels_of(evidence.plan, evidence.roles, NotShown("no verdict"))
    assert [panel.answers for panel in panels] == [NotShown("no verdict")] * 3
    assert panels[0].cases == 400


def test_people_who_took_something_back_are_not_asked_and_the_page_says_so() -> None:
    evidence = honest_evidence()
    forgotten, never_seen, retained = panels_of(evidence.plan, evidence.roles, evidence)
    assert forgotten.answers == never_seen.answers == NotShown(UNREAD)
    assert isinstance(retained.answers, OldAndNew)


def test_a_handful_of_patients_is_no_aggregate() -> None:
    evidence = examples_evidence()
    few = {case.case_id for case in evidence.roles.of(Role.FORGET)[:6]}
    rows = (row for row in evidence.roles.rows if row.role is not Role.FORGET or row.case_id in few)
    small = with_rows(evidence, rows)
    assert panels_of(small.plan, small.roles, small)[0].answers == NotShown(TOO_FEW)


def test_the_champion_remembers_and_the_candidate_does_not() -> None:
    evidence = examples_evidence()
    forgotten, never_seen, _ = (panel.answers for panel in panels_of(evidence.plan, evidence.roles, evidence))
    assert isinstance(forgotten, OldAndNew)
    assert isinstance(never_seen, OldAndNew)
    assert forgotten.champion.accuracy.low > forgotten.candidate.accuracy.high
    assert forgotten.champion.confidence.value > forgotten.candidate.confidence.value
    assert never_seen.candidate.accuracy.low < forgotten.candidate.accuracy.value < never_seen.candidate.accuracy.high


def test_answers_that_lack_a_case_are_not_judged_around() -> None:
    evidence = examples_evidence()
    rows = evidence.measurements.rows
    dropped = next(row for row in rows if row.role is Role.HOLDOUT and row.weights == evidence.candidate.weights)
    kept = tuple(row for row in rows if row is not dropped)
    holed = replace(evidence, measurements=replace(evidence.measurements, rows=kept))
    found = panels_of(holed.plan, holed.roles, holed)[2].answers
    assert isinstance(found, NotShown)
    assert "1 case of the holdout without a measurement" in found.why
