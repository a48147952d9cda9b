"""What the adopter declares of a training: cases and roles, joined with the cohort.

A case that the cohort does not have stays in the manifest as learned, because the weights hold it all the same. A
patient of whom nothing is declared may have been learned too, and is never held out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maintain.cohort import Standing, declared_sides
from maintain.database import UnitOfWork
from maintain.errors import InputError
from maintain.intake import MemberRow
from maintain.records import CaseRef, Snapshot, SnapshotMember
from maintain.vocabulary import Split
from maintain_pipelines.adopting.order import AdoptionOrder

#: The version that a manifest gives to a case of which the cohort has no such label.
NO_LABEL_VERSION = 0

#: Longest name that a snapshot may have.
_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Membership:
    """A declared training. `absent` cases are unknown to the cohort, or have no such label there.

    `conflicting` patients declare several roles and stand where they have been seen most; `moved` cases were declared
    held out and are not, because their patient, or a copy of them, was learned from or selected with.
    """

    snapshot: Snapshot
    learned: tuple[CaseRef, ...]
    selected_with: tuple[CaseRef, ...]
    sides: Mapping[str, Split]
    absent: int
    conflicting: int
    moved: int
    silent: int


def membership(
    order: AdoptionOrder, rows: Sequence[MemberRow], standings: Sequence[Standing], unit: UnitOfWork
) -> Membership:
    """The declared training, joined. Raises `InputError` where it is of another cohort, or leaves a side empty."""
    roles = {row.case_id: row.role for row in rows}
    known = [case for case in standings if case.case_id in roles and case.label is not None]
    used = {case_id for case_id, role in roles.items() if role is not Split.HOLDOUT}
    absent = len(used - {case.case_id for case in known})
    _refuse_strangers(order, known, absent, len(used))
    _refuse_labels(order, known)
    declared: dict[str, list[Split]] = defaultdict(list)
    for case in standings:
        if case.case_id in roles:
            declared[case.patient].append(roles[case.case_id])
    sides = declared_sides(unit, declared)
    members = _members(known, roles, sides)
    snapshot = Snapshot(f"adopted-{order.model}"[:_NAME_CHARACTERS], order.model, order.label_name, members)
    _refuse_empty(snapshot)
    versions = {case.case_id: case.label_version for case in known}
    held_out = sum(role is Split.HOLDOUT for case_id, role in roles.items() if case_id in versions)
    return Membership(
        snapshot=snapshot,
        learned=_refs(roles, Split.TRAIN, versions),
        selected_with=_refs(roles, Split.VALIDATION, versions),
        sides=sides,
        absent=absent,
        conflicting=sum(len(set(said)) > 1 for said in declared.values()),
        moved=held_out - len(snapshot.of(Split.HOLDOUT)),
        silent=len({case.patient for case in standings} - set(declared)),
    )


# --- private ---------------------------------------------------------------------------------------


def _refs(roles: Mapping[str, Split], role: Split, versions: Mapping[str, int]) -> tuple[CaseRef, ...]:
    cases = (case_id for case_id, said in roles.items() if said is role)
    return tuple(sorted(CaseRef(case_id, versions.get(case_id, NO_LABEL_VERSION)) for case_id in cases))


def _members(
    known: Sequence[Standing], roles: Mapping[str, Split], sides: Mapping[str, Split]
) -> tuple[SnapshotMember, ...]:
    """Learned and selected cases as they were declared; held out only those of patients who are wholly so."""
    seen = {case.pixels for case in known if roles[case.case_id] is not Split.HOLDOUT}
    return tuple(
        SnapshotMember(case.case_id, case.label_version, str(case.label), case.patient, case.pixels, role)
        for case in known
        if (role := roles[case.case_id]) is not Split.HOLDOUT
        or (sides[case.patient] is Split.HOLDOUT and case.pixels not in seen)
    )


def _refuse_strangers(order: AdoptionOrder, known: Sequence[Standing], absent: int, used: int) -> None:
    if not known:
        raise InputError(
            f"None of the cases of the members is in the cohort with a label {order.label_name!r}.",
            remedy="Ingest their images and labels first, and look whether the column holds SOPInstanceUIDs.",
        )
    if absent and not order.allow_absent:
        raise InputError(
            f"{absent} of {used} cases that were trained on or selected with are not in the cohort, "
            f"or have no label {order.label_name!r} (or no array) there.",
            remedy="Ingest them, or say --allow-absent: they then stay in the manifest as learned, nothing can be "
            "forgotten of them but by a retrain, and what the cohort does not have is not retrained on.",
        )


def _refuse_labels(order: AdoptionOrder, known: Sequence[Standing]) -> None:
    odd = sorted({str(case.label) for case in known} - set(order.label_order))
    if odd:
        raise InputError(
            f"Cases of the members carry labels that the model does not answer: {', '.join(odd)}.",
            remedy=f"--labels says {', '.join(order.label_order)}; name every label in the order of the outputs.",
        )


def _refuse_empty(snapshot: Snapshot) -> None:
    for split in Split:
        if not snapshot.of(split):
            raise InputError(
                f"The members leave no case for {split.value}.",
                remedy="Name cases of all three roles: patients the model never saw are held out, "
                "and a patient with any image in training or validation is not.",
            )
