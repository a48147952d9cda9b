"""One DICOM file -> a reading without identifiers, or a rejection.

pydicom reads; this module distrusts it: a header cut in the middle is no error to pydicom, and its
warnings print the values they warn about. Every failure ends in a closed word, never in a message.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.multival import MultiValue
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from maintain.arrays import pixels_digest
from maintain.intake.decode import decode_pixels
from maintain.intake.devices import normalise_device, tidy
from maintain.intake.identity import Pseudonyms, clean
from maintain.intake.reading import Flag, Reading, Rejection, RejectionReason
from maintain.records import Case, Device
from maintain.vocabulary import ConsentStatus, Eye

#: Where a Part 10 file says what it is (PS3.10 7.1).
MARK_OFFSET, MARK = 128, b"DICM"

#: What is read without a decompressor.
TRANSFER_SYNTAXES = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian})

#: No uncompressed photograph is larger; a file that is would only fill the memory.
LARGEST_FILE_BYTES = 512 << 20

#: Ages from 90 on are one class (45 CFR 164.514(b)(2)(i)(C)).
AGE_CAP = 90

#: Nobody is older; such an age is a mistake, not a patient of 90.
OLDEST_AGE = 130

#: Years in one unit of PatientAge (PS3.5 table 6.2-1, AS).
YEARS_IN = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}

#: Length of an element that says "until the delimiter" (PS3.5 7.1.3).
UNDEFINED_LENGTH = 0xFFFFFFFF


def read_dicom(path: Path, pseudonyms: Pseudonyms) -> Reading | Rejection:
    """Read one file. Never raises for what a file holds, and says nothing of it but a closed word."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            return Rejection(RejectionReason.UNSUPPORTED_PIXELS)
        data = path.read_bytes()
    except OSError:
        return Rejection(RejectionReason.UNREADABLE)
    if not is_dicom(data):
        return Rejection(RejectionReason.NOT_DICOM)
    try:
        with _silence():
            return _read(path, data, pseudonyms)
    except EOFError:
        return Rejection(RejectionReason.TRUNCATED)
    except Exception:  # pydicom raises anything over a broken file; the file is refused, and counted
        return Rejection(RejectionReason.UNREADABLE)


def is_dicom(start: bytes) -> bool:
    """Whether a file that starts like this calls itself DICOM."""
    return start[MARK_OFFSET : MARK_OFFSET + len(MARK)] == MARK


# --- private ---------------------------------------------------------------------------------------


def _read(path: Path, data: bytes, pseudonyms: Pseudonyms) -> Reading | Rejection:
    syntax = read_file_meta_info(path).get("TransferSyntaxUID")  # before anything could be inflated
    if not syntax:
        return Rejection(RejectionReason.UNREADABLE)
    if syntax not in TRANSFER_SYNTAXES:
        return Rejection(RejectionReason.UNSUPPORTED_TRANSFER_SYNTAX)
    header = dcmread(io.BytesIO(data))
    if _is_cut(header, len(data)):
        return Rejection(RejectionReason.TRUNCATED)
    uids = tuple(_uid(header, f"{level}InstanceUID") for level in ("Study", "Series", "SOP"))
    if not all(uids):
        return Rejection(RejectionReason.NO_UIDS)
    if not _is_image(header):
        return Rejection(RejectionReason.UNSUPPORTED_OBJECT)
    pixels = decode_pixels(header)
    if isinstance(pixels, RejectionReason):
        return Rejection(pixels)
    issuer = _text(header, "IssuerOfPatientID") or ""
    patient = pseudonyms.patient(_text(header, "PatientID"), issuer)
    case = _case(header, uids, pseudonyms, pixels_digest(pixels), patient)
    accession = pseudonyms.accession(_text(header, "AccessionNumber"), _issuer_of_accession(header))
    return Reading(case, pixels, _flags(header, linked=patient is not None), issuer, accession)


@contextmanager
def _silence() -> Iterator[None]:
    """Pydicom's warnings and log lines hold the values they are about; none may leave."""
    log = logging.getLogger("pydicom")
    before, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before


def _is_cut(header: Dataset, size: int) -> bool:
    """Whether the file ends inside an element; pydicom hands out what there is of it."""
    end = 0
    for tag in sorted(header.keys()):
        item = header.get_item(tag)
        end = 0
        if isinstance(item, RawDataElement) and item.length != UNDEFINED_LENGTH:
            if len(item.value or b"") != item.length:
                return True
            end = item.value_tell + item.length
    return len(header) == 0 or end not in (0, size)


def _is_image(header: Dataset) -> bool:
    kind = _uid(header, "SOPClassUID")
    frames = _text(header, "NumberOfFrames") or "1"
    return kind is not None and "Image Storage" in UID(kind).name and frames.strip() == "1"


def _case(
    header: Dataset, uids: tuple[str | None, ...], pseudonyms: Pseudonyms, pixels: str, patient: str | None
) -> Case:
    study, series, instance = (uid or "" for uid in uids)
    site = _text(header, "InstitutionName")
    study_date = _date(_text(header, "StudyDate"))
    return Case(
        case_id=pseudonyms.uid("instance", instance),
        patient=patient or pseudonyms.unlinked_patient(study),
        study=pseudonyms.uid("study", study),
        series=pseudonyms.uid("series", series),
        pixels=pixels,
        device=_device(header, pseudonyms),
        eye=_eye(header),
        sex=sex if (sex := tidy(_text(header, "PatientSex")).upper()) in ("F", "M", "O") else None,
        age=_age(header, study_date),
        study_date=None if study_date is None else study_date.isoformat(),
        site=pseudonyms.site(site) if site and clean(site) else None,
        consent=ConsentStatus.UNKNOWN,
        labels=(),
    )


def _issuer_of_accession(header: Dataset) -> str | None:
    """Who gave the accession number out, by the local name or else the universal one (PS3.3 table 10-17)."""
    items = header.get("IssuerOfAccessionNumberSequence")
    if not items:
        return None
    return _text(items[0], "LocalNamespaceEntityID") or _text(items[0], "UniversalEntityID")


def _flags(header: Dataset, *, linked: bool) -> tuple[Flag, ...]:
    found = []
    if not linked:
        found.append(Flag.UNLINKED_PATIENT)
    if tidy(_text(header, "BurnedInAnnotation")).upper() == "YES":
        found.append(Flag.BURNED_IN)
    return tuple(found)


def _device(header: Dataset, pseudonyms: Pseudonyms) -> Device:
    raw = _text(header, "ManufacturerModelName")
    manufacturer, model = normalise_device(_text(header, "Manufacturer"), raw)
    serial, station = _text(header, "DeviceSerialNumber"), _text(header, "StationName")
    return Device(
        manufacturer=manufacturer,
        model=model,
        model_raw=None if raw is None else clean(raw)[:64],
        serial=pseudonyms.device("serial", serial) if serial and clean(serial) else None,
        station=pseudonyms.device("station", station) if station and clean(station) else None,
        software=tuple(version for value in _texts(header, "SoftwareVersions") if (version := tidy(value))),
    )


def _eye(header: Dataset) -> Eye | None:
    for keyword in ("ImageLaterality", "Laterality"):
        side = tidy(_text(header, keyword)).upper()
        if side in tuple(Eye):
            return Eye(side)
    return None


def _age(header: Dataset, study_date: date | None) -> int | None:
    """Age at the study in full years, from 90 on one class; the birth date itself is not kept."""
    stated = tidy(_text(header, "PatientAge")).upper()
    born = _date(_text(header, "PatientBirthDate"))
    years: int | None = None
    if len(stated) > 1 and stated[:-1].isdecimal() and stated[-1] in YEARS_IN:
        years = int(int(stated[:-1]) * YEARS_IN[stated[-1]])
    elif born is not None and study_date is not None:
        before = (study_date.month, study_date.day) < (born.month, born.day)
        years = study_date.year - born.year - before
    return min(years, AGE_CAP) if years is not None and 0 <= years <= OLDEST_AGE else None


def _date(text: str | None) -> date | None:
    """A DICOM date, also in the form of before 1993 (`YYYY.MM.DD`)."""
    digits = (text or "").strip().replace(".", "")
    if len(digits) != 8 or not (digits.isascii() and digits.isdecimal()):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _uid(header: Dataset, keyword: str) -> str | None:
    values = _texts(header, keyword)
    return values[0].strip() or None if len(values) == 1 else None


def _text(header: Dataset, keyword: str) -> str | None:
    """One text of the header: None when the element is missing, "" when it is empty."""
    if keyword not in header:
        return None
    return "\\".join(_texts(header, keyword))


def _texts(header: Dataset, keyword: str) -> tuple[str, ...]:
    value = header.get(keyword)
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, MultiValue | list | tuple) else (str(value),)
