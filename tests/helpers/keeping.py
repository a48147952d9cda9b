"""Evidence of what a candidate kept: an older version, declared groups, answers that are wrong where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from helpers.evidence import CANDIDATE, CHAMPION, linked, measured, planned
from maintain import codec
from maintain.gates import Evidence, request_for
from maintain.gates.retention import Retention
from maintain.hashing import Digest, digest_bytes
from maintain.records import (
    Figure,
    GateResult,
    Measurement,
    Measurements,
    PlannedCase,
    RoleTable,
    Scalar,
    Setting,
    Strata,
    Stratum,
)
from maintain.vocabulary import Role

#: The weights of the lineage's first version.
FOUNDER = digest_bytes(b"founder")


def retention_of(evidence: Evidence, **options: Scalar) -> GateResult:
    """The gate with these options, the others as they are by default."""
    return gate(**options).measure(evidence)


def gate(**options: Scalar) -> Retention:
    """The gate with these options."""
    return Retention(request_for("retention", (Setting(name, value) for name, value in options.items())))


def figure_named(result: GateResult, name: str) -> Figure:
    """The one figure of that name."""
    (found,) = (figure for figure in result.figures if figure.name == name)
    return found


def grouped(evidence: Evidence, by: str, value_of: Callable[[PlannedCase], str]) -> Evidence:
    """The same, had the plan filed each held-out case under a value of one more field."""
    told = evidence.strata.rows if evidence.strata else ()
    rows = tuple(Stratum(by, value_of(case), case.case_id) for case in evidence.roles.of(Role.HOLDOUT))
    return with_strata(evidence, Strata((*told, *rows)))


def with_strata(evidence: Evidence, strata: Strata) -> Evidence:
    """The same with another table of groups, which the plan names."""
    plan = replace(evidence.plan, strata=codec.digest_of(strata))
    return linked(replace(evidence, strata=strata, plan=plan))


def number_of(case: PlannedCase) -> int:
    """The number with which the case was planned."""
    return int(case.case_id.rpartition("-")[2])


def with_founder(evidence: Evidence, rows: Collection[Measurement]) -> Evidence:
    """The same, had the lineage begun with a version that answered the holdout as these rows do."""
    older = tuple(replace(row, weights=FOUNDER) for row in rows)
    table = Measurements((*evidence.measurements.rows, *older))
    return replace(evidence, first=FOUNDER, measurements=table)


def answers_by(evidence: Evidence, weights: Digest, role: Role = Role.HOLDOUT) -> tuple[Measurement, ...]:
    """What these weights answered."""
    return evidence.measurements.of(weights, role)


def answered_by_candidate(evidence: Evidence, rows: Collection[Measurement]) -> Evidence:
    """The same, had the candidate answered as these rows do."""
    others = tuple(row for row in evidence.measurements.rows if row.weights != CANDIDATE)
    mine = tuple(replace(row, weights=CANDIDATE) for row in rows)
    return replace(evidence, measurements=Measurements((*others, *mine)))


def barely(row: Measurement, *, right: bool) -> Measurement:
    """The same case, hardly decided at all."""
    return replace(row, logits=(0.1, 0.0) if (row.label == (0,)) == right else (0.0, 0.1))


def is_right(row: Measurement) -> bool:
    """Whether the case is given its label."""
    return row.logits.index(max(row.logits)) == row.label[0]


def losing(rows: Collection[Measurement], *, every: int, start: int = 0) -> tuple[Measurement, ...]:
    """Every so many of the right answers are barely wrong now."""
    found, counted = [], 0
    for row in rows:
        lost = is_right(row) and counted % every == start
        counted += is_right(row)
        found.append(barely(row, right=False) if lost else row)
    return tuple(found)


def with_never_seen(evidence: Evidence, count: int, *, right: bool = True) -> Evidence:
    """The same with so many never-seen cases in all, which the champion answers rightly, the candidate as said."""
    missing = range(len(evidence.roles.of(Role.NEVER_SEEN)), count)
    more = tuple(planned(Role.NEVER_SEEN, number) for number in missing)
    roles = RoleTable(tuple(sorted((*evidence.roles.rows, *more), key=lambda row: row.case_id)))
    rows = [
        barely(measured(case, weights, (0.0, 0.0)), right=right or weights == CHAMPION)
        for case in roles.of(Role.NEVER_SEEN)
        for weights in (CHAMPION, CANDIDATE)
    ]
    table = Measurements((*evidence.measurements.rows, *rows))
    return linked(replace(evidence, roles=roles, measurements=table))
