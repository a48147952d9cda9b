"""The gate `rank`: for one patient, where he stands among patients that the model never saw.

With a handful of images nothing can be shown to be forgotten. That something was kept can be shown: a patient who
is answered more surely than nearly all others is remembered. So it fails or says nothing, and never passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from maintain.errors import NotEvaluatedError
from maintain.gates.answers import Answers, answers_of, unusable
from maintain.gates.base import Evidence
from maintain.gates.consumption import counted
from maintain.gates.finding import Finding, explained
from maintain.records import Figure, GateRequest, GateResult
from maintain.statistics import BEHAVIOUR_ALPHA, Arm, patient_rank
from maintain.statistics.metrics import FloatArray
from maintain.vocabulary import Outcome, Role

#: Below so many others even the first rank of all has more than one chance in twenty.
FEWEST_OTHERS = 19


@dataclass(frozen=True, slots=True)
class Rank:
    """How surely one patient is answered, among never-seen patients."""

    request: GateRequest
    name: ClassVar[str] = "rank"

    def measure(self, evidence: Evidence) -> GateResult:
        """FAIL when so high a rank has at most one chance in twenty; otherwise NOT EVALUATED, never PASS.

        Raises `NotEvaluatedError` unless exactly one patient was forgotten and 19 others can be asked.
        """
        if refused := unusable(evidence, Role.FORGET):
            return Finding(tuple(refused), (), "").result(self.request)
        own = answers_of(evidence, evidence.candidate.weights, Role.FORGET)
        if len(set(own.patients)) != 1:
            raise NotEvaluatedError(
                f"A rank is that of one patient; {len(set(own.patients))} were forgotten.",
                remedy="Groups are judged by the other gates; claim `examples` or `group` asks for them.",
            )
        others, who = _others(evidence, own)
        first, second = _arms(evidence, own, others)
        chance = patient_rank(first, second)
        number = len(set(others.patients)) + 1
        place = round(chance * number)
        figures = (
            Figure("chance of so high a rank without a trace", chance, limit=BEHAVIOUR_ALPHA, patients=number),
            Figure("rank", float(place), patients=number),
        )
        ranked = f"the patient ranks {place} of {number} among {who}"
        if chance <= BEHAVIOUR_ALPHA:
            return Finding((f"{ranked}, so a trace was kept",), (), "", figures).result(self.request)
        return Finding((), (f"{ranked}: no trace seen, which proves nothing",), "", figures).result(self.request)

    def explain(self, result: GateResult) -> str:
        """What a rank can say, and what it cannot."""
        asked = (
            "Asked: is the model surer of this one patient's images than of images of nearly all patients it never saw?"
        )
        if result.outcome is Outcome.FAIL:
            return explained(asked, result, passed="", failed="It is, so something of the patient was kept:")
        return f"{asked} This can show that something was kept, never that nothing was: {result.reason}"


# --- private ---------------------------------------------------------------------------------------


def _others(evidence: Evidence, own: Answers) -> tuple[Answers, str]:
    """Never-seen patients of the group with the same labels; held-out ones where the group has none at all."""
    grouped = bool(evidence.roles.of(Role.NEVER_SEEN))
    role = Role.NEVER_SEEN if grouped else Role.HOLDOUT
    who = "never-seen patients of the group" if grouped else "held-out patients of the same labels outside the group"
    answers = answers_of(evidence, evidence.candidate.weights, role)
    stranger = np.asarray([patient not in own.patients for patient in answers.patients], dtype=np.bool_)
    others = answers.among(np.isin(answers.labels, own.labels) & stranger)
    if len(set(others.patients)) < FEWEST_OTHERS:
        raise NotEvaluatedError(
            f"There are {counted(len(set(others.patients)), 'patient')} among {who}; {FEWEST_OTHERS} are needed.",
            remedy="Nothing: so few can show no trace. Digests prove a retrain at any size.",
        )
    return others, who


def _arms(evidence: Evidence, own: Answers, others: Answers) -> tuple[Arm, Arm]:
    """Margins of both, with the proxy's log-probability where it is known of every case, and labels."""
    table = {row.case_id: row.log_probability for row in evidence.difficulty.rows} if evidence.difficulty else {}
    cases = (*own.cases, *others.cases)
    known = all(np.isfinite(table.get(case.case_id, np.nan)) for case in cases)
    first, second = (
        Arm(
            values=answers.margins(),
            patients=answers.patients,
            covariates=_columns(answers, own, table if known else {}),
            weights=np.ones(len(answers.cases)),
        )
        for answers in (own, others)
    )
    return first, second


def _columns(answers: Answers, own: Answers, table: dict[str, float]) -> FloatArray:
    labels = [answers.labels == label for label in np.unique(own.labels)[1:]]
    hard = [[table[case.case_id] for case in answers.cases]] if table else []
    columns = [np.asarray(column, dtype=np.float64) for column in (*hard, *labels)]
    return np.stack(columns, axis=1) if columns else np.empty((len(answers.cases), 0))
