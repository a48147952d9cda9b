"""Filing arrivals: what is new becomes rows, what is known stays, what contradicts is refused.

A batch is judged in memory against what the database knows of its instances, series, studies and
patients, in order, and then written with a handful of `executemany` calls.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, bindparam, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from maintain.cohort.facts import Arrival, Conflict, FileOutcome, PersonFact
from maintain.cohort.issuers import keep_issuers
from maintain.cohort.reading import joined
from maintain.database import UnitOfWork, tables
from maintain.hashing import Digest, digest_json
from maintain.records import Case, Device
from maintain.vocabulary import ConsentStatus, FileStatus, Reason

#: Random bytes of a patient's salt: as strong as the pseudonym it hides.
SALT_BYTES = 16

#: Reasons for which intake itself refuses a case that comes back, each with the word that is stored.
PERSONAL = {
    Reason.CONSENT: Conflict.SUPPRESSED_CONSENT,
    Reason.DATA_SUBJECT: Conflict.SUPPRESSED_DATA_SUBJECT,
}

#: The words of files that were refused for a person's wish.
PERSONAL_CONFLICTS = tuple(word.value for word in PERSONAL.values())


def file_arrivals(unit: UnitOfWork, source: int, arrivals: Sequence[Arrival]) -> tuple[FileOutcome, ...]:
    """File one batch and say what became of each file."""
    known = _Known.of(unit, arrivals)
    outcomes = tuple(_judge(arrival, source, known) for arrival in arrivals)
    fresh = {
        arrival.case.case_id: arrival
        for arrival, outcome in zip(arrivals, outcomes, strict=True)
        if arrival.case is not None and outcome.status is FileStatus.ACCEPTED
    }
    _write_cases(unit, list(fresh.values()))
    _write_people(unit, arrivals, known)
    _write_accessions(unit, arrivals, outcomes)
    _write_files(unit, source, arrivals, outcomes)
    return outcomes


def device_digest(device: Device) -> Digest:
    """What makes two devices one row: every fact, the software included."""
    return digest_json(
        {
            "manufacturer": device.manufacturer,
            "model": device.model,
            "model_raw": device.model_raw,
            "serial": device.serial,
            "station": device.station,
            "software": list(device.software),
        }
    )


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known about a batch: grows with each case that is accepted."""

    images: dict[str, tuple[str, str]]
    series: dict[str, tuple[str, str]]
    studies: dict[str, tuple[str, str | None, str | None]]
    owners: dict[str, tuple[int, str]]
    people: dict[str, bool | None]
    barred: Mapping[str, Conflict]

    @classmethod
    def of(cls, unit: UnitOfWork, arrivals: Sequence[Arrival]) -> _Known:
        cases = [arrival.case for arrival in arrivals if arrival.case is not None]
        ids = {case.case_id for case in cases}
        image, series, study, device = tables.image_case, tables.series, tables.study, tables.device
        file, patient = tables.file, tables.patient
        people = unit.rows(
            select(patient.c.patient, patient.c.consent, patient.c.linked).where(
                patient.c.patient.in_({case.patient for case in cases})
            )
        )
        withdrawn = [row.patient for row in people if row.consent == ConsentStatus.WITHDRAWN]
        return cls(
            images={
                row.case_id: (row.pixels, row.series)
                for row in unit.rows(
                    select(image.c.case_id, image.c.pixels, image.c.series).where(image.c.case_id.in_(ids))
                )
            },
            series={
                row.series: (row.study, row.digest)
                for row in unit.rows(
                    select(series.c.series, series.c.study, device.c.digest)
                    .join(device, device.c.id == series.c.device_id)
                    .where(series.c.series.in_({case.series for case in cases}))
                )
            },
            studies={
                row.study: (row.patient, row.study_date, row.site)
                for row in unit.rows(select(study).where(study.c.study.in_({case.study for case in cases})))
            },
            owners={
                row.case_id: (row.source_id, row.path)
                for row in unit.rows(
                    select(file.c.case_id, file.c.source_id, file.c.path).where(
                        file.c.case_id.in_(ids), file.c.status == FileStatus.ACCEPTED
                    )
                )
            },
            people={row.patient: row.linked for row in people},
            barred={**dict.fromkeys(withdrawn, Conflict.SUPPRESSED_CONSENT), **_barred(unit, arrivals)},
        )

    def conflict(self, case: Case, person: PersonFact | None) -> Conflict | None:
        """Why this case cannot be filed, if it cannot."""
        marks = (case.patient, case.case_id, case.pixels)
        for mark in marks if person is None else (person.mark, *marks):
            if mark in self.barred:
                return self.barred[mark]
        image = self.images.get(case.case_id)
        study = self.studies.get(case.study, (case.patient, None, None))
        series = self.series.get(case.series, (case.study, device_digest(case.device)))
        if (
            study[0] != case.patient
            or _differ(study[1], case.study_date)
            or _differ(study[2], case.site)
            or series != (case.study, device_digest(case.device))
            or (image is not None and image[1] != case.series)
        ):
            return Conflict.HIERARCHY
        return Conflict.PIXELS if image is not None and image[0] != case.pixels else None

    def learn(self, case: Case, person: PersonFact | None, owner: tuple[int, str]) -> None:
        """Remember an accepted case for the rest of the batch."""
        self.people.setdefault(case.patient, None if person is None else person.linked)
        _, day, site = self.studies.get(case.study, (case.patient, None, None))
        self.studies[case.study] = (case.patient, day or case.study_date, site or case.site)
        self.series[case.series] = (case.study, device_digest(case.device))
        self.images[case.case_id] = (case.pixels, case.series)
        self.owners[case.case_id] = owner


def _barred(unit: UnitOfWork, arrivals: Sequence[Arrival]) -> Mapping[str, Conflict]:
    """Marks of people, cases and pictures of this batch that somebody wants left alone, each with its word."""
    cases = [arrival.case for arrival in arrivals if arrival.case is not None]
    return {**_barred_pictures(unit, cases), **_barred_people(unit, arrivals)}


def _barred_people(unit: UnitOfWork, arrivals: Sequence[Arrival]) -> Mapping[str, Conflict]:
    """The marks of this batch's people who asked to be forgotten, known or not, each with its first request's word."""
    barred = tables.barred_person
    marks = {arrival.person.mark for arrival in arrivals if arrival.person is not None}
    rows = unit.rows(
        select(barred.c.mark, barred.c.reason).where(barred.c.mark.in_(marks)).order_by(barred.c.request.desc())
    )
    return {row.mark: PERSONAL[Reason(row.reason)] for row in rows}


def _barred_pictures(unit: UnitOfWork, cases: Sequence[Case]) -> Mapping[str, Conflict]:
    """Cases and pictures of this batch that a person wants left alone, each with its word.

    A picture of a withdrawn patient is barred from the day of the letter, under every pseudonym.
    """
    barred = tables.suppression
    ids, pixels = {case.case_id for case in cases}, {case.pixels for case in cases}
    rows = unit.rows(
        select(barred.c.case_id, barred.c.pixels, barred.c.reason)
        .where(barred.c.reason.in_([reason.value for reason in PERSONAL]))
        .where(or_(barred.c.case_id.in_(ids), barred.c.pixels.in_(pixels)))
        .order_by(barred.c.id.desc())
    )
    found = {mark: PERSONAL[Reason(row.reason)] for row in rows for mark in (row.case_id, row.pixels)}
    image = tables.image_case
    withdrawn = unit.rows(
        joined(image.c.pixels).where(tables.patient.c.consent == ConsentStatus.WITHDRAWN, image.c.pixels.in_(pixels))
    )
    return {**{row.pixels: Conflict.SUPPRESSED_CONSENT for row in withdrawn}, **found}


def _judge(arrival: Arrival, source: int, known: _Known) -> FileOutcome:
    case = arrival.case
    if case is None:
        return FileOutcome(arrival.path, FileStatus.REJECTED, arrival.reason, None)
    conflict = known.conflict(case, arrival.person)
    if conflict is not None:
        return FileOutcome(arrival.path, FileStatus.REJECTED, conflict.value, None)
    owner = known.owners.get(case.case_id)
    if owner is not None and owner != (source, arrival.path):
        return FileOutcome(arrival.path, FileStatus.DUPLICATE, None, case.case_id)
    known.learn(case, arrival.person, (source, arrival.path))
    return FileOutcome(arrival.path, FileStatus.ACCEPTED, None, case.case_id)


def _write_cases(unit: UnitOfWork, arrivals: Sequence[Arrival]) -> None:
    cases = [arrival.case for arrival in arrivals if arrival.case is not None]
    people = [_patient_row(arrival.case, arrival.person) for arrival in arrivals if arrival.case is not None]
    _add(unit, tables.patient, people, ("patient",), fill=("sex",))
    _add(unit, tables.device, [_device_row(case.device) for case in cases], ("digest",))
    studies = [
        {"study": case.study, "patient": case.patient, "study_date": case.study_date, "site": case.site}
        for case in cases
    ]
    _add(unit, tables.study, studies, ("study",), fill=("study_date", "site"))
    devices = _device_ids(unit, cases)
    series = [
        {"series": case.series, "study": case.study, "device_id": devices[device_digest(case.device)]} for case in cases
    ]
    _add(unit, tables.series, series, ("series",))
    images = [_image_row(arrival, arrival.case) for arrival in arrivals if arrival.case is not None]
    _add(unit, tables.image_case, images, ("case_id",), fill=("eye", "age"))


def _write_people(unit: UnitOfWork, arrivals: Sequence[Arrival], known: _Known) -> None:
    """Keep the issuers of the patients that the cohort has, and the links that an earlier version did not ask for.

    Both come from any file of the patient, even from one that is not filed: they are about the pseudonym. Of a patient
    whom the cohort does not have nothing is kept.
    """
    told = {
        arrival.case.patient: arrival.person
        for arrival in arrivals
        if arrival.case is not None and arrival.person is not None and arrival.case.patient in known.people
    }
    keep_issuers(unit, dict(person.issuer for person in told.values() if person.issuer is not None))
    patient = tables.patient
    links = [{"who": who, "names_somebody": person.linked} for who, person in told.items() if known.people[who] is None]
    statement = update(patient).where(patient.c.patient == bindparam("who"), patient.c.linked.is_(None))
    unit.execute_many(statement.values(linked=bindparam("names_somebody")), links)


def _write_accessions(unit: UnitOfWork, arrivals: Sequence[Arrival], outcomes: Sequence[FileOutcome]) -> None:
    """Keep the accession numbers of studies that have none yet, from any file that is no contradiction.

    The first number of a study stays: what another file of it says later is no reason to move labels.
    """
    told: dict[str, str] = {}
    for arrival, outcome in zip(arrivals, outcomes, strict=True):
        if arrival.case is not None and arrival.accession is not None and outcome.status is not FileStatus.REJECTED:
            told.setdefault(arrival.case.study, arrival.accession)
    study = tables.study
    statement = update(study).where(study.c.study == bindparam("visit"), study.c.accession.is_(None))
    numbers = [{"visit": visit, "number": number} for visit, number in told.items()]
    unit.execute_many(statement.values(accession=bindparam("number")), numbers)


def _write_files(unit: UnitOfWork, source: int, arrivals: Sequence[Arrival], outcomes: Sequence[FileOutcome]) -> None:
    rows = [
        {
            "source_id": source,
            "path": arrival.path,
            "size": arrival.size,
            "mtime_ns": arrival.mtime_ns,
            "status": outcome.status.value,
            "reason": outcome.reason,
            "case_id": outcome.case_id,
        }
        for arrival, outcome in zip(arrivals, outcomes, strict=True)
    ]
    statement = insert(tables.file)
    changed = {name: statement.excluded[name] for name in ("size", "mtime_ns", "status", "reason", "case_id")}
    unit.execute_many(statement.on_conflict_do_update(index_elements=["source_id", "path"], set_=changed), rows)


def _add(
    unit: UnitOfWork,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    key: tuple[str, ...],
    *,
    fill: tuple[str, ...] = (),
) -> None:
    """Insert what is new; of what is known only the columns in `fill` that are still empty are written."""
    statement = insert(table)
    if fill:
        set_ = {name: func.coalesce(table.c[name], statement.excluded[name]) for name in fill}
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=set_)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    unit.execute_many(statement, rows)


def _patient_row(case: Case, person: PersonFact | None) -> dict[str, Any]:
    return {
        "patient": case.patient,
        "sex": case.sex,
        "consent": ConsentStatus.UNKNOWN.value,
        "consent_date": None,
        "salt": secrets.token_bytes(SALT_BYTES),
        "linked": None if person is None else person.linked,
    }


def _device_row(device: Device) -> dict[str, Any]:
    return {
        "digest": device_digest(device),
        "manufacturer": device.manufacturer,
        "model": device.model,
        "model_raw": device.model_raw,
        "serial": device.serial,
        "station": device.station,
        "software": list(device.software),
    }


def _image_row(arrival: Arrival, case: Case) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "series": case.series,
        "eye": None if case.eye is None else case.eye.value,
        "age": case.age,
        "pixels": case.pixels,
        "height": arrival.height,
        "width": arrival.width,
    }


def _device_ids(unit: UnitOfWork, cases: Sequence[Case]) -> Mapping[Digest, int]:
    device = tables.device
    wanted = {device_digest(case.device) for case in cases}
    return {
        row.digest: row.id for row in unit.rows(select(device.c.digest, device.c.id).where(device.c.digest.in_(wanted)))
    }


def _differ(known: str | None, said: str | None) -> bool:
    return known is not None and said is not None and known != said
