"""A request that is taken back lifts what it barred, also where another one about the same person was closed."""

from __future__ import annotations

from helpers.letters import wish
from maintain.requests import RequestStore
from maintain.vocabulary import RequestState
from maintain_pipelines.context import Context
from maintain_pipelines.erasing import close_request
from maintain_pipelines.requests import withdraw_request


def test_what_another_request_erased_is_withdrawn_without_it(context: Context) -> None:
    first, second = (wish(context, 3).request.name for _ in range(2))
    close_request(first, context)
    done = withdraw_request(second, context)
    assert done.images == 0
    with context.database.read() as unit:
        states = [request.state for request in RequestStore(unit).all()]
    assert states == [RequestState.CLOSED, RequestState.WITHDRAWN]
