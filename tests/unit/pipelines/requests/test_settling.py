"""A request is answered by a proven version without the person, and open again once that is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from helpers.letters import images_of, wish
from helpers.lineage import MODEL, add_candidate, install, manifest_of
from maintain.clock import FrozenClock
from maintain.cohort import suppressed
from maintain.database import UnitOfWork
from maintain.errors import DamagedError, NothingToDoError, RefusedError, RegistryUnreachableError, UnknownNameError
from maintain.vocabulary import Exposed, ManifestStatus, Reason, RequestState
from maintain_pipelines.context import Context, Talk
from maintain_pipelines.promote import promote
from maintain_pipelines.requests import settle, settle_after, standing_of, standings, withdraw_request
from maintain_pipelines.retire import retire
from maintain_registry import Event, EventKind

OPEN, ANSWERED, WITHDRAWN = RequestState.OPEN, RequestState.ANSWERED, RequestState.WITHDRAWN
OTHER = "second-model"


def state(context: Context, name: str = "R-2026-0001") -> RequestState:
    return standing_of(name, context).request.state


def told(context: Context) -> list[EventKind]:
    with context.database.read() as unit:
        return [entry.event for entry in context.ledger.entries(unit) if entry.event.value.startswith("request-")]


def test_a_name_that_is_none_is_refused_with_the_nearest(context: Context) -> None:
    wish(context, 1)
    for ask in (standing_of, withdraw_request):
        with pytest.raises(UnknownNameError, match=r"Did you mean 'R-2026-0001'"):
            ask("R-2026-001", context)


def test_a_version_that_learned_from_the_person_answers_nothing(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    add_candidate(context, 1, manifest_of(images_of(1)), salt=1)
    assert settle(context) == ()
    assert state(context) is OPEN


@pytest.mark.parametrize("status", [ManifestStatus.DECLARED, ManifestStatus.UNKNOWN])
def test_what_is_not_proven_answers_nothing(context: Context, status: ManifestStatus) -> None:
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    add_candidate(context, 1, manifest_of(images_of(2), status=status), salt=1)
    assert settle(context) == ()
    assert state(context) is OPEN


def test_a_model_of_which_nobody_knows_what_it_learned_keeps_a_request_open(context: Context) -> None:
    install(context, manifest_of((), status=ManifestStatus.UNKNOWN))
    wish(context, 1)
    found = standing_of("R-2026-0001", context, policies=())
    assert found.request.state is OPEN
    assert found.outlook is not None
    assert found.outlook.lineages[0].exposed[0].answer is Exposed.UNKNOWN
    assert "nobody knows what version 1 of triage was trained on" in found.unanswered[0]
    assert found.waits_for == "triage: a person"


def test_a_clean_candidate_answers_each_request_with_its_own_evidence(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2, 3)))
    wish(context, 1)
    wish(context, 2, reason=Reason.DATA_SUBJECT)
    add_candidate(context, 1, manifest_of(images_of(3)), salt=1)
    done = settle(context)
    assert [(one.request, one.now) for one in done] == [("R-2026-0001", ANSWERED), ("R-2026-0002", ANSWERED)]
    assert settle(context) == ()
    (evidence,) = standing_of("R-2026-0002", context).evidence
    assert (evidence.model, evidence.version, evidence.run) == (MODEL, 2, "run-1")
    assert evidence.verdict is not None
    assert evidence.verdict_entry is not None
    with context.database.read() as unit:
        entries = {one.entry: context.ledger.entry(unit, one.entry) for one in done}
    assert [entry.body["request"] for entry in entries.values()] == ["R-2026-0001", "R-2026-0002"]


def test_who_promotes_or_retires_brings_it_up_to_date(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    add_candidate(context, 1, manifest_of(images_of(2)), salt=1)
    promote(MODEL, None, context)
    assert told(context) == [EventKind.REQUEST_FILED, EventKind.REQUEST_ANSWERED]


def test_without_the_version_that_answered_it_is_open_again(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    add_candidate(context, 1, manifest_of(images_of(2)), salt=1)
    settle(context)
    retire(MODEL, 2, context, reason="ticket 4711")
    assert told(context)[-1] is EventKind.REQUEST_REOPENED
    found = standing_of("R-2026-0001", context)
    assert (found.request.state, found.request.answered, found.evidence) == (OPEN, None, ())


def test_every_lineage_must_be_answered(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2)))
    install(context, manifest_of(images_of(1, 3), model=OTHER), salt=7)
    wish(context, 1)
    add_candidate(context, 1, manifest_of(images_of(2)), salt=1)
    assert settle(context) == ()
    found = standing_of("R-2026-0001", context, policies=())
    assert found.outlook is not None
    assert [lineage.model for lineage in found.outlook.unanswered] == [OTHER]
    assert "policy new forget-requests --model second-model" in found.unanswered[0]
    add_candidate(context, 1, manifest_of(images_of(3), model=OTHER), salt=8)
    assert [one.now for one in settle(context)] == [ANSWERED]
    assert [one.model for one in standing_of("R-2026-0001", context).evidence] == [OTHER, MODEL]


def test_what_stands_in_the_way_of_closing_is_named(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    add_candidate(context, 1, manifest_of(images_of(2)), salt=1)
    promote(MODEL, None, context)
    assert "version 1 can be loaded" in standing_of("R-2026-0001", context).unclosed[0]
    retire(MODEL, 1, context, reason="ticket 4711")
    found = standing_of("R-2026-0001", context)
    assert "its weights lie here" in found.unclosed[0]
    assert found.waits_for == "triage 1 to be destroyed"


def test_a_withdrawal_lifts_what_the_request_barred_and_nothing_else(context: Context) -> None:
    wish(context, 1)
    wish(context, 1)
    wish(context, 2)
    done = withdraw_request("R-2026-0001", context)
    assert (done.images, done.still_barred, done.other_requests) == (2, 2, ("R-2026-0002",))
    done = withdraw_request("R-2026-0002", context)
    assert (done.still_barred, done.other_requests) == (0, ())
    with context.database.read() as unit:
        assert set(suppressed(unit, None).cases) == {"case-0003", "case-0004"}
    found = standing_of("R-2026-0001", context)
    assert (found.request.state, found.people[0].patient) == (WITHDRAWN, None)
    assert found.people[0].commitment is not None
    with pytest.raises(NothingToDoError):
        withdraw_request("R-2026-0001", context)
    assert [one.request.name for one in standings(context, states=(OPEN, ANSWERED))] == ["R-2026-0003"]


def test_what_is_being_erased_cannot_be_withdrawn(context: Context) -> None:
    wish(context, 1)
    with context.ledger.begin(context.database) as unit:
        context.ledger.append(unit, Event(EventKind.ERASURE_ORDERED, "cohort", {"request": "R-2026-0001"}))
    with pytest.raises(RefusedError, match="being closed"):
        withdraw_request("R-2026-0001", context)


def test_days_pass_and_it_is_overdue(context: Context) -> None:
    wish(context, 1)
    assert isinstance(context.clock, FrozenClock)
    days: list[tuple[int, bool, bool]] = []
    for moved in (0, 23, 7, 1):
        context.clock.move(seconds=moved * 86_400)
        deadline = standing_of("R-2026-0001", context).deadline
        assert deadline is not None
        days.append((deadline.days, deadline.soon, deadline.overdue))
    assert days == [(30, False, False), (7, True, False), (0, True, False), (-1, False, True)]


def test_without_requests_nothing_is_read(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    install(context, manifest_of(images_of(1)))
    seen: list[Any] = []
    rows = UnitOfWork.rows

    def counted(unit: UnitOfWork, statement: Any) -> Any:
        seen.append(statement)
        return rows(unit, statement)

    monkeypatch.setattr(UnitOfWork, "rows", counted)
    assert settle(context) == ()
    assert len(seen) == 1


def test_dates_are_told_while_the_registry_is_away(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    install(context, manifest_of(images_of(1)))
    wish(context, 1)

    def away(*_: object) -> object:
        raise RegistryUnreachableError("The registry does not answer.")

    monkeypatch.setattr(type(context.store), "models", away)
    (found,) = standings(context)
    assert (found.outlook, found.waits_for) == (None, "the registry to answer")
    assert found.deadline is not None


def test_behind_a_move_a_failure_is_said_and_undoes_nothing(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    install(context, manifest_of(images_of(1)))
    wish(context, 1)

    def broken(*_: object) -> object:
        raise DamagedError("The registry is torn.", remedy="Mend it.")

    monkeypatch.setattr(type(context.store), "models", broken)
    said: list[str] = []
    assert settle_after(replace(context, talk=Talk(said.append, lambda *_: None))) == ()
    assert "The registry is torn." in said[0]
