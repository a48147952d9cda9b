"""Retention in declared groups: an average hides a loss that falls on one device, or on one sex.

The groups are the plan's, fixed before any answer was known. Only groups that are large enough are judged; of the
others the figures are shown, and what becomes of them is the policy's word (power study, sections 1 and 5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maintain import codec
from maintain.errors import NotEvaluatedError
from maintain.gates.base import Evidence
from maintain.gates.consumption import counted
from maintain.gates.losses import Part, losses, open_where_missing, reported_losses, together
from maintain.gates.options import GATED_CASES, GATED_PATIENTS, MOST_GATED
from maintain.gates.pairs import Pairs, pairs_of
from maintain.gates.retention_terms import FAIL, POOL, Terms
from maintain.records import Strata
from maintain.statistics import Metric
from maintain.vocabulary import Role

#: How the name of a figure begins to say in which group it was found.
IN = " in "


@dataclass(frozen=True, slots=True)
class Group:
    """The cases of one declared group."""

    by: str
    value: str
    numbers: tuple[int, ...]
    """Their places among the held-out cases."""
    pairs: Pairs

    @property
    def name(self) -> str:
        """The field and the value."""
        return f"{self.by}: {self.value}"

    @property
    def large(self) -> bool:
        """Whether it can be judged."""
        return len(self.pairs.cases) >= GATED_CASES and len(set(self.pairs.patients)) >= GATED_PATIENTS

    @property
    def size(self) -> str:
        """Its name, its cases and its patients."""
        patients = counted(len(set(self.pairs.patients)), "patient")
        return f"{self.name} ({counted(len(self.pairs.cases), 'case')} of {patients})"


def in_groups(evidence: Evidence, terms: Terms, *, alpha: float) -> Part:
    """Accuracy in every declared group that is large enough, within its own margin; nothing where none is declared.

    Open where the groups are unknown of a held-out case, or more than four would be judged.
    """
    if not terms.by:
        return Part()
    return open_where_missing("Declared groups", lambda: _parts(evidence, terms, alpha))


# --- private ---------------------------------------------------------------------------------------


def _parts(evidence: Evidence, terms: Terms, alpha: float) -> Part:
    strata = _checked(evidence)
    pairs = pairs_of(evidence, evidence.plan.champion.weights, (Role.HOLDOUT,))
    fields = tuple(dict.fromkeys(terms.by))
    groups = [group for by in fields for group in _groups(strata, by, pairs)]
    large = [group for group in groups if group.large]
    if len(large) > MOST_GATED:
        names = ", ".join(group.name for group in large)
        too_many = Part(unshown=(f"{len(large)} groups would be judged, {MOST_GATED} at most can be: {names}",))
        return together([too_many, *(_reported(group, alpha) for group in groups)])
    apart = [_judged(group, terms, alpha) for group in large]
    small = [_small([g for g in groups if g.by == by and not g.large], pairs, terms, alpha) for by in fields]
    return together([*apart, *small])


def _checked(evidence: Evidence) -> Strata:
    """The groups, if they are those that the plan names."""
    if evidence.strata is None:
        raise NotEvaluatedError(
            "The policy declares groups, and in which of them the held-out cases are is not known.",
            remedy="Make the plan again: planning fixes the groups.",
        )
    if codec.digest_of(evidence.strata) != evidence.plan.strata:
        raise NotEvaluatedError(
            "The table of groups is not the one that the plan names.",
            remedy="Restore the run folder; groups that are chosen afterwards can be chosen to look well.",
        )
    return evidence.strata


def _groups(strata: Strata, by: str, pairs: Pairs) -> list[Group]:
    """The groups of one field by name. Raises `NotEvaluatedError` unless each held-out case is in one of them."""
    rows = [row for row in strata.rows if row.by == by]
    values = {row.case_id: row.value for row in rows}
    wanted = [case.case_id for case in pairs.cases]
    missing, doubled = len(set(wanted) - set(values)), len(rows) - len(values)
    if not rows or missing or doubled:
        raise NotEvaluatedError(
            f"{by}: of {counted(missing, 'held-out case')} the group is not known, {doubled} are listed twice."
            if rows
            else f"{by}: no case has a group.",
            remedy="Make the plan again; a part of the holdout is never judged alone.",
        )
    members: dict[str, list[int]] = defaultdict(list)
    for number, case_id in enumerate(wanted):
        members[values[case_id]].append(number)
    return [_group(by, value, numbers, pairs) for value, numbers in sorted(members.items())]


def _group(by: str, value: str, numbers: Sequence[int], pairs: Pairs) -> Group:
    mask = np.zeros(len(pairs.cases), dtype=np.bool_)
    mask[list(numbers)] = True
    return Group(by, value, tuple(numbers), pairs.among(mask))


def _judged(group: Group, terms: Terms, alpha: float) -> Part:
    """Accuracy decides, and balanced accuracy is shown beside it where it exists."""
    where = f"{IN}{group.name}"
    accuracy = losses(group.pairs, [Metric.ACCURACY], where=where, margin=terms.by_margin, alpha=alpha)
    balanced = reported_losses(group.pairs, [Metric.BALANCED_ACCURACY], where=where, alpha=alpha)
    return together([accuracy, Part(figures=balanced.figures)])


def _reported(group: Group, alpha: float) -> Part:
    """Both without a limit. A group of one patient has no interval, so it has no figure."""
    where = f"{IN}{group.name}"
    accuracy = reported_losses(group.pairs, [Metric.ACCURACY], where=where, alpha=alpha)
    balanced = reported_losses(group.pairs, [Metric.BALANCED_ACCURACY], where=where, alpha=alpha)
    return together([accuracy, Part(figures=balanced.figures)])


def _small(groups: list[Group], pairs: Pairs, terms: Terms, alpha: float) -> Part:
    """What becomes of the groups of one field that are too small to be judged."""
    if not groups:
        return Part()
    sizes = ", ".join(group.size for group in groups)
    if terms.small == POOL:
        return _pooled(groups, pairs, terms, alpha)
    reported = together(_reported(group, alpha) for group in groups)
    if terms.small == FAIL:
        return together([Part(lost=(f"A group is too small to be judged: {sizes}",)), reported])
    return together([Part(notes=(f"Too small to be judged, reported only: {sizes}.",)), reported])


def _pooled(groups: list[Group], pairs: Pairs, terms: Terms, alpha: float) -> Part:
    """All small groups of one field as a single one, which is judged if they are large enough together."""
    numbers = sorted(number for group in groups for number in group.numbers)
    others = _group(groups[0].by, f"others ({counted(len(groups), 'group')})", numbers, pairs)
    if others.large:
        return _judged(others, terms, alpha)
    too_small = f"Too small to be judged even together: {others.size}"
    return together([Part(unshown=(too_small,)), _reported(others, alpha)])
