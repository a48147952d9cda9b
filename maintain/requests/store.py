"""Requests as they are kept: the rows of each, of whom it names, and of the images that it is about.

One store over one open unit of work; whoever opened it decides what belongs together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from maintain.clock import timestamp
from maintain.database import UnitOfWork, tables
from maintain.errors import UnknownNameError
from maintain.hashing import Digest
from maintain.requests.facts import About, Person, Request
from maintain.vocabulary import Found, LegalBasis, Reason, RequestState, listed_as

#: States in which something is still owed.
UNFINISHED = tuple(state for state in RequestState if not state.ended)


@dataclass(frozen=True, slots=True)
class RequestStore:
    """Reads and writes requests inside one unit of work."""

    unit: UnitOfWork

    # reading

    def next_name(self, year: int) -> str:
        """The name of the next request of that year, for example R-2026-0007."""
        table, head = tables.request, f"R-{year:04d}-"
        rows = self.unit.rows(select(table.c.request).where(table.c.request.startswith(head)))
        return f"{head}{max((int(row.request.removeprefix(head)) for row in rows), default=0) + 1:04d}"

    def get(self, name: str) -> Request:
        """One request. Raises `UnknownNameError` with the nearest name."""
        row = self.unit.row(select(tables.request).where(tables.request.c.request == name))
        if row is None:
            known = [row.request for row in self.unit.rows(select(tables.request.c.request))]
            raise UnknownNameError("request", name, known)
        return _request(row)

    def all(self, states: Collection[RequestState] = tuple(RequestState)) -> tuple[Request, ...]:
        """Every request in one of these states, in the order of their names."""
        table = tables.request
        wanted = select(table).where(table.c.state.in_([state.value for state in states]))
        return tuple(_request(row) for row in self.unit.rows(wanted.order_by(table.c.filed, table.c.request)))

    def unfinished(self) -> tuple[Request, ...]:
        """Every request of which something is still owed."""
        return self.all(UNFINISHED)

    def people(self, name: str) -> tuple[Person, ...]:
        """Who a request names, in its order."""
        table = tables.request_person
        rows = self.unit.rows(select(table).where(table.c.request == name).order_by(table.c.number))
        return tuple(Person(row.number, row.patient, row.commitment, Found(row.found)) for row in rows)

    def about(self, names: Collection[str]) -> Mapping[str, tuple[About, ...]]:
        """The images of each of these requests; none of one that ended."""
        table, found = tables.request_case, defaultdict(list)
        wanted = select(table).where(table.c.request.in_(list(names)))
        for row in self.unit.rows(wanted.order_by(table.c.request, table.c.case_id)):
            found[row.request].append(About(row.case_id, row.copy))
        return {name: tuple(found[name]) for name in names}

    def marked(self, marks: Collection[str]) -> tuple[str, ...]:
        """The requests that bar somebody with one of these marks, closed ones included."""
        table = tables.barred_person
        rows = self.unit.rows(select(table.c.request).where(table.c.mark.in_(list(marks))).distinct())
        return tuple(sorted(row.request for row in rows))

    def barred(self, name: str) -> frozenset[str]:
        """The images that a request bars, those that were erased for it included; none of one that was withdrawn."""
        listed = tables.suppression
        rows = self.unit.rows(select(listed.c.case_id).where(listed.c.policy == listed_as(name)))
        return frozenset(row.case_id for row in rows)

    def barred_pixels(self) -> frozenset[Digest]:
        """The pictures that an unfinished request bars: a withdrawal must be able to lift that."""
        listed, request = tables.suppression, tables.request
        wanted = select(listed.c.pixels).join(request, listed.c.policy == "request " + request.c.request)
        wanted = wanted.where(request.c.state.in_([state.value for state in UNFINISHED]))
        return frozenset(row.pixels for row in self.unit.rows(wanted.distinct()))

    def barred_for_all(self, case_ids: Iterable[str]) -> int:
        """How many of these images nobody may use already, whatever the reason."""
        listed = tables.suppression
        wanted = select(listed.c.case_id).where(listed.c.model.is_(None), listed.c.case_id.in_(list(case_ids)))
        return len(self.unit.rows(wanted.distinct()))

    def salt_of(self, patient: str) -> bytes:
        """The salt of a patient of the cohort, for the commitment of the ledger."""
        table = tables.patient
        return bytes(self.unit.scalar(select(table.c.salt).where(table.c.patient == patient)))

    def looked_at(self, case_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Of these images those whose patients were held out and looked at, by the model that was judged."""
        image, series, study = tables.image_case, tables.series, tables.study
        look, shown, found = tables.look, tables.look_patient, defaultdict(set)
        wanted = (
            select(look.c.model, image.c.case_id)
            .join(shown, (shown.c.run == look.c.run) & (shown.c.candidate == look.c.candidate))
            .join(study, study.c.patient == shown.c.patient)
            .join(series, series.c.study == study.c.study)
            .join(image, image.c.series == series.c.series)
            .distinct()
        )
        among = frozenset(case_ids)
        for row in self.unit.rows(wanted) if among else ():
            if row.case_id in among:
                found[row.model].add(row.case_id)
        return {model: frozenset(cases) for model, cases in found.items()}

    # writing

    def file(
        self, request: Request, people: Sequence[Person], about: Sequence[About], marks: Mapping[str, Reason]
    ) -> None:
        """Write a new request down: itself, whom it names, its images, and who may not come back."""
        row = asdict(request)
        row |= {"request": row.pop("name"), "received": request.received.isoformat(), "due": request.due.isoformat()}
        self.unit.execute(insert(tables.request), row)
        mine = {"request": request.name}
        self.unit.execute_many(insert(tables.request_person), [{**mine, **asdict(person)} for person in people])
        self.unit.execute_many(insert(tables.request_case), [{**mine, **asdict(one)} for one in about])
        barred = [{**mine, "mark": mark, "reason": reason.value} for mark, reason in marks.items()]
        self.unit.execute_many(insert(tables.barred_person), barred)

    def move(self, name: str, before: RequestState, after: RequestState, *, now: datetime) -> bool:
        """Bring a request from one state to another; False where it is no longer in the first."""
        table = tables.request
        values: dict[str, str | None] = {"state": after.value}
        if after is RequestState.ANSWERED:
            values["answered"] = timestamp(now)
        elif after is RequestState.OPEN:
            values["answered"] = None
        else:
            values["ended"] = timestamp(now)
        mine = update(table).where(table.c.request == name, table.c.state == before.value).values(values)
        return self.unit.execute(mine) == 1

    def lift(self, name: str) -> int:
        """Bar nothing for this request any more, and forget whom it named. Returns how many images it had barred."""
        listed = tables.suppression
        lifted = self.unit.execute(delete(listed).where(listed.c.policy == listed_as(name)))
        for table in (tables.request_case, tables.barred_person):
            self.unit.execute(delete(table).where(table.c.request == name))
        people = tables.request_person
        self.unit.execute(update(people).where(people.c.request == name).values(patient=None))
        return lifted

    def count(self) -> Mapping[RequestState, int]:
        """How many requests there are in each state."""
        table = tables.request
        rows = self.unit.rows(select(table.c.state, func.count().label("requests")).group_by(table.c.state))
        return {RequestState(row.state): row.requests for row in rows}


# --- private ---------------------------------------------------------------------------------------


def _request(row: Row[Any]) -> Request:
    return Request(
        name=row.request,
        reason=Reason(row.reason),
        basis=LegalBasis(row.basis),
        received=date.fromisoformat(row.received),
        due=date.fromisoformat(row.due),
        filed=row.filed,
        actor=row.actor,
        state=RequestState(row.state),
        found=Found(row.found),
        images=row.images,
        copies=row.copies,
        answered=row.answered,
        ended=row.ended,
    )
