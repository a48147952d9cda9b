from __future__ import annotations

from dataclasses import replace

from helpers.evidence import honest_evidence, learning, linked, with_role
from maintain.gates import Evidence, request_for
from maintain.gates.integrity import Integrity
from maintain.records import GateResult, Network
from maintain.vocabulary import Outcome, Reason, Role


def measured(evidence: Evidence) -> GateResult:
    return Integrity(request_for("integrity")).measure(evidence)


def test_every_reason_is_told_not_only_the_first() -> None:
    honest = honest_evidence()
    broken = replace(
        linked(replace(honest, candidate_spec=replace(honest.candidate_spec, network=Network("larger")))),
        weights=replace(honest.weights, finite=False, parent="elsewhere"),
        files=honest.files[1:],
    )
    reason = measured(broken).reason
    for said in (
        "NaN or infinity",
        "other network",
        "champion's weights file",
        "not checked for its plan file",
    ):
        assert said in reason


def test_a_method_that_declares_the_forget_set_must_consume_it_whole() -> None:
    honest = replace(honest_evidence(), consumes_forget=True)
    forgotten = honest.roles.of(Role.FORGET)
    assert measured(learning(honest, forgotten, role=Role.FORGET)).outcome is Outcome.PASS
    partly = measured(learning(honest, forgotten[1:], role=Role.FORGET))
    assert partly.outcome is Outcome.FAIL
    assert "1 case of the forget set that the method should have consumed" in partly.reason


def test_a_corrected_label_may_be_learned_only_when_the_label_was_the_reason() -> None:
    honest = honest_evidence()
    wrong = honest.roles.of(Role.FORGET)[0]
    corrected = replace(wrong, label_version=2, label="normal", role=Role.RETAIN)
    evidence = learning(with_role(honest, corrected), [corrected])
    assert measured(evidence).outcome is Outcome.FAIL
    relabelled = linked(replace(evidence, plan=replace(evidence.plan, reason=Reason.WRONG_LABEL)))
    assert measured(relabelled).outcome is Outcome.PASS


def test_a_row_that_was_never_handed_out_is_not_consumption() -> None:
    honest = honest_evidence()
    evidence = learning(honest, honest.roles.of(Role.FORGET)[:1])
    rows = tuple(replace(row, times_seen=0) if row.case_id.startswith("forget") else row for row in evidence.log.rows)
    assert measured(linked(replace(evidence, log=replace(evidence.log, rows=rows)))).outcome is Outcome.PASS


def test_a_new_threshold_is_a_change_that_nobody_can_approve() -> None:
    honest = honest_evidence()
    spec = replace(honest.candidate_spec, operating_threshold=0.4)
    result = measured(linked(replace(honest, candidate_spec=spec)))
    assert result.outcome is Outcome.FAIL
    assert "a new threshold is a change to approve, and nobody can approve one yet" in result.reason


def test_the_request_decides_whether_the_result_is_decisive() -> None:
    gate = Integrity(request_for("integrity", decisive=False))
    assert not gate.measure(honest_evidence()).decisive


def test_it_explains_both_outcomes() -> None:
    gate = Integrity(request_for("integrity"))
    assert "changed, finite version" in gate.explain(measured(honest_evidence()))
    broken = measured(replace(honest_evidence(), files=()))
    assert broken.reason in gate.explain(broken)
