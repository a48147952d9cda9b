"""What each case is in a plan, and why: the champion's manifest cut with the policy's matches.

Pure over frozen values, so that it can be tried on drawn cohorts; reading is done by `select`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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

    `barred_beside` says why a match may not stand for what the model never saw: it was suppressed for another reason
    than this policy's. The forget set lacks such cases, since the model that learned them is gone, so an arm that
    kept them would differ from it in more than memory.

    `wrong_labels` is the last version of each case's label that was barred as wrong in this lineage, for a policy whose
    reason is a wrong label; else empty. Such a policy forgets pairs: a current label above that version was corrected,
    and its case stays in use.
    """

    manifest: TrainingManifest
    members: Mapping[CaseRef, SnapshotMember]
    cohort: tuple[Standing, ...]
    splits: Mapping[str, Split]
    matched: Mapping[str, str]
    barred: Barred
    barred_beside: Barred
    reach_unlearned: bool = False
    wrong_labels: Mapping[str, int] = field(default_factory=dict)

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
        current = {case.case_id: case for case in cut.cohort}
        still_in = tuple(
            ref
            for ref in cut.manifest.unlearned
            if ref.case_id in cut.matched and _corrected(cut, current.get(ref.case_id), ref) is None
        )
        rows += _listed(cut, still_in, Role.FORGET, Role.FORGET, "unlearned by behaviour only")
    taken = {row.case_id for row in rows}
    rows += [row for row in _held_out(cut) if row.case_id not in taken]
    return RoleTable(tuple(sorted(_without_copies(cut, rows), key=lambda row: row.case_id)))


def count_roles(roles: RoleTable) -> tuple[RoleCount, ...]:
    """Cases and patients of each role that occurs, in the order of the vocabulary."""
    return tuple(
        RoleCount(role, len(rows), len({row.patient for row in rows})) for role in Role if (rows := roles.of(role))
    )


def forget_set_digest(roles: RoleTable) -> Digest:
    """The digest of the forget set, as (case, label version) pairs."""
    return digest_json([[row.case_id, row.label_version] for row in roles.of(Role.FORGET)])


# --- private ---------------------------------------------------------------------------------------

#: What a case in use becomes when a policy matches it.
_IN_GROUP = {
    Role.RETAIN: Role.FORGET,
    Role.VALIDATION: Role.NEVER_SEEN_VALIDATION,
    Role.HOLDOUT: Role.NEVER_SEEN,
}


def _listed(cut: Cut, refs: Iterable[CaseRef], plain: Role, matched: Role, reason: str) -> Iterable[PlannedCase]:
    by_case = {case.case_id: case for case in cut.cohort}
    for ref in refs:
        member, case = cut.members.get(ref), by_case.get(ref.case_id)
        corrected = _corrected(cut, case, ref)
        if ref.case_id in cut.matched and corrected is None:
            beside = _beside(cut, case, ref.label_version) if matched is Role.NEVER_SEEN_VALIDATION else None
            yield _row(
                ref, member, case, *((Role.SUPPRESSED, beside) if beside else (matched, cut.matched[ref.case_id]))
            )
        elif case is None or member is None:
            yield _row(ref, member, case, Role.SUPPRESSED, GONE)
        elif (why := cut.barred(case, ref.label_version)) is not None:
            yield _row(ref, member, case, Role.SUPPRESSED, why)
        else:
            yield _row(ref, member, case, plain, corrected or reason)


def _held_out(cut: Cut) -> Iterable[PlannedCase]:
    own = {member.case_id: member.pixels for member in cut.members.values()} if cut.own_pictures else None
    for case in cut.cohort:
        if case.label is None or cut.splits.get(case.patient) is not Split.HOLDOUT:
            continue
        if own is not None and case.case_id not in own:
            continue
        pixels = case.pixels if own is None else own[case.case_id]
        ref = CaseRef(case.case_id, case.label_version)
        corrected = _corrected(cut, case, ref)
        if case.case_id in cut.matched and corrected is None:
            beside = _beside(cut, case, ref.label_version)
            role, reason = (Role.SUPPRESSED, beside) if beside else (Role.NEVER_SEEN, cut.matched[case.case_id])
        elif (why := cut.barred(case, ref.label_version)) is not None:
            role, reason = Role.SUPPRESSED, why
        else:
            role, reason = Role.HOLDOUT, corrected or "held out in this lineage"
        yield PlannedCase(ref.case_id, ref.label_version, case.label, case.patient, pixels, role, reason)


def _corrected(cut: Cut, case: Standing | None, ref: CaseRef) -> str | None:
    """Why a matching pair is not the wrong one; None where the policy's mark is believed.

    Only the list knows that a mark is older than a label: a label that was never barred, or that was corrected once
    more, is taken as wrong.
    """
    wrong = cut.wrong_labels.get(ref.case_id, 0)
    if case is None or ref.case_id not in cut.matched or not 0 < wrong < ref.label_version == case.label_version:
        return None
    return f"label corrected since version {wrong} was barred"


def _without_copies(cut: Cut, rows: Sequence[PlannedCase]) -> Sequence[PlannedCase]:
    """The rows, none in use for its corrected label where that very label of its picture is in the policy's group.

    What is held out shows no picture of the group at all: the champion may have learned it.
    """
    if not cut.wrong_labels:
        return rows
    pictures = {row.pixels for row in rows if row.role in _IN_GROUP.values()}
    rows = [_taken(cut, row) if row.role is Role.HOLDOUT and row.pixels in pictures else row for row in rows]
    pairs = {(row.pixels, row.label) for row in rows if row.role in _IN_GROUP.values()}
    return [_taken(cut, row) if (row.pixels, row.label) in pairs else row for row in rows]


def _taken(cut: Cut, row: PlannedCase) -> PlannedCase:
    """A match that was in use, in the policy's group after all; any other row as it is."""
    if row.role not in _IN_GROUP or row.case_id not in cut.matched:
        return row
    return replace(row, role=_IN_GROUP[row.role], reason=cut.matched[row.case_id])


def _beside(cut: Cut, case: Standing | None, label_version: int) -> str | None:
    return None if case is None else cut.barred_beside(case, label_version)


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
