"""A letter is filed: nobody is guessed, nothing is kept of an identifier, and its images are barred at once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert, select, update

from helpers.cohorts import arrive, make_case
from helpers.letters import ISSUER, KEY, PEOPLE, images_of, know_issuer, name_of, patient_id, wish
from helpers.lineage import install, manifest_of
from maintain.cohort import CohortStore, suppressed
from maintain.database import tables
from maintain.errors import InputError, WaitingError
from maintain.hashing import digest_bytes
from maintain.intake import Pseudonyms
from maintain.vocabulary import Duty, Found, LegalBasis, Reason, RequestState
from maintain_pipelines.context import Context
from maintain_pipelines.requests import file_request, file_requests, order_of, orders_of_table
from maintain_pipelines.requests.standing import standing_of
from maintain_registry import EventKind

MARKS = Pseudonyms(KEY)


def rows(context: Context, table: str) -> list[dict[str, object]]:
    with context.database.read() as unit:
        return [dict(row._mapping) for row in unit.rows(select(getattr(tables, table)))]


def barred(context: Context) -> set[str]:
    with context.database.read() as unit:
        return set(suppressed(unit, None).cases)


def order(context: Context, *people: int, **facts: object) -> object:
    return order_of([patient_id(number) for number in people], context, reason=Reason.CONSENT, **facts)  # type: ignore[arg-type]


def test_who_names_nobody_files_nothing(context: Context) -> None:
    for given in ([], ["anonymous"], [patient_id(1), "000"]):
        with pytest.raises(InputError, match=r"[Nn]obody"):
            order_of(given, context, reason=Reason.CONSENT)
    assert rows(context, "request") == []


def test_an_identifier_of_two_issuers_is_refused_without_repeating_it(context: Context) -> None:
    with context.database.begin() as unit:
        twin = make_case(90, patient=MARKS.patient(patient_id(1), ISSUER))
        CohortStore(unit).add(1, [arrive(twin)])
    with pytest.raises(InputError, match="means 2 people") as refused:
        wish(context, 1)
    assert patient_id(1) not in refused.value.message + refused.value.remedy
    assert rows(context, "request") == [] == rows(context, "barred_person")
    named = order_of([patient_id(1)], context, reason=Reason.CONSENT, issuer=ISSUER)
    assert file_request(named, context).request.images == 1


def test_dates_that_cannot_be_are_refused(context: Context) -> None:
    for facts in ({"received": date(2026, 1, 2)}, {"due": date(2025, 12, 1)}):
        with pytest.raises(InputError):
            file_request(order(context, 1, **facts), context)  # type: ignore[arg-type]
    assert rows(context, "request") == []


def test_another_key_finds_nobody_and_says_so(context: Context) -> None:
    with context.database.begin() as unit:
        unit.execute(insert(tables.source), {"kind": "dicom", "root": "ffffffff:elsewhere"})
    with pytest.raises(InputError, match="another pseudonym key"):
        order(context, 1)


def test_its_images_and_their_copies_are_barred_at_once(context: Context) -> None:
    with context.database.begin() as unit:
        CohortStore(unit).add(1, [arrive(make_case(90, patient="somebody", pixels=digest_bytes(b"pixels 5")))])
    filed = wish(context, 3)
    request = filed.request
    assert (request.name, request.images, request.copies, filed.patients) == ("R-2026-0001", 2, 1, 2)
    assert (request.reason, request.basis) == (Reason.CONSENT, LegalBasis.GDPR_7_3)
    assert (request.received, request.due) == (date(2026, 1, 1), date(2026, 1, 31))
    assert barred(context) == {"case-0005", "case-0006", "case-0090"}
    assert [(row["case_id"], row["copy"]) for row in rows(context, "request_case")] == [
        ("case-0005", False),
        ("case-0006", False),
        ("case-0090", True),
    ]
    assert {row["policy"] for row in rows(context, "suppression")} == {"request R-2026-0001"}
    assert [row["mark"] for row in rows(context, "barred_person")] == [MARKS.barred(name_of(3))]


def test_the_ledger_has_counts_and_commitments_but_no_pseudonym(context: Context) -> None:
    wish(context, 3, 4)
    with context.database.read() as unit:
        filed, answered = context.ledger.entries(unit)[-2:]
    assert (filed.event, answered.event) == (EventKind.REQUEST_FILED, EventKind.REQUEST_ANSWERED)
    assert filed.envelope is not None
    assert answered.envelope is not None
    assert (filed.body["people"], filed.body["images"]) == (2, 4)
    told = f"{filed.body} {answered.body}"
    assert len(filed.body["patients"]) == 2  # type: ignore[arg-type]
    assert name_of(3) not in told
    assert "case-" not in told


def test_a_known_issuer_is_tried_without_being_named(context: Context) -> None:
    assert wish(context, PEOPLE).request.found is Found.IMAGES


def test_nobody_is_said_only_when_nothing_is_in_doubt(context: Context) -> None:
    filed = wish(context, 77)
    assert (filed.request.found, filed.request.state) == (Found.NOBODY, RequestState.ANSWERED)
    marks = {MARKS.barred(str(MARKS.patient(patient_id(77), issuer))) for issuer in (None, ISSUER)}
    assert {row["mark"] for row in rows(context, "barred_person")} == marks


@pytest.mark.parametrize("doubt", ["unlinked", "unasked", "intakes", "stranger"])
def test_one_doubt_and_it_cannot_be_excluded(context: Context, doubt: str) -> None:
    with context.database.begin() as unit:
        if doubt == "unlinked":
            unit.execute(update(tables.patient).where(tables.patient.c.patient == name_of(1)).values(linked=False))
        if doubt == "unasked":
            unit.execute(update(tables.patient).where(tables.patient.c.patient == name_of(1)).values(linked=None))
        if doubt == "intakes":
            unit.execute(update(tables.ingest).values(issuers=None))
            unit.execute(update(tables.patient).values(linked=None))
    issuer = "A-HOSPITAL-THAT-NOBODY-MET" if doubt == "stranger" else None
    given = order_of([patient_id(77), patient_id(2)], context, reason=Reason.DATA_SUBJECT, issuer=issuer)
    filed = file_request(given, context)
    assert filed.request.found is Found.CANNOT_EXCLUDE
    assert filed.people[0].found is Found.CANNOT_EXCLUDE
    assert filed.people[1].found is (Found.CANNOT_EXCLUDE if issuer else Found.IMAGES)
    assert bool(filed.doubts) is (doubt != "stranger")
    assert filed.strangers == (2 if issuer else 0)
    assert standing_of(filed.request.name, context).waits_for == "a person: more images cannot be excluded"


def test_the_same_person_twice_is_said_and_has_two_requests(context: Context) -> None:
    assert wish(context, 3).before == ()
    again = wish(context, 3)
    assert (again.request.name, again.before, again.newly_suppressed) == ("R-2026-0002", ("R-2026-0001",), 0)
    assert len(rows(context, "suppression")) == 4


def test_a_person_spelled_twice_is_one(context: Context) -> None:
    with context.database.begin() as unit:
        know_issuer(unit, MARKS, "ELSEWHERE")
    both = order_of([patient_id(3), f" {patient_id(3)} "], context, reason=Reason.CONSENT)
    assert len(file_request(both, context).people) == 1


def test_duties_follow_from_where_images_were_used(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2), selected=images_of(3)))
    filed = wish(context, 1, 3, 4)
    assert filed.outlook is not None
    assert [(count.duty, count.images) for count in filed.outlook.duties] == [
        (Duty.UNLEARN, 2),
        (Duty.RE_EVALUATE, 2),
        (Duty.ERASE_ONLY, 2),
    ]
    assert filed.request.state is RequestState.OPEN
    assert wish(context, 3).request.state is RequestState.ANSWERED


def test_a_registry_that_is_away_stops_no_filing(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> object:
        raise WaitingError("The registry does not answer.", remedy="Wait.")

    monkeypatch.setattr(type(context.store), "models", away)
    filed = wish(context, 1)
    assert filed.outlook is None
    assert filed.request.state is RequestState.OPEN
    assert barred(context) == {"case-0001", "case-0002"}


def test_a_table_is_filed_as_a_whole_or_not_at_all(context: Context, tmp_path: object) -> None:
    table = context.workspace.root / "letters.csv"
    head = "PatientID,IssuerOfPatientID,reason,basis,received,due,request\n"
    good = "".join(f"{patient_id(number)},,consent,,2025-12-30,,{word}\n" for number, word in enumerate("aabcd", 1))
    for bad in ("x,,because,,,,\n", "none,,consent,,,,\n", "x,,consent,gdpr-99,,,\n", "x,,consent,,12.3.,,\n"):
        table.write_text(head + good + bad, encoding="utf-8")
        with pytest.raises(InputError, match="line 7"):
            orders_of_table(table, context)
    table.write_text(head + good + f"{patient_id(9)},,consent,,2025-01-01,,a\n", encoding="utf-8")
    with pytest.raises(InputError, match="different reasons"):
        orders_of_table(table, context)
    table.write_text(head + good, encoding="utf-8")
    filed = file_requests(orders_of_table(table, context), context)
    assert [len(one.people) for one in filed] == [2, 1, 1, 1]
    assert [one.request.name for one in filed] == [f"R-2026-000{number}" for number in (1, 2, 3, 4)]
    assert standing_of("R-2026-0003", context).request.received == date(2025, 12, 30)
    for dates in ("2030-01-01,,", "2025-12-30,2025-12-01,", ",2025-12-01,"):
        table.write_text(head + good + f"{patient_id(9)},,consent,,{dates}\n", encoding="utf-8")
        with pytest.raises(InputError, match="line 7: A request cannot be"):
            orders_of_table(table, context)
    table.write_text(head + good, encoding="utf-8")
    late = orders_of_table(table, context)
    with pytest.raises(InputError, match="in the future"):
        file_requests((*late, order(context, 7, received=date(2030, 1, 1))), context)  # type: ignore[arg-type]
    assert len(rows(context, "request")) == 4
