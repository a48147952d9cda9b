"""What is refused, with the field that is at fault; and what a field means."""

from __future__ import annotations

from datetime import date

import pytest

from maintain.errors import InputError
from maintain_policies.cron import WORDS, read_cron


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not five cron fields"),
        ("0 3 * *", "not five cron fields"),
        ("0 0 3 * * 0", "not five cron fields"),
        ("0 3 * * 0 2026", "not five cron fields"),
        ("@reboot", "not five cron fields"),
        ("@yearly", "not five cron fields"),
        ("60 3 * * 0", "The minute '60' cannot be read: '60' is not a number from 0 to 59"),
        ("-1 3 * * 0", "The minute '-1'"),
        ("1.5 3 * * 0", "The minute '1.5'"),
        ("1,,2 3 * * 0", "The minute '1,,2'"),
        ("1- 3 * * 0", "The minute '1-'"),
        ("0 24 * * 0", "The hour '24'"),
        ("0 3 0 * *", "The day of month '0' cannot be read: '0' is not a number from 1 to 31"),
        ("0 3 32 * *", "The day of month '32'"),
        ("0 3 * 0 *", "The month '0'"),
        ("0 3 * 13 *", "The month '13'"),
        ("0 3 * janu *", "The month 'janu'"),
        ("0 3 * mon *", "'mon' is not a number from 1 to 12, or jan to dec"),
        ("0 3 * * 8", "The day of week '8'"),
        ("0 3 * * jan", "'jan' is not a number from 0 to 7, or sun to sat"),
        ("0 3 mon * *", "The day of month 'mon'"),
        ("5-5 3 * * 0", "the range 5-5 does not rise"),
        ("10-5 3 * * 0", "the range 10-5 does not rise"),
        ("0 3 * dec-feb *", "the range dec-feb does not rise"),
        ("0 3 * * sat-sun", "the range sat-sun does not rise"),
        ("*/0 3 * * 0", "the step 0 is not from 1 to 59"),
        ("*/90 3 * * 0", "the step 90 is not from 1 to 59"),
        ("5/10 3 * * 0", "'5/10' is not *, a value, a range, or a step over * or a range"),
        ("*-5 3 * * 0", "'*-5' is not *"),
        ("H 3 * * 0", "The minute 'h'"),
        ("R(0-29) 3 * * 0", "The minute 'r(0-29)'"),
        ("0 3 L * *", "The day of month 'l'"),
        ("0 3 15W * *", "The day of month '15w'"),
        ("0 3 ? * *", "The day of month '?'"),
        ("0 3 * * 1#2", "The day of week '1#2'"),
        ("0 3 * * L5", "The day of week 'l5'"),
        ("٣ 3 * * 0", "The minute '٣'"),
        ("0 3 30 2 *", "never comes"),
        ("0 3 31 2,4,6,9,11 *", "never comes"),
        ("0 3 */2 * 1", "mean either to some crons and both to others"),
        ("0 3 1 * */2", "mean either to some crons and both to others"),
    ],
)
def test_what_could_surprise_is_refused_with_its_field(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_cron(text)
    assert said in caught.value.message
    assert caught.value.remedy.startswith(("Write", "Name"))


def values(text: str) -> tuple[set[int], set[int], set[int], set[int], set[int]]:
    cron = read_cron(text)
    hours, minutes = ({time[part] for time in cron.times} for part in (0, 1))
    return minutes, hours, set(cron.days), set(cron.months), set(cron.weekdays)


def test_every_part_of_the_grammar() -> None:
    minutes, hours, days, months, weekdays = values("*/25,7 9-17/4 1,15 JAN,jun-aug *")
    assert minutes == {0, 7, 25, 50}
    assert hours == {9, 13, 17}
    assert days == {1, 15}
    assert months == {1, 6, 7, 8}
    assert weekdays == set(range(7))


@pytest.mark.parametrize(
    ("field", "meant"),
    [("0", {0}), ("7", {0}), ("sun", {0}), ("5-7", {5, 6, 0}), ("1-7/2", {1, 3, 5, 0}), ("0-7", {*range(7)})],
)
def test_sunday_is_0_and_7(field: str, meant: set[int]) -> None:
    assert values(f"0 3 * * {field}")[4] == meant


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_the_five_fields_it_stands_for(word: str) -> None:
    assert read_cron(word) == read_cron(WORDS[word])


def test_the_times_of_a_day_are_in_their_order() -> None:
    assert read_cron("30,0 22,3 * * *").times == ((3, 0), (3, 30), (22, 0), (22, 30))


def test_one_day_field_is_a_condition_and_two_are_a_choice() -> None:
    """Of November 2026: the 13th is a Friday, the 20th too."""
    thirteenth, friday, other = date(2026, 11, 13), date(2026, 11, 20), date(2026, 11, 21)
    assert [read_cron("0 3 13 * *").falls_on(day) for day in (thirteenth, friday, other)] == [True, False, False]
    assert [read_cron("0 3 * * 5").falls_on(day) for day in (thirteenth, friday, other)] == [True, True, False]
    assert [read_cron("0 3 13 * 5").falls_on(day) for day in (thirteenth, friday, other)] == [True, True, False]
    assert [read_cron("0 3 13 10 5").falls_on(day) for day in (thirteenth, friday, other)] == [False] * 3


def test_a_day_that_a_month_lacks_never_bars_the_other_field() -> None:
    assert read_cron("0 3 30 2 1").falls_on(date(2026, 2, 2))
