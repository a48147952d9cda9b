"""Do the intervals keep their level, and how often does a model exactly at a margin pass?

Every bound that a gate decides by is drawn thousands of times from worlds whose true value is known: patients
of two to six images that resemble each other, an honest model and one that is worse, or leaks, by exactly the
margin. What is off is published, not tuned. Cells are resumable.

    python benchmarks/interval_levels.py --repetitions 2000 --out benchmarks/results
"""

from __future__ import annotations

import argparse
import json
import math
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from evidence import read_cells, write_cells
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from maintain.errors import NotEvaluatedError
from maintain.statistics import (
    Arm,
    Metric,
    adjusted_difference,
    calibrated_auc,
    mean_bound,
    paired_bound,
    share_bound,
    tail_share,
)

Floats: TypeAlias = NDArray[np.float64]
Generator: TypeAlias = np.random.Generator
#: One drawn cohort: from a one-sided level to both bounds.
Interval: TypeAlias = Callable[[float], tuple[float, float]]
#: From a generator, patients (in each arm) and the true value to one drawn cohort.
World: TypeAlias = Callable[[Generator, int, float], Interval]

#: Name of script and result.
NAME = "interval_levels"
#: Threads of every figure.
THREADS = 1
#: Patients in each arm.
PATIENTS = (50, 100, 200, 400)
#: Cohorts drawn for a cell: a coverage of 95 % is then known to half a point (standard error).
REPETITIONS = 2000
#: Intervals and the level of each of their bounds.
ALPHAS: Mapping[str, float] = {"95": 0.025, "90": 0.05}
#: What coverage of a 95 % interval is asked for, from so many patients on.
REQUIRED, REQUIRED_FROM = (0.93, 0.97), 100
#: Images of a patient: the worlds of the power study.
FEWEST_IMAGES, MOST_IMAGES = 2, 6
#: Share of latent variance that images of one patient have in common, and that the difficulty explains.
LIKENESS, EXPLAINED = 0.3, 0.35
#: Share of the rarer of two labels.
PREVALENCE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One bound in one world: the true values it is tried at, and the bound by which a gate would pass."""

    says: str
    world: World
    honest: float
    at_margin: float
    passes_by: str


def main() -> None:
    """Compute the missing cells and write both result files after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    for name, patients in ((name, patients) for name in QUESTIONS for patients in PATIENTS):
        for effect in ("honest", "at margin"):
            cell = f"{name}, {patients} patients, {effect}"
            if cells.get(cell, {}).get("repetitions") == arguments.repetitions:
                continue
            cells[cell] = measure(name, patients, effect, repetitions=arguments.repetitions)
            print(f"{cell}: " + ", ".join(f"{key} {value}" for key, value in cells[cell].items()), flush=True)
            write_cells(path, NAME, cells, threads=THREADS)
    path.with_suffix(".md").write_text(render(json.loads(path.read_text())))


def measure(name: str, patients: int, effect: str, *, repetitions: int) -> dict[str, Any]:
    """One cell: how often each bound leaves the true value out, and how often there is no bound."""
    question = QUESTIONS[name]
    truth = question.honest if effect == "honest" else question.at_margin
    generator = np.random.default_rng([zlib.crc32(f"{name} {effect}".encode()), patients])
    below, above = dict.fromkeys(ALPHAS, 0), dict.fromkeys(ALPHAS, 0)
    judged, started = 0, time.perf_counter()
    for _ in range(repetitions):
        interval = question.world(generator, patients, truth)
        try:
            found = {level: interval(alpha) for level, alpha in ALPHAS.items()}
        except NotEvaluatedError:
            continue
        judged += 1
        for level, (low, high) in found.items():
            below[level] += truth < low
            above[level] += truth > high
    return {
        "question": name,
        "patients": patients,
        "effect": effect,
        "truth": truth,
        "repetitions": repetitions,
        "judged": judged,
        **{f"low_above_truth_{level}": below[level] / max(judged, 1) for level in ALPHAS},
        **{f"high_below_truth_{level}": above[level] / max(judged, 1) for level in ALPHAS},
        "seconds": round(time.perf_counter() - started, 1),
    }


def render(document: Mapping[str, Any]) -> str:
    """The table for people: coverage of both intervals, and what passes wrongly at the margin."""
    order = list(QUESTIONS)
    cells = sorted(
        document["cells"].values(), key=lambda c: (order.index(c["question"]), c["patients"], c["effect"] != "honest")
    )
    machine = document["machine"]
    asked = [cell for cell in cells if cell["patients"] >= REQUIRED_FROM]
    off = [cell for cell in asked if not _inside(cell)]
    counts = " or ".join(f"{count:,}" for count in sorted({cell["repetitions"] for cell in cells}))
    lines = [
        "# Intervals keep their level, or it says where not",
        "",
        f"Each row is {counts} cohorts drawn from a world whose true value is known:"
        f" {FEWEST_IMAGES} to {MOST_IMAGES} images a patient, latent likeness within a patient {LIKENESS:g}, patients"
        " as many in each arm. Coverage is asked to be 93 to 97 % at 95 % from 100 patients on. *Wrong PASS*: the"
        " model is worse, or leaks, by exactly the margin, and the one bound that matters still lies inside it;"
        " nominal 2.5 % (the 95 % interval) and 5 % (90 %). Made by `benchmarks/interval_levels.py`.",
        "",
        f"{len(asked) - len(off)} of {len(asked)} cells from {REQUIRED_FROM} patients on are inside. "
        + _said("Too certain", [c for c in off if _coverage(c, "95") < REQUIRED[0]])
        + _said("Wider than needed", [c for c in off if _coverage(c, "95") > REQUIRED[1]]),
        "",
        "| bound | patients | true value | 95 % covers | inside | 90 % covers | wrong PASS, 2.5 % | 5 % | not judged |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_line(cell) for cell in cells),
        "",
        "The worlds:",
        "",
        *(f"- **{name}**: {question.says}" for name, question in QUESTIONS.items()),
        "",
        f"Machine: {machine['cpu']}, {machine['cores']} cores (shared), {machine['threads']} thread, "
        f"{sum(cell['seconds'] for cell in cells):.0f} s in all, Python {machine['python']}; {machine['date']}. "
        f"Code: `{document['code'][:12]}`.",
    ]
    return "\n".join(lines) + "\n"


# --- worlds ----------------------------------------------------------------------------------------


def paired(metric: Metric, *, accuracy: float, disagreement: float) -> World:
    """Two models that answer the same cases alike, one of them changed by the true value of the metric."""
    before = float(norm.ppf(accuracy))

    def draw(generator: Generator, patients: int, truth: float) -> Interval:
        alike = _likeness_of_models(accuracy, disagreement)
        owner = _owners(generator, patients)
        labels = (generator.random(len(owner)) < PREVALENCE).astype(np.int64)
        first = _clustered(generator, owner)
        second = alike * first + math.sqrt(1.0 - alike**2) * _clustered(generator, owner)
        after = _moved(metric, before, truth)
        scores = [
            np.where(labels == 1, 1.0, -1.0) * (mean + noise) for mean, noise in ((before, first), (after, second))
        ]
        first, second = (np.stack([-score, score], axis=1) for score in scores)
        return _ends(partial(paired_bound, metric, labels=labels, before=first, after=second, patients=_names(owner)))

    return draw


def arms(bound: Callable[..., Any], shift: Callable[[float], float], *, accuracy: float | None = None) -> World:
    """A forgotten arm that is moved and a never-seen one; four covariates, as a difficulty proxy gives them.

    With an `accuracy` the values are right or wrong answers; otherwise margins.
    """

    def draw(generator: Generator, patients: int, truth: float) -> Interval:
        pair = []
        for prefix, moved in (("f", shift(truth)), ("n", 0.0)):
            owner = _owners(generator, patients)
            difficulty = _clustered(generator, owner)
            latent = math.sqrt(EXPLAINED) * difficulty + math.sqrt(1.0 - EXPLAINED) * _clustered(generator, owner)
            level = float(norm.ppf(accuracy + (truth if prefix == "f" else 0.0))) if accuracy else moved
            values = (latent + level > 0.0).astype(np.float64) if accuracy else latent + level
            labels = (generator.random(len(owner)) < PREVALENCE).astype(np.float64)
            covariates = np.stack([difficulty, norm.cdf(difficulty), difficulty > 0.0, labels], axis=1)
            pair.append(Arm(values, _names(owner, prefix), covariates.astype(np.float64), np.ones(len(owner))))
        return _ends(partial(bound, *pair))

    return draw


def beside_references(generator: Generator, patients: int, truth: float) -> Interval:
    """A candidate's right answers less the mean of three references', accuracy .75, disagreement .12."""
    accuracy, disagreement, references = 0.75, 0.12, 3
    alike = _likeness_of_models(accuracy, disagreement)
    owner = _owners(generator, patients)
    common = math.sqrt(alike) * _clustered(generator, owner)
    right = [
        common + math.sqrt(1.0 - alike) * _clustered(generator, owner) + float(norm.ppf(level)) > 0.0
        for level in (accuracy + truth, *[accuracy] * references)
    ]
    values = right[0].astype(np.float64) - np.mean(right[1:], axis=0)
    return _ends(partial(mean_bound, values, _names(owner)))


def share(generator: Generator, patients: int, truth: float) -> Interval:
    """Hits that cluster in patients."""
    owner = _owners(generator, patients)
    hits = _clustered(generator, owner) < norm.ppf(truth)
    return _ends(partial(share_bound, hits, _names(owner)))


def attack_shift(auc: float) -> float:
    """By how much margins must move for that AUC once the difficulty is taken out."""
    return math.sqrt(2.0 * (1.0 - EXPLAINED)) * float(norm.ppf(auc))


def tail_shift(beyond: float) -> float:
    """By how much margins must move for that share beyond the 95 % quantile of those that did not."""
    return math.sqrt(1.0 - EXPLAINED) * float(norm.ppf(0.95) - norm.ppf(1.0 - beyond))


#: A new bound is a new line: a world, its honest value, the value at the margin, the bound that passes there.
QUESTIONS: Mapping[str, Question] = {
    "paired accuracy": Question(
        says="two models, accuracy .85, disagreeing on .10 of the cases; margin .05",
        world=paired(Metric.ACCURACY, accuracy=0.85, disagreement=0.10),
        honest=0.0,
        at_margin=-0.05,
        passes_by="low",
    ),
    "paired accuracy, few change": Question(
        says="accuracy .97, disagreeing on .01: too few discordant patients for a plain t; margin .02",
        world=paired(Metric.ACCURACY, accuracy=0.97, disagreement=0.01),
        honest=0.0,
        at_margin=-0.02,
        passes_by="low",
    ),
    "paired balanced accuracy": Question(
        says="as paired accuracy, prevalence .3",
        world=paired(Metric.BALANCED_ACCURACY, accuracy=0.85, disagreement=0.10),
        honest=0.0,
        at_margin=-0.05,
        passes_by="low",
    ),
    "paired AUROC": Question(
        says="as paired accuracy, prevalence .3",
        world=paired(Metric.AUROC, accuracy=0.85, disagreement=0.10),
        honest=0.0,
        at_margin=-0.05,
        passes_by="low",
    ),
    "adjusted difference": Question(
        says="right answers of two arms, accuracy .75, four covariates that explain .35 of the latent variance;"
        " margin .10",
        world=arms(adjusted_difference, lambda truth: truth, accuracy=0.75),
        honest=0.0,
        at_margin=0.10,
        passes_by="high",
    ),
    "adjusted difference, ceiling": Question(
        says="the same at accuracy .85 and .95: the moved arm is nearly always right; margin .10",
        world=arms(adjusted_difference, lambda truth: truth, accuracy=0.85),
        honest=0.0,
        at_margin=0.10,
        passes_by="high",
    ),
    "calibrated AUC": Question(
        says="normal margins of two arms, four covariates that explain .35; margin .10",
        world=arms(calibrated_auc, attack_shift),
        honest=0.50,
        at_margin=0.60,
        passes_by="high",
    ),
    "tail share": Question(
        says="the same margins, the share beyond the never-seen 95 % quantile; limit .10",
        world=arms(tail_share, tail_shift),
        honest=0.05,
        at_margin=0.10,
        passes_by="high",
    ),
    "mean beside references": Question(
        says="a candidate against the mean of three references, accuracy .75, disagreeing on .12; margin .10",
        world=beside_references,
        honest=0.0,
        at_margin=-0.10,
        passes_by="low",
    ),
    "share": Question(
        says="hits that cluster in patients; common (.10), and at the limit of `zero` (.02)",
        world=share,
        honest=0.10,
        at_margin=0.02,
        passes_by="high",
    ),
}


# --- private ---------------------------------------------------------------------------------------


def _ends(bound: Callable[..., Any]) -> Interval:
    """Both bounds of one drawn cohort, by the level of each."""

    def interval(alpha: float) -> tuple[float, float]:
        found = bound(alpha=alpha)
        return found.low, found.high

    return interval


def _owners(generator: Generator, patients: int) -> NDArray[np.int64]:
    """The patient of each case."""
    return np.repeat(np.arange(patients), generator.integers(FEWEST_IMAGES, MOST_IMAGES + 1, patients))


def _names(owner: NDArray[np.int64], prefix: str = "p") -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in owner)


def _clustered(generator: Generator, owner: NDArray[np.int64]) -> Floats:
    """Standard normal noise, alike within a patient."""
    shared = generator.standard_normal(int(owner[-1]) + 1)[owner]
    found: Floats = math.sqrt(LIKENESS) * shared + math.sqrt(1.0 - LIKENESS) * generator.standard_normal(len(owner))
    return found


@cache
def _likeness_of_models(accuracy: float, disagreement: float) -> float:
    """The correlation of two models' noise at which one alone is right in that share of the cases."""
    level = [float(norm.ppf(accuracy))] * 2

    def excess(correlation: float) -> float:
        both = multivariate_normal.cdf(level, cov=[[1.0, correlation], [correlation, 1.0]])
        return 2.0 * (accuracy - float(both)) - disagreement

    return float(brentq(excess, 0.0, 0.99999))


def _moved(metric: Metric, mean: float, truth: float) -> float:
    """The mean that changes the metric by exactly the true value."""
    scale = math.sqrt(2.0) if metric is Metric.AUROC else 1.0
    return float(norm.ppf(norm.cdf(scale * mean) + truth)) / scale


def _coverage(cell: Mapping[str, Any], level: str) -> float:
    return float(1.0 - cell[f"low_above_truth_{level}"] - cell[f"high_below_truth_{level}"])


def _inside(cell: Mapping[str, Any]) -> bool:
    return REQUIRED[0] <= _coverage(cell, "95") <= REQUIRED[1]


def _said(what: str, cells: list[Mapping[str, Any]]) -> str:
    if not cells:
        return f"{what}: none. "
    named = [f"{c['question']}, {c['patients']} patients, {c['effect']} ({_coverage(c, '95'):.1%})" for c in cells]
    return f"{what}: {'; '.join(named)}. "


def _line(cell: Mapping[str, Any]) -> str:
    side = "low_above_truth" if QUESTIONS[cell["question"]].passes_by == "low" else "high_below_truth"
    wrong = [f"{cell[f'{side}_{level}']:.1%}" if cell["effect"] == "at margin" else "-" for level in ALPHAS]
    inside = "-" if cell["patients"] < REQUIRED_FROM else "yes" if _inside(cell) else "**no**"
    columns = (
        cell["question"],
        cell["patients"],
        f"{cell['truth']:g} ({cell['effect']})",
        f"{_coverage(cell, '95'):.1%}",
        inside,
        f"{_coverage(cell, '90'):.1%}",
        *wrong,
        cell["repetitions"] - cell["judged"],
    )
    return f"| {' | '.join(map(str, columns))} |"


if __name__ == "__main__":
    main()
