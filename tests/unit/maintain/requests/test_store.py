"""Requests as they are kept: names run on within a year, states move once, and what ends leaves its marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from helpers.cohorts import NOW, fill, make_case, undone
from maintain.cohort import suppress
from maintain.database import Database, UnitOfWork, create_database
from maintain.errors import UnknownNameError
from maintain.requests import About, Person, Request, RequestStore, usual_basis, worst_found
from maintain.vocabulary import Found, LegalBasis, Reason, RequestState, listed_as

OPEN, ANSWERED, CLOSED, WITHDRAWN = RequestState

WISH = Request(
    name="R-2026-0001",
    reason=Reason.CONSENT,
    basis=LegalBasis.GDPR_7_3,
    received=date(2025, 12, 30),
    due=date(2026, 1, 29),
    filed="2026-01-01T12:00:00Z",
    actor="tests",
    state=OPEN,
    found=Found.IMAGES,
    images=2,
    copies=1,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    found = create_database(tmp_path_factory.mktemp("requests") / "maintain.db")
    yield found
    found.close()


@pytest.fixture
def unit(database: Database) -> Iterator[UnitOfWork]:
    with undone(database) as found:
        yield found


def file(unit: UnitOfWork, name: str = "R-2026-0001", *numbers: int, mark: str = "m1") -> Request:
    wish = replace(WISH, name=name)
    about = [About(f"case-{number:04d}", number > 2) for number in numbers]
    RequestStore(unit).file(wish, [Person(1, "ann", "c0", Found.IMAGES)], about, {mark: Reason.CONSENT})
    cases = [make_case(number) for number in numbers]
    suppress(unit, cases, reason=wish.reason, policy=listed_as(name), model=None, now=NOW)
    return wish


def test_an_unknown_name_is_refused_with_the_nearest(unit: UnitOfWork) -> None:
    file(unit)
    with pytest.raises(UnknownNameError, match="R-2026-0001"):
        RequestStore(unit).get("R-2026-0002")


def test_what_was_filed_is_read_back(unit: UnitOfWork) -> None:
    wish = file(unit, "R-2026-0001", 1, 2, 3)
    store = RequestStore(unit)
    assert store.get("R-2026-0001") == wish
    assert store.people("R-2026-0001") == (Person(1, "ann", "c0", Found.IMAGES),)
    assert [one.copy for one in store.about(["R-2026-0001"])["R-2026-0001"]] == [False, False, True]
    assert store.marked(["m1", "m2"]) == ("R-2026-0001",)
    assert store.count() == {OPEN: 1}


def test_names_run_on_within_their_year(unit: UnitOfWork) -> None:
    store = RequestStore(unit)
    assert store.next_name(2026) == "R-2026-0001"
    file(unit, "R-2026-0009")
    file(unit, "R-2025-0044")
    assert [store.next_name(year) for year in (2025, 2026, 2027)] == ["R-2025-0045", "R-2026-0010", "R-2027-0001"]


def test_a_state_moves_from_where_it_is_and_from_nowhere_else(unit: UnitOfWork) -> None:
    file(unit)
    store = RequestStore(unit)
    assert store.move("R-2026-0001", OPEN, ANSWERED, now=NOW)
    assert not store.move("R-2026-0001", OPEN, ANSWERED, now=NOW)
    assert store.get("R-2026-0001").answered == "2026-01-01T12:00:00Z"
    assert store.move("R-2026-0001", ANSWERED, OPEN, now=NOW)
    assert store.get("R-2026-0001").answered is None
    assert store.move("R-2026-0001", OPEN, WITHDRAWN, now=NOW)
    assert store.get("R-2026-0001").ended == "2026-01-01T12:00:00Z"
    assert store.unfinished() == ()


def test_lifting_touches_one_request_alone(unit: UnitOfWork) -> None:
    file(unit, "R-2026-0001", 1, 2)
    file(unit, "R-2026-0002", 2, mark="m2")
    store = RequestStore(unit)
    assert store.barred_pixels() == {make_case(1).pixels, make_case(2).pixels}
    assert store.lift("R-2026-0001") == 2
    assert store.barred_pixels() == {make_case(2).pixels}
    assert store.marked(["m1", "m2"]) == ("R-2026-0002",)
    assert store.people("R-2026-0001") == (Person(1, None, "c0", Found.IMAGES),)


def test_only_an_unfinished_request_keeps_others_from_listing_its_pictures(unit: UnitOfWork) -> None:
    file(unit, "R-2026-0001", 1)
    store = RequestStore(unit)
    store.move("R-2026-0001", OPEN, CLOSED, now=NOW)
    assert store.barred_pixels() == frozenset()


def test_who_was_never_looked_at_is_not_among_those_who_were(unit: UnitOfWork) -> None:
    fill(unit, [make_case(1)])
    assert RequestStore(unit).looked_at(["case-0001"]) == {}


def test_a_doubt_about_one_is_a_doubt_about_all() -> None:
    assert worst_found([Found.NOBODY, Found.CANNOT_EXCLUDE, Found.IMAGES]) is Found.CANNOT_EXCLUDE
    assert worst_found([Found.NOBODY, Found.IMAGES]) is Found.IMAGES
    assert worst_found([Found.NOBODY]) is Found.NOBODY


def test_a_reason_has_its_usual_basis() -> None:
    assert [usual_basis(reason) for reason in (Reason.CONSENT, Reason.DATA_SUBJECT)] == [
        LegalBasis.GDPR_7_3,
        LegalBasis.GDPR_17_1,
    ]
