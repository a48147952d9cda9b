"""What a network still knows of a withdrawn label, whatever it answers: a linear probe of its last hidden layer.

A masked output gives no case its label any more and has forgotten nothing; the gate `zero` judges outputs, so
its report shows this figure of the candidate beside the champion's.
"""

from __future__ import annotations

import numpy as np

from maintain.errors import NotEvaluatedError
from maintain.gates import whole_labels
from maintain.imaging import model_of
from maintain.measure import last_hidden
from maintain.records import Figure, PlannedCase
from maintain.statistics import auroc, fit_logistic
from maintain.statistics.metrics import FloatArray, IntArray
from maintain.vocabulary import Role
from maintain_pipelines.measuring import Questions, Subject

#: The gate beside which the probe is shown.
ZERO = "zero"

#: What the probe is fitted on, and what it is tried on: never on cases that the champion trained with.
FITTED_ON = (Role.VALIDATION, Role.NEVER_SEEN_VALIDATION)
TRIED_ON = (Role.HOLDOUT, Role.NEVER_SEEN)

#: L2 penalty on coefficients of standardised activations, per case.
PENALTY = 0.01


def probe(name: str, subject: Subject, questions: Questions) -> tuple[Figure, ...]:
    """The AUROC of telling withdrawn from other labels by activations; nothing where either has no case."""
    gone = whole_labels(questions.roles)
    fitted, tried = questions.roles.of(*FITTED_ON), questions.roles.of(*TRIED_ON)
    if any(len(set(_withdrawn(rows, gone))) < 2 for rows in (fitted, tried)):
        return ()
    try:
        model = fit_logistic(_hidden(subject, fitted, questions), _withdrawn(fitted, gone), 2, penalty=PENALTY)
        value = auroc(_withdrawn(tried, gone), model.log_probabilities(_hidden(subject, tried, questions)))
    except NotEvaluatedError:
        return ()
    return (Figure(f"probe AUROC {name}", value, cases=len(tried), patients=len({row.patient for row in tried})),)


# --- private ---------------------------------------------------------------------------------------


def _withdrawn(rows: tuple[PlannedCase, ...], gone: frozenset[str]) -> IntArray:
    return np.array([row.label in gone for row in rows], dtype=np.int64)


def _hidden(subject: Subject, rows: tuple[PlannedCase, ...], questions: Questions) -> FloatArray:
    network = model_of(subject.spec, subject.state)
    return last_hidden(network, subject.spec, rows, questions.pixels, device=questions.device)
