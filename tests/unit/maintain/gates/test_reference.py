"""A group is judged by three models that never saw it; a false yardstick fails whoever is held against it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from helpers.behaviour import (
    LIFT,
    REFERENCES,
    UNKNOWN,
    group_evidence,
    judged,
    margins_of,
    reference_that_learned,
    with_answers,
    with_margins,
    with_reference,
    with_rows,
)
from helpers.evidence import CANDIDATE, CHAMPION
from maintain.errors import NotEvaluatedError
from maintain.gates import Evidence, ReferenceCheck, build, request_for
from maintain.hashing import Digest, digest_bytes
from maintain.records import GateResult, Network, Origin
from maintain.vocabulary import ManifestStatus, OriginKind, Outcome, Role

OTHER = digest_bytes(b"other")


def measured(evidence: Evidence, **options: float) -> GateResult:
    return judged("reference", evidence, **options)


def values(result: GateResult) -> dict[str, float]:
    return {figure.name: figure.value for figure in result.figures}


def answering(evidence: Evidence, weights: Digest, lifted: float, *roles: Role) -> Evidence:
    for role in roles or (Role.FORGET, Role.NEVER_SEEN):
        evidence = with_answers(evidence, weights, role, lifted=lifted)
    return evidence


@pytest.mark.parametrize("number", [0, 1, 2])
def test_below_three_references_nothing_is_judged(number: int) -> None:
    honest = group_evidence()
    with pytest.raises(NotEvaluatedError, match=f"there are {number}") as caught:
        measured(replace(honest, references=honest.references[:number]))
    assert "maintain reference train POLICY" in caught.value.remedy


@pytest.mark.parametrize(("forget", "never_seen"), [(96, 400), (400, 96)])
def test_too_small_arms_are_not_evaluated(forget: int, never_seen: int) -> None:
    with pytest.raises(NotEvaluatedError, match="24 patients"):
        measured(group_evidence(forget=forget, never_seen=never_seen))


def test_unmeasured_references_are_not_evaluated() -> None:
    honest = group_evidence()
    rows = tuple(row for row in honest.measurements.rows if row.weights != REFERENCES[1])
    with pytest.raises(NotEvaluatedError, match="reference was not measured on the whole forget set"):
        measured(replace(honest, measurements=replace(honest.measurements, rows=rows)))


def test_nan_fails_the_candidate_and_leaves_others_open() -> None:
    honest = group_evidence()
    broken = [math.nan, *margins_of(honest.roles.of(Role.FORGET), CANDIDATE)[1:]]
    assert measured(with_margins(honest, CANDIDATE, Role.FORGET, broken)).outcome is Outcome.FAIL
    for weights in (CHAMPION, REFERENCES[2]):
        with pytest.raises(NotEvaluatedError, match="NaN"):
            measured(with_margins(honest, weights, Role.FORGET, broken))


def saw_the_forget_set(evidence: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return reference_that_learned(evidence, 1, evidence.roles.of(Role.FORGET))


def saw_one_never_seen_case(evidence: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return reference_that_learned(evidence, 1, evidence.roles.of(Role.NEVER_SEEN)[:1])


def learned_less(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    learned = check.manifest.learned[1:]
    log = replace(check.log, rows=check.log.rows[1:])
    return replace(check, manifest=replace(check.manifest, learned=learned), log=log)


def log_of_other_weights(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return replace(check, log=replace(check.log, final_weights=OTHER))


def file_of_other_weights(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return replace(check, found=OTHER)


def is_the_champion(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return replace(check, weights=CHAMPION, found=CHAMPION, log=replace(check.log, final_weights=CHAMPION))


def is_the_candidate(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return replace(check, weights=CANDIDATE, found=CANDIDATE, log=replace(check.log, final_weights=CANDIDATE))


def is_the_first_once_more(evidence: Evidence, _: ReferenceCheck) -> ReferenceCheck:
    return evidence.references[0]


def another_network(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return replace(check, spec=replace(check.spec, network=Network("larger")))


def another_preprocessing(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return replace(check, spec=replace(check.spec, preprocessing=()))


def another_recipe(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    assert check.spec.recipe is not None
    return replace(check, spec=replace(check.spec, recipe=replace(check.spec.recipe, epochs=1)))


def another_origin(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return replace(check, manifest=replace(check.manifest, origin=Origin(OriginKind.INITIALISATION, OTHER)))


def began_from_other_weights(_: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    return replace(check, initial=OTHER)


def began_from_the_champion(evidence: Evidence, check: ReferenceCheck) -> ReferenceCheck:
    origin = Origin(OriginKind.CHECKPOINT, CHAMPION, evidence.plan.champion.manifest)
    return replace(check, log=replace(check.log, origin=origin), manifest=replace(check.manifest, origin=origin))


FALSE_YARDSTICKS: tuple[tuple[Callable[[Evidence, ReferenceCheck], ReferenceCheck], str], ...] = (
    (saw_the_forget_set, "400 excluded cases handed out in training"),
    (saw_one_never_seen_case, "1 excluded case handed out"),
    (learned_less, "other cases than those this plan retains"),
    (log_of_other_weights, "its log is of other weights"),
    (file_of_other_weights, "weights file is another"),
    (is_the_champion, "it is the champion"),
    (is_the_candidate, "it is the candidate"),
    (is_the_first_once_more, "not different models"),
    (another_network, "another network"),
    (another_preprocessing, "another network or preprocessing"),
    (another_recipe, "another recipe"),
    (another_origin, "different origins"),
    (began_from_other_weights, "seed gives other initial weights"),
    (began_from_the_champion, "learned by a version that training began from"),
)


@pytest.mark.parametrize(("forge", "said"), FALSE_YARDSTICKS, ids=[forge.__name__ for forge, _ in FALSE_YARDSTICKS])
def test_a_false_yardstick_fails(forge: Callable[[Evidence, ReferenceCheck], ReferenceCheck], said: str) -> None:
    honest = group_evidence()
    result = measured(with_reference(honest, 1, forge(honest, honest.references[1])))
    assert result.outcome is Outcome.FAIL
    assert said in result.reason
    assert "reference" in result.reason


def test_a_network_that_names_another_manifest_is_a_false_yardstick() -> None:
    honest = group_evidence()
    check = replace(honest.references[0], spec=replace(honest.references[0].spec, manifest=OTHER))
    result = measured(replace(honest, references=(check, *honest.references[1:])))
    assert "reference 1: its network names another manifest" in result.reason
    assert result.outcome is Outcome.FAIL


def test_an_unproven_origin_is_not_evaluated() -> None:
    honest = group_evidence()
    check = honest.references[2]
    unknown = replace(check, manifest=replace(check.manifest, status=ManifestStatus.DECLARED))
    for odd, said in ((replace(check, initial=None), "could not be made again"), (unknown, "declared, not proven")):
        result = measured(with_reference(honest, 2, odd))
        assert result.outcome is Outcome.NOT_EVALUATED
        assert f"reference 3: the {'initial weights' if odd.initial is None else 'manifest'}" in result.reason
        assert said in result.reason


def test_the_unchanged_champion_fails_and_so_do_its_answers_under_another_name() -> None:
    honest = group_evidence()
    assert measured(replace(honest, weights=replace(honest.weights, candidate=CHAMPION))).outcome is Outcome.FAIL
    assert measured(answering(honest, CANDIDATE, 0.0)).outcome is Outcome.FAIL
    assert measured(answering(honest, CANDIDATE, LIFT, Role.FORGET)).outcome is Outcome.FAIL


def test_an_honest_candidate_passes_and_one_that_unlearned_too_much_fails() -> None:
    honest = group_evidence()
    assert measured(honest).outcome is Outcome.PASS
    result = measured(answering(honest, CANDIDATE, UNKNOWN - 2.0))
    assert result.outcome is Outcome.FAIL
    assert "shown below -0.10" in result.reason


def test_between_inside_and_outside_nothing_is_claimed() -> None:
    result = measured(answering(group_evidence(), CANDIDATE, UNKNOWN + 0.3))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "not shown within 0.1 of 0" in result.reason


def test_where_the_champion_answers_as_references_do_nobody_passes() -> None:
    same = answering(group_evidence(), CHAMPION, UNKNOWN)
    result = measured(same)
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "nothing to forget shown" in result.reason
    assert measured(answering(same, CANDIDATE, LIFT)).outcome is Outcome.FAIL


def test_a_never_seen_arm_that_the_champion_answers_alike_need_not_pass_but_can_fail() -> None:
    alike = answering(group_evidence(), CHAMPION, UNKNOWN, Role.NEVER_SEEN)
    open_end = answering(alike, CANDIDATE, UNKNOWN + 0.3, Role.NEVER_SEEN)
    assert measured(open_end).outcome is Outcome.PASS
    assert "on forgotten cases" in measured(open_end).reason
    assert measured(answering(alike, CANDIDATE, LIFT, Role.NEVER_SEEN)).outcome is Outcome.FAIL


def test_references_that_disagree_are_no_yardstick() -> None:
    spread = answering(group_evidence(), REFERENCES[0], UNKNOWN + 1.0, Role.FORGET)
    result = measured(spread)
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "the references themselves differ by" in result.reason
    assert values(result)["spread of the references, forgotten"] > 0.1
    assert measured(answering(spread, CANDIDATE, 0.0, Role.FORGET)).outcome is Outcome.NOT_EVALUATED


def test_a_candidate_trained_anew_may_be_a_reference_and_is_held_against_the_others() -> None:
    honest = group_evidence()
    check = honest.references[0]
    own = replace(check, weights=CANDIDATE, found=CANDIDATE, log=replace(check.log, final_weights=CANDIDATE))
    anew = replace(with_reference(honest, 0, own), anew=True)
    assert measured(anew).outcome is Outcome.PASS
    others = (REFERENCES[1], REFERENCES[2])
    without = [with_answers(anew, weights, Role.FORGET, lifted=UNKNOWN + 0.3) for weights in others]
    names = "candidate less references, forgotten"
    assert all(values(measured(changed))[names] < values(measured(anew))[names] for changed in without)


def test_patients_who_are_still_learned_from_stay_because_the_references_learned_them_too() -> None:
    honest = group_evidence()
    patient = honest.roles.of(Role.RETAIN)[0].patient
    rows = [replace(row, patient=patient) if row.case_id == "forget-0000" else row for row in honest.roles.rows]
    assert values(measured(with_rows(honest, rows)))["forgotten cases"] == 400.0


def test_candidate_champion_and_references_stand_side_by_side() -> None:
    found = values(measured(group_evidence()))
    for name in ("retained accuracy", "decisions changed", "training steps"):
        assert f"{name}, candidate" in found
        assert f"{name}, mean of the references" in found
    assert found["training steps, candidate"] == 40.0
    assert found["training steps, mean of the references"] == 50.0
    assert 0.7 < found["retained accuracy, champion"] < 0.8
    assert 0.0 < found["decisions changed, candidate"] < 0.05


def test_it_explains_each_outcome() -> None:
    gate, honest = build(request_for("reference")), group_evidence()
    assert "behaves like a model that never learned from the group" in gate.explain(measured(honest))
    assert "It is not, or cannot be compared" in gate.explain(measured(answering(honest, CANDIDATE, 0.0)))
    assert "nothing is claimed" in gate.explain(measured(answering(honest, CANDIDATE, UNKNOWN + 0.3)))
