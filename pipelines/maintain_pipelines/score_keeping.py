"""Scores are kept and entered in the ledger in one transaction, because they choose what a policy forgets.

The entry holds digests over (case, value) pairs: whoever has the table can prove which scores a policy asked, and
nobody reads a case or a value out of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maintain.cohort import Standing, read_scores, replace_scores, score_states, scores_digest
from maintain.database import UnitOfWork
from maintain_pipelines.context import Context
from maintain_pipelines.score_cases import usable_cases
from maintain_registry import Event, EventKind

FloatArray: TypeAlias = NDArray[np.float64]

#: Subject of the ledger's entry: scores belong to no model.
SUBJECT = "cohort"


@dataclass(frozen=True, slots=True)
class How:
    """How scores were computed: what by, and its version, which rises with every change of what a score says."""

    method: str
    version: int


def keep_scores(
    cases: Sequence[Standing], columns: Mapping[str, FloatArray], how: How, context: Context
) -> frozenset[str]:
    """Write all columns at once, with the ledger's entry, less what was barred since it was read.

    Returns the cases that were kept. What stands there already is neither written nor entered again.
    """
    with context.ledger.begin(context.database) as unit:
        still, passed_over = usable_cases(unit)
        kept = frozenset(case.case_id for case in cases) & {case.case_id for case in still}
        scores = {name: _values(cases, column, kept) for name, column in columns.items()}
        before = {name: read_scores(unit, name) for name in columns}
        if before == scores and _known(unit, columns, how):
            return kept
        for name, values in scores.items():
            replace_scores(unit, name, values, method=how.method, version=how.version, now=context.clock.now())
        body = {
            "scores": {name: _told(scores[name], before[name]) for name in columns},
            "method": how.method,
            "version": how.version,
            "cases": len(kept),
            "passed_over": passed_over,
        }
        context.ledger.append(unit, Event(EventKind.SCORES_COMPUTED, subject=SUBJECT, body=body))
    return kept


# --- private ---------------------------------------------------------------------------------------


def _values(cases: Sequence[Standing], column: FloatArray, kept: frozenset[str]) -> dict[str, float]:
    pairs = zip(cases, column, strict=True)
    return {case.case_id: float(value) for case, value in pairs if case.case_id in kept}


def _told(values: Mapping[str, float], before: Mapping[str, float]) -> dict[str, str | None]:
    """The digest of a score, and of the one of that name that it takes the place of."""
    return {"digest": scores_digest(values), "replaced": scores_digest(before) if before else None}


def _known(unit: UnitOfWork, names: Iterable[str], how: How) -> bool:
    """Whether the scores of these names are this method's."""
    methods = {state.name: How(state.method, state.version) for state in score_states(unit)}
    return all(methods.get(name) == how for name in names)
