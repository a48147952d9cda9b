"""Cases as they are known, and snapshots of them. Every identifier is a keyed pseudonym."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.hashing import Digest
from maintain.vocabulary import ConsentStatus, Eye, RequestState, Split


@dataclass(frozen=True, slots=True)
class Device:
    """The machine that took an image. Serial and station are keyed pseudonyms."""

    manufacturer: str | None
    model: str | None
    model_raw: str | None
    serial: str | None
    station: str | None
    software: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """A recorded answer. The version grows when the answer is corrected."""

    name: str
    value: str
    version: int


@dataclass(frozen=True, slots=True)
class Score:
    """A figure that was computed of a case's pixels, and how: `method` and its version."""

    name: str
    value: float
    method: str
    version: int


@dataclass(frozen=True, slots=True)
class Case:
    """One image with its labels and metadata. Every identifier is a keyed pseudonym."""

    case_id: str
    patient: str
    study: str
    series: str
    pixels: Digest
    device: Device
    eye: Eye | None
    sex: str | None
    age: int | None
    study_date: str | None
    site: str | None
    consent: ConsentStatus
    labels: tuple[Label, ...]
    scores: tuple[Score, ...] = ()
    requests: tuple[RequestState, ...] = ()

    def label(self, name: str) -> Label | None:
        """The label of that name, or None when the case has none."""
        return next((label for label in self.labels if label.name == name), None)

    def score(self, name: str) -> Score | None:
        """The score of that name, or None when the case was not scored."""
        return next((score for score in self.scores if score.name == name), None)


@dataclass(frozen=True, slots=True, order=True)
class CaseRef:
    """What a manifest lists: a case together with the version of its label."""

    case_id: str
    label_version: int


@dataclass(frozen=True, slots=True)
class SnapshotMember:
    """One case of a snapshot, frozen with its label and its split."""

    case_id: str
    label_version: int
    label: str
    patient: str
    pixels: Digest
    split: Split

    @property
    def ref(self) -> CaseRef:
        """What a manifest lists of it."""
        return CaseRef(self.case_id, self.label_version)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable list of cases for one model lineage; members are ordered by case."""

    name: str
    model: str
    label_name: str
    members: tuple[SnapshotMember, ...]

    def of(self, split: Split) -> tuple[SnapshotMember, ...]:
        """The members of one split."""
        return tuple(member for member in self.members if member.split is split)
