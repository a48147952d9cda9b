"""Which screen a claim has."""

from __future__ import annotations

from collections.abc import Callable

from maintain.errors import NotEvaluatedError
from maintain.vocabulary import Claim
from maintain_pipelines.screening import examples, group, retained
from maintain_pipelines.screening.base import Contest, Screened, left, together


def screen(contest: Contest) -> Screened:
    """Hold a behavioural candidate against its champion on validation cases and the forget set."""
    if contest.plan.claim is Claim.NEVER_SAW:
        return left("No forget case may be measured for the claim never-saw.")
    forgotten = examples.screen if contest.plan.claim is Claim.EXAMPLES else group.screen
    return together((retained.screen(contest), _shown(forgotten, contest)))


# --- private ---------------------------------------------------------------------------------------


def _shown(asked: Callable[[Contest], Screened], contest: Contest) -> Screened:
    """What a screen finds; a figure that cannot be computed leaves the method and says so."""
    try:
        return asked(contest)
    except NotEvaluatedError as error:
        return left(error.message)
