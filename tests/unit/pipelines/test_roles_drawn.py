"""Over drawn manifests: every case of a plan has exactly one role, and the obvious one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain.cohort import Standing
from maintain.hashing import digest_bytes
from maintain.records import CaseRef, Origin, SnapshotMember, TrainingManifest
from maintain.vocabulary import ConsentStatus, ManifestStatus, OriginKind, Role, Split
from maintain_pipelines.roles import GONE, Cut, assign_roles, count_roles, forget_set_digest

CASES = tuple(
    Standing(
        case_id=f"case-{n:04d}",
        patient=f"patient-{n:04d}",
        study=f"study-{n:04d}",
        device=None,
        pixels=digest_bytes(f"{n}".encode()),
        consent=ConsentStatus.UNKNOWN,
        label="drusen",
        label_version=1,
    )
    for n in range(12)
)


def cut(
    *,
    learned: set[int],
    selected: set[int],
    matched: set[int],
    barred: set[int],
    beside: frozenset[int] = frozenset(),
    cohort: tuple[Standing, ...] = CASES,
) -> Cut:
    refs = {n: CaseRef(CASES[n].case_id, 1) for n in range(len(CASES))}
    manifest = TrainingManifest(
        model="triage",
        status=ManifestStatus.PROVEN,
        origin=Origin(OriginKind.INITIALISATION, "0" * 64),
        learned=tuple(sorted(refs[n] for n in learned)),
        unlearned=(),
        selected_with=tuple(sorted(refs[n] for n in selected - learned)),
    )
    sides = {n: Split.TRAIN if n in learned else Split.VALIDATION if n in selected else Split.HOLDOUT for n in refs}
    members = {
        refs[n]: SnapshotMember(case.case_id, 1, "drusen", case.patient, case.pixels, sides[n])
        for n, case in enumerate(CASES)
    }
    ids = {CASES[n].case_id for n in barred}
    others = {CASES[n].case_id for n in beside}
    return Cut(
        manifest=manifest,
        members=members,
        cohort=cohort,
        splits={CASES[n].patient: side for n, side in sides.items()},
        matched={CASES[n].case_id: f"rule {n}" for n in matched},
        barred=lambda case, version: "withdrawn" if case.case_id in ids else None,
        barred_beside=lambda case, version: "another reason" if case.case_id in others else None,
    )


def roles_of(given_cut: Cut) -> dict[str, Role]:
    return {row.case_id: row.role for row in assign_roles(given_cut).rows}


def test_a_learned_case_that_left_the_cohort_is_not_retained() -> None:
    (row,) = assign_roles(cut(learned={0}, selected=set(), matched=set(), barred=set(), cohort=())).rows
    assert (row.role, row.reason) == (Role.SUPPRESSED, GONE)


def test_a_match_barred_for_another_reason_stands_for_nothing_never_seen_and_is_forgotten_all_the_same() -> None:
    table = assign_roles(
        cut(learned={0}, selected={1}, matched={0, 1, 2, 3}, barred=set(), beside=frozenset({0, 1, 2}))
    )
    found = {row.case_id: (row.role, row.reason) for row in table.rows}
    assert [found[CASES[n].case_id] for n in range(4)] == [
        (Role.FORGET, "rule 0"),
        (Role.SUPPRESSED, "another reason"),
        (Role.SUPPRESSED, "another reason"),
        (Role.NEVER_SEEN, "rule 3"),
    ]


def test_a_barred_case_leaves_every_role() -> None:
    roles = roles_of(cut(learned={0, 1}, selected={2}, matched=set(), barred={0, 2, 3}))
    assert [roles[CASES[n].case_id] for n in range(4)] == [
        Role.SUPPRESSED,
        Role.RETAIN,
        Role.SUPPRESSED,
        Role.SUPPRESSED,
    ]


def test_a_match_is_forgotten_only_where_it_was_learned() -> None:
    roles = roles_of(cut(learned={0}, selected={1}, matched={0, 1, 2}, barred=set()))
    assert [roles[CASES[n].case_id] for n in range(3)] == [Role.FORGET, Role.NEVER_SEEN_VALIDATION, Role.NEVER_SEEN]


def test_a_case_without_the_label_is_not_held_out() -> None:
    cohort = (replace(CASES[0], label=None),)
    assert roles_of(cut(learned=set(), selected=set(), matched=set(), barred=set(), cohort=cohort)) == {}


def test_a_withdrawn_match_is_still_the_forget_set() -> None:
    roles = roles_of(cut(learned={0}, selected=set(), matched={0}, barred={0}))
    assert roles[CASES[0].case_id] is Role.FORGET


numbers = st.sets(st.integers(0, len(CASES) - 1))


@given(learned=numbers, selected=numbers, matched=numbers, barred=numbers)
def test_every_case_has_one_role_and_the_obvious_one(
    learned: set[int], selected: set[int], matched: set[int], barred: set[int]
) -> None:
    table = assign_roles(cut(learned=learned, selected=selected, matched=matched, barred=barred))
    assert [row.case_id for row in table.rows] == sorted({row.case_id for row in table.rows})
    assert all(row.reason for row in table.rows)
    for n, case in enumerate(CASES):
        (row,) = [row for row in table.rows if row.case_id == case.case_id]
        forgotten = {
            True: Role.FORGET if n in learned else Role.NEVER_SEEN_VALIDATION if n in selected else Role.NEVER_SEEN,
            False: Role.RETAIN if n in learned else Role.VALIDATION if n in selected else Role.HOLDOUT,
        }[n in matched]
        assert row.role is (Role.SUPPRESSED if n in barred and n not in matched else forgotten)
    counts = count_roles(table)
    assert sum(count.cases for count in counts) == len(table.rows)


@pytest.mark.parametrize(("reach", "role"), [(True, [Role.FORGET]), (False, [])])
def test_what_was_unlearned_by_behaviour_is_forgotten_for_never_saw(reach: bool, role: list[Role]) -> None:
    plain = cut(learned=set(), selected=set(), matched={0}, barred=set(), cohort=())
    manifest = replace(plain.manifest, unlearned=(CaseRef(CASES[0].case_id, 1), CaseRef(CASES[1].case_id, 1)))
    table = assign_roles(replace(plain, manifest=manifest, reach_unlearned=reach))
    assert [row.role for row in table.rows] == role


def test_the_forget_set_has_a_digest_of_its_own() -> None:
    first = assign_roles(cut(learned={0, 1}, selected=set(), matched={0}, barred=set()))
    second = assign_roles(cut(learned={0, 1}, selected=set(), matched={1}, barred=set()))
    assert forget_set_digest(first) != forget_set_digest(second)
