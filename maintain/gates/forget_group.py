"""Retention among the forget group's never-seen cases, which is reported apart from the others.

A model that forgot a group is allowed to be worse there, within what other gates allow, so these cases do not dilute
the others and are not hidden by them. A policy may have them judged together instead.
"""

from __future__ import annotations

from maintain.errors import NotEvaluatedError
from maintain.gates.base import Evidence
from maintain.gates.losses import Part, reported_losses
from maintain.gates.pairs import pairs_of
from maintain.gates.retention_terms import Terms
from maintain.statistics import Metric
from maintain.vocabulary import Role

#: Where these figures are found, as their names say it.
ON_FORGET_GROUP = " on the forget group's never-seen cases"


def beside_the_others(evidence: Evidence, terms: Terms, *, alpha: float) -> Part:
    """The three losses there, without a margin; nothing where they are judged with the others or were not measured."""
    models = evidence.plan.champion.weights, evidence.candidate.weights
    measured = all(evidence.measurements.of(weights, Role.NEVER_SEEN) for weights in models)
    if terms.include_forget_group or not measured:
        return Part()
    try:
        pairs = pairs_of(evidence, evidence.plan.champion.weights, (Role.NEVER_SEEN,))
    except NotEvaluatedError as error:
        return Part(notes=(f"Not reported{ON_FORGET_GROUP}: {error.message}",))
    return reported_losses(pairs, Metric, where=ON_FORGET_GROUP, alpha=alpha)
