"""Which screen a claim has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from maintain.errors import NotEvaluatedError
from maintain.vocabulary import Claim
from maintain_pipelines.screening import examples, group, retained
from maintain_pipelines.screening.base import Contest, Screened, left, together

#: The gate that asks again with batch statistics made anew.
RECALIBRATED = "bn-recalibration"


def screen(contest: Contest) -> Screened:
    """Hold a behavioural candidate against its champion on validation cases and the forget set."""
    if contest.plan.claim is Claim.NEVER_SAW:
        return left("No forget case may be measured for the claim never-saw.")
    forgotten = examples.screen if contest.plan.claim is Claim.EXAMPLES else group.screen
    return together((retained.screen(contest), *_forgotten(forgotten, contest)))


def hopeless(contest: Contest) -> Screened | None:
    """What leaves every behavioural candidate of the plan, found before any is made; None where nothing does."""
    if contest.plan.claim is not Claim.GROUP:
        return None
    try:
        return group.hopeless(contest)
    except NotEvaluatedError as error:
        return left(error.message)


# --- private ---------------------------------------------------------------------------------------


def _forgotten(asked: Callable[[Contest], Screened], contest: Contest) -> tuple[Screened, ...]:
    """As the weights are and, where the plan asks for that gate, with batch statistics made anew."""
    as_is = _shown(asked, contest)
    if not any(request.name == RECALIBRATED for request in contest.plan.gates):
        return (as_is,)
    anew = contest.recalibrate(contest.candidate)
    if anew is None:
        return (as_is,)
    again = _shown(asked, replace(contest, candidate=anew))
    figures = tuple(replace(one, name=f"{one.name}, statistics made anew") for one in again.figures)
    return (as_is, Screened(again.passed, f"With batch statistics made anew: {again.reason}", figures, again.score))


def _shown(asked: Callable[[Contest], Screened], contest: Contest) -> Screened:
    """What a screen finds; a figure that cannot be computed leaves the method and says so."""
    try:
        return asked(contest)
    except NotEvaluatedError as error:
        return left(error.message)
