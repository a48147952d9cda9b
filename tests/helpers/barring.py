"""A request that bars a person, as filing one would leave it."""

from __future__ import annotations

from sqlalchemy import insert

from maintain.database import UnitOfWork, tables
from maintain.vocabulary import Found, LegalBasis, Reason, RequestState


def bar(
    unit: UnitOfWork,
    mark: str,
    *,
    number: int = 1,
    reason: Reason = Reason.DATA_SUBJECT,
    state: RequestState = RequestState.OPEN,
) -> None:
    """A request about somebody who was not found, which bars whoever has this mark."""
    name = f"R-2026-{number:04d}"
    request = {
        "request": name,
        "reason": reason.value,
        "basis": LegalBasis.GDPR_17_1.value,
        "received": "2026-01-01",
        "due": "2026-02-01",
        "filed": "2026-01-01",
        "actor": "anna",
        "state": state.value,
        "found": Found.NOBODY.value,
        "images": 0,
        "copies": 0,
    }
    unit.execute(insert(tables.request), request)
    unit.execute(insert(tables.barred_person), {"request": name, "mark": mark, "reason": reason.value})
