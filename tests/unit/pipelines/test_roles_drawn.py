"""Over drawn manifests: every case of a plan has exactly one role, and the obvious one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given
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


@pytest.mark.parametrize(("wrong", "current", "forgotten"), [(0, 2, True), (2, 2, True), (1, 3, True), (1, 2, False)])
def test_a_corrected_pair_that_was_unlearned_by_behaviour_is_nothing_to_forget(
    wrong: int, current: int, forgotten: bool
) -> None:
    cohort = (replace(CASES[0], label_version=current),)
    plain = cut(learned=set(), selected=set(), matched={0}, barred=set(), cohort=cohort)
    manifest = replace(plain.manifest, unlearned=(CaseRef(CASES[0].case_id, 2),))
    aside = {CASES[0].patient: Split.TRAIN}
    wrong_labels = {CASES[0].case_id: wrong} if wrong else {}
    table = assign_roles(
        replace(plain, manifest=manifest, reach_unlearned=True, splits=aside, wrong_labels=wrong_labels)
    )
    assert [row.role for row in table.rows] == ([Role.FORGET] if forgotten else [])


def test_a_corrected_pair_that_is_barred_for_another_reason_leaves_every_role() -> None:
    cohort = (replace(CASES[0], label_version=2),)
    plain = cut(learned=set(), selected=set(), matched={0}, barred={0}, cohort=cohort)
    manifest = replace(plain.manifest, learned=(CaseRef(CASES[0].case_id, 2),))
    member = replace(plain.members[CaseRef(CASES[0].case_id, 1)], label_version=2)
    table = assign_roles(
        replace(plain, manifest=manifest, members={member.ref: member}, wrong_labels={CASES[0].case_id: 1})
    )
    assert [(row.role, row.reason) for row in table.rows] == [(Role.SUPPRESSED, "withdrawn")]


def test_the_forget_set_has_a_digest_of_its_own() -> None:
    first = assign_roles(cut(learned={0, 1}, selected=set(), matched={0}, barred=set()))
    second = assign_roles(cut(learned={0, 1}, selected=set(), matched={1}, barred=set()))
    assert forget_set_digest(first) != forget_set_digest(second)


@dataclass(frozen=True)
class Labelled:
    """One drawn case: where it stands, the version that was used, the current one, and the last that was barred."""

    side: Split
    used: int
    current: int
    wrong: int
    matched: bool
    picture: int
    label: str


@st.composite
def labelled_cases(draw: st.DrawFn) -> list[Labelled]:
    versions = st.integers(1, 3)
    cases = []
    for _ in range(draw(st.integers(1, 6))):
        side, used = draw(st.sampled_from(Split)), draw(versions)
        current = used if side is Split.HOLDOUT else max(used, draw(versions))
        wrong, matched, picture = draw(st.integers(0, 3)), draw(st.booleans()), draw(st.integers(0, 3))
        cases.append(Labelled(side, used, current, wrong, matched, picture, draw(st.sampled_from("ab"))))
    return cases


def labelled_cut(cases: Sequence[Labelled], *, wrong_label: bool, pictures: bool) -> Cut:
    """Cases with drawn pictures, or each with one of its own."""
    names = [f"case-{n:04d}" for n in range(len(cases))]
    pixels = [digest_bytes(f"{case.picture if pictures else n}".encode()) for n, case in enumerate(cases)]
    rows = list(zip(names, pixels, cases, strict=True))
    refs = {side: tuple(CaseRef(name, one.used) for name, _, one in rows if one.side is side) for side in Split}
    return replace(
        cut(learned=set(), selected=set(), matched=set(), barred=set()),
        manifest=TrainingManifest(
            model="triage",
            status=ManifestStatus.PROVEN,
            origin=Origin(OriginKind.INITIALISATION, "0" * 64),
            learned=refs[Split.TRAIN],
            unlearned=(),
            selected_with=refs[Split.VALIDATION],
        ),
        members={
            CaseRef(name, one.used): SnapshotMember(name, one.used, one.label, name, shown, one.side)
            for name, shown, one in rows
        },
        cohort=tuple(
            Standing(name, name, name, None, shown, ConsentStatus.UNKNOWN, one.label, one.current)
            for name, shown, one in rows
        ),
        splits={name: one.side for name, _, one in rows},
        matched={name: "marked" for name, _, one in rows if one.matched},
        wrong_labels={name: one.wrong for name, _, one in rows if one.wrong} if wrong_label else {},
    )


IN_USE = {Split.TRAIN: Role.RETAIN, Split.VALIDATION: Role.VALIDATION, Split.HOLDOUT: Role.HOLDOUT}
IN_GROUP = {Split.TRAIN: Role.FORGET, Split.VALIDATION: Role.NEVER_SEEN_VALIDATION, Split.HOLDOUT: Role.NEVER_SEEN}


def obvious_role(case: Labelled) -> Role:
    """What a person would say of one pair under a policy for a wrong label."""
    if not case.matched:
        return IN_USE[case.side]
    if case.wrong == 0:  # nobody said so far that a version was wrong: the mark means what was learned
        return IN_GROUP[case.side]
    if case.used in range(1, case.wrong + 1):  # this very version was barred
        return IN_GROUP[case.side]
    if case.used != case.current:  # what was learned is no longer what is recorded
        return IN_GROUP[case.side]
    return IN_USE[case.side]


@given(cases=labelled_cases())
def test_of_wrong_labels_the_pair_decides(cases: list[Labelled]) -> None:
    table = assign_roles(labelled_cut(cases, wrong_label=True, pictures=False))
    assert [row.role for row in table.rows] == [obvious_role(case) for case in cases]
    for row, case in zip(table.rows, cases, strict=True):
        kept = case.matched and row.role in IN_USE.values()
        assert (row.reason == f"label corrected since version {case.wrong} was barred") is kept
        assert row.label_version == case.used


@given(cases=labelled_cases())
def test_for_another_reason_the_case_decides(cases: list[Labelled]) -> None:
    table = assign_roles(labelled_cut(cases, wrong_label=False, pictures=True))
    assert [row.role for row in table.rows] == [(IN_GROUP if one.matched else IN_USE)[one.side] for one in cases]


@example(
    cases=[
        Labelled(Split.TRAIN, 1, 1, 0, True, 0, "a"),
        Labelled(Split.TRAIN, 2, 2, 1, True, 0, "b"),
        Labelled(Split.HOLDOUT, 2, 2, 1, True, 0, "b"),
    ]
)
@given(cases=labelled_cases())
def test_no_match_stays_in_use_beside_a_copy_that_the_policy_takes_under_the_same_label(cases: list[Labelled]) -> None:
    table = assign_roles(labelled_cut(cases, wrong_label=True, pictures=True))
    taken = [row for row in table.rows if row.role in IN_GROUP.values()]
    pairs, pictures = {(row.pixels, row.label) for row in taken}, {row.pixels for row in taken}
    for row, case in zip(table.rows, cases, strict=True):
        if case.matched and row.role in IN_USE.values():
            assert (row.pixels, row.label) not in pairs
            assert row.role is not Role.HOLDOUT or row.pixels not in pictures
        elif case.matched and obvious_role(case) in IN_USE.values():
            others = [one for one in taken if one is not row and one.pixels == row.pixels]
            assert others
            assert row.reason == "marked"
