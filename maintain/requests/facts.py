"""What is known of a request: plain values, without anybody's identifier and without free text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from maintain.hashing import Digest
from maintain.vocabulary import Found, LegalBasis, Reason, RequestState


@dataclass(frozen=True, slots=True)
class Request:
    """A wish that the images of one person or several be forgotten; `found` is the worst of theirs."""

    name: str
    reason: Reason
    basis: LegalBasis
    received: date
    due: date
    filed: str
    actor: str
    state: RequestState
    found: Found
    images: int
    copies: int
    answered: str | None = None
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who a request names: a pseudonym until it ends, and the salted commitment that the ledger has.

    Both are None where nobody was found.
    """

    number: int
    patient: str | None
    commitment: Digest | None
    found: Found


@dataclass(frozen=True, slots=True)
class About:
    """An image of a request; an exact copy was filed under somebody else's name."""

    case_id: str
    copy: bool


@dataclass(frozen=True, slots=True)
class Doubts:
    """Why nobody can say that a person is not in the cohort.

    `unlinked`: studies that name nobody; `unasked`: patients of whom an earlier version did not ask; `intakes`: folders
    that were read without keeping who issued the identifiers.
    """

    unlinked: int
    unasked: int
    intakes: int

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.unlinked or self.unasked or self.intakes)


def usual_basis(reason: Reason) -> LegalBasis:
    """The legal basis that a reason has where nobody names one."""
    return LegalBasis.GDPR_7_3 if reason is Reason.CONSENT else LegalBasis.GDPR_17_1


def worst_found(found: Iterable[Found]) -> Found:
    """What is said of a request that names several: a doubt about one is a doubt about all of it."""
    seen = set(found)
    return next((word for word in (Found.CANNOT_EXCLUDE, Found.IMAGES) if word in seen), Found.NOBODY)
