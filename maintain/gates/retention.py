"""The gate `retention`: does the candidate still work?

Non-inferiority to the champion on holdout cases outside the forget group, paired by case and clustered by patient;
the same against the lineage's first version and in declared groups; caps on what changes (DESIGN §7). It is a floor,
never a ranking: a model that barely changed wins every ranking by retention, and has forgotten nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from maintain.gates.answers import unusable
from maintain.gates.base import Evidence, judged, listed
from maintain.gates.caps import changes
from maintain.gates.forget_group import beside_the_others
from maintain.gates.lineage import against_first
from maintain.gates.losses import Part, losses, together
from maintain.gates.pairs import left_out, pairs_of
from maintain.gates.reported import reported
from maintain.gates.retention_terms import Terms, terms_of
from maintain.gates.retention_told import told
from maintain.gates.subgroups import in_groups
from maintain.records import GateRequest, GateResult
from maintain.statistics import Metric
from maintain.vocabulary import Outcome

#: Levels are sums of shares, so they are compared with this much room for rounding.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Retention:
    """Accuracy, balanced accuracy and AUROC of the candidate against the champion's, and every part that was asked."""

    request: GateRequest
    name: ClassVar[str] = "retention"

    def measure(self, evidence: Evidence) -> GateResult:
        """PASS when every loss is shown below its margin, FAIL when one is shown above it.

        Raises `NotEvaluatedError` when champion and candidate were not measured on the whole holdout.
        """
        terms = terms_of(self.request)
        if refused := _refused(terms, evidence):
            return judged(self.request, Outcome.FAIL, listed(refused))
        return _whole(evidence, terms, evidence.slot.alpha).result(self.request)

    def explain(self, result: GateResult) -> str:
        """One sentence a part: what was asked, the losses in points with their bounds, and what is shown."""
        return told(result)


# --- private ---------------------------------------------------------------------------------------


def _refused(terms: Terms, evidence: Evidence) -> list[str]:
    """What no number can mend."""
    reasons = unusable(evidence, *terms.roles)
    spent = sum(slot.alpha for slot in evidence.plan.slots)
    if spent > terms.alpha + ROUNDING or not evidence.slot.alpha > 0.0:
        reasons.append("the plan's slots do not share the level that the gate allows")
    return reasons


def _whole(evidence: Evidence, terms: Terms, alpha: float) -> Part:
    """Every part at the slot's level: all must be shown, so none takes from another's."""
    pairs = pairs_of(evidence, evidence.plan.champion.weights, terms.roles)
    before, after = pairs.scored()
    absent = left_out(evidence, terms.roles)
    parts = (
        losses(pairs, Metric, where="", margin=terms.margin, alpha=alpha),
        Part(
            notes=tuple(f"Left out of means over labels, for no case held out or retained has it: {a}." for a in absent)
        ),
        against_first(evidence, terms, alpha=alpha),
        in_groups(evidence, terms, alpha=alpha),
        reported(before, after, pairs.patients, alpha=alpha),
        changes(before, after, pairs.patients, caps=terms.caps, alpha=alpha),
        beside_the_others(evidence, terms, alpha=alpha),
    )
    return together(parts)
