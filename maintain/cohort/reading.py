"""Cases out of the rows: one joined query for the images, one for their labels, never one a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select

from maintain.cohort.facts import EyeKey, LabelVersion, NumberedImage, Standing
from maintain.database import UnitOfWork, tables
from maintain.records import Case, Device, Label, Score
from maintain.vocabulary import ConsentStatus, Eye, RequestState


def read_cases(unit: UnitOfWork, wanted: ColumnElement[bool] | None = None) -> tuple[Case, ...]:
    """Every case, or those wanted (a condition over `joined`), ordered by case, with latest labels and scores."""
    image = tables.image_case
    images, labels, scores = joined(*_IMAGE_COLUMNS), latest_labels(), select(tables.score)
    wishes = _about()
    if wanted is not None:
        images = images.where(wanted)
        labels = labels.where(tables.label.c.case_id.in_(joined(image.c.case_id).where(wanted)))
        scores = scores.where(tables.score.c.case_id.in_(joined(image.c.case_id).where(wanted)))
        wishes = wishes.where(tables.request_case.c.case_id.in_(joined(image.c.case_id).where(wanted)))
    rows = unit.rows(images.order_by(image.c.case_id))
    answers, figures, asked = _labels(unit, labels), _scores(unit, scores), _requests(unit, wishes)
    devices = _devices(unit)
    return tuple(
        _case(
            row,
            devices[row.device_id],
            tuple(answers.get(row.case_id, ())),
            tuple(figures.get(row.case_id, ())),
            tuple(asked.get(row.case_id, ())),
        )
        for row in rows
    )


def read_standings(unit: UnitOfWork, label_name: str) -> tuple[Standing, ...]:
    """Of every case what a plan or a snapshot asks of those it does not select, ordered by case.

    Labels are put to their cases here: joined in SQL to their latest versions, SQLite took minutes for 100,000.
    """
    image, study, patient, device = tables.image_case, tables.study, tables.patient, tables.device
    wanted = latest_labels().where(tables.label.c.name == label_name)
    answers = {row.case_id: (row.value, row.version) for row in unit.rows(wanted)}
    columns = (image.c.case_id, patient.c.patient, study.c.study, device.c.model, image.c.pixels, patient.c.consent)
    rows = unit.rows(joined(*columns).order_by(image.c.case_id))
    return tuple(_standing(row, *answers.get(row.case_id, (None, 0))) for row in rows)


def read_label_history(unit: UnitOfWork, case_id: str) -> tuple[LabelVersion, ...]:
    """Every answer ever recorded about a case, by label and oldest first."""
    label, ingest = tables.label, tables.ingest
    columns = (label.c.name, label.c.version, label.c.value, label.c.recorded, ingest.c.actor, ingest.c.contents)
    wanted = (
        select(*columns, label.c.ingest_id)
        .join(ingest, ingest.c.id == label.c.ingest_id, isouter=True)
        .where(label.c.case_id == case_id)
        .order_by(label.c.name, label.c.version)
    )
    return tuple(
        LabelVersion(row.name, row.version, row.value, row.recorded, row.actor, row.ingest_id, row.contents)
        for row in unit.rows(wanted)
    )


def read_cases_by_eye(unit: UnitOfWork) -> Mapping[EyeKey, tuple[str, ...]]:
    """The images of every eye of every patient on every day, where day and eye are known."""
    image, study = tables.image_case, tables.study
    columns = (image.c.case_id, tables.patient.c.patient, study.c.study_date, image.c.eye)
    known = joined(*columns).where(study.c.study_date.is_not(None), image.c.eye.is_not(None))
    found: dict[EyeKey, list[str]] = defaultdict(list)
    for row in unit.rows(known.order_by(image.c.case_id)):
        found[row.patient, row.study_date, Eye(row.eye)].append(row.case_id)
    return {key: tuple(cases) for key, cases in found.items()}


def read_images_by_accession(unit: UnitOfWork) -> Mapping[str, tuple[NumberedImage, ...]]:
    """The images of every accession number that some study has; two studies may have the same."""
    image, study = tables.image_case, tables.study
    numbered = joined(image.c.case_id, image.c.eye, study.c.study, study.c.accession).where(
        study.c.accession.is_not(None)
    )
    found: dict[str, list[NumberedImage]] = defaultdict(list)
    for row in unit.rows(numbered.order_by(image.c.case_id)):
        eye = None if row.eye is None else Eye(row.eye)
        found[row.accession].append(NumberedImage(row.case_id, row.study, eye))
    return {number: tuple(images) for number, images in found.items()}


def joined(*columns: ColumnElement[Any]) -> Select[Any]:
    """These columns of every image, with its series, device, study and patient."""
    image, series, study = tables.image_case, tables.series, tables.study
    patient, device = tables.patient, tables.device
    return (
        select(*columns)
        .select_from(image)
        .join(series, series.c.series == image.c.series)
        .join(device, device.c.id == series.c.device_id)
        .join(study, study.c.study == series.c.study)
        .join(patient, patient.c.patient == study.c.patient)
    )


def latest_labels() -> Select[Any]:
    """case_id, name, version and value of the latest version of every label."""
    label = tables.label
    newest = (
        select(label.c.case_id, label.c.name, func.max(label.c.version).label("version"))
        .group_by(label.c.case_id, label.c.name)
        .subquery()
    )
    same: ColumnElement[bool] = and_(
        label.c.case_id == newest.c.case_id,
        label.c.name == newest.c.name,
        label.c.version == newest.c.version,
    )
    return select(label.c.case_id, label.c.name, label.c.version, label.c.value).join(newest, same)


def label_names(unit: UnitOfWork) -> tuple[str, ...]:
    """The names of all labels that some case has."""
    name = tables.label.c.name
    return tuple(row.name for row in unit.rows(select(name).distinct().order_by(name)))


# --- private ---------------------------------------------------------------------------------------


_IMAGE_COLUMNS = (
    tables.image_case.c.case_id,
    tables.patient.c.patient,
    tables.study.c.study,
    tables.series.c.series,
    tables.image_case.c.pixels,
    tables.series.c.device_id,
    tables.image_case.c.eye,
    tables.patient.c.sex,
    tables.image_case.c.age,
    tables.study.c.study_date,
    tables.study.c.site,
    tables.patient.c.consent,
)


def _labels(unit: UnitOfWork, labels: Select[Any]) -> Mapping[str, Sequence[Label]]:
    found: dict[str, list[Label]] = defaultdict(list)
    for row in unit.rows(labels.order_by(tables.label.c.case_id, tables.label.c.name)):
        found[row.case_id].append(Label(row.name, row.value, row.version))
    return found


def _scores(unit: UnitOfWork, scores: Select[Any]) -> Mapping[str, Sequence[Score]]:
    found: dict[str, list[Score]] = defaultdict(list)
    for row in unit.rows(scores.order_by(tables.score.c.case_id, tables.score.c.name)):
        found[row.case_id].append(Score(row.name, row.value, row.method, row.version))
    return found


def _about() -> Select[Any]:
    """Which image a request is about, and how that request stands."""
    about, wish = tables.request_case, tables.request
    return select(about.c.case_id, wish.c.state).join(wish, wish.c.request == about.c.request)


def _requests(unit: UnitOfWork, wishes: Select[Any]) -> Mapping[str, Sequence[RequestState]]:
    found: dict[str, list[RequestState]] = defaultdict(list)
    for row in unit.rows(wishes.order_by(tables.request_case.c.case_id, tables.request_case.c.request)):
        found[row.case_id].append(RequestState(row.state))
    return found


def _devices(unit: UnitOfWork) -> Mapping[int, Device]:
    return {
        row.id: Device(
            manufacturer=row.manufacturer,
            model=row.model,
            model_raw=row.model_raw,
            serial=row.serial,
            station=row.station,
            software=tuple(row.software),
        )
        for row in unit.rows(select(tables.device))
    }


def _standing(row: Row[Any], label: str | None, label_version: int) -> Standing:
    return Standing(
        case_id=row.case_id,
        patient=row.patient,
        study=row.study,
        device=row.model,
        pixels=row.pixels,
        consent=ConsentStatus(row.consent),
        label=label,
        label_version=label_version,
    )


def _case(
    row: Row[Any],
    device: Device,
    labels: tuple[Label, ...],
    scores: tuple[Score, ...],
    requests: tuple[RequestState, ...],
) -> Case:
    return Case(
        case_id=row.case_id,
        patient=row.patient,
        study=row.study,
        series=row.series,
        pixels=row.pixels,
        device=device,
        eye=None if row.eye is None else Eye(row.eye),
        sex=row.sex,
        age=row.age,
        study_date=row.study_date,
        site=row.site,
        consent=ConsentStatus(row.consent),
        labels=labels,
        scores=scores,
        requests=requests,
    )
