"""What each case is in a plan, and why: the champion's manifest cut with the policy's matches.

Pure over frozen values, so that it can be tried on drawn cohorts; reading is done by `select`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from maintain.cohort import Standing
from maintain.hashing import Digest, digest_json
from maintain.records import (
    CaseRef,
    PlannedCase,
    RoleCount,
    RoleTable,
    SnapshotMember,
    TrainingManifest,
)
from maintain.vocabulary import Role, Split

#: Said of a case that the manifest lists and the cohort no longer holds.
GONE = "no longer in the cohort"

#: Says why a case may not be used in any role, or None when it may.
Barred = Callable[[Standing, int], str | None]


@dataclass(frozen=True, slots=True)
class Cut:
    """What the roles are cut from.

    `reach_unlearned`: cases that were learned by an ancestor and removed by behaviour are still in the weights for
    whoever must be able to say never-saw, so a match among them is forgotten too. With `own_pictures` the model reads
    arrays that were handed in when it was adopted, so a case that has none has no place in its holdout.
    """

    manifest: TrainingManifest
    members: Mapping[CaseRef, SnapshotMember]
    cohort: tuple[Standing, ...]
    splits: Mapping[str, Split]
    matched: Mapping[str, str]
    barred: Barred
    reach_unlearned: bool = False

    @property
    def own_pictures(self) -> bool:
        """Whether the snapshot's pictures are others than the cohort's."""
        stored = {case.case_id: case.pixels for case in self.cohort}
        return any(stored.get(member.case_id, member.pixels) != member.pixels for member in self.members.values())


def assign_roles(cut: Cut) -> RoleTable:
    """Every case that a plan touches, with exactly one role and its reason."""
    rows = [
        *_listed(cut, cut.manifest.learned, Role.RETAIN, Role.FORGET, "learned by the champion"),
        *_listed(
            cut,
            cut.manifest.selected_with,
            Role.VALIDATION,
            Role.NEVER_SEEN_VALIDATION,
            "selected with by the champion",
        ),
    ]
    if cut.reach_unlearned:
        still_in = tuple(ref for ref in cut.manifest.unlearned if ref.case_id in cut.matched)
        rows += _listed(cut, still_in, Role.FORGET, Role.FORGET, "unlearned by behaviour only")
    taken = {row.case_id for row in rows}
    rows += [row for row in _held_out(cut) if row.case_id not in taken]
    return RoleTable(tuple(sorted(rows, key=lambda row: row.case_id)))


def count_roles(roles: RoleTable) -> tuple[RoleCount, ...]:
    """Cases and patients of each role that occurs, in the order of the vocabulary."""
    return tuple(
        RoleCount(role, len(rows), len({row.patient for row in rows})) for role in Role if (rows := roles.of(role))
    )


def forget_set_digest(roles: RoleTable) -> Digest:
    """The digest of the forget set, as (case, label version) pairs."""
    return digest_json([[row.case_id, row.label_version] for row in roles.of(Role.FORGET)])


# --- private ---------------------------------------------------------------------------------------


def _listed(cut: Cut, refs: Iterable[CaseRef], plain: Role, matched: Role, reason: str) -> Iterable[PlannedCase]:
    by_case = {case.case_id: case for case in cut.cohort}
    for ref in refs:
        member, case = cut.members.get(ref), by_case.get(ref.case_id)
        if ref.case_id in cut.matched:
            yield _row(ref, member, case, matched, cut.matched[ref.case_id])
        elif case is None or member is None:
            yield _row(ref, member, case, Role.SUPPRESSED, GONE)
        elif (why := cut.barred(case, ref.label_version)) is not None:
            yield _row(ref, member, case, Role.SUPPRESSED, why)
        else:
            yield _row(ref, member, case, plain, reason)


def _held_out(cut: Cut) -> Iterable[PlannedCase]:
    own = {member.case_id: member.pixels for member in cut.members.values()} if cut.own_pictures else None
    for case in cut.cohort:
        if case.label is None or cut.splits.get(case.patient) is not Split.HOLDOUT:
            continue
        if own is not None and case.case_id not in own:
            continue
        pixels = case.pixels if own is None else own[case.case_id]
        ref = CaseRef(case.case_id, case.label_version)
        if case.case_id in cut.matched:
            role, reason = Role.NEVER_SEEN, cut.matched[case.case_id]
        elif (why := cut.barred(case, ref.label_version)) is not None:
            role, reason = Role.SUPPRESSED, why
        else:
            role, reason = Role.HOLDOUT, "held out in this lineage"
        yield PlannedCase(ref.case_id, ref.label_version, case.label, case.patient, pixels, role, reason)


def _row(ref: CaseRef, member: SnapshotMember | None, case: Standing | None, role: Role, reason: str) -> PlannedCase:
    known = member or case
    return PlannedCase(
        case_id=ref.case_id,
        label_version=ref.label_version,
        label=member.label if member else "",
        patient=known.patient if known else "",
        pixels=known.pixels if known else "",
        role=role,
        reason=reason,
    )
