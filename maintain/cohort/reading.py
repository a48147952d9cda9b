"""Cases out of the rows: one joined query for the images, one for their labels, never one a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select

from maintain.database import UnitOfWork, tables
from maintain.records import Case, Device, Label
from maintain.vocabulary import ConsentStatus, Eye


def read_cases(unit: UnitOfWork, case_id: str | None = None) -> tuple[Case, ...]:
    """Every case, or the one that is named, ordered by case, with the latest version of each label."""
    image = tables.image_case
    images, labels = _images(), latest_labels()
    if case_id is not None:
        images = images.where(image.c.case_id == case_id)
        labels = labels.where(tables.label.c.case_id == case_id)
    rows = unit.rows(images.order_by(image.c.case_id))
    answers = _labels(unit, labels)
    devices = _devices(unit)
    return tuple(_case(row, devices[row.device_id], tuple(answers.get(row.case_id, ()))) for row in rows)


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


# --- private ---------------------------------------------------------------------------------------


def _images() -> Select[Any]:
    image, series, study, patient = tables.image_case, tables.series, tables.study, tables.patient
    return (
        select(
            image.c.case_id,
            patient.c.patient,
            study.c.study,
            series.c.series,
            image.c.pixels,
            series.c.device_id,
            image.c.eye,
            patient.c.sex,
            image.c.age,
            study.c.study_date,
            study.c.site,
            patient.c.consent,
        )
        .join(series, series.c.series == image.c.series)
        .join(study, study.c.study == series.c.study)
        .join(patient, patient.c.patient == study.c.patient)
    )


def _labels(unit: UnitOfWork, labels: Select[Any]) -> Mapping[str, Sequence[Label]]:
    found: dict[str, list[Label]] = defaultdict(list)
    for row in unit.rows(labels.order_by(tables.label.c.case_id, tables.label.c.name)):
        found[row.case_id].append(Label(row.name, row.value, row.version))
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


def _case(row: Row[Any], device: Device, labels: tuple[Label, ...]) -> Case:
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
    )
