"""The search: the methods of a slot in order, until one is worth a look at the holdout.

Each is asked whether it can make the claim, whether it may be used here, whether it can be paid for and
whether there is anything to compare it with; what it makes is screened on validation cases. Every answer
is written down, whoever it is about. What was trained before stands on the shelf: references to compare
with, and perhaps the retrain itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from maintain.errors import InputError, NotEvaluatedError, RefusedError
from maintain.imaging import State
from maintain.records import Decision, MethodRequest, Plan, Slot
from maintain.unlearn import Heard, UnlearnRequest, load_method, method_info
from maintain_pipelines.cost import RETRAIN, never_saw, reserved_steps
from maintain_pipelines.judging import contest_of, judge_of
from maintain_pipelines.screening import Contest, Screened, hopeless, retained_loss, screen

#: Where a method says how far it is: its name, passes done, passes in all.
TellProgress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Product:
    """Weights of a method, and what the witness heard of the training that ended with them."""

    state: State
    heard: Heard


@dataclass(frozen=True, slots=True)
class Found:
    """The method that goes on, what it made, and every decision that led to it."""

    method: MethodRequest
    product: Product
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What stands ready beside the methods: the references of a group, and the retrain if it was trained before.

    `references` trains what is missing and is asked only where a behavioural method is about to be tried.
    """

    references: Callable[[], tuple[State, ...]] = tuple
    retrained: Callable[[], Product | None] = lambda: None


def search(
    plan: Plan,
    slot: Slot,
    request: UnlearnRequest,
    tell: TellProgress,
    shelf: Shelf | None = None,
    note: Callable[[Decision], None] = lambda _: None,
) -> Found:
    """The first method of the slot that goes on; `request` is completed for each of them, `note` hears each decision.

    Raises:
        InputError: No method can be used; every reason is listed.
        RefusedError: The way out diverged, or a method returned weights that the witness never heard of.
        WaitingError: A training was asked to stop.
    """
    decisions: list[Decision] = []
    ground = _Ground(plan, slot, request, shelf or Shelf())
    for place, method in enumerate(slot.methods):
        completed = _request(ground, method, slot.methods[place + 1 :], tell)
        decision, product = _try(ground, method, completed)
        decisions.append(replace(decision, differing=slot.differing(method)))
        note(decisions[-1])
        if product is not None:
            return Found(method, product, tuple(decisions))
    told = " ".join(f"{decision.told}: {decision.reason}" for decision in decisions)
    raise InputError(
        f"No method of the plan can be used. {told}", remedy="Mend what can be mended of these; nothing was changed."
    )


# --- private ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Ground:
    """What all requests of a slot are tried on: what never changes between them is asked once.

    `screened` counts those that validation was asked about.
    """

    plan: Plan
    slot: Slot
    request: UnlearnRequest
    shelf: Shelf
    screened: int = 0
    _contest: Contest | None = None

    def contest(self) -> Contest:
        """The contest of behavioural candidates. Raises `RefusedError` where no reference can be trained."""
        if self._contest is None:
            self._contest = contest_of(self.plan, self.request, {}, self.shelf.references())
        return self._contest


def _try(ground: _Ground, method: MethodRequest, request: UnlearnRequest) -> tuple[Decision, Product | None]:
    against = _against(ground.plan, method, request)
    if against is not None:
        return Decision(method.name, False, against), None
    if never_saw(method):
        return _anew(ground, method, request)
    try:
        contest = ground.contest()
    except RefusedError as error:
        return Decision(method.name, False, f"It has nothing to be compared with. {error.message}"), None
    if (without := hopeless(contest)) is not None:
        return Decision(method.name, False, without.reason, figures=without.figures), None
    asked = replace(request, judge=judge_of(contest), references=contest.references)
    try:
        state = load_method(method.name).unlearn(asked).state
    except (NotEvaluatedError, RefusedError) as error:
        return Decision(method.name, False, error.message), None
    heard = request.witness.of(state)
    screened = _screened(contest, state)
    tuned = heard.looked or ground.screened > 0
    ground.screened += 1
    decision = Decision(method.name, screened.passed, screened.reason, heard.spent, screened.figures, tuned=tuned)
    return decision, Product(state, heard) if screened.passed else None


def _anew(ground: _Ground, method: MethodRequest, request: UnlearnRequest) -> tuple[Decision, Product]:
    """The way out: what was trained before in just this way or, failing that, a training now."""
    plan = ground.plan
    reason = f"Trained anew on the retained cases, so the claim {plan.claim} holds by construction."
    product, steps = ground.shelf.retrained() if method.name == RETRAIN else None, 0
    if product is not None:
        reason = f"Trained before as a reference; released as it is. {reason}"
    else:
        state = load_method(method.name).unlearn(request).state
        product = Product(state, request.witness.of(state))
        steps = product.heard.steps
    tuned = product.heard.looked
    try:
        contest = contest_of(plan, request, product.state)
        lost = retained_loss(contest.ask, champion=contest.champion, candidate=product.state)
    except NotEvaluatedError as error:
        return Decision(method.name, True, error.message, steps, tuned=tuned), product
    return Decision(method.name, True, reason, steps, () if lost is None else (lost,), tuned=tuned), product


def _against(plan: Plan, method: MethodRequest, request: UnlearnRequest) -> str | None:
    """Why a method is left before anything is computed, or None."""
    if plan.claim not in method_info(method.name).claims:
        return f"It cannot support the claim {plan.claim}."
    eligibility = load_method(method.name).eligible(request)
    return " ".join(finding.reason for finding in eligibility.blocking) or None


def _screened(contest: Contest, state: State) -> Screened:
    try:
        return screen(replace(contest, candidate=state))
    except NotEvaluatedError as error:
        return Screened(False, error.message)


def _request(
    ground: _Ground, method: MethodRequest, later: tuple[MethodRequest, ...], tell: TellProgress
) -> UnlearnRequest:
    """The request for one method: what the search has left to spend, less what the way out will need."""
    request, told = ground.request, ground.slot.told(method)
    return replace(
        request,
        options=method.options,
        budget_steps=request.budget_steps - request.witness.steps - reserved_steps(request.spec, request.roles, later),
        progress=lambda epoch, epochs, _loss: tell(told, epoch, epochs),
    )
