"""How hard cases are, said without the model that is judged: a logistic proxy fitted on retained cases.

Whatever a champion learned is in its own idea of difficulty too, so the proxy sees block means of pixels and
labels of retained cases, and nothing else. It is weak and cheap on purpose (feasibility study, section 2); its
share of explained variance is reported by the gates that lean on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maintain.imaging import PixelSource
from maintain.measure import BLOCKS, image_features
from maintain.records import CaseDifficulty, Difficulty, PlannedCase, RoleTable
from maintain.statistics import fit_logistic
from maintain.vocabulary import Role

#: The proxy as a verdict names it: its kind, and the blocks along a side of an image.
PROXY = f"logistic-{BLOCKS}"

#: L2 penalty on coefficients of standardised features, per case: on the default hospital (seed 11) the proxy then
#: explains .53 of a retrain's margins with 650 retained patients and .57 with 150, at or near the least log loss.
PENALTY = 0.1

#: Fewer classes than this leave nothing to be unsure about.
FEWEST_CLASSES = 2


def difficulty_of(cases: Sequence[PlannedCase], roles: RoleTable, pixels: PixelSource) -> Difficulty | None:
    """What the proxy says of these cases; None where the retained cases have fewer than two labels.

    A case whose label no retained case has gets no row: nothing can be said of its label. Raises
    `NotEvaluatedError` where the fit does not end.
    """
    retained = roles.of(Role.RETAIN)
    classes = {label: place for place, label in enumerate(sorted({row.label for row in retained}))}
    known = [case for case in cases if case.label in classes]
    if len(classes) < FEWEST_CLASSES:
        return None
    if not known:
        return Difficulty(PROXY, len(retained), ())
    learned = image_features(pixels, [row.pixels for row in retained])
    labels = np.array([classes[row.label] for row in retained], dtype=np.int64)
    model = fit_logistic(learned.blocks, labels, len(classes), penalty=PENALTY)
    asked = image_features(pixels, [case.pixels for case in known])
    places = np.array([classes[case.label] for case in known], dtype=np.int64)
    logs = model.log_probabilities(asked.blocks)
    own = logs[np.arange(len(known)), places]
    rows = (
        CaseDifficulty(case.case_id, float(log), float(np.exp(log)), bool(right), float(bright), float(spread))
        for case, log, right, bright, spread in zip(
            known, own, logs.argmax(axis=1) == places, asked.brightness, asked.contrast, strict=True
        )
    )
    return Difficulty(PROXY, len(retained), tuple(rows))
