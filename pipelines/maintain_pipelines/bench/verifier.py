"""The verifier on trial: every impostor and every honest candidate, judged over several champions and counted.

First the problem: where a champion does not leak enough, nothing could be shown to be forgotten, and a trial would
only show that gates say no. Then each row: how often it passed, failed, was not evaluated, and how often the gate
that was named for it failed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from maintain.errors import NotEvaluatedError
from maintain.imaging import State
from maintain.vocabulary import Outcome
from maintain_pipelines.bench.desk import EXAMPLES, Desk
from maintain_pipelines.bench.forge import Forgery, Judged, judge
from maintain_pipelines.bench.honest import HONEST, Honest
from maintain_pipelines.bench.impostors import IMPOSTORS, Impostor, retrained

#: What the champion must show: the adjusted AUC of the attack on it, and its held-out gap.
LEAST_AUC, LEAST_GAP = 0.72, 0.20

#: Runs of each candidate on one champion: each with its own seeds.
RUNS_PER_CHAMPION = 3

#: Told after every candidate: how many are judged, and how many there are.
Progress: TypeAlias = Callable[[int, int], None]

_AUC, _GAP = "attack on the champion, AUC", "the champion's difference"


@dataclass(frozen=True, slots=True)
class Signal:
    """How much the champion leaks: what a trial stands on."""

    auc: float
    gap: float

    @property
    def enough(self) -> bool:
        """Whether forgetting could be shown at all."""
        return self.auc >= LEAST_AUC and self.gap >= LEAST_GAP


@dataclass(frozen=True, slots=True)
class Tally:
    """How one candidate ended, over its runs. `named_gate` is empty for an honest one."""

    name: str
    runs: int
    passed: int
    failed: int
    not_evaluated: int
    named_gate: str
    failed_by_named_gate: int

    def document(self) -> dict[str, Any]:
        """The row as JSON."""
        return {
            "name": self.name,
            "runs": self.runs,
            "pass": self.passed,
            "fail": self.failed,
            "not_evaluated": self.not_evaluated,
            "named_gate": self.named_gate or None,
            "failed_by_named_gate": self.failed_by_named_gate,
        }


@dataclass(frozen=True, slots=True)
class Trial:
    """Every row of a trial. `beyond` are impostors that no gate is expected to catch, published with the reason."""

    signals: tuple[Signal, ...]
    impostors: tuple[Tally, ...]
    beyond: tuple[Tally, ...]
    honest: tuple[Tally, ...]

    @property
    def fooled(self) -> tuple[str, ...]:
        """The impostors that passed although a gate was named for them."""
        return tuple(row.name for row in self.impostors if row.passed)

    def document(self) -> dict[str, Any]:
        """The trial as JSON."""
        reasons = {impostor.name: impostor.beyond for impostor in IMPOSTORS}
        return {
            "signal": [{"auc": round(signal.auc, 4), "gap": round(signal.gap, 4)} for signal in self.signals],
            "impostors": [row.document() for row in self.impostors],
            "honest": [row.document() for row in self.honest],
            "beyond_gates": [{**row.document(), "reason": reasons[row.name]} for row in self.beyond],
        }


def signal_of(desk: Desk) -> Signal:
    """How much a champion leaks, by the gates' own figures beside an honest retrain.

    Raises `NotEvaluatedError` where even that could not be measured.
    """
    judged = judge(desk, EXAMPLES, Forgery(retrained(desk, EXAMPLES, 0).state))
    figures = {figure.name: figure.value for result in judged.gates for figure in result.figures}
    if _AUC not in figures or _GAP not in figures:
        raise NotEvaluatedError(f"No signal: the champion's leak was not measured. {judged.reason}", remedy=_REMEDY)
    return Signal(figures[_AUC], figures[_GAP])


def check_signal(signal: Signal) -> None:
    """Raise `NotEvaluatedError` unless forgetting could be shown on this champion."""
    if not signal.enough:
        raise NotEvaluatedError(
            f"No signal: the attack on the champion has an AUC of {signal.auc:.3f} and its held-out gap is"
            f" {signal.gap:.3f}; at least {LEAST_AUC:g} and {LEAST_GAP:g} are needed.",
            remedy=_REMEDY,
        )


def verdict_of(desk: Desk, candidate: Impostor | Honest, run: int) -> Judged:
    """Make one candidate and judge it."""
    return judge(desk, candidate.story, candidate.make(desk, run))


def judged_state(desk: Desk, state: State) -> Judged:
    """Weights from anywhere, offered for the claim `examples` as what a method left behind."""
    return judge(desk, EXAMPLES, Forgery(state))


def champions_for(runs: int) -> int:
    """How many champions so many runs of each candidate are spread over."""
    return -(-runs // RUNS_PER_CHAMPION)


def trial(desks: Iterable[Desk], *, runs: int, progress: Progress) -> Trial:
    """Judge every candidate so often, spread over the champions in turn.

    Raises `NotEvaluatedError` for a champion without signal, before anything is tried on it.
    """
    everyone: Sequence[Impostor | Honest] = (*IMPOSTORS, *HONEST)
    found: dict[str, list[Judged]] = {candidate.name: [] for candidate in everyone}
    signals: list[Signal] = []
    for desk, number in zip(desks, _spread(runs), strict=True):
        signals.append(signal_of(desk))
        check_signal(signals[-1])
        for candidate in everyone:
            for run in range(number):
                found[candidate.name].append(verdict_of(desk, candidate, run))
                progress(sum(map(len, found.values())), runs * len(everyone))
        desk.trainings.drop()
    return counted(found, signals)


def counted(found: Mapping[str, Sequence[Judged]], signals: Sequence[Signal]) -> Trial:
    """The rows of a trial from what was judged."""
    rows = {impostor.name: tally(impostor.name, found[impostor.name], impostor.gate) for impostor in IMPOSTORS}
    return Trial(
        signals=tuple(signals),
        impostors=tuple(rows[impostor.name] for impostor in IMPOSTORS if not impostor.beyond),
        beyond=tuple(rows[impostor.name] for impostor in IMPOSTORS if impostor.beyond),
        honest=tuple(tally(honest.name, found[honest.name], "") for honest in HONEST),
    )


def tally(name: str, judged: Sequence[Judged], gate: str) -> Tally:
    """One row."""
    outcomes = [one.outcome for one in judged]
    return Tally(
        name=name,
        runs=len(judged),
        passed=outcomes.count(Outcome.PASS),
        failed=outcomes.count(Outcome.FAIL),
        not_evaluated=outcomes.count(Outcome.NOT_EVALUATED),
        named_gate=gate,
        failed_by_named_gate=sum(one.outcome_of(gate) is Outcome.FAIL for one in judged) if gate else 0,
    )


# --- private ---------------------------------------------------------------------------------------

_REMEDY = "Choose another seed, or a problem that the champion memorises; nothing was tried on this one."


def _spread(runs: int) -> tuple[int, ...]:
    """How many runs each champion has."""
    whole, rest = divmod(runs, RUNS_PER_CHAMPION)
    return (*(RUNS_PER_CHAMPION,) * whole, *((rest,) if rest else ()))
