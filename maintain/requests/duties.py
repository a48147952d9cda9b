"""What a request owes each of its images, from where the image was used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maintain.vocabulary import Duty


@dataclass(frozen=True, slots=True)
class Uses:
    """Where images were used by versions whose weights still lie somewhere.

    `unknown`: such a version cannot say what it learned from, so every image counts as learned. `looked` were held out
    and looked at while some version was judged.
    """

    learned: frozenset[str] = frozenset()
    unknown: bool = False
    chosen: frozenset[str] = frozenset()
    looked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DutyCount:
    """How many images of a request have that duty."""

    duty: Duty
    images: int


def duty_of(case_id: str, uses: Uses) -> Duty:
    """The heaviest duty that any use asks for."""
    if uses.unknown or case_id in uses.learned:
        return Duty.UNLEARN
    return Duty.RE_EVALUATE if case_id in uses.chosen or case_id in uses.looked else Duty.ERASE_ONLY


def count_duties(case_ids: Iterable[str], uses: Uses) -> tuple[DutyCount, ...]:
    """Every duty with its number of images, in the order of the vocabulary; none is left out."""
    found = [duty_of(case_id, uses) for case_id in case_ids]
    return tuple(DutyCount(duty, found.count(duty)) for duty in Duty)
