from __future__ import annotations

import math
from typing import Any

import pytest

from maintain.errors import InputError
from maintain_registry.events import Event, EventKind


@pytest.mark.parametrize(
    "body",
    [{"a": math.nan}, {"a": object()}, {"a": {1, 2}}, {"a": b"x"}, {"a": "\ud800"}, {"clock_behind": True}],
)
def test_a_body_that_could_not_be_read_back_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Event(EventKind.RUN_PLANNED, "run", body)


@pytest.mark.parametrize("subject", ["", "a\nb", "a\x00", "\u2028"])
def test_a_subject_is_one_printable_line(subject: str) -> None:
    with pytest.raises(InputError):
        Event(EventKind.RUN_PLANNED, subject, {})


def test_an_event_keeps_its_own_copy_of_the_body() -> None:
    body: dict[str, Any] = {"list": [1], "tuple": (1, 2)}
    event = Event(EventKind.RUN_PLANNED, "run", body)
    body["list"].append(2)
    assert dict(event.body) == {"list": [1], "tuple": [1, 2]}


def test_every_event_is_in_one_of_the_two_lists() -> None:
    notes = {"workspace-created", "cohort-ingested", "snapshot-taken", "run-planned"}
    assert {kind.value for kind in EventKind if not kind.decides} == notes
    assert EventKind.VERSION_REGISTERED.decides
    assert EventKind.SCORES_COMPUTED.decides
