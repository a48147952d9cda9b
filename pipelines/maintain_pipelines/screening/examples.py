"""The screen of the claim `examples`: can forgotten cases be told from cases that the model never saw?

The group alone has few validation cases, so forgotten ones are held against all of them, difficulty and label mix
taken out (feasibility study, section 5). The gates then judge the group's own never-seen cases, with intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from maintain.imaging import State
from maintain.records import CaseDifficulty, Figure, Measurement
from maintain.statistics import (
    BEHAVIOUR_ALPHA,
    Arm,
    adjusted_difference,
    calibrated_auc,
    log_odds,
    standard_weights,
    tail_share,
)
from maintain.statistics.metrics import FloatArray
from maintain.vocabulary import Role
from maintain_pipelines.screening.base import Contest, Screened, beyond, decided, figure, left, limit_of

#: The cases that no model of the lineage learned from and the search may look at.
NEVER_SEEN = (Role.VALIDATION, Role.NEVER_SEEN_VALIDATION)

#: Largest difference in accuracy, and of the champion's own that may be left (DESIGN §7, `held-out`).
LARGEST_GAP, LARGEST_SHARE_OF_GAP = 0.10, 0.5

#: Largest distance of the attack's AUC from one half (DESIGN §7, `membership`).
CHANCE, LARGEST_AUC_DISTANCE = 0.5, 0.10

#: Largest share in the tail from so many forgotten cases on, and below (DESIGN §7, `membership`).
LARGEST_TAIL, LARGEST_SMALL_TAIL, CASES_FOR_STRICT_TAIL = 0.10, 0.12, 500

#: What is noise in a score, of gap and attack and of the tail, and the weight of the tail (feasibility study, 5).
SLACK, TAIL_SLACK, TAIL = 0.03, 0.06, 2.0

#: From so many patients in both arms on more than one covariate is taken out (power study, section 4).
PATIENTS_FOR_ALL_COLUMNS = 50


def screen(contest: Contest) -> Screened:
    """By gap, attack and tail, each a point estimate. Raises `NotEvaluatedError` where one cannot be computed."""
    known = _difficulty(contest)
    if known is None:
        return left("There are no never-seen validation cases to compare the forget set with.")
    before, after = (_asked(contest, state, known) for state in (contest.champion, contest.candidate))
    figures = _figures(contest, before, after)
    gap, auc, tail = (figures[place] for place in (1, 3, 4))
    if figures[0].value <= 0:
        return left(f"The champion shows nothing to forget ({figures[0].value:+.3f}), so nothing was shown.", *figures)
    said = f"Forgotten and never-seen cases differ by {gap.value:+.3f} (champion {figures[0].value:+.3f})"
    against = []
    if abs(gap.value) > _of(gap):
        against.append(f"{said}, more than {_of(gap):.3f}.")
    if abs(auc.value - CHANCE) > _of(auc) - CHANCE:
        against.append(f"An attack tells them apart with an AUC of {auc.value:.3f}; {_of(auc):g} is allowed.")
    if tail.value >= _of(tail):
        against.append(f"{tail.value:.3f} of forgotten cases lie in the tail of never-seen ones; {_of(tail):g} may.")
    score = (
        beyond(abs(auc.value - CHANCE), SLACK) + beyond(abs(gap.value), SLACK) + TAIL * beyond(tail.value, TAIL_SLACK)
    )
    if against:
        return left(" ".join(against), *figures, score=score)
    return Screened(True, f"{said}, an attack reaches an AUC of {auc.value:.3f}.", figures, score)


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """Both arms as some weights answer them: whether right, and how surely."""

    rows: tuple[Measurement, ...]
    right: tuple[Arm, Arm]
    margins: tuple[Arm, Arm]


def _difficulty(contest: Contest) -> dict[str, CaseDifficulty] | None:
    """Difficulty by case of both arms; None where an arm has no case, or nothing can be said of difficulty."""
    forgotten, unseen = contest.roles.of(Role.FORGET), contest.roles.of(*NEVER_SEEN)
    table = contest.difficulty((*forgotten, *unseen)) if forgotten and unseen else None
    return None if table is None else {row.case_id: row for row in table.rows}


def _asked(contest: Contest, state: State, known: dict[str, CaseDifficulty]) -> _Asked:
    """What these weights answer; cases of unknown difficulty, or of labels that were not forgotten, are left out."""
    forgotten, unseen = (
        tuple(row for row in contest.ask(state, roles) if row.case_id in known)
        for roles in ((Role.FORGET,), NEVER_SEEN)
    )
    labels = {row.label for row in forgotten}
    unseen = tuple(row for row in unseen if row.label in labels)
    sides = (forgotten, unseen)
    ours, theirs = ([row.label[0] for row in rows] for rows in sides)
    weights = (np.ones(len(ours)), standard_weights(ours, theirs))
    whole = min(len({row.patient for row in rows}) for rows in sides) >= PATIENTS_FOR_ALL_COLUMNS
    covariates = [[_columns(known[row.case_id], whole=whole) for row in rows] for rows in sides]

    def arms(values: Callable[[tuple[Measurement, ...]], FloatArray]) -> tuple[Arm, Arm]:
        first, second = (
            Arm(
                values=values(rows),
                patients=tuple(row.patient for row in rows),
                covariates=np.array(columns),
                weights=weight,
            )
            for rows, columns, weight in zip(sides, covariates, weights, strict=True)
        )
        return first, second

    return _Asked(
        rows=(*forgotten, *unseen),
        right=arms(lambda rows: np.array([float(decided(row) == row.label[0]) for row in rows])),
        margins=arms(_margins),
    )


def _margins(rows: tuple[Measurement, ...]) -> FloatArray:
    """The log odds of each case's own label: how surely it is answered."""
    margins: FloatArray = log_odds(np.array([row.logits for row in rows]))[
        np.arange(len(rows)), [row.label[0] for row in rows]
    ]
    return margins


def _columns(found: CaseDifficulty, *, whole: bool) -> tuple[float, ...]:
    return (found.log_probability, *((found.probability, float(found.right)) if whole else ()))


def _figures(contest: Contest, before: _Asked, after: _Asked) -> tuple[Figure, ...]:
    plan, rows = contest.plan, after.rows
    cases = len(after.right[0].values)
    champion = adjusted_difference(*before.right, alpha=BEHAVIOUR_ALPHA).estimate
    candidate = adjusted_difference(*after.right, alpha=BEHAVIOUR_ALPHA).estimate
    gap = min(limit_of(plan, "held-out", "margin", default=LARGEST_GAP), LARGEST_SHARE_OF_GAP * max(champion, 0.0))
    strict = cases >= CASES_FOR_STRICT_TAIL
    option, default = ("tail", LARGEST_TAIL) if strict else ("small_tail", LARGEST_SMALL_TAIL)
    auc = CHANCE + limit_of(plan, "membership", "margin", default=LARGEST_AUC_DISTANCE)
    return (
        figure("champion, forgotten minus never-seen accuracy", champion, rows),
        figure("candidate, forgotten minus never-seen accuracy", candidate, rows, limit=gap),
        figure("champion, attack AUC", calibrated_auc(*before.margins, alpha=BEHAVIOUR_ALPHA).estimate, rows),
        figure(
            "candidate, attack AUC", calibrated_auc(*after.margins, alpha=BEHAVIOUR_ALPHA).estimate, rows, limit=auc
        ),
        figure(
            "candidate, forgotten cases in the tail",
            tail_share(*after.margins, alpha=BEHAVIOUR_ALPHA).estimate,
            rows,
            limit=limit_of(plan, "membership", option, default=default),
        ),
    )


def _of(found: Figure) -> float:
    """The limit of a figure that has one."""
    return 0.0 if found.limit is None else found.limit
