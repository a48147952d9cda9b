"""Roles of a plan: an exact copy joins the forget group wherever it stands, and nothing barred is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.cohorts import fill, make_case, undone
from maintain.cohort import ConsentFact, Standing, read_standings, select_stored, suppressed
from maintain.database import Database, UnitOfWork, create_database
from maintain.hashing import digest_bytes
from maintain.predicate import Compare, Operator
from maintain.records import Case, CaseRef, Origin, RoleTable, SnapshotMember, TrainingManifest
from maintain.vocabulary import ConsentStatus, ManifestStatus, OriginKind, Role, Split, Unit
from maintain_pipelines.roles import GONE, Cut, assign_roles, count_roles

OLD = Compare("patient.age", Operator.GE, 80)
ONE = digest_bytes(b"one")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = create_database(tmp_path_factory.mktemp("roles") / "maintain.db")
    yield database
    database.close()


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    with undone(database) as unit:
        yield unit


def member(case: Case, split: Split) -> SnapshotMember:
    return SnapshotMember(case.case_id, 1, "drusen", case.patient, case.pixels, split)


def roles_of(unit: UnitOfWork, placed: dict[Split, list[Case]], *, kind: Unit = Unit.IMAGE) -> RoleTable:
    """Roles under the policy OLD: what stands in train was learned, what stands in validation selected with."""
    fill(unit, [case for cases in placed.values() for case in cases])
    listed = {split: tuple(CaseRef(case.case_id, 1) for case in cases) for split, cases in placed.items()}
    manifest = TrainingManifest(
        model="m",
        status=ManifestStatus.PROVEN,
        origin=Origin(OriginKind.INITIALISATION, "0" * 64),
        learned=listed[Split.TRAIN],
        unlearned=(),
        selected_with=listed.get(Split.VALIDATION, ()),
    )
    barred = suppressed(unit, "m")
    frozen = [(split, case) for split, cases in placed.items() if split is not Split.HOLDOUT for case in cases]
    return assign_roles(
        Cut(
            manifest=manifest,
            members={CaseRef(case.case_id, 1): member(case, split) for split, case in frozen},
            cohort=read_standings(unit, "diagnosis"),
            splits={case.patient: split for split, cases in placed.items() for case in cases},
            matched={found.case.case_id: found.reason for found in select_stored(unit, OLD, kind)},
            barred=lambda case, label_version: barred.why(case, label_version=label_version),
            barred_beside=lambda case, label_version: None,
        )
    )


def allowed(case: Standing, version: int) -> None:
    """Nothing is barred."""


def said(roles: RoleTable) -> dict[int, tuple[Role, str]]:
    return {int(row.case_id[-4:]): (row.role, row.reason) for row in roles.rows}


def test_a_copy_is_never_kept_wherever_it_stands(unit: UnitOfWork) -> None:
    """Under a second pseudonym, in another study, in validation and in the holdout: copies of copies too."""
    placed = {
        Split.TRAIN: [make_case(1, age=85, pixels=ONE), make_case(2, pixels=ONE), make_case(3)],
        Split.VALIDATION: [make_case(4, pixels=ONE), make_case(5)],
        Split.HOLDOUT: [make_case(6, pixels=ONE), make_case(7), make_case(8, pixels=ONE, patient="patient-0007")],
    }
    found = said(roles_of(unit, placed))
    copy = "exact copy of a selected image"
    assert found == {
        1: (Role.FORGET, "patient.age >= 80"),
        2: (Role.FORGET, copy),
        3: (Role.RETAIN, "learned by the champion"),
        4: (Role.NEVER_SEEN_VALIDATION, copy),
        5: (Role.VALIDATION, "selected with by the champion"),
        6: (Role.NEVER_SEEN, copy),
        7: (Role.HOLDOUT, "held out in this lineage"),
        8: (Role.NEVER_SEEN, copy),
    }


def test_a_learned_copy_of_a_match_that_nobody_learned_is_forgotten(unit: UnitOfWork) -> None:
    placed = {Split.TRAIN: [make_case(1, pixels=ONE), make_case(2)], Split.HOLDOUT: [make_case(3, age=85, pixels=ONE)]}
    found = said(roles_of(unit, placed))
    assert [found[number][0] for number in (1, 2, 3)] == [Role.FORGET, Role.RETAIN, Role.NEVER_SEEN]


@pytest.mark.parametrize(("kind", "pulled"), [(Unit.IMAGE, set()), (Unit.PATIENT, {2})])
def test_a_copy_pulls_in_nothing_but_a_match_its_unit(unit: UnitOfWork, kind: Unit, pulled: set[int]) -> None:
    mine, theirs = {"patient": "patient-0001"}, {"patient": "patient-0003"}
    cases = [make_case(1, age=85, pixels=ONE, **mine), make_case(2, **mine)]
    cases += [make_case(3, pixels=ONE, **theirs), make_case(4, **theirs)]
    found = said(roles_of(unit, {Split.TRAIN: cases}, kind=kind))
    assert {number for number, (role, _) in found.items() if role is Role.FORGET} == {1, 3} | pulled


def test_what_was_barred_since_leaves_every_role_and_says_why(unit: UnitOfWork) -> None:
    placed = {
        Split.TRAIN: [make_case(1), make_case(2, pixels=ONE)],
        Split.HOLDOUT: [make_case(3), make_case(4, pixels=ONE)],
    }
    fill(unit, [make_case(9, pixels=ONE)]).record_consents([ConsentFact("patient-0009", ConsentStatus.WITHDRAWN, None)])
    # the copies came before the letter, so intake has no reason to refuse them
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("maintain.cohort.filing._barred", lambda unit, arrivals: {})
        found = said(roles_of(unit, placed))
    why = "exact copy of a suppressed image: consent withdrawn"
    assert found[2] == found[4] == (Role.SUPPRESSED, why)
    assert (found[1][0], found[3][0]) == (Role.RETAIN, Role.HOLDOUT)


def test_a_case_that_is_gone_is_not_kept(unit: UnitOfWork) -> None:
    placed = {Split.TRAIN: [make_case(1), make_case(2)]}
    fill(unit, placed[Split.TRAIN])
    manifest = TrainingManifest(
        model="m",
        status=ManifestStatus.PROVEN,
        origin=Origin(OriginKind.INITIALISATION, "0" * 64),
        learned=(CaseRef("case-0001", 1), CaseRef("case-0404", 1)),
        unlearned=(),
        selected_with=(),
    )
    members = {CaseRef("case-0001", 1): member(make_case(1), Split.TRAIN)}
    roles = assign_roles(Cut(manifest, members, read_standings(unit, "diagnosis"), {}, {}, allowed, allowed))
    assert said(roles) == {1: (Role.RETAIN, "learned by the champion"), 404: (Role.SUPPRESSED, GONE)}
    assert [(count.role, count.cases) for count in count_roles(roles)] == [(Role.RETAIN, 1), (Role.SUPPRESSED, 1)]


def test_a_model_that_reads_its_own_pictures_is_judged_on_those_that_have_one(unit: UnitOfWork) -> None:
    """Arrays that were handed in with an adopted model: the cohort's pixels are never given to it."""
    fill(unit, [make_case(number) for number in (1, 2, 3)])
    own = digest_bytes(b"an array")
    members = (
        SnapshotMember("case-0001", 1, "drusen", "patient-0001", own, Split.TRAIN),
        SnapshotMember("case-0002", 1, "atrophy", "patient-0002", own, Split.HOLDOUT),
    )
    manifest = TrainingManifest(
        model="m",
        status=ManifestStatus.DECLARED,
        origin=Origin(OriginKind.CHECKPOINT, "0" * 64),
        learned=(members[0].ref,),
        unlearned=(),
        selected_with=(),
    )
    sides = {"patient-0002": Split.HOLDOUT, "patient-0003": Split.HOLDOUT}
    by_ref = {one.ref: one for one in members}
    roles = assign_roles(Cut(manifest, by_ref, read_standings(unit, "diagnosis"), sides, {}, allowed, allowed))
    assert [(row.case_id, row.role, row.pixels) for row in roles.rows] == [
        ("case-0001", Role.RETAIN, own),
        ("case-0002", Role.HOLDOUT, own),
    ]
