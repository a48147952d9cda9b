"""A letter is filed: whom it names becomes pseudonyms, and from that moment nobody may use their images.

Everything is one transaction, a table of many letters too. An identifier is neither kept nor said; what remains of it
are pseudonyms until the request ends, and marks that refuse the person's images for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from maintain.clock import timestamp
from maintain.cohort import CohortStore, commitment, coverage, sealed_issuers, suppress
from maintain.database import UnitOfWork
from maintain.errors import InputError, MaintainError
from maintain.intake import Pseudonyms, Wanted, describe_lines, load_pseudonyms, read_wishes, wanted
from maintain.records import Case
from maintain.requests import (
    About,
    Doubts,
    Person,
    Request,
    RequestStore,
    check_dates,
    usual_basis,
    usual_due,
    worst_found,
)
from maintain.vocabulary import Found, LegalBasis, Reason, RequestState, listed_as
from maintain_pipelines.context import Context
from maintain_pipelines.requests.prospect import Outlook, Shelved, outlooks
from maintain_pipelines.requests.settling import settle
from maintain_pipelines.suppress import EVERYWHERE
from maintain_registry import Event, EventKind


@dataclass(frozen=True, slots=True)
class RequestOrder:
    """What a letter says. Dates and basis that are None are the usual ones; nobody's identifier is in it."""

    people: tuple[Wanted, ...] = field(repr=False)
    reason: Reason
    basis: LegalBasis | None = None
    received: date | None = None
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """A request that stands now.

    `newly_suppressed`: images that nothing barred for everybody before; `patients`: whose images are barred, those of
    copies included; `doubts`: why somebody cannot be excluded; `strangers`: people under issuers that no intake met;
    `before`: other requests about the same people. `outlook` is None where the registry could not be asked.
    """

    request: Request
    people: tuple[Person, ...]
    patients: int
    newly_suppressed: int
    doubts: Doubts
    strangers: int
    before: tuple[str, ...]
    outlook: Outlook | None
    entry: int


def order_of(
    identifiers: Sequence[str],
    context: Context,
    *,
    reason: Reason,
    issuer: str | None = None,
    basis: LegalBasis | None = None,
    received: date | None = None,
    due: date | None = None,
) -> RequestOrder:
    """The order of one letter that names these people. Raises `InputError` when it names nobody, or not by the key."""
    pseudonyms, issuers = _key(context)
    people = tuple(dict.fromkeys(wanted(text, issuer, pseudonyms, issuers) for text in identifiers))
    if not people:
        raise InputError("Nobody was named.", remedy="Give the PatientID on stdin, one person a line.")
    return RequestOrder(people, reason, basis, received, due)


def orders_of_table(path: Path, context: Context) -> tuple[RequestOrder, ...]:
    """The orders of a table, in its order. Raises `InputError` naming the lines that are wrong."""
    rows = read_wishes(path, *_key(context))
    for row in rows:
        try:
            _dates(row.received, row.due, context)
        except InputError as error:
            raise InputError(
                f"{path.name}, {describe_lines(row.lines)}: {error.message}",
                remedy="Mend the cell `received` or `due`; either may be empty. Nothing was filed.",
            ) from error
    return tuple(RequestOrder(row.wanted, row.reason, row.basis, row.received, row.due) for row in rows)


def file_request(order: RequestOrder, context: Context, *, policies: Sequence[Shelved] | None = None) -> Filed:
    """File one request. Raises `InputError` where an identifier means several people or a date cannot be."""
    return file_requests((order,), context, policies=policies)[0]


def file_requests(
    orders: Sequence[RequestOrder], context: Context, *, policies: Sequence[Shelved] | None = None
) -> tuple[Filed, ...]:
    """File all of them or none; then say what each asks of every model."""
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    with context.ledger.begin(context.database) as unit:
        doubts = doubts_of(unit)
        filed = [_file(unit, order, pseudonyms, doubts, context) for order in orders]
    try:
        settle(context)
        found = outlooks([one.request for one in filed], context, policies=policies)
    except MaintainError as error:
        context.talk.say(f"What the models learned from them could not be asked. {error.message} {error.remedy}")
        return tuple(filed)
    with context.database.read() as unit:
        store = RequestStore(unit)
        return tuple(
            replace(one, request=store.get(one.request.name), outlook=found[one.request.name]) for one in filed
        )


def doubts_of(unit: UnitOfWork) -> Doubts:
    """What stands against saying that somebody is not in the cohort."""
    reach = coverage(unit)
    return Doubts(unlinked=reach.unlinked, unasked=reach.unknown_links, intakes=reach.intakes_without)


# --- private ---------------------------------------------------------------------------------------


def _key(context: Context) -> tuple[Pseudonyms, tuple[str, ...]]:
    """The pseudonym key of this cohort, and every issuer that an intake met."""
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    with context.database.read() as unit:
        if CohortStore(unit).foreign_keys(pseudonyms.key_id):
            raise InputError(
                "This cohort was read under another pseudonym key, so nobody would be found in it.",
                remedy="Restore the key of this workspace.",
            )
        sealed = sealed_issuers(unit)
    return pseudonyms, tuple(pseudonyms.unseal(text) for text in sealed)


def _file(unit: UnitOfWork, order: RequestOrder, pseudonyms: Pseudonyms, doubts: Doubts, context: Context) -> Filed:
    cohort, store, now = CohortStore(unit), RequestStore(unit), context.clock.now()
    met = [_meet(cohort, number, who, doubts) for number, who in enumerate(order.people, start=1)]
    people = _distinct(met)
    own = tuple(case for person in people if person.patient for case in cohort.of_patient(person.patient))
    copies = cohort.copies(own)
    marks = {
        pseudonyms.barred(name)
        for person, who in zip(met, order.people, strict=True)
        for name in ((person.patient,) if person.patient else who.tried)
    }
    before = store.marked(marks)
    request = _request(order, people, own, copies, context, name=store.next_name(now.year))
    about = [*(About(case.case_id, False) for case in own), *(About(case.case_id, True) for case in copies)]
    store.file(request, people, about, dict.fromkeys(sorted(marks), order.reason))
    cases = (*own, *copies)
    newly = len(cases) - store.barred_for_all(case.case_id for case in cases)
    suppress(unit, cases, reason=order.reason, policy=listed_as(request.name), model=None, now=now)
    patients = {case.patient for case in cases}
    body = {
        "request": request.name,
        "reason": request.reason.value,
        "basis": request.basis.value,
        "received": request.received.isoformat(),
        "due": request.due.isoformat(),
        "found": request.found.value,
        "people": len(people),
        "images": request.images,
        "copies": request.copies,
        "patients": sorted(person.commitment for person in people if person.commitment),
    }
    entry = context.ledger.append(unit, Event(EventKind.REQUEST_FILED, EVERYWHERE, body))
    strangers = sum(1 for person, who in zip(met, order.people, strict=True) if who.stranger and not person.patient)
    return Filed(request, people, len(patients), newly, doubts, strangers, before, None, entry.number)


def _meet(cohort: CohortStore, number: int, who: Wanted, doubts: Doubts) -> Person:
    """Whom the cohort has under one of these pseudonyms. Raises `InputError` when it has several."""
    found = [patient for patient in who.tried if cohort.of_patient(patient)]
    if len(found) > 1:
        raise InputError(
            f"Person {number} of the request: the identifier means {len(found)} people of different issuers.",
            remedy="Say whose it is with `--issuer` (in a table: IssuerOfPatientID). Nothing was filed.",
        )
    if not found:
        doubtful = bool(doubts) or who.stranger
        return Person(number, None, None, Found.CANNOT_EXCLUDE if doubtful else Found.NOBODY)
    return Person(number, found[0], commitment(RequestStore(cohort.unit).salt_of(found[0]), found[0]), Found.IMAGES)


def _distinct(met: Sequence[Person]) -> tuple[Person, ...]:
    """Every person once: two spellings may mean the same one."""
    seen: dict[str, Person] = {}
    for person in met:
        seen.setdefault(person.patient or f"unknown {person.number}", person)
    return tuple(replace(person, number=number) for number, person in enumerate(seen.values(), start=1))


def _dates(received: date | None, due: date | None, context: Context) -> tuple[date, date]:
    """When a letter came and by when it must be answered. Raises `InputError` for dates that cannot be."""
    today, days = context.clock.now().date(), context.workspace.settings.requests.answer_days
    came = received or today
    until = due or usual_due(came, answer_days=days)
    check_dates(came, until, today)
    return came, until


def _request(
    order: RequestOrder,
    people: Sequence[Person],
    own: Sequence[Case],
    copies: Sequence[Case],
    context: Context,
    *,
    name: str,
) -> Request:
    received, due = _dates(order.received, order.due, context)
    return Request(
        name=name,
        reason=order.reason,
        basis=order.basis or usual_basis(order.reason),
        received=received,
        due=due,
        filed=timestamp(context.clock.now()),
        actor=context.ledger.actor,
        state=RequestState.OPEN,
        found=worst_found(person.found for person in people),
        images=len(own),
        copies=len(copies),
    )
