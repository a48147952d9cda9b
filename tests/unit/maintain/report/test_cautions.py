"""What may not be concluded: each claim says its own, and no outcome is taken for more than it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.evidence import honest_evidence
from maintain.records import GateResult, Verdict
from maintain.report.cautions import cautions
from maintain.vocabulary import Claim, Outcome, RunState

EVIDENCE = honest_evidence()


def verdict(*gates: str, outcome: Outcome = Outcome.PASS, look: int = 1) -> Verdict:
    results = tuple(GateResult(gate, outcome, True, "because") for gate in gates)
    return Verdict("c" * 64, 1, outcome, "because", results, "m" * 64, look)


def said(claim: Claim, *gates: str, state: RunState = RunState.REGISTERED, outcome: Outcome = Outcome.PASS) -> str:
    plan = replace(EVIDENCE.plan, claim=claim)
    return " ".join(cautions(plan, state, EVIDENCE.candidate, verdict(*gates, outcome=outcome)))


@pytest.mark.parametrize("state", [RunState.REJECTED, RunState.UNDECIDED, RunState.FAILED, RunState.ABANDONED])
def test_a_run_that_released_nothing_lets_nobody_say_anything_of_the_cases(state: RunState) -> None:
    first, *_ = cautions(EVIDENCE.plan, state, None, None)
    assert first.startswith("Nothing may be said of the excluded cases")


def test_never_saw_says_nothing_on_behaviour() -> None:
    text = said(Claim.NEVER_SAW, "integrity", "never-saw", "retention")
    assert "How the version answers is not claimed" in text
    assert "No gate judged an attack" in text


def test_examples_never_means_that_the_group_was_forgotten() -> None:
    text = said(Claim.EXAMPLES, "membership", "retention")
    assert "The group is not forgotten" in text
    assert "One attack was tried" in text
    assert "No gate judged an attack" not in text


def test_zero_is_output_behaviour_only() -> None:
    text = said(Claim.GROUP, "zero", "retention")
    assert "Only the outputs were judged" in text
    assert "Likeness is not identity" not in text
    assert "Likeness is not identity" in said(Claim.GROUP, "reference", "retention")


def test_not_evaluated_is_named_and_is_neither_passed_nor_failed() -> None:
    text = said(Claim.EXAMPLES, "held-out", state=RunState.UNDECIDED, outcome=Outcome.NOT_EVALUATED)
    assert "nothing is shown of held-out" in text


def test_older_versions_are_still_there_and_looks_are_counted() -> None:
    assert "Version 1 learned from the excluded cases and is unchanged" in said(Claim.NEVER_SAW, "never-saw")
    looked = cautions(EVIDENCE.plan, RunState.REGISTERED, EVIDENCE.candidate, verdict("retention", look=4))
    assert any("opened 4 times" in sentence for sentence in looked)
    assert not any("opened" in sentence for sentence in cautions(EVIDENCE.plan, RunState.REGISTERED, None, verdict()))


def test_where_nothing_was_done_only_the_manifest_was_read() -> None:
    (only,) = cautions(EVIDENCE.plan, RunState.NOTHING_TO_DO, None, None)
    assert "no weights were looked at" in only


def test_retention_is_told_for_what_it_is_only_where_it_was_shown() -> None:
    assert "Retention is a floor" in said(Claim.NEVER_SAW, "retention")
    assert "Retention is a floor" not in said(
        Claim.NEVER_SAW, "retention", state=RunState.REJECTED, outcome=Outcome.FAIL
    )
