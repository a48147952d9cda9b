"""Scores of the cohort's images: quality, and how far each lies from its kind.

They are computed of pixels alone, or of what a registered model makes of them; what is kept of each image is a
handful of figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
    components,
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
QUALITY_VERSION = OUTLIER_VERSION = FEATURES_VERSION = 1

#: What the figures of quality are computed by, as it is kept beside them.
NO_REFERENCE = "no-reference"


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """One case whose score was kept."""

    case_id: str
    pixels: Digest
    value: float


@dataclass(frozen=True, slots=True)
class Scored:
    """What was computed. `passed_over` are cases that nobody may use; `histogram` is that of the score itself."""

    name: str
    method: str
    version: int
    cases: int
    passed_over: int
    histogram: Histogram
    each: tuple[ScoredCase, ...] = field(repr=False)


def score_quality(context: Context) -> Scored:
    """Score every usable image as a picture, against others of its device. Raises `NothingToDoError` without any."""
    usable, passed_over = cases_to_score(context)
    pictures = _each_picture(usable, picture_quality, context)
    found = tuple(pictures[case.pixels] for case in usable)
    scores = quality_scores(found, [stratum(case) for case in usable])
    columns = {
        ScoreKind.QUALITY.value: scores,
        "sharpness": np.array([one.sharpness for one in found]),
        "exposure": np.array([one.exposure for one in found]),
        "field": np.array([one.field for one in found]),
    }
    how = How(f"{NO_REFERENCE} by device", QUALITY_VERSION)
    return _kept(ScoreKind.QUALITY, _Asked(usable, passed_over), columns, how, context)


def score_outliers(
    context: Context, *, method: OutlierMethod, label: str | None = None, model: str | None = None
) -> Scored:
    """Score how far every usable image lies from others of its device and, if asked, of its answer to `label`.

    Pictures are described by their appearance, or by what a registered `model` (MODEL or MODEL:VERSION) makes of them.
    Raises `NothingToDoError` without images, `UnknownNameError` for a label that no usable case has, and
    `NotEvaluatedError` where cases are too few or too alike; and what `open_reader` and its features raise.
    """
    usable, passed_over = cases_to_score(context, label)
    strata = [stratum(case) for case in usable]
    told = f"{method} by device" + (f" and label.{label}" if label is not None else "")
    if model is None:
        figures, how = _appearances(usable, context), How(told, OUTLIER_VERSION)
    else:
        figures, reader = _model_features(model, usable, strata, context)
        how = How(f"{told} on {figures.shape[1]} components of {reader}", FEATURES_VERSION)
    scores = outlier_scores(figures, strata, method=method)
    return _kept(ScoreKind.OUTLIER, _Asked(usable, passed_over), {ScoreKind.OUTLIER.value: scores}, how, context)


# --- private ---------------------------------------------------------------------------------------

#: Where a score begins to be far.
_CUTS = {ScoreKind.OUTLIER: FAR, ScoreKind.QUALITY: POOR}

#: Images between two reports of progress.
_PROGRESS_EVERY = 100


@dataclass(frozen=True, slots=True)
class _Asked:
    """The cases that are scored, and how many others there are."""

    usable: tuple[Standing, ...]
    passed_over: int


def _each_picture(cases: Sequence[Standing], describe: Callable[[Grey], T], context: Context) -> Mapping[Digest, T]:
    """What is said of each picture, looked at once however many cases show it."""
    found: dict[Digest, T] = {}
    digests = sorted({case.pixels for case in cases})
    for done, digest in enumerate(digests, start=1):
        found[digest] = describe(grey(context.arrays.get(digest)))
        if done % _PROGRESS_EVERY == 0 or done == len(digests):
            context.talk.progress("scoring", done, len(digests))
    return found


def _appearances(cases: Sequence[Standing], context: Context) -> FloatArray:
    figures = _each_picture(cases, lambda picture: appearance(shrunk(picture)[None])[0], context)
    return np.stack([figures[case.pixels] for case in cases])


def _model_features(
    named: str, cases: Sequence[Standing], strata: Sequence[str], context: Context
) -> tuple[FloatArray, str]:
    """The components of a model's last layer, and what the model is called; torch is imported only now."""
    from maintain_pipelines.score_features import open_reader

    reader = open_reader(named, context)
    return components(reader.features(cases, context), strata), reader.told


def _kept(kind: ScoreKind, asked: _Asked, columns: Mapping[str, FloatArray], how: How, context: Context) -> Scored:
    """Keep the columns, and tell of the one that is called as the kind."""
    kept = keep_scores(asked.usable, columns, how, context)
    scores = columns[kind.value]
    each = tuple(
        ScoredCase(case.case_id, case.pixels, float(value))
        for case, value in zip(asked.usable, scores, strict=True)
        if case.case_id in kept
    )
    shown = histogram(scores, cut=_CUTS[kind])
    return Scored(kind, how.method, how.version, len(asked.usable), asked.passed_over, shown, each)
