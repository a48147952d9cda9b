"""How many decisions change, and how many right ones become wrong; a policy may cap either.

A model as good as the last one on average may still answer many cases otherwise, and each of them is a decision
that somebody has to trust anew. Without a cap both are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from maintain.errors import NotEvaluatedError
from maintain.gates.finding import below, figure_of
from maintain.gates.losses import Part, together, why
from maintain.gates.retention_terms import NO_CAP
from maintain.statistics import Bound, Scored, churn, new_misses

#: What is counted, by the name of its figure.
SHARES: Mapping[str, Callable[..., Bound]] = {"churn": churn, "new misses": new_misses}

#: The same in words.
MEANINGS: Mapping[str, str] = {
    "churn": "the share of decisions that change (churn)",
    "new misses": "the share of right decisions that become wrong (new misses)",
}


def changes(before: Scored, after: Scored, patients: Sequence[str], *, caps: Mapping[str, float], alpha: float) -> Part:
    """Both shares with their bounds at level `alpha`; what is below its cap is shown, what is above it lost."""

    def one(name: str, share: Callable[..., Bound]) -> Part:
        cap = caps[name] if caps[name] < NO_CAP else None
        try:
            bound = share(before, after, patients, alpha=alpha)
        except NotEvaluatedError as error:
            return Part(notes=(f"Not reported: {name}: {error.message}",)) if cap is None else _missing(name, error)
        return _held_against(name, bound, cap)

    return together(one(name, share) for name, share in SHARES.items())


# --- private ---------------------------------------------------------------------------------------


def _missing(name: str, error: NotEvaluatedError) -> Part:
    return Part(unshown=(f"{MEANINGS[name]}: {why(error)}",))


def _held_against(name: str, bound: Bound, cap: float | None) -> Part:
    figure = figure_of(name, bound, limit=cap, cases=bound.cases, patients=bound.patients)
    if cap is None:
        return Part(figures=(figure,))
    lost, unshown = below(MEANINGS[name], bound, cap)
    return Part(
        lost=(lost,) if lost else (),
        unshown=(unshown,) if unshown else (),
        kept=() if lost or unshown else (f"{MEANINGS[name]} is shown below {cap:g}",),
        figures=(figure,),
    )
