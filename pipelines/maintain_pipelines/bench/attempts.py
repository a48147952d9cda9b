"""A method tried on a champion of the bench as a run would try it: made, looked at, screened, judged, and its cost.

What a method costs is counted where it computes: images that any network of the problem answers with a graph kept
for a gradient, whoever asked it, a search for labels included. Looks at validation are not the method's own work
and are timed apart. Seconds are the processor's, since other work on a machine shall not move them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from maintain.imaging import State
from maintain.records import MethodRequest, Setting
from maintain.unlearn import (
    METHODS,
    Heard,
    Judge,
    Standing,
    Unlearned,
    UnlearnRequest,
    Witness,
    load_method,
    resolve_options,
    train,
)
from maintain.unlearn.recipes import NOT_DRAWN_YET, require_recipe
from maintain.vocabulary import Claim, Reason, Role
from maintain_pipelines.bench.desk import Desk, Story
from maintain_pipelines.bench.forge import Forgery, Judged, judge
from maintain_pipelines.bench.problem import Problem
from maintain_pipelines.bench.trainings import Model
from maintain_pipelines.judging import Asking, contest_of, judge_of
from maintain_pipelines.screening import Screened, screen
from maintain_pipelines.screening.base import accuracy, decided

#: The method that trains anew, and the share of its epochs after which a short one stops (feasibility study, 0.4).
RETRAIN, SHORT_SHARE = "retrain", 0.2

#: Where the seeds of attempts begin, away from those of the impostors (0 to 12) of the same champion.
_KIND, _RANGE = 20, 1000

#: No budget is the limit of an attempt.
_STEPS = 10**6


@dataclass(frozen=True, slots=True)
class Cost:
    """Images that were answered with a graph for a gradient; processor seconds without looks, and those of looks."""

    gradients: int
    seconds: float
    looking: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a method left behind: weights, the witness's account, every look, the screen's word and the verdict."""

    state: State
    heard: Heard
    looks: tuple[Standing, ...]
    cost: Cost
    screened: Screened
    judged: Judged


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Shares of cases decided as labelled: of the group, learned and never seen; of the rest, learned and held out.

    `churn` is the share of held-out cases of the rest that are decided otherwise than by the champion.
    """

    forgotten: float
    never_seen: float
    retained: float
    held_out: float
    churn: float


def whole_label(problem: Problem) -> Story:
    """A diagnosis that is retired: the problem's first label, every case of it. Judged by the gate `zero`."""
    gone = problem.blueprint.label_order[0]
    return Story("whole-label", Claim.GROUP, Reason.RETENTION_EXPIRED, lambda case: case.label == gone)


def attempt(
    desk: Desk,
    story: Story,
    method: str,
    options: tuple[Setting, ...] = (),
    *,
    references: tuple[Model, ...] = (),
    run: int = 0,
) -> Attempt:
    """Try a method of the table; options that are not given have the table's defaults.

    Raises:
        InputError: The method or an option is unknown, or the method is not eligible.
        RefusedError: The method diverged, or did not see every forget case.
        NotEvaluatedError: The judge of its looks could not compute a figure.
    """
    asked = MethodRequest(method, resolve_options(METHODS[method], options))
    return _tried(desk, story, asked, load_method(method).unlearn, references, run)


def short_retrain(desk: Desk, story: Story, *, references: tuple[Model, ...] = (), run: int = 0) -> Attempt:
    """Train anew as `retrain` does and stop after a fifth of the epochs, the schedule made for so few."""

    def unlearn(request: UnlearnRequest) -> Unlearned:
        recipe, blueprint = require_recipe(request.spec.recipe), desk.problem.blueprint
        few = max(1, round(SHORT_SHARE * recipe.epochs))
        short = replace(recipe, seed=request.seed, epochs=few, initial_weights=NOT_DRAWN_YET)
        cases = blueprint.loader_cases(request.roles.of(Role.RETAIN), Role.RETAIN)
        return Unlearned(train(blueprint, short, cases, request.pixels, witness=request.witness).state)

    return _tried(desk, story, MethodRequest(RETRAIN, ()), unlearn, references, run)


def behaviour_of(desk: Desk, story: Story, state: State) -> Behaviour:
    """How weights answer the cases of a story."""
    ask = Asking(_request(desk, story, (), 0))
    held_out = ask(state, (Role.HOLDOUT,))
    before = {row.case_id: decided(row) for row in ask(desk.model.state, (Role.HOLDOUT,))}
    return Behaviour(
        forgotten=accuracy(ask(state, (Role.FORGET,))),
        never_seen=accuracy(ask(state, (Role.NEVER_SEEN,))),
        retained=accuracy(ask(state, (Role.RETAIN,))),
        held_out=accuracy(held_out),
        churn=sum(decided(row) != before[row.case_id] for row in held_out) / len(held_out),
    )


def never_seen_accuracy(desk: Desk, story: Story) -> float:
    """The champion's accuracy on never-seen validation cases of the group: what `selective` methods are told."""
    return accuracy(Asking(_request(desk, story, (), 0))(desk.model.state, (Role.NEVER_SEEN_VALIDATION,)))


# --- private ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Meter:
    """What is counted while a method is at work."""

    gradients: int = 0
    looking: float = 0.0
    looks: list[Standing] = field(default_factory=list)

    def watch(self, judge: Judge) -> Judge:
        """The same judge, its looks kept and timed."""

        def watched(state: State) -> Standing:
            started = time.process_time()
            standing = judge(state)
            self.looking += time.process_time() - started
            self.looks.append(standing)
            return standing

        return watched


@contextmanager
def _counting(problem: Problem, meter: _Meter) -> Iterator[None]:
    """Count images that networks of the problem's kind answer with a graph."""
    kind = type(problem.blueprint.build(0))

    def counted(module: nn.Module, inputs: tuple[Tensor, ...], output: object) -> None:
        if type(module) is kind and isinstance(output, Tensor) and output.requires_grad:
            meter.gradients += len(output)

    handle = register_module_forward_hook(counted)
    try:
        yield
    finally:
        handle.remove()


def _tried(
    desk: Desk,
    story: Story,
    asked: MethodRequest,
    unlearn: Callable[[UnlearnRequest], Unlearned],
    references: tuple[Model, ...],
    run: int,
) -> Attempt:
    offered = _offering(desk, story, asked)
    request, meter = _request(offered, story, asked.options, run), _Meter()
    states = tuple(model.state for model in references)
    contest = contest_of(offered.planned(story).plan, request, {}, states)
    request = replace(request, judge=meter.watch(judge_of(contest)), references=states)
    started = time.process_time()
    with _counting(desk.problem, meter):
        state = unlearn(request).state
    seconds = time.process_time() - started - meter.looking
    heard = request.witness.of(state)
    return Attempt(
        state=state,
        heard=heard,
        looks=tuple(meter.looks),
        cost=Cost(meter.gradients, seconds, meter.looking),
        screened=screen(replace(contest, candidate=state)),
        judged=judge(offered, story, Forgery(state, method=asked.name, heard=heard, references=references)),
    )


def _offering(desk: Desk, story: Story, asked: MethodRequest) -> Desk:
    """The same desk, on which the story's only slot lists this method with these options."""
    planned = desk.planned(story)
    slot = replace(planned.slot, methods=(asked,))
    planned = replace(planned, slot=slot, plan=replace(planned.plan, slots=(slot,)))
    return replace(desk, plans={story.name: planned})


def _request(desk: Desk, story: Story, options: tuple[Setting, ...], run: int) -> UnlearnRequest:
    return UnlearnRequest(
        spec=desk.champion.spec,
        manifest=desk.champion.manifest,
        parent_weights=desk.model.weights,
        read_parent=lambda: save(dict(desk.model.state)),
        roles=desk.planned(story).roles,
        pixels=desk.problem.pixels,
        options=options,
        seed=(desk.problem.seed * 100 + _KIND) * _RANGE + run,
        budget_steps=_STEPS,
        witness=Witness(),
    )
