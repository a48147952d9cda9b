"""What a request says of itself: its state, whom and which images it names, and whether its erasure was ordered."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from maintain.clock import timestamp
from maintain.cohort import Marks, marks_of
from maintain.database import UnitOfWork
from maintain.database import tables as t
from maintain.errors import UnknownNameError
from maintain.vocabulary import Found, Reason, RequestState, listed_as
from maintain_pipelines.context import Context
from maintain_registry import EventKind, stored_body


@dataclass(frozen=True, slots=True)
class Requested:
    """A request as its rows have it, with every mark of those whom it names."""

    name: str
    reason: Reason
    state: RequestState
    found: Found
    marks: Marks


def requested(unit: UnitOfWork, name: str) -> Requested:
    """A request by name. Raises `UnknownNameError` listing those there are."""
    row = unit.row(select(t.request).where(t.request.c.request == name))
    if row is None:
        known = unit.rows(select(t.request.c.request))
        raise UnknownNameError("request", name, [found.request for found in known])
    people, cases, barred = t.request_person, t.request_case, t.suppression
    named = unit.rows(select(people.c.patient).where(people.c.request == name, people.c.patient.is_not(None)))
    listed = unit.rows(select(cases.c.case_id).where(cases.c.request == name))
    shown = unit.rows(select(barred.c.case_id, barred.c.pixels).where(barred.c.policy == listed_as(name)))
    marks = marks_of(
        unit,
        patients=[found.patient for found in named],
        cases=[found.case_id for found in (*listed, *shown)],
        pixels=[found.pixels for found in shown],
    )
    return Requested(name, Reason(row.reason), RequestState(row.state), Found(row.found), marks)


def answered(context: Context) -> tuple[str, ...]:
    """The names of the requests that are answered and not closed."""
    with context.database.read() as unit:
        query = select(t.request.c.request).where(t.request.c.state == RequestState.ANSWERED.value)
        return tuple(row.request for row in unit.rows(query.order_by(t.request.c.request)))


def order_of(unit: UnitOfWork, name: str) -> int | None:
    """The entry by which the erasure for a request was ordered; from then on nothing brings its images back."""
    return _entry(unit, name, EventKind.ERASURE_ORDERED)


def tombstone_of(unit: UnitOfWork, name: str) -> int | None:
    """The entry that says that a request is closed."""
    return _entry(unit, name, EventKind.REQUEST_CLOSED)


def unfinished_erasures(unit: UnitOfWork) -> tuple[tuple[str, int], ...]:
    """The requests whose erasure was ordered and not carried out, each with the entry of the order."""
    ordered, closed = (_entries(unit, kind) for kind in (EventKind.ERASURE_ORDERED, EventKind.REQUEST_CLOSED))
    return tuple((name, entry) for name, entry in ordered.items() if name not in closed)


def others_naming(unit: UnitOfWork, name: str, marks: Marks) -> frozenset[str]:
    """Other requests that are not ended and name one of these people or images: they need their own rows."""
    alive = select(t.request.c.request).where(t.request.c.request != name).where(t.request.c.ended.is_(None))
    people = unit.rows(select(t.request_person).where(t.request_person.c.request.in_(alive)))
    cases = unit.rows(select(t.request_case).where(t.request_case.c.request.in_(alive)))
    return frozenset(row.request for row in people if row.patient in marks.patients) | frozenset(
        row.request for row in cases if row.case_id in marks.cases
    )


def mark_closed(unit: UnitOfWork, name: str, context: Context) -> None:
    """Let a request name nobody any more, and be closed."""
    people, cases = t.request_person, t.request_case
    unit.execute(update(people).where(people.c.request == name).values(patient=None))
    unit.execute(delete(cases).where(cases.c.request == name))
    ended = {"state": RequestState.CLOSED.value, "ended": timestamp(context.clock.now())}
    unit.execute(update(t.request).where(t.request.c.request == name).values(ended))


# --- private ---------------------------------------------------------------------------------------


def _entry(unit: UnitOfWork, name: str, kind: EventKind) -> int | None:
    return _entries(unit, kind).get(name)


def _entries(unit: UnitOfWork, kind: EventKind) -> dict[str, int]:
    """The last entry of a kind about each request, by the name of the request."""
    query = select(t.ledger.c.number, t.ledger.c.body).where(t.ledger.c.event == kind.value)
    rows = unit.rows(query.order_by(t.ledger.c.number))
    return {str(stored_body(row.body).get("request")): int(row.number) for row in rows}
