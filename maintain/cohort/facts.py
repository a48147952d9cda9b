"""What the cohort is told and what it answers: plain values, so that no other room is needed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from maintain.hashing import Digest
from maintain.records import Case
from maintain.vocabulary import ConsentStatus, Eye, FileStatus

#: One eye of a patient on one day (ISO): how a table without UIDs says which image it means.
EyeKey: TypeAlias = tuple[str, str, Eye]


class Conflict(StrEnum):
    """Why the cohort refuses a case that intake could read."""

    PIXELS = "conflict"
    """The same instance is known with other pixels."""
    HIERARCHY = "inconsistent"
    """Patient, study, series or device differ from what is known of the same study, series or instance."""
    SUPPRESSED_CONSENT = "suppressed-consent"
    """A person took back consent; only this word is stored."""
    SUPPRESSED_DATA_SUBJECT = "suppressed-data-subject"
    """A person asked for erasure; only this word is stored."""


@dataclass(frozen=True, slots=True)
class PersonFact:
    """What intake tells of a case's patient beside the pseudonym: its mark, under which requests bar it.

    `linked`: whether the PatientID named somebody; `issuer`: mark and sealed text of who issued it, where any did.
    """

    mark: str
    linked: bool
    issuer: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file of a source: how it looked, and the case it holds or the reason it holds none.

    `accession` is the keyed number of the case's study, where the file says one.
    """

    path: str
    size: int
    mtime_ns: int
    case: Case | None
    height: int = 0
    width: int = 0
    reason: str | None = None
    person: PersonFact | None = None
    accession: str | None = None


@dataclass(frozen=True, slots=True)
class NumberedImage:
    """An image of a study that has an accession number."""

    case_id: str
    study: str
    eye: Eye | None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one arrival."""

    path: str
    status: FileStatus
    reason: str | None
    case_id: str | None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it looked when it was read; `pixels` where it is the file a case was made of."""

    size: int
    mtime_ns: int
    pixels: Digest | None


@dataclass(frozen=True, slots=True)
class LabelFact:
    """Somebody recorded an answer about a case."""

    case_id: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class LabelVersion:
    """One answer as it was recorded: when, by whom, and from which intake of which table.

    `contents` is the keyed mark of the table. The last three are None where an earlier schema did not ask.
    """

    name: str
    version: int
    value: str
    recorded: str
    actor: str | None
    ingest: int | None
    contents: str | None


@dataclass(frozen=True, slots=True)
class ConsentFact:
    """What the register says of a patient, and since when; `mark` is that under which requests bar the person."""

    patient: str
    status: ConsentStatus
    date: str | None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """What recording labels changed. `unknown` answers belong to no known case and were not stored."""

    new: int
    changed: int
    unchanged: int
    unknown: int


@dataclass(frozen=True, slots=True)
class ConsentCounts:
    """What a register changed. `outdated`: older than what is known; `unknown`: no such patient."""

    changed: int
    unchanged: int
    outdated: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Patient:
    """What is kept about a patient."""

    patient: str
    sex: str | None
    consent: ConsentStatus
    consent_date: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of something with a name."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class CohortStatus:
    """The cohort in numbers. `copies` counts images whose pixels another image has too.

    Sites are keyed codes, so each is counted with the device that it sent images of: that tells which one it is.
    """

    patients: int
    studies: int
    images: int
    copies: int
    suppressed: int
    first_date: str | None
    last_date: str | None
    by_device: tuple[Count, ...]
    by_site: tuple[Count, ...]
    by_label: tuple[Count, ...]
    by_consent: tuple[Count, ...]
    by_eye: tuple[Count, ...]
    files: tuple[Count, ...]
    rejected: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class ScoreState:
    """One score of the cohort: how and when it was computed, and of how many cases."""

    name: str
    method: str
    version: int
    computed: str
    cases: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The little that a plan or a snapshot must know of every case; `label` is None where it has none."""

    case_id: str
    patient: str
    study: str
    device: str | None
    pixels: Digest
    consent: ConsentStatus
    label: str | None
    label_version: int


def commitment(salt: bytes, patient: str) -> Digest:
    """What the ledger holds of a patient: SHA-256 over salt and pseudonym. Without the salt it is mute."""
    return hashlib.sha256(salt + patient.encode()).hexdigest()
