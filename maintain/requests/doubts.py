"""What stands against saying that somebody is not in the cohort."""

from __future__ import annotations

from sqlalchemy import func, select

from maintain.database import UnitOfWork, tables
from maintain.requests.facts import Doubts

#: The kind of source whose images carry identifiers of patients.
IMAGES = "dicom"


def read_doubts(unit: UnitOfWork) -> Doubts:
    """Images that are linked to nobody, and sources whose latest intake did not keep every issuer."""
    patient, study, source, intake = tables.patient, tables.study, tables.source, tables.ingest
    shown = select(patient.c.linked, func.count(patient.c.patient.distinct()).label("patients"))
    rows = unit.rows(shown.join(study, study.c.patient == patient.c.patient).group_by(patient.c.linked))
    linked = {row.linked: row.patients for row in rows}
    latest = select(func.max(intake.c.id)).group_by(intake.c.source_id)
    unkept = (
        select(func.count())
        .select_from(intake)
        .join(source, source.c.id == intake.c.source_id)
        .where(source.c.kind == IMAGES, intake.c.id.in_(latest), intake.c.issuers.is_not(True))
    )
    return Doubts(linked.get(False, 0), linked.get(None, 0), int(unit.scalar(unkept) or 0))
