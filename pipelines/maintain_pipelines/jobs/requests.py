"""What a call of scheduled work does for people's requests: states brought up to date, those that are ready closed.

Closing erases for good, so a night waits some days after a request was filed, and leaves a request to people about
whom it cannot be excluded that they have other images here; by hand either can be closed at once. What goes wrong is
said and left for the next call: the jobs themselves are not stopped by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from maintain.errors import MaintainError, NothingToDoError
from maintain.requests import Request, RequestStore, deadline_of
from maintain.vocabulary import Found, RequestState
from maintain_pipelines.context import Context
from maintain_pipelines.erasing import close_request, ready
from maintain_pipelines.jobs.told import RequestsTold
from maintain_pipelines.requests import settle_after


def attend(context: Context) -> RequestsTold:
    """Settle every request, close those that are ready and old enough, and say how the others stand."""
    settle_after(context)
    closed = tuple(name for name in _old_enough(context) if not context.stop() and _close(name, context))
    today = context.clock.now().date()
    warn = context.workspace.settings.requests.warn_days
    with context.database.read() as unit:
        left = RequestStore(unit).unfinished()
    stand = [(one.name, deadline_of(one.due, today, warn_days=warn)) for one in left]
    return RequestsTold(
        unfinished=len(left),
        overdue=tuple(name for name, deadline in stand if deadline.overdue),
        due_soon=tuple(name for name, deadline in stand if deadline.soon),
        closed=closed,
    )


# --- private ---------------------------------------------------------------------------------------


def _old_enough(context: Context) -> Iterator[str]:
    grace = timedelta(days=context.workspace.settings.requests.grace_days)
    with context.database.read() as unit:
        answered = RequestStore(unit).all((RequestState.ANSWERED,))
    for one in answered:
        if one.found is not Found.CANNOT_EXCLUDE and _filed(one) + grace <= context.clock.now():
            yield one.name


def _filed(request: Request) -> datetime:
    return datetime.fromisoformat(request.filed)


def _close(name: str, context: Context) -> bool:
    """Whether it was closed; what stands in the way of one that is not ready, its page says."""
    try:
        if ready(name, context):
            return False
        close_request(name, context)
    except NothingToDoError:
        return False
    except MaintainError as error:
        context.talk.say(f"{name} was not closed. {error.message}")
        return False
    context.talk.say(f"{name} is closed.")
    return True
