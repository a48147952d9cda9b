"""A person takes a request back: what it barred may be used again, unless something else bars it too."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.cohort import CohortStore, suppressed
from maintain.database import UnitOfWork
from maintain.errors import NothingToDoError, RefusedError
from maintain.records import Case
from maintain.requests import RequestStore
from maintain.vocabulary import ConsentStatus, RequestState
from maintain_pipelines.context import Context
from maintain_pipelines.requests.settling import entries_of
from maintain_pipelines.suppress import EVERYWHERE
from maintain_registry import Event, EventKind


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A request that was taken back, by which entry. `still_barred` of its images may not be used for other reasons."""

    request: str
    images: int
    still_barred: int
    other_requests: tuple[str, ...]
    entry: int


def withdraw_request(name: str, context: Context) -> Withdrawn:
    """Lift what a request barred. What was retrained without the person stays as it is.

    Raises:
        NothingToDoError: It was withdrawn before.
        RefusedError: It is closed, or its erasure has begun.
    """
    with context.ledger.begin(context.database) as unit:
        store, cohort = RequestStore(unit), CohortStore(unit)
        request = store.get(name)
        _refuse_ended(unit, name, request.state, context)
        left = cohort.case_ids()  # another request about the same images may have erased some
        cases = cohort.named(one.case_id for one in store.about([name])[name] if one.case_id in left)
        store.lift(name)
        store.move(name, request.state, RequestState.WITHDRAWN, now=context.clock.now())
        others = _others(store, cases)
        barred = _still_barred(unit, cases)
        body = {"request": name, "images": len(cases), "still_barred": barred}
        entry = context.ledger.append(unit, Event(EventKind.REQUEST_WITHDRAWN, EVERYWHERE, body))
    return Withdrawn(name, len(cases), barred, others, entry.number)


# --- private ---------------------------------------------------------------------------------------


def _refuse_ended(unit: UnitOfWork, name: str, state: RequestState, context: Context) -> None:
    if state is RequestState.WITHDRAWN:
        raise NothingToDoError(f"The request {name} was withdrawn before.", remedy="Nothing was changed.")
    ordered = entries_of(unit, name, context, EventKind.ERASURE_ORDERED)
    if state is RequestState.CLOSED or ordered:
        raise RefusedError(
            f"The request {name} is {'closed' if state is RequestState.CLOSED else 'being closed'}: "
            "what there was of the person is erased and cannot be brought back.",
            remedy="Nothing was changed. Images that are to be used again must be read in anew, after a new consent.",
        )


def _others(store: RequestStore, cases: tuple[Case, ...]) -> tuple[str, ...]:
    mine = {case.case_id for case in cases}
    about = store.about([request.name for request in store.unfinished()])
    return tuple(name for name, images in about.items() if any(one.case_id in mine for one in images))


def _still_barred(unit: UnitOfWork, cases: tuple[Case, ...]) -> int:
    """How many nobody may use all the same: another request, a suppression by hand or policy, the consent register."""
    listed = suppressed(unit, None)
    return sum(
        1
        for case in cases
        if case.consent is ConsentStatus.WITHDRAWN or case.case_id in listed.cases or case.pixels in listed.pixels
    )
