"""The cases of a run, one by one: why each was in it, and what champion and candidate decide about it.

People asked to release a version look at the images whose decision it changes, those it newly gets wrong first. All is
read from the run folder; nothing is measured again, and cases are named by their keyed identifiers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from maintain.errors import InputError, NotEvaluatedError
from maintain.hashing import Digest
from maintain.records import Candidate, Measurements, ModelSpec, Plan, PlannedCase, RoleTable, Verdict
from maintain.statistics import decisions
from maintain.vocabulary import Head, Role
from maintain_pipelines.champions import SPEC_FILE
from maintain_pipelines.journal import RunRow
from maintain_pipelines.rundir import CANDIDATE, PLAN, VERDICT, RunFolder, refuse_erased


class Change(StrEnum):
    """What became of a decision, in the order in which changes are listed."""

    NEWLY_MISSED = "newly missed"
    """The champion gave the case its label, the candidate does not."""
    WRONG_OTHERWISE = "wrong otherwise"
    """Neither gives the case its label, and they decide differently."""
    NEWLY_RIGHT = "newly right"
    """The candidate gives the case its label, the champion did not."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The label that a case was given, and the probability of it by the softmax of the outputs."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class RunCase:
    """One case of a run; `old` is the champion's decision and `new` the candidate's, None where none was measured."""

    case_id: str
    patient: str
    role: Role
    reason: str
    label: str
    old: Decided | None
    new: Decided | None

    @property
    def change(self) -> Change | None:
        """What became of the decision; None where it stayed, or where one of the two was not measured."""
        if self.old is None or self.new is None or self.old.label == self.new.label:
            return None
        if self.label == self.old.label:
            return Change.NEWLY_MISSED
        return Change.NEWLY_RIGHT if self.label == self.new.label else Change.WRONG_OTHERWISE


@dataclass(frozen=True, slots=True)
class RunCases:
    """Every case of a run, in the order of roles and then of identifiers.

    `candidate` is what people call the candidate whose decisions stand there, made in `slot`; both are None where
    nothing was measured.
    """

    run: str
    champion: int
    slot: int | None
    candidate: str | None
    rows: tuple[RunCase, ...]

    def of(self, role: Role) -> tuple[RunCase, ...]:
        """The cases that have the role. Raises `InputError`, naming the roles there are, where none has."""
        found = tuple(row for row in self.rows if row.role is role)
        if not found:
            there = [known.value for known in Role if any(row.role is known for row in self.rows)]
            raise InputError(
                f"No case of {self.run} has the role {role.value}.", remedy=f"Its roles are: {', '.join(there)}."
            )
        return found

    def judged(self, role: Role = Role.HOLDOUT) -> tuple[RunCase, ...]:
        """The cases of a role, each with both decisions.

        Raises:
            InputError: No case has the role.
            NotEvaluatedError: The run has no measurements, or none of a case of this role.
        """
        if self.slot is None:
            raise NotEvaluatedError(
                f"{self.run} has no measurements: no candidate of it was verified.",
                remedy="Say it without --changed to see its cases; `maintain runs show` says how the run stands.",
            )
        rows = self.of(role)
        missing = sum(row.old is None or row.new is None for row in rows)
        if missing:
            raise NotEvaluatedError(
                f"For {missing} of the {len(rows)} {role.value} cases of {self.run} champion or candidate gave no"
                " answer that is a number, or none was asked for, so nobody can say which decisions changed.",
                remedy="Name another role with --role; held-out cases are measured in every verdict.",
            )
        return rows


def cases_of(row: RunRow, folder: RunFolder) -> RunCases:
    """The cases of a run, with the decisions of its last candidate that has a verdict.

    Raises:
        ErasedError: A list was erased for a person's request.
        NotEvaluatedError: A list was removed from the folder, or the head's decisions cannot be read by this version.
        DamagedError: A file is not the one that was written.
    """
    plan = folder.kept(PLAN, Plan)
    _refuse_swept(row.run, folder, "roles", plan.roles)
    roles = folder.read_table("roles", plan.roles, RoleTable)
    judged = _judged(row, folder)
    if judged is None:
        return RunCases(row.run, plan.champion.version, None, None, _rows(roles, {}, {}))
    verdict, candidate = judged.kept(VERDICT, Verdict), judged.kept(CANDIDATE, Candidate)
    _refuse_swept(row.run, folder, "measurements", verdict.measurements)
    spec = judged.kept(f"02-{SPEC_FILE}", ModelSpec, expected=candidate.spec)
    answers = folder.read_table("measurements", verdict.measurements, Measurements)
    old, new = (_decided(answers, weights, spec) for weights in (plan.champion.weights, candidate.weights))
    return RunCases(row.run, plan.champion.version, judged.slot, candidate.told, _rows(roles, old, new))


def changed(rows: Iterable[RunCase]) -> tuple[RunCase, ...]:
    """Those whose decision changed: newly missed first, and of each kind the candidate's surest first."""
    order = list(Change)
    flipped = [row for row in rows if row.change is not None]
    return tuple(sorted(flipped, key=lambda row: (order.index(row.change or Change.NEWLY_RIGHT), *_surest(row))))


# --- private ---------------------------------------------------------------------------------------


def _surest(row: RunCase) -> tuple[float, str]:
    return (-row.new.confidence if row.new else 0.0, row.case_id)


def _judged(row: RunRow, folder: RunFolder) -> RunFolder | None:
    """The folder as the last slot with a verdict sees it."""
    slots = (replace(folder, slot=number) for number in range(row.slot, 0, -1))
    return next((slot for slot in slots if slot.file(VERDICT).is_file()), None)


def _refuse_swept(run: str, folder: RunFolder, kind: str, digest: Digest) -> None:
    """An erasure, or whoever cleans up, may remove lists of cases and leave the values that name them."""
    refuse_erased(folder.table(kind, digest))
    if not folder.table(kind, digest).is_file():
        raise NotEvaluatedError(
            f"The list {kind} of {run} is no longer in its folder, so its cases cannot be told.",
            remedy="Its plan and its verdict still count them: `maintain runs show` has both. Where nobody removed the"
            " list on purpose, restore the run folder from a backup.",
        )


def _decided(answers: Measurements, weights: Digest, spec: ModelSpec) -> Mapping[tuple[str, Role], Decided]:
    """What these weights decide for each case, by case and role; answers that are no numbers decide nothing."""
    if spec.head is not Head.SOFTMAX:
        raise NotEvaluatedError(
            f"Decisions of a {spec.head} head cannot be read by this version.",
            remedy="`maintain runs show` tells what its gates made of them.",
        )
    rows = [row for row in answers.of(weights, *Role) if np.isfinite(row.logits).all()]
    if not rows:
        return {}
    logits = np.asarray([row.logits for row in rows], dtype=np.float64)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return {
        (row.case_id, row.role): Decided(spec.label_order[chosen], float(share[chosen]))
        for row, chosen, share in zip(rows, decisions(logits), shares, strict=True)
    }


def _rows(
    roles: RoleTable, old: Mapping[tuple[str, Role], Decided], new: Mapping[tuple[str, Role], Decided]
) -> tuple[RunCase, ...]:
    places = {role: place for place, role in enumerate(Role)}
    ordered = sorted(roles.rows, key=lambda case: (places[case.role], case.case_id))
    return tuple(_row(case, old, new) for case in ordered)


def _row(
    case: PlannedCase, old: Mapping[tuple[str, Role], Decided], new: Mapping[tuple[str, Role], Decided]
) -> RunCase:
    place = (case.case_id, case.role)
    return RunCase(case.case_id, case.patient, case.role, case.reason, case.label, old.get(place), new.get(place))
