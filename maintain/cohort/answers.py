"""Recording what tables say: labels as versions, consents as the latest word."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from maintain.clock import timestamp
from maintain.cohort.facts import ConsentCounts, ConsentFact, LabelCounts, LabelFact
from maintain.cohort.filing import SALT_BYTES
from maintain.cohort.reading import latest_labels
from maintain.cohort.where import listed
from maintain.database import UnitOfWork, tables
from maintain.vocabulary import ConsentStatus, RequestState


def write_labels(
    unit: UnitOfWork, facts: Sequence[LabelFact], *, now: datetime, ingest: int | None = None
) -> LabelCounts:
    """Record answers. A changed one becomes the next version; the old one stays for those who learned it."""
    cases = {row.case_id for row in unit.rows(select(tables.image_case.c.case_id))}
    known = {(row.case_id, row.name): (row.version, row.value) for row in unit.rows(latest_labels())}
    rows, counts = [], Counter[str]()
    for fact in facts:
        version, value = known.get((fact.case_id, fact.name), (0, None))
        if fact.case_id not in cases:
            counts["unknown"] += 1
        elif value == fact.value:
            counts["unchanged"] += 1
        else:
            counts["changed" if version else "new"] += 1
            known[fact.case_id, fact.name] = (version + 1, fact.value)
            rows.append(
                {
                    "case_id": fact.case_id,
                    "name": fact.name,
                    "version": version + 1,
                    "value": fact.value,
                    "recorded": timestamp(now),
                    "ingest_id": ingest,
                }
            )
    unit.execute_many(insert(tables.label), rows)
    return LabelCounts(counts["new"], counts["changed"], counts["unchanged"], counts["unknown"])


def write_consents(unit: UnitOfWork, facts: Sequence[ConsentFact]) -> ConsentCounts:
    """Record what the register says; an entry older than what is known changes nothing.

    A withdrawal is kept although no image of the patient is known: one may still arrive. Not so of a person whose
    request is closed: that bars them already, and their pseudonym was erased.
    """
    patient = tables.patient
    known = {
        row.patient: (ConsentStatus(row.consent), row.consent_date)
        for row in unit.rows(select(patient.c.patient, patient.c.consent, patient.c.consent_date))
    }
    rows, ahead, counts = [], [], Counter[str]()
    erased = _erased(unit, facts)
    for fact in facts:
        verdict = _weigh(fact, known)
        counts[verdict] += 1
        if verdict == "unknown" and fact.status is ConsentStatus.WITHDRAWN and fact.mark not in erased:
            known[fact.patient] = (fact.status, fact.date)
            ahead.append(_new_patient(fact))
        elif verdict == "changed":
            known[fact.patient] = (fact.status, fact.date)
            rows.append({"who": fact.patient, "status": fact.status.value, "since": fact.date})
    statement = (
        update(patient)
        .where(patient.c.patient == bindparam("who"))
        .values(consent=bindparam("status"), consent_date=bindparam("since"))
    )
    unit.execute_many(insert(patient), ahead)
    unit.execute_many(statement, rows)
    return ConsentCounts(counts["changed"], counts["unchanged"], counts["outdated"], counts["unknown"])


# --- private ---------------------------------------------------------------------------------------


def _erased(unit: UnitOfWork, facts: Sequence[ConsentFact]) -> frozenset[str]:
    """The marks of people whose request is closed: barred for good, and no register may bring their pseudonym back."""
    barred, request = tables.barred_person, tables.request
    marks = {fact.mark for fact in facts if fact.mark is not None}
    closed = (
        select(barred.c.mark)
        .join(request, request.c.request == barred.c.request)
        .where(request.c.state == RequestState.CLOSED, listed(barred.c.mark, marks))
    )
    return frozenset(row.mark for row in unit.rows(closed))


def _new_patient(fact: ConsentFact) -> dict[str, object]:
    return {
        "patient": fact.patient,
        "consent": fact.status.value,
        "consent_date": fact.date,
        "salt": secrets.token_bytes(SALT_BYTES),
        "linked": True,
    }


def _weigh(fact: ConsentFact, known: Mapping[str, tuple[ConsentStatus, str | None]]) -> str:
    if fact.patient not in known:
        return "unknown"
    status, since = known[fact.patient]
    if (status, since) == (fact.status, fact.date):
        return "unchanged"
    if since and fact.date and fact.date < since:
        return "outdated"
    if since and fact.date == since and fact.status is not ConsentStatus.WITHDRAWN:
        return "outdated"  # on one day the withdrawal counts
    return "changed"
