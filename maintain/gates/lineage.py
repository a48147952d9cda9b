"""Retention against the lineage's first version, so that small losses, each within the margin, cannot add up."""

from __future__ import annotations

from maintain.gates.base import Evidence
from maintain.gates.losses import Part, losses, open_where_missing
from maintain.gates.pairs import pairs_of
from maintain.gates.retention_terms import Terms
from maintain.hashing import Digest
from maintain.statistics import Metric

#: Whom the candidate is held against, as figures say it.
AGAINST_FIRST = " against the first version"


def against_first(evidence: Evidence, terms: Terms, *, alpha: float) -> Part:
    """Every loss against the first version, within its own margin; nothing where that is the champion itself.

    Open where the first version was not measured whole.
    """
    first = evidence.first
    if first is None or first == evidence.plan.champion.weights:
        return Part()
    return open_where_missing(AGAINST_FIRST.strip().capitalize(), lambda: _losses(evidence, first, terms, alpha))


# --- private ---------------------------------------------------------------------------------------


def _losses(evidence: Evidence, first: Digest, terms: Terms, alpha: float) -> Part:
    pairs = pairs_of(evidence, first, terms.roles)
    return losses(pairs, Metric, where=AGAINST_FIRST, margin=terms.lineage_margin, alpha=alpha)
