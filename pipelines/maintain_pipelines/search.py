"""The search: the methods of a slot in order, until one is worth a look at the holdout.

Each is asked whether it can make the claim, whether it may be used here and whether it can be paid
for; what it makes is screened on validation cases. Every answer is written down, whoever it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from maintain.errors import InputError, NotEvaluatedError, RefusedError
from maintain.imaging import State, model_of, read_weights_bytes, weights_digest
from maintain.measure import measure
from maintain.records import Decision, Measurement, MethodRequest, Plan, Slot
from maintain.unlearn import Heard, UnlearnRequest, load_method, method_info, steps_of
from maintain.vocabulary import Claim, Role
from maintain_pipelines.screening import Ask, Screened, retained_loss, screen

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


def search(plan: Plan, slot: Slot, request: UnlearnRequest, tell: TellProgress) -> Found:
    """The first method of the slot that goes on; `request` is completed for each of them.

    Raises:
        InputError: No method can be used; every reason is listed.
        RefusedError: The way out diverged, or a method returned weights that the witness never heard of.
        WaitingError: A training was asked to stop.
    """
    decisions: list[Decision] = []
    for place, method in enumerate(slot.methods):
        decision, product = _try(plan, method, _request(request, method, slot.methods[place + 1 :], tell))
        decisions.append(decision)
        if product is not None:
            return Found(method, product, tuple(decisions))
    told = " ".join(f"{decision.method}: {decision.reason}" for decision in decisions)
    raise InputError(
        f"No method of the plan can be used. {told}", remedy="Mend what can be mended of these; nothing was changed."
    )


# --- private ---------------------------------------------------------------------------------------


def _try(plan: Plan, method: MethodRequest, request: UnlearnRequest) -> tuple[Decision, Product | None]:
    left = _against(plan, method, request)
    if left is not None:
        return Decision(method.name, False, left), None
    try:
        state = load_method(method.name).unlearn(request).state
    except RefusedError as error:
        if _never_saw(method):
            raise
        return Decision(method.name, False, error.message), None
    heard = request.witness.of(state)
    screened = _screened(plan, method, request, state)
    decision = Decision(method.name, screened.passed, screened.reason, heard.steps, screened.figures)
    return decision, Product(state, heard) if screened.passed else None


def _against(plan: Plan, method: MethodRequest, request: UnlearnRequest) -> str | None:
    """Why a method is left before anything is computed, or None."""
    if plan.claim not in method_info(method.name).claims:
        return f"It cannot support the claim {plan.claim}."
    eligibility = load_method(method.name).eligible(request)
    return " ".join(finding.reason for finding in eligibility.blocking) or None


def _screened(plan: Plan, method: MethodRequest, request: UnlearnRequest, state: State) -> Screened:
    champion = read_weights_bytes(request.read_parent(), expected=request.parent_weights)
    ask = _asking(request)
    try:
        if not _never_saw(method):
            return screen(plan, ask, champion=champion, candidate=state)
        figure = retained_loss(ask, champion=champion, candidate=state)
        figures = () if figure is None else (figure,)
    except NotEvaluatedError as error:
        return Screened(_never_saw(method), error.message, ())
    reason = f"Trained anew on the retained cases, so the claim {plan.claim} holds by construction."
    return Screened(True, reason, figures)


def _asking(request: UnlearnRequest) -> Ask:
    def ask(state: State, roles: tuple[Role, ...]) -> tuple[Measurement, ...]:
        rows = measure(
            model_of(request.spec, state),
            request.spec,
            request.roles.of(*roles),
            request.pixels,
            weights=weights_digest(state),
            device=request.device,
        )
        return tuple(row for row in rows if all(row.label_mask))

    return ask


def _request(
    request: UnlearnRequest, method: MethodRequest, later: tuple[MethodRequest, ...], tell: TellProgress
) -> UnlearnRequest:
    """The request for one method: what the search has left to spend, less what the way out will need."""
    return replace(
        request,
        options=method.options,
        budget_steps=request.budget_steps - request.witness.steps - _reserved(request, later),
        progress=lambda epoch, epochs, _loss: tell(method.name, epoch, epochs),
    )


def _reserved(request: UnlearnRequest, later: tuple[MethodRequest, ...]) -> int:
    recipe, retained = request.spec.recipe, len(request.roles.of(Role.RETAIN))
    if recipe is None or not retained or not any(map(_never_saw, later)):
        return 0
    return steps_of(recipe, retained)


def _never_saw(method: MethodRequest) -> bool:
    """Whether the method proves every claim by construction, so that nothing need be measured to choose it."""
    return Claim.NEVER_SAW in method_info(method.name).claims
