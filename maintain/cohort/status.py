"""The cohort in numbers, counted by the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from maintain.cohort.facts import CohortStatus, Count
from maintain.cohort.reading import latest_labels
from maintain.database import UnitOfWork, tables
from maintain.vocabulary import FileStatus

#: What a count is called where the header says nothing.
NOT_RECORDED = "(not recorded)"


def count_cohort(unit: UnitOfWork) -> CohortStatus:
    """Count everything that `maintain cohort status` shows."""
    image, study, file = tables.image_case, tables.study, tables.file
    copies = select(func.count().label("n")).select_from(image).group_by(image.c.pixels).subquery()
    rejected = file.c.status == FileStatus.REJECTED
    return CohortStatus(
        patients=_number(unit, select(func.count(study.c.patient.distinct()))),
        studies=_number(unit, select(func.count()).select_from(study)),
        images=_number(unit, select(func.count()).select_from(image)),
        copies=_number(unit, select(func.coalesce(func.sum(copies.c.n), 0)).where(copies.c.n > 1)),
        suppressed=_number(unit, select(func.count(tables.suppression.c.case_id.distinct()))),
        first_date=unit.scalar(select(func.min(study.c.study_date))),
        last_date=unit.scalar(select(func.max(study.c.study_date))),
        by_device=_devices(unit),
        by_site=_sites(unit),
        by_label=_labels(unit),
        by_consent=_counts(unit, [tables.patient.c.consent], select().select_from(tables.patient)),
        by_eye=_counts(unit, [image.c.eye], select().select_from(image)),
        files=_counts(unit, [file.c.status], select().select_from(file)),
        rejected=_counts(unit, [file.c.reason], select().select_from(file).where(rejected)),
    )


# --- private ---------------------------------------------------------------------------------------


def _number(unit: UnitOfWork, statement: Select[Any]) -> int:
    return int(unit.scalar(statement) or 0)


def _devices(unit: UnitOfWork) -> tuple[Count, ...]:
    image, series, device = tables.image_case, tables.series, tables.device
    joined = (
        select()
        .select_from(image)
        .join(series, series.c.series == image.c.series)
        .join(device, device.c.id == series.c.device_id)
    )
    return _counts(unit, [device.c.model], joined)


def _sites(unit: UnitOfWork) -> tuple[Count, ...]:
    image, series, study, device = tables.image_case, tables.series, tables.study, tables.device
    joined = (
        select()
        .select_from(image)
        .join(series, series.c.series == image.c.series)
        .join(study, study.c.study == series.c.study)
        .join(device, device.c.id == series.c.device_id)
        .where(study.c.site.is_not(None))
    )
    return _counts(unit, [study.c.site, device.c.model], joined)


def _labels(unit: UnitOfWork) -> tuple[Count, ...]:
    latest = latest_labels().subquery()
    return _counts(unit, [latest.c.name, latest.c.value], select().select_from(latest))


def _counts(unit: UnitOfWork, columns: Sequence[ColumnElement[Any]], source: Select[Any]) -> tuple[Count, ...]:
    statement = source.add_columns(*columns, func.count().label("n")).group_by(*columns).order_by(*columns)
    found = []
    for row in unit.rows(statement):
        *names, number = tuple(row)
        found.append(Count(": ".join(NOT_RECORDED if name is None else str(name) for name in names), number))
    return tuple(found)
