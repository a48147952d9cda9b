"""Scores of the cohort's images, by their pixels alone: quality, and how far each lies from its kind.

Nobody's picture is looked at who took back consent or is suppressed everywhere, nor an exact copy of it.
Images are opened one by one; what is kept of each is a handful of figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from maintain.cohort import Standing
from maintain.hashing import Digest
from maintain.scoring import (
    FAR,
    POOR,
    Grey,
    Histogram,
    appearance,
    grey,
    histogram,
    outlier_scores,
    picture_quality,
    quality_scores,
    shrunk,
)
from maintain.vocabulary import OutlierMethod, ScoreKind
from maintain_pipelines.context import Context
from maintain_pipelines.score_cases import cases_to_score, stratum
from maintain_pipelines.score_keeping import How, keep_scores

FloatArray: TypeAlias = NDArray[np.float64]
T = TypeVar("T")

#: Raised with every change of what a score says of a picture, so that nobody reads two of them as one.
QUALITY_VERSION = OUTLIER_VERSION = 1

#: What the figures of quality are computed by, as it is kept beside them.
NO_REFERENCE = "no-reference"


@dataclass(frozen=True, slots=True)
class Scored:
    """What was computed. `passed_over` are cases that nobody may use; `histogram` is that of the score itself."""

    name: str
    method: str
    version: int
    cases: int
    passed_over: int
    histogram: Histogram


def score_quality(context: Context) -> Scored:
    """Score every usable image as a picture, against others of its device. Raises `NothingToDoError` without any."""
    usable, passed_over = cases_to_score(context)
    pictures = _each_picture(usable, picture_quality, context)
    found = tuple(pictures[case.pixels] for case in usable)
    scores = quality_scores(found, [stratum(case) for case in usable])
    method = f"{NO_REFERENCE} by device"
    columns = {
        ScoreKind.QUALITY.value: scores,
        "sharpness": np.array([one.sharpness for one in found]),
        "exposure": np.array([one.exposure for one in found]),
        "field": np.array([one.field for one in found]),
    }
    keep_scores(usable, columns, How(method, QUALITY_VERSION), context)
    shown = histogram(scores, cut=POOR)
    return Scored(ScoreKind.QUALITY, method, QUALITY_VERSION, len(usable), passed_over, shown)


def score_outliers(context: Context, *, method: OutlierMethod, label: str | None) -> Scored:
    """Score how far every usable image lies from others of its device and, if asked, of its answer to `label`.

    Raises `NothingToDoError` without images, `UnknownNameError` for a label that no usable case has, and
    `NotEvaluatedError` where cases are too few or too alike.
    """
    usable, passed_over = cases_to_score(context, label)
    figures = _each_picture(usable, _figures, context)
    strata = [stratum(case) for case in usable]
    scores = outlier_scores(np.stack([figures[case.pixels] for case in usable]), strata, method=method)
    told = f"{method} by device" + (f" and label.{label}" if label is not None else "")
    keep_scores(usable, {ScoreKind.OUTLIER.value: scores}, How(told, OUTLIER_VERSION), context)
    shown = histogram(scores, cut=FAR)
    return Scored(ScoreKind.OUTLIER, told, OUTLIER_VERSION, len(usable), passed_over, shown)


# --- private ---------------------------------------------------------------------------------------

#: Images between two reports of progress.
_PROGRESS_EVERY = 100


def _each_picture(cases: Sequence[Standing], describe: Callable[[Grey], T], context: Context) -> Mapping[Digest, T]:
    """What is said of each picture, looked at once however many cases show it."""
    found: dict[Digest, T] = {}
    digests = sorted({case.pixels for case in cases})
    for done, digest in enumerate(digests, start=1):
        found[digest] = describe(grey(context.arrays.get(digest)))
        if done % _PROGRESS_EVERY == 0 or done == len(digests):
            context.talk.progress("scoring", done, len(digests))
    return found


def _figures(picture: Grey) -> FloatArray:
    """The appearance of one picture."""
    return np.asarray(appearance(shrunk(picture)[None])[0])
