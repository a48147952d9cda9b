"""Reading DICOM: every way of being broken ends in its own word, and nothing the file says gets out."""

from __future__ import annotations

import logging
import random
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from helpers.dicom_files import instance_uid, make_header, picture, write_dicom
from maintain.intake.dicom import read_dicom
from maintain.intake.identity import Pseudonyms
from maintain.intake.reading import Flag, Reading, Rejection, RejectionReason
from maintain.vocabulary import ConsentStatus, Eye

PSEUDONYMS = Pseudonyms(bytes(range(32)))


@pytest.fixture(autouse=True)
def _never_a_word(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing may reach a log while a file is read, whatever is in it."""
    caplog.set_level(logging.DEBUG)
    yield
    assert caplog.get_records("call") == []


def read(path: Path) -> Reading:
    reading = read_dicom(path, PSEUDONYMS)
    assert isinstance(reading, Reading), reading
    return reading


def refused(path: Path) -> RejectionReason:
    rejection = read_dicom(path, PSEUDONYMS)
    assert isinstance(rejection, Rejection)
    return rejection.reason


@pytest.mark.parametrize("content", [b"", b"DICM", b"\0" * 300, b"\x89PNG" + b"x" * 200])
def test_what_does_not_call_itself_dicom(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.dcm"
    path.write_bytes(content)
    assert refused(path) is RejectionReason.NOT_DICOM


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.dcm") is RejectionReason.UNREADABLE
    assert refused(tmp_path) is RejectionReason.UNREADABLE


def test_a_mark_and_nothing_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\0" * 128 + b"DICM")
    assert refused(path) is RejectionReason.UNREADABLE


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize("value", [None, "", ["1.2", "1.3"]])
def test_each_of_the_three_uids_is_needed(tmp_path: Path, keyword: str, value: Any) -> None:
    assert refused(write_dicom(tmp_path / "a", **{keyword: value})) is RejectionReason.NO_UIDS


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, JPEGBaseline8Bit])
def test_other_transfer_syntaxes_are_refused_before_anything_is_inflated(tmp_path: Path, syntax: UID) -> None:
    header = make_header()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    if syntax == JPEGBaseline8Bit:
        header.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
        header["PixelData"].is_undefined_length = True
    header.save_as(tmp_path / "c", enforce_file_format=True)
    assert refused(tmp_path / "c") is RejectionReason.UNSUPPORTED_TRANSFER_SYNTAX


@pytest.mark.parametrize(
    "elements",
    [{"SOPClassUID": EncapsulatedPDFStorage}, {"SOPClassUID": None}, {"SOPClassUID": "1.2.3.4"}, {"NumberOfFrames": 2}],
)
def test_what_is_not_one_image_is_refused(tmp_path: Path, elements: dict[str, Any]) -> None:
    assert refused(write_dicom(tmp_path / "a", **elements)) is RejectionReason.UNSUPPORTED_OBJECT


@pytest.mark.parametrize(
    "elements",
    [
        {"PhotometricInterpretation": "YBR_FULL_422"},
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"PhotometricInterpretation": None},
        {"PhotometricInterpretation": "MONOCHROME2"},
        {"BitsStored": 7},
        {"BitsAllocated": 16},
        {"HighBit": 0},
        {"PixelRepresentation": 1},
        {"SamplesPerPixel": None},
        {"Rows": None},
        {"Rows": 0},
        {"Rows": [6, 6]},
        {"Columns": 2},
    ],
)
def test_pixels_that_would_have_to_be_guessed_are_refused(tmp_path: Path, elements: dict[str, Any]) -> None:
    assert refused(write_dicom(tmp_path / "a", **elements)) is RejectionReason.UNSUPPORTED_PIXELS


def test_an_image_without_pixels_is_refused(tmp_path: Path) -> None:
    assert refused(write_dicom(tmp_path / "a", PixelData=None)) is RejectionReason.NO_PIXELS
    assert refused(write_dicom(tmp_path / "b", PixelData=b"")) is RejectionReason.NO_PIXELS


def test_fewer_pixels_than_the_header_promises_are_refused(tmp_path: Path) -> None:
    assert refused(write_dicom(tmp_path / "a", Rows=7)) is RejectionReason.TRUNCATED


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_cut_anywhere_is_never_a_reading(tmp_path: Path, syntax: UID) -> None:
    data = write_dicom(tmp_path / "whole", syntax=syntax).read_bytes()
    seen: Counter[RejectionReason] = Counter()
    for length in range(len(data)):
        path = tmp_path / "cut"
        path.write_bytes(data[:length])
        seen[refused(path)] += 1
    assert seen[RejectionReason.TRUNCATED] > 300
    # A header that ends exactly where an element does looks whole; it is refused for what it lacks.
    whole = seen[RejectionReason.NO_UIDS] + seen[RejectionReason.NO_PIXELS] + seen[RejectionReason.UNSUPPORTED_OBJECT]
    assert whole <= len(make_header())


def test_a_fuzzed_file_never_raises_and_never_speaks(tmp_path: Path) -> None:
    data = write_dicom(tmp_path / "whole", PatientName="CANARY^NAME").read_bytes()
    dice = random.Random(7)
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            broken[dice.randrange(132, len(broken))] = dice.randrange(256)
        if dice.random() < 0.3:
            place = dice.randrange(132, len(broken))
            del broken[place : place + dice.randint(1, 9)]
        (tmp_path / "broken").write_bytes(broken)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            answer = read_dicom(tmp_path / "broken", PSEUDONYMS)
        assert isinstance(answer, Reading | Rejection)
        assert caught == []
        assert "CANARY" not in repr(answer)


def test_bad_values_are_left_out_without_a_warning(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a")
    data = path.read_bytes().replace(b"19500615", b"15/03/47").replace(b"20240301", b"DOE JANE")
    path.write_bytes(data)
    case = read(path).case
    assert (case.age, case.study_date) == (None, None)


def test_what_leaves_is_pseudonymous(tmp_path: Path) -> None:
    reading = read(write_dicom(tmp_path / "a", 7))
    case = reading.case
    assert case.case_id == PSEUDONYMS.uid("instance", instance_uid(7))
    assert case.patient == PSEUDONYMS.patient("P0007", "CLINIC")
    assert case.site == PSEUDONYMS.site("Elmford Eye Clinic")
    assert case.device.serial == PSEUDONYMS.device("serial", "NL8-1")
    assert case.device.station == PSEUDONYMS.device("station", "EYE-1")
    for secret in ("P0007", "Doe", "Jane", "1950", "CLINIC", "Elmford", "NL8-1", "EYE-1", "1.2.826"):
        assert secret not in repr(reading)
    assert (case.sex, case.age, case.study_date, case.eye) == ("F", 73, "2024-03-01", Eye.RIGHT)
    assert case.device.software == ("4.2.1", "RetinaView 2.0")
    assert (case.consent, case.labels) == (ConsentStatus.UNKNOWN, ())
    assert (reading.height, reading.width, reading.flags) == (6, 4, ())


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("shape", [(6, 4, 3), (5, 3, 3), (6, 4, 1), (5, 3, 1)])
def test_pixels_come_back(tmp_path: Path, shape: tuple[int, ...], syntax: UID) -> None:
    pixels = picture(3, shape)
    assert np.array_equal(read(write_dicom(tmp_path / "a", pixels=pixels, syntax=syntax)).pixels, pixels)


def test_planes_are_put_together(tmp_path: Path) -> None:
    pixels = picture(4)
    planes = pixels.transpose(2, 0, 1).tobytes()
    path = write_dicom(tmp_path / "a", pixels=pixels, PlanarConfiguration=1, PixelData=planes)
    assert np.array_equal(read(path).pixels, pixels)


def test_full_ybr_becomes_rgb(tmp_path: Path) -> None:
    stored = picture(5)
    path = write_dicom(tmp_path / "a", pixels=stored, PhotometricInterpretation="YBR_FULL")
    assert np.array_equal(read(path).pixels, convert_color_space(stored, "YBR_FULL", "RGB"))


@pytest.mark.parametrize("patient_id", [None, "", "ANONYMOUS", "0"])
def test_a_patient_who_is_nobody_is_one_patient_a_study(tmp_path: Path, patient_id: str | None) -> None:
    one = read(write_dicom(tmp_path / "a", 1, PatientID=patient_id))
    two = read(write_dicom(tmp_path / "b", 2, PatientID=patient_id))
    assert one.flags == two.flags == (Flag.UNLINKED_PATIENT,)
    assert one.case.patient != two.case.patient


def test_the_same_identifier_of_two_issuers_is_two_patients(tmp_path: Path) -> None:
    one = read(write_dicom(tmp_path / "a", 1, PatientID="7", IssuerOfPatientID="A"))
    two = read(write_dicom(tmp_path / "b", 2, PatientID="7", IssuerOfPatientID="B"))
    assert one.case.patient != two.case.patient


@pytest.mark.parametrize("number", [None, "", "0", "ANONYMOUS"])
def test_an_accession_number_that_names_no_study_is_none(tmp_path: Path, number: str | None) -> None:
    assert read(write_dicom(tmp_path / "a", 1, AccessionNumber=number)).accession is None


@pytest.mark.parametrize(
    ("said", "issuer"),
    [
        (None, None),
        ([], None),
        ([{}], None),
        ([{"LocalNamespaceEntityID": "RIS"}], "RIS"),
        ([{"UniversalEntityID": "1.2.3", "UniversalEntityIDType": "ISO"}], "1.2.3"),
        ([{"LocalNamespaceEntityID": "RIS", "UniversalEntityID": "1.2.3", "UniversalEntityIDType": "ISO"}], "RIS"),
    ],
)
def test_an_accession_number_leaves_keyed_with_its_issuer(
    tmp_path: Path, said: list[dict[str, str]] | None, issuer: str | None
) -> None:
    items = None if said is None else [Dataset() for _ in said]
    for item, values in zip(items or (), said or (), strict=True):
        for keyword, value in values.items():
            setattr(item, keyword, value)
    path = write_dicom(tmp_path / "a", 1, AccessionNumber="OP 4711", IssuerOfAccessionNumberSequence=items)
    reading = read(path)
    assert reading.accession == PSEUDONYMS.accession("OP 4711 ", issuer)
    assert "4711" not in repr(reading)


def test_text_in_the_picture_is_flagged(tmp_path: Path) -> None:
    assert read(write_dicom(tmp_path / "a", BurnedInAnnotation="YES")).flags == (Flag.BURNED_IN,)


@pytest.mark.parametrize(
    ("elements", "age"),
    [
        ({"PatientAge": "061Y"}, 61),
        ({"PatientAge": "018M"}, 1),
        ({"PatientAge": "010W"}, 0),
        ({"PatientAge": "095Y"}, 90),
        ({"PatientAge": "999Y"}, None),
        ({"PatientAge": "", "PatientBirthDate": "19240302"}, 90),
        ({"PatientAge": "", "PatientBirthDate": "1990.03.02"}, 33),
        ({"PatientBirthDate": "19900301"}, 34),
        ({"PatientBirthDate": "20250101"}, None),
        ({"PatientBirthDate": ""}, None),
        ({"StudyDate": None}, None),
    ],
)
def test_ages(tmp_path: Path, caplog: pytest.LogCaptureFixture, elements: dict[str, Any], age: int | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom objects to the old form while it is written
        path = write_dicom(tmp_path / "a", **elements)
    caplog.clear()
    assert read(path).case.age == age


@pytest.mark.parametrize(
    ("elements", "eye"),
    [
        ({"ImageLaterality": "L", "Laterality": "R"}, Eye.LEFT),
        ({"ImageLaterality": "", "Laterality": "R"}, Eye.RIGHT),
        ({"ImageLaterality": None, "Laterality": "L"}, Eye.LEFT),
        ({"ImageLaterality": "B"}, Eye.BOTH),
        ({"ImageLaterality": "U"}, None),
        ({"ImageLaterality": None}, None),
    ],
)
def test_the_eye_is_the_images_own_before_the_series(tmp_path: Path, elements: dict[str, Any], eye: Eye | None) -> None:
    assert read(write_dicom(tmp_path / "a", **elements)).case.eye is eye


def test_empty_and_missing_are_different_where_the_header_is_quoted(tmp_path: Path) -> None:
    empty = read(write_dicom(tmp_path / "a", ManufacturerModelName="", DeviceSerialNumber="")).case.device
    missing = read(write_dicom(tmp_path / "b", ManufacturerModelName=None, SoftwareVersions=None)).case.device
    assert (empty.model, empty.model_raw, empty.serial) == (None, "", None)
    assert (missing.model, missing.model_raw, missing.software) == (None, None, ())


def test_spellings_of_a_device_meet(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a", Manufacturer="SIEMENS", ManufacturerModelName=" CIRRUS   800 FA")
    device = read(path).case.device
    assert (device.manufacturer, device.model, device.model_raw) == (
        "Siemens Healthineers",
        "CIRRUS 800 FA",
        "CIRRUS   800 FA",
    )


@pytest.mark.parametrize(
    ("charset", "name"), [("ISO_IR 192", "Müller 王"), ("ISO_IR 100", "Jürgen"), ("GB18030", "王东")]
)
def test_character_sets_are_decoded(tmp_path: Path, charset: str, name: str) -> None:
    path = write_dicom(tmp_path / "a", SpecificCharacterSet=charset, PatientID=name, ManufacturerModelName=name)
    case = read(path).case
    assert case.patient == PSEUDONYMS.patient(name, "CLINIC")
    assert case.device.model == name


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a")
    assert read(path) == read(path)
