"""The page says what was shown and nothing more, and escapes whatever it is given."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from helpers.evidence import honest_evidence
from helpers.reporting import HOSTILE, reported, shown
from maintain import codec
from maintain.records import Decision, Figure, GateResult, Registration, Setting, Verdict
from maintain.report import Attempt, Ending, Picture, Report, build_report, render_html, render_markdown
from maintain.report.shown import nothing_shown
from maintain.vocabulary import Alias, Claim, Outcome, Role, RunState

EVIDENCE = honest_evidence()
CLAIM = "This version was not trained on the excluded cases."


def verdict(outcome: Outcome, reason: str = "because") -> Verdict:
    figure = Figure("accuracy difference", 0.001, low=-0.012, high=0.014, limit=-0.05, cases=10, patients=5)
    gate = GateResult("retention", outcome, True, reason, (figure,))
    return Verdict("c" * 64, 1, outcome, reason, (gate,), "m" * 64, 1)


def report(state: RunState, found: Verdict | None, *, registered: bool = False, error: str | None = None) -> Report:
    registration = Registration("v" * 64, "triage", 2, "w" * 64, Alias.CANDIDATE, 11, "e" * 64)
    return build_report(
        Ending("20260101-run", state, "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", error),
        plan=EVIDENCE.plan,
        plan_digest=EVIDENCE.plan_digest,
        roles=EVIDENCE.roles,
        candidate=EVIDENCE.candidate,
        manifest=EVIDENCE.candidate_manifest,
        log=EVIDENCE.log,
        verdict=found,
        registration=registration if registered else None,
    )


@pytest.mark.parametrize(
    ("state", "outcome", "registered"),
    [
        (RunState.REJECTED, Outcome.FAIL, False),
        (RunState.UNDECIDED, Outcome.NOT_EVALUATED, False),
        (RunState.FAILED, Outcome.PASS, False),
        (RunState.VERIFIED, Outcome.PASS, False),
        (RunState.REGISTERED, Outcome.FAIL, True),
        (RunState.REGISTERED, Outcome.PASS, False),
    ],
)
def test_nothing_is_claimed_unless_all_of_it_is_true(state: RunState, outcome: Outcome, registered: bool) -> None:
    told = report(state, verdict(outcome), registered=registered)
    assert not told.proven
    page = render_html(told)
    assert CLAIM not in page
    assert "Nothing is claimed about the excluded cases." in page


def test_every_gate_that_refused_is_named_at_the_top_with_one_sentence_of_its_reason() -> None:
    found = verdict(Outcome.NOT_EVALUATED, "12 cases are too few. The smallest leak is 0.16.")
    attack = GateResult("membership", Outcome.NOT_EVALUATED, False, "Only reported.", ())
    passed = GateResult("integrity", Outcome.PASS, True, "Weights agree.", ())
    found = replace(found, gates=(*found.gates, attack, passed))
    page = render_html(report(RunState.UNDECIDED, found))
    top = page[page.index("<header>") : page.index("</header>")]
    assert "<li><b>retention</b>" in top
    assert "12 cases are too few." in top
    assert not any(said in top for said in ("The smallest leak", "<li><b>membership", "<li><b>integrity"))
    assert "The smallest leak is 0.16." in page
    text = render_markdown(report(RunState.UNDECIDED, found))
    assert "- retention: NOT EVALUATED. 12 cases are too few.\n" in text
    assert "The holdout was opened 1 time in this lineage." in text


def test_no_table_is_drawn_without_a_row() -> None:
    told = report(RunState.ABANDONED, verdict(Outcome.FAIL))
    assert told.candidate is not None
    told = replace(told, candidate=replace(told.candidate, decisions=()), excluded=())
    page = render_html(told)
    assert "records no search" in page
    assert "records no search" in render_markdown(told)
    assert not re.search(r"<tbody>\s*</tbody>", page)


def test_a_run_without_any_value_still_has_a_page() -> None:
    told = build_report(
        Ending("r", RunState.FAILED, "a", "b", "it broke"),
        plan=EVIDENCE.plan,
        plan_digest=EVIDENCE.plan_digest,
        roles=EVIDENCE.roles,
    )
    page = render_html(told)
    assert "No gate ran, so nothing is shown." in page
    assert "it broke" in page
    assert "not trained" in page


def test_a_registered_run_states_its_claim_and_names_every_excluded_case() -> None:
    page = render_html(report(RunState.REGISTERED, verdict(Outcome.PASS), registered=True))
    assert CLAIM in page
    for row in EVIDENCE.roles.of(Role.FORGET):
        assert f"<code>{row.case_id}</code>" in page
    assert "ledger entry 11" in page
    assert codec.digest_of(EVIDENCE.plan) in page


def test_no_patient_is_named() -> None:
    page = render_html(report(RunState.REGISTERED, verdict(Outcome.PASS), registered=True))
    patients = {row.patient for row in EVIDENCE.roles.rows}
    assert patients
    assert [patient for patient in patients if re.search(rf"\b{re.escape(patient)}\b", page)] == []


def test_whatever_it_is_given_is_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    told = report(RunState.REJECTED, verdict(Outcome.FAIL, hostile), error=hostile)
    told = replace(told, plan=replace(told.plan, policy_name=hostile))
    assert "<script" not in render_html(told)


def test_names_of_groups_and_owners_are_escaped_in_drawings_too() -> None:
    page = render_html(reported(parts=shown(wish=HOSTILE, told=HOSTILE)))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_page_fetches_nothing() -> None:
    page = render_html(reported())
    assert not re.search(r"(src|href)=|url\(|@import|<script", page)


def test_pixels_are_there_only_where_they_were_handed_over() -> None:
    assert "<img" not in render_html(reported())
    page = render_html(reported(), (Picture("c" * 32, HOSTILE, b"PNG"),))
    assert 'src="data:image/png;base64,UE5H"' in page
    assert "<script" not in page
    assert "It is not for sending on." in page
    assert "No forgotten image can be read any more" in render_html(reported(), ())


def test_every_part_that_is_not_there_says_why() -> None:
    page = render_html(reported(parts=nothing_shown("The run reached no verdict.")))
    assert page.count("Not shown. The run reached no verdict.") == 5
    assert "None" not in re.sub(r"<style>.*</style>", "", page, flags=re.DOTALL)


def test_the_verdict_and_what_may_not_be_concluded_come_first() -> None:
    page = render_html(reported())
    order = [
        *("The revised version is registered.", CLAIM, "What may not be concluded", "Who and why", "<h2>Gates"),
        *(
            "Old against new",
            "per class",
            "per camera",
            "Membership attack",
            "Beside what else",
            "Search",
            "Provenance",
        ),
    ]
    places = [page.index(part, page.index("<h1>")) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_outcome_is_a_word_and_a_shape_and_not_a_colour(outcome: Outcome) -> None:
    page = render_html(reported(RunState.UNDECIDED, outcome))
    word = {"pass": "PASS", "fail": "FAIL", "not-evaluated": "NOT EVALUATED"}[outcome.value]
    assert f'<span class="badge {outcome}">{word}</span>' in page
    assert f">{word}</text>" in page
    style = page[page.index("<style>") : page.index("</style>")]
    assert ".badge.fail { background:var(--ink)" in style
    assert ".badge.not-evaluated { border-style:dashed" in style


def test_every_drawing_can_be_read_aloud() -> None:
    page = render_html(reported())
    drawings = re.findall(r"<svg[^>]*>", page)
    assert len(drawings) == 1 + 2 + (1 + 1) + (2 + 1) + 1  # forest, panels, classes, cameras, attack
    assert all('role="img"' in drawn and 'aria-label="' in drawn for drawn in drawings)


def registered(claim: Claim, *gates: str) -> Report:
    found = replace(
        verdict(Outcome.PASS), gates=tuple(GateResult(gate, Outcome.PASS, True, "because") for gate in gates)
    )
    plan = replace(EVIDENCE.plan, claim=claim)
    return build_report(
        Ending("r", RunState.REGISTERED, "a", "b"),
        plan=plan,
        plan_digest=EVIDENCE.plan_digest,
        roles=EVIDENCE.roles,
        candidate=EVIDENCE.candidate,
        verdict=found,
        registration=Registration("v" * 64, "triage", 2, "w" * 64, Alias.CANDIDATE, 11, "e" * 64),
        told={"retention": "It was asked whether the model still works."},
    )


def test_a_withdrawn_label_is_claimed_as_output_behaviour_and_no_more() -> None:
    told = registered(Claim.GROUP, "integrity", "zero", "retention")
    assert told.claim_sentence is not None
    assert "output behaviour only" in told.claim_sentence
    assert "one that never learned" not in told.claim_sentence


def test_a_claim_met_by_training_anew_says_that_digests_decided() -> None:
    assert "digests prove it" in (registered(Claim.EXAMPLES, "never-saw", "retention").claim_sentence or "")
    assert "digests prove it" not in (registered(Claim.EXAMPLES, "membership", "retention").claim_sentence or "")


def test_each_gate_speaks_for_itself_and_a_refused_candidate_is_shown_too() -> None:
    refused = Attempt(replace(EVIDENCE.candidate, method="finetune"), verdict(Outcome.FAIL, "it still remembers"))
    page = render_html(replace(registered(Claim.NEVER_SAW, "never-saw", "retention"), attempts=(refused,)))
    assert "It was asked whether the model still works." in page
    assert "Refused before: finetune" in page
    assert "it still remembers" in page


def test_the_search_names_options_that_tell_attempts_apart_and_says_which_weights_validation_chose() -> None:
    decisions = tuple(
        Decision("finetune", chosen, "as it is", differing=(Setting("epochs", epochs),), tuned=tuned)
        for chosen, epochs, tuned in ((False, 1, False), (True, 2, True))
    )
    candidate = replace(EVIDENCE.candidate, method="finetune", decisions=decisions)
    page = render_html(replace(registered(Claim.NEVER_SAW, "never-saw", "retention"), candidate=candidate))
    assert "<dt>Method</dt><dd>finetune (epochs 2), tuned</dd>" in page
    assert "<td>finetune (epochs 1)</td><td>no</td><td>blind</td>" in page
    assert "<td>finetune (epochs 2)</td><td>yes</td><td>tuned</td>" in page
