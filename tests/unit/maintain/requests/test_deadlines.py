"""Dates of requests: a letter from the future is refused, and overdue begins the day after."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain.errors import InputError
from maintain.requests import check_dates, deadline_of, usual_due

DAY = date(2026, 3, 31)


@pytest.mark.parametrize(("received", "due"), [(1, 5), (-3, -4), (0, 367)])
def test_dates_that_cannot_be_are_refused(received: int, due: int) -> None:
    with pytest.raises(InputError):
        check_dates(DAY + timedelta(received), DAY + timedelta(due), DAY)


def test_a_letter_of_today_that_was_due_before_today_is_filed() -> None:
    check_dates(DAY - timedelta(40), DAY - timedelta(10), DAY)


@given(st.integers(-500, 500), st.integers(0, 60))
def test_every_day_is_before_on_or_after_the_date(days: int, warn: int) -> None:
    found = deadline_of(DAY + timedelta(days), DAY, warn_days=warn)
    assert found.days == days
    assert found.overdue is (days < 0)
    assert found.soon is (days in range(warn + 1))


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (-2, "OVERDUE since 2 days"),
        (-1, "OVERDUE since 1 day"),
        (0, "due today"),
        (1, "due in 1 day"),
        (9, "due in 9 days"),
    ],
)
def test_it_is_said_in_days(days: int, said: str) -> None:
    assert deadline_of(DAY + timedelta(days), DAY, warn_days=7).spoken() == said


def test_the_usual_date_counts_days_over_months_and_leap_years() -> None:
    assert usual_due(date(2024, 2, 1), answer_days=30) == date(2024, 3, 2)
