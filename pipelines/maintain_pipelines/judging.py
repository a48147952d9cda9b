"""Asking weights on validation while a method is at work: the contest of a plan, and how a look is judged.

Checkpoints are chosen the way methods are (DESIGN §1.3): by the screen of the plan's claim. What never changes in a
search, the champion's and the references' answers and how hard cases are, is asked once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from maintain.hashing import Digest
from maintain.imaging import State, model_of, read_weights_bytes, weights_digest
from maintain.measure import measure, recalibrated
from maintain.records import Difficulty, Measurement, Plan, PlannedCase
from maintain.unlearn import Judge, Standing, UnlearnRequest
from maintain.vocabulary import Role
from maintain_pipelines.difficulty import difficulty_of
from maintain_pipelines.screening import Contest, screen


def contest_of(plan: Plan, request: UnlearnRequest, candidate: State, references: tuple[State, ...] = ()) -> Contest:
    """The contest of a candidate; `replace` its candidate to look at others with what is known already."""
    champion = read_weights_bytes(request.read_parent(), expected=request.parent_weights)
    fixed = frozenset((request.parent_weights, *map(weights_digest, references)))
    return Contest(
        plan=plan,
        roles=request.roles,
        ask=Asking(request, fixed),
        champion=champion,
        candidate=candidate,
        references=references,
        difficulty=_Difficult(request),
        recalibrate=lambda state: _recalibrated(request, state),
    )


def judge_of(contest: Contest) -> Judge:
    """How a look is judged: by the screen, whose score says how far it is from passing."""

    def judge(state: State) -> Standing:
        screened = screen(replace(contest, candidate=state))
        return Standing(screened.score, screened.passed)

    return judge


@dataclass(frozen=True, slots=True)
class Asking:
    """What weights answer for the cases of some roles; answers of `fixed` weights are kept."""

    request: UnlearnRequest
    fixed: frozenset[Digest] = frozenset()
    _kept: dict[tuple[Digest, tuple[Role, ...]], tuple[Measurement, ...]] = field(default_factory=dict)

    def __call__(self, state: State, roles: tuple[Role, ...]) -> tuple[Measurement, ...]:
        """Answers for cases whose label the model knows."""
        digest = weights_digest(state)
        if (digest, roles) in self._kept:
            return self._kept[digest, roles]
        rows = measure(
            model_of(self.request.spec, state),
            self.request.spec,
            self.request.roles.of(*roles),
            self.request.pixels,
            weights=digest,
            device=self.request.device,
        )
        found = tuple(row for row in rows if all(row.label_mask))
        if digest in self.fixed:
            self._kept[digest, roles] = found
        return found


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Difficult:
    """How difficult cases are; fitted once for the cases that are asked for."""

    request: UnlearnRequest
    _kept: dict[tuple[str, ...], Difficulty | None] = field(default_factory=dict)

    def __call__(self, cases: Sequence[PlannedCase]) -> Difficulty | None:
        key = tuple(case.case_id for case in cases)
        if key not in self._kept:
            self._kept[key] = difficulty_of(cases, self.request.roles, self.request.pixels)
        return self._kept[key]


def _recalibrated(request: UnlearnRequest, state: State) -> State | None:
    retained, spec = request.roles.of(Role.RETAIN), request.spec
    return recalibrated(model_of(spec, state), spec, retained, request.pixels, device=request.device)
