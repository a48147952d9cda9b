"""How a letter speaks: dates, numbers and reasons in words, and to whom the images belong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from maintain.vocabulary import Found, LegalBasis, Reason, RequestState

#: What was asked, by reason.
ASKED = {
    Reason.CONSENT: "that {theirs} are no longer used, because consent was withdrawn",
    Reason.DATA_SUBJECT: "that {theirs} are erased",
}

#: The legal basis in plain words.
BASES = {
    LegalBasis.GDPR_7_3: "withdrawal of consent (GDPR, Article 7(3))",
    LegalBasis.GDPR_17_1: "right to erasure (GDPR, Article 17(1))",
    LegalBasis.GDPR_21: "right to object (GDPR, Article 21)",
    LegalBasis.OTHER: "another law or rule, which the office names",
}

#: How a request stands that found images.
STATES = {
    RequestState.OPEN: "in progress",
    RequestState.ANSWERED: "answered, not finished",
    RequestState.CLOSED: "finished",
    RequestState.WITHDRAWN: "taken back",
}


#: How an answered request stands that found none.
WITHOUT_IMAGES = {Found.NOBODY: "answered", Found.CANNOT_EXCLUDE: "not settled"}


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks to one person of themselves, or of several people to whoever wrote for them."""

    people: int

    @property
    def theirs(self) -> str:
        """All images that a letter is about."""
        return "your images" if self.people == 1 else "their images"

    @property
    def all_images(self) -> str:
        """The same, where nobody was spoken of before."""
        return "your images" if self.people == 1 else "the images of the people whom your letter names"

    @property
    def them(self) -> str:
        """Whom."""
        return "you" if self.people == 1 else "them"

    @property
    def number(self) -> str:
        """What we were given."""
        return "number" if self.people == 1 else "numbers"

    @property
    def this_number(self) -> str:
        """The same, pointed at."""
        return "this number" if self.people == 1 else "these numbers"

    @property
    def somebody(self) -> str:
        """Whom, where nobody was spoken of before."""
        return "you" if self.people == 1 else "the people whom your letter names"


def spoken_state(state: RequestState, found: Found) -> str:
    """How a request stands, in words."""
    return WITHOUT_IMAGES.get(found, STATES[state]) if state is RequestState.ANSWERED else STATES[state]


def many(count: int, one: str, several: str | None = None) -> str:
    """A number with its noun."""
    return f"{count} {one if count == 1 else several or one + 's'}"


def spoken_day(day: date | str) -> str:
    """A day, or that of a moment, as people write it."""
    found = date.fromisoformat(day[:10]) if isinstance(day, str) else day
    return f"{found.day} {found:%B %Y}"


def joined(texts: tuple[str, ...]) -> str:
    """One, two and three."""
    return " and ".join((", ".join(texts[:-1]), texts[-1])) if len(texts) > 1 else "".join(texts)
