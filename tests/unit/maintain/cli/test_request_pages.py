"""Requests as a person reads them: one is not several, and nothing is said that was not looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from maintain.cli.request_pages import brief_line, filed_lines, list_lines, withdrawn_lines
from maintain.requests import Doubts, Person, Request
from maintain.vocabulary import Found, LegalBasis, Reason, RequestState
from maintain_pipelines.requests import Filed, Withdrawn

TODAY = date(2026, 1, 30)

REQUEST = Request(
    name="R-2026-0001",
    reason=Reason.CONSENT,
    basis=LegalBasis.GDPR_7_3,
    received=date(2026, 1, 1),
    due=date(2026, 1, 31),
    filed="2026-01-01T00:00:00Z",
    actor="officer",
    state=RequestState.OPEN,
    found=Found.IMAGES,
    images=1,
    copies=1,
)

FILED = Filed(REQUEST, (Person(1, "patient", None, Found.IMAGES),), 2, 1, Doubts(0, 0, 0), 0, (), None, 9)


def test_one_is_not_several() -> None:
    said = "\n".join(filed_lines(FILED, TODAY))
    assert "1 image of one person and 1 exact copy under another name may not be used any more" in said
    assert "1 of them was not barred before" in said
    assert "by 2026-01-31 (due in 1 day)" in said


def test_a_date_that_is_past_is_said() -> None:
    assert "by 2026-01-31 (OVERDUE since 1 day)" in "\n".join(filed_lines(FILED, date(2026, 2, 1)))


@pytest.mark.parametrize(
    ("doubts", "said"),
    [
        (Doubts(1, 0, 0), "1 study names nobody"),
        (Doubts(2, 0, 0), "2 studies name nobody"),
        (Doubts(0, 1, 0), "1 patient was read"),
        (Doubts(0, 0, 1), "1 folder was read"),
        (Doubts(0, 0, 0), "file the request again to know"),
    ],
)
def test_what_cannot_be_excluded_has_a_reason(doubts: Doubts, said: str) -> None:
    request = replace(REQUEST, found=Found.CANNOT_EXCLUDE, images=0, copies=0)
    page = "\n".join(filed_lines(replace(FILED, request=request, doubts=doubts), TODAY))
    assert said in page
    assert "refused only under an issuer that is known today" in page


def test_each_letter_of_a_table_says_what_was_found() -> None:
    assert brief_line(FILED) == (
        "R-2026-0001: open, to be answered by 2026-01-31; 1 image and 1 exact copy under another name."
    )
    doubtful = replace(FILED, request=replace(REQUEST, found=Found.CANNOT_EXCLUDE))
    assert "cannot be excluded" in brief_line(doubtful)


def test_a_withdrawal_promises_no_image_that_is_barred_all_the_same() -> None:
    still = "\n".join(withdrawn_lines(Withdrawn("R-2026-0001", 1, 1, ("R-2026-0002",), 9)))
    assert "does not bar its 1 image any more" in still
    assert "again" not in still
    assert "may use the others again" in "\n".join(withdrawn_lines(Withdrawn("R-2026-0001", 3, 1, (), 9)))


def test_an_empty_list_is_said_in_words() -> None:
    assert list_lines([]) == ["No request of this kind. Closed and withdrawn ones are listed with `--all`."]
