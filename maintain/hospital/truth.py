"""What is really true about every image: the manifest that no intake ever reads."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from maintain.hashing import canonical_json
from maintain.hospital.options import HospitalOptions
from maintain.vocabulary import Eye

#: Schema name and version of the manifest's first line.
TRUTH_SCHEMA = ("maintain.hospital-truth", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthRow:
    """One image: what its header says, what its label says, and what is so.

    `person_id` is the human being; it differs from `patient_id` only under a second pseudonym.
    `withdraws` says that `patient_id` stands in the list of withdrawals. The lesion facts are those of
    the lesion that makes the diagnosis; `lesions` counts it and its distractors.
    """

    patient_id: str
    person_id: str
    study_uid: str
    series_uid: str
    sop_uid: str
    path: str
    camera: str
    eye: Eye
    sex: str
    birth_date: date
    age: int
    study_date: date
    variant: bool
    true_diagnosis: str
    recorded_diagnosis: str
    withdraws: bool
    duplicate_of: str | None
    lesion_amplitude: float
    lesion_radius: float
    lesion_x: float
    lesion_y: float
    lesions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalFolder:
    """Where a built hospital lies, and how many images and PatientIDs its headers hold."""

    root: Path
    dicom: Path
    labels: Path
    withdrawals: Path
    anatomy: Path
    truth: Path
    images: int
    patients: int


def truth_lines(options: HospitalOptions, rows: Sequence[TruthRow]) -> list[str]:
    """The manifest's lines: a head with schema, version and options, then one line a row."""
    name, version = TRUTH_SCHEMA
    head = {"schema": name, "version": version, "options": dataclasses.asdict(options), "rows": len(rows)}
    return [canonical_json(head), *(json.dumps(dataclasses.asdict(row), default=str) for row in rows)]
