"""A plan says what its gates can see, counts only what they may judge, and warns where honesty would not help."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from helpers.evidence import plan_of, planned
from maintain.gates import GATES, request_for
from maintain.records import GateRequest, MethodRequest, Plan, RoleTable, Setting, Slot
from maintain.statistics import (
    ArmSize,
    adjusted_difference_power,
    calibrated_auc_power,
    mean_bound_power,
    paired_metrics_power,
    paired_power,
    share_bound_power,
    tail_share_power,
)
from maintain.vocabulary import Claim, Role
from maintain_pipelines.prospects import Prospect, prospects_of, release_chance, retrain_chance, warning_of

SLOT = Slot(1, (MethodRequest("retrain", ()),), 0.0125)

#: Two images a patient: cases of each role.
LARGE = {Role.FORGET: 400, Role.RETAIN: 1000, Role.HOLDOUT: 2000, Role.NEVER_SEEN: 600}


def roles_of(counts: dict[Role, int]) -> RoleTable:
    return RoleTable(tuple(planned(role, number) for role, count in counts.items() for number in range(count)))


def plan_with(roles: RoleTable, *gates: GateRequest) -> Plan:
    return replace(plan_of(roles, Claim.NEVER_SAW, SLOT), gates=gates)


def asked(name: str, *, decisive: bool = True, **options: float) -> GateRequest:
    given = tuple(Setting(option, value) for option, value in options.items())
    return request_for(name, given, decisive=decisive) if name in GATES else GateRequest(name, given, decisive)


def foreseen(request: GateRequest, counts: dict[Role, int] | None = None) -> tuple[Prospect, ...]:
    roles = roles_of(LARGE if counts is None else counts)
    return prospects_of(plan_with(roles, request), roles)


# --- what is not judged ----------------------------------------------------------------------------


@pytest.mark.parametrize("gate", ["held-out", "membership", "not-collapsed", "reference"])
def test_a_behaviour_gate_on_a_small_group_has_no_chance_and_says_why(gate: str) -> None:
    for counts in ({Role.FORGET: 6, Role.NEVER_SEEN: 4}, {Role.FORGET: 0, Role.NEVER_SEEN: 0}):
        for prospect in foreseen(asked(gate), {**LARGE, **counts}):
            assert prospect.chance == 0.0
            assert "below 100 images or 25 patients" in prospect.note


def test_an_empty_holdout_has_no_chance() -> None:
    (prospect,) = foreseen(asked("retention", margin=0.05), {**LARGE, Role.HOLDOUT: 0})
    assert (prospect.chance, prospect.smallest_visible, prospect.positives) == (0.0, None, 0)
    assert "no case" in prospect.note


def test_a_label_that_only_training_has_leaves_retention_without_a_chance() -> None:
    roles = roles_of(LARGE)
    one_label = RoleTable(
        tuple(replace(row, label="normal") if row.role is Role.HOLDOUT else row for row in roles.rows)
    )
    (prospect,) = prospects_of(plan_with(one_label, asked("retention")), one_label)
    assert (prospect.chance, prospect.positives) == (0.0, 0)


def test_patients_of_whom_something_is_kept_leave_the_forget_arm() -> None:
    roles = roles_of(LARGE)
    half = [row.patient for row in roles.of(Role.FORGET)][:200]
    kept = tuple(
        replace(planned(Role.RETAIN, 5000 + number), patient=patient)
        for number, patient in enumerate(sorted(set(half)))
    )
    mixed = RoleTable((*roles.rows, *kept))
    held_out, never_saw = prospects_of(plan_with(mixed, asked("held-out"), asked("never-saw")), mixed)
    assert (held_out.cases, held_out.patients) == (200, 100)
    assert (never_saw.cases, never_saw.patients) == (400, 200)


@pytest.mark.parametrize("gate", ["integrity", "never-saw", "bn-recalibration", "rank", "a gate of tomorrow"])
def test_what_is_not_estimated_has_no_chance_and_a_note(gate: str) -> None:
    (prospect,) = foreseen(asked(gate))
    assert prospect.chance is None
    assert prospect.note


# --- each gate by its own statistic ----------------------------------------------------------------


FORGET, NEVER_SEEN = ArmSize(400, 200), ArmSize(600, 300)


def test_each_gate_is_foreseen_by_its_own_statistic() -> None:
    expected = {
        asked("retention", margin=0.05): [paired_metrics_power((1000, 1000), 1000, margin=0.05, alpha=0.0125)],
        asked("held-out"): [adjusted_difference_power(FORGET, NEVER_SEEN, margin=0.10)],
        asked("membership"): [
            calibrated_auc_power(FORGET, NEVER_SEEN, margin=0.10),
            tail_share_power(FORGET, NEVER_SEEN, limit=0.12),
        ],
        asked("not-collapsed"): [paired_power(NEVER_SEEN, margin=0.10)],
        asked("reference"): [mean_bound_power(FORGET, margin=0.10)],
        asked("zero"): [share_bound_power(ArmSize(400, 200, 2), limit=0.02)],
    }
    for request, powers in expected.items():
        found = foreseen(request)
        assert [prospect.chance for prospect in found] == [power.chance for power in powers], request.name
        assert [prospect.smallest_visible for prospect in found] == [power.smallest_visible for power in powers]


def test_a_policys_own_figures_are_used() -> None:
    (usual,), (strict,) = (foreseen(request) for request in (asked("held-out"), asked("held-out", margin=0.05)))
    assert usual.chance is not None
    assert strict.chance is not None
    assert strict.chance < usual.chance
    assert foreseen(asked("membership", small_tail=0.06))[1].chance == pytest.approx(
        tail_share_power(FORGET, NEVER_SEEN, limit=0.06).chance
    )
    assert foreseen(asked("zero", limit=0.01))[0].chance == 0.0


def test_a_withdrawn_label_of_uneven_patients_says_how_many_it_needs() -> None:
    roles = roles_of({**LARGE, Role.FORGET: 320})
    (even,) = prospects_of(plan_with(roles, asked("zero")), roles)
    assert (even.chance, even.patients) == (1.0, 160)
    (first, *_) = roles.of(Role.FORGET)
    more = tuple(replace(first, case_id=f"more-{number}") for number in range(4))
    uneven = RoleTable((*roles.rows, *more))
    (prospect,) = prospects_of(plan_with(uneven, asked("zero")), uneven)
    assert (prospect.chance, prospect.cases, prospect.patients) == (0.0, 324, 160)
    assert prospect.note.startswith("cannot pass: about ")
    assert "one patient has 6 of 324" in prospect.note


def test_a_large_group_is_held_to_the_stricter_tail() -> None:
    counts = {**LARGE, Role.FORGET: 500}
    assert (
        foreseen(asked("membership"), counts)[1].chance
        == tail_share_power(ArmSize(500, 250), NEVER_SEEN, limit=0.10).chance
    )


def test_the_rarest_label_of_the_judged_arm_is_counted() -> None:
    assert foreseen(asked("retention", margin=0.05), {**LARGE, Role.HOLDOUT: 303})[0].positives == 151
    assert foreseen(asked("held-out"), {**LARGE, Role.FORGET: 2})[0].positives == 2


# --- the warning -----------------------------------------------------------------------------------


def test_the_whole_chance_is_that_of_the_decisive_gates() -> None:
    roles = roles_of(LARGE)
    gates = (
        asked("integrity"),
        asked("retention", margin=0.05),
        asked("held-out", decisive=False, margin=0.01),
        asked("membership"),
    )
    plan = plan_with(roles, *gates)
    prospects = prospects_of(plan, roles)
    counted = [one.chance for one in prospects if one.gate in ("retention", "membership") and one.chance is not None]
    assert release_chance(plan, prospects) == pytest.approx(math.prod(counted))
    assert len(counted) == 3
    assert warning_of(plan, prospects) == ""


def test_a_plan_that_an_honest_model_would_probably_not_pass_says_so() -> None:
    roles = roles_of({**LARGE, Role.HOLDOUT: 200})
    plan = plan_with(roles, asked("integrity"), asked("retention", margin=0.05), asked("held-out"))
    prospects = prospects_of(plan, roles)
    assert release_chance(plan, prospects) < 0.8
    said = warning_of(plan, prospects)
    assert said.startswith("The chance that an honest retrain of unchanged quality passes is ")
    assert "the gate retention alone" in said
    assert "200 images of 100 patients" in said


def test_a_retrain_is_not_warned_of_gates_that_decide_nothing_about_it() -> None:
    roles = roles_of({**LARGE, Role.FORGET: 40})
    gates = (asked("integrity"), asked("never-saw"), asked("retention", margin=0.05), asked("held-out"))
    plan = replace(plan_with(roles, *gates), claim=Claim.EXAMPLES)
    prospects = prospects_of(plan, roles)
    assert release_chance(plan, prospects) == 0.0
    assert retrain_chance(plan, prospects) > 0.8
    anew, revised = (
        replace(plan, slots=(Slot(1, tuple(MethodRequest(name, ()) for name in names), 0.0125),))
        for names in (("short-retrain", "retrain"), ("reset-refit", "retrain"))
    )
    assert warning_of(anew, prospects) == ""
    said = warning_of(revised, prospects)
    assert said.startswith(
        "The chance that a revised champion which forgot everything passes is 0 %; the gate held-out"
    )
    assert "A retrain, which digests decide, passes in " in said


def test_proofs_alone_never_warn() -> None:
    roles = roles_of(LARGE)
    plan = plan_with(roles, asked("integrity"), asked("never-saw"))
    assert release_chance(plan, prospects_of(plan, roles)) == 1.0
    assert warning_of(plan, prospects_of(plan, roles)) == ""
