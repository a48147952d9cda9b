"""What one file becomes: a reading without identifiers, or a rejection without content."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from maintain.arrays import Pixels
from maintain.records import Case


class RejectionReason(StrEnum):
    """Why a file gives no case. Only this word is stored, never what the file said."""

    NOT_DICOM = "not-dicom"
    """No DICOM Part 10 mark at byte 128."""
    NO_UIDS = "no-uids"
    """Study, series or instance UID is missing."""
    TRUNCATED = "truncated"
    """The file ends before an element does."""
    UNSUPPORTED_OBJECT = "unsupported-object"
    """Not a single-frame image (a document, a directory, a stack)."""
    UNSUPPORTED_TRANSFER_SYNTAX = "unsupported-transfer-syntax"
    """Compressed, deflated or big endian."""
    UNSUPPORTED_PIXELS = "unsupported-pixels"
    """Pixels other than 8-bit grey, RGB or full YBR."""
    UNREADABLE = "unreadable"
    """The file could not be opened or understood."""
    NO_PIXELS = "no-pixels"
    """An image header without an image."""


class Flag(StrEnum):
    """What somebody should know about a case that was accepted."""

    UNLINKED_PATIENT = "unlinked-patient"
    """PatientID names nobody; the study stands in for the patient, so other visits are not linked."""
    BURNED_IN = "burned-in-annotation"
    """The header says that text is burned into the picture."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One image: its case (without labels and consent, which other sources say) and its pixels.

    `issuer` is the text of the header, in memory only: it leaves the process sealed or not at all. `accession` is the
    pseudonym of the study's number; None where the header says none.
    """

    case: Case
    pixels: Pixels = field(repr=False, compare=False)
    flags: tuple[Flag, ...] = ()
    issuer: str = field(default="", repr=False)
    accession: str | None = None

    @property
    def linked(self) -> bool:
        """Whether the PatientID names somebody."""
        return Flag.UNLINKED_PATIENT not in self.flags

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file that gives no case, and the class of the reason."""

    reason: RejectionReason
