"""From truth and pixels to one DICOM file: Ophthalmic Photography 8 Bit, explicit VR little endian.

What all files of a camera share is encoded once by pydicom and kept as bytes; what changes from image to
image is encoded here, a few lines of PS3.5 section 7.1. A test holds files against pydicom's own writer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    ExplicitVRLittleEndian,
    OphthalmicPhotography8BitImageStorage,
)

from maintain.hospital.cameras import Camera
from maintain.hospital.population import Shot

#: Who issued the PatientIDs of this hospital.
ISSUER = "SYNTHETIC-HOSPITAL"
#: Which writer made a file (at most 16 characters); no version number, so that bytes outlive upgrades.
IMPLEMENTATION = "MAINTAIN-HOSP"
#: Value representations whose length field takes 32 bits (PS3.5 section 7.1.2), as far as they occur here.
LONG_REPRESENTATIONS = frozenset({"OB", "SQ"})
#: Every part 10 file starts with 128 free bytes and these four letters (PS3.10 section 7.1).
PREAMBLE = bytes(128) + b"DICM"
#: Spherical lens power in dioptres: a tilted disc in a tessellated fundus goes with high myopia.
VARIANT_DIOPTRES, USUAL_DIOPTRES = -7.5, -0.5
#: Visits start at eight; pictures of one visit are taken forty seconds apart, patients every seven minutes.
OPENING, SECONDS_PER_IMAGE, SECONDS_PER_PATIENT, PATIENTS_PER_DAY = time(8, 0), 40, 420, 60
#: SNOMED CT codes as PS3.16 context groups 4202 (device type) and 4209 (region) name them.
FUNDUS_CAMERA = ("409898007", "SCT", "Fundus Camera")
RETINA_REGION = ("5665001", "SCT", "Retina")


def encode_file(shot: Shot, pixels: NDArray[np.uint8]) -> bytes:
    """The bytes of one part 10 file; the same shot and pixels always give the same bytes."""
    side = int(pixels.shape[0])
    elements = dict(_shared_elements(shot.camera, shot.truth.variant, side))
    elements.update(_encode_all(_own_values(shot)))
    elements.update(_encode_all({"PixelData": pixels.tobytes()}))
    return PREAMBLE + _encode_meta(shot.truth.sop_uid) + _in_order(elements)


def _own_values(shot: Shot) -> dict[str, str]:
    """What the header says of this patient, visit and image only."""
    truth = shot.truth
    digits = truth.patient_id.rpartition("-")[2]
    day = f"{truth.study_date:%Y%m%d}"
    start = datetime.combine(truth.study_date, OPENING)
    start += timedelta(seconds=SECONDS_PER_PATIENT * (int(digits) % PATIENTS_PER_DAY))
    taken = start + timedelta(seconds=SECONDS_PER_IMAGE * shot.number)
    dilated = shot.visit == 0
    values = {
        "SOPInstanceUID": truth.sop_uid,
        "StudyInstanceUID": truth.study_uid,
        "SeriesInstanceUID": truth.series_uid,
        "StudyDate": day,
        "SeriesDate": day,
        "ContentDate": day,
        "AcquisitionDateTime": f"{taken:%Y%m%d%H%M%S}.000",
        "StudyTime": f"{start:%H%M%S}",
        "ContentTime": f"{taken:%H%M%S}",
        "AccessionNumber": f"OP{day[2:]}{digits}",
        "PatientName": f"SYNTHETIC^PATIENT {digits}",
        "PatientID": truth.patient_id,
        "PatientBirthDate": f"{truth.birth_date:%Y%m%d}",
        "PatientSex": truth.sex,
        "PatientAge": f"{truth.age:03d}Y",
        "StudyID": str(shot.visit + 1),
        "InstanceNumber": str(shot.number + 1),
        "ImageLaterality": truth.eye.value,
        "PupilDilated": "YES" if dilated else "NO",
    }
    return values | {"MydriaticAgentSequence": ""} if dilated else values


@lru_cache(maxsize=64)
def _shared_elements(camera: Camera, variant: bool, side: int) -> Mapping[int, bytes]:
    """Encode, with pydicom, what all images of a camera and an anatomy share."""
    shared = _shared_dataset(camera, variant, side)
    return {int(element.tag): _encode_with_pydicom(shared, element.keyword) for element in shared}


def _shared_dataset(camera: Camera, variant: bool, side: int) -> Dataset:
    """Device, clinic, acquisition and image format; what the IOD wants but nobody knows is empty."""
    shared = Dataset()
    shared.SpecificCharacterSet = "ISO_IR 192"
    shared.ImageType = ["ORIGINAL", "PRIMARY", "", "COLOR"]
    shared.SOPClassUID = OphthalmicPhotography8BitImageStorage
    shared.TimezoneOffsetFromUTC = "+0000"
    shared.Modality = "OP"
    shared.ReferringPhysicianName = ""
    shared.StudyDescription = "Fundus photography, both eyes"
    shared.SeriesDescription = "Colour fundus"
    shared.SeriesNumber = 1
    shared.IssuerOfPatientID = ISSUER
    _describe_device(shared, camera)
    _describe_acquisition(shared, variant)
    _describe_image(shared, side)
    return shared


def _describe_device(shared: Dataset, camera: Camera) -> None:
    """Set the device and the clinic it stands in."""
    shared.Manufacturer = camera.manufacturer
    shared.ManufacturerModelName = camera.model
    shared.DeviceSerialNumber = camera.serial
    shared.SoftwareVersions = list(camera.software)
    shared.StationName = camera.station
    shared.InstitutionName = camera.institution
    shared.HorizontalFieldOfView = camera.field_of_view_degrees
    shared.AcquisitionDeviceTypeCodeSequence = [_code(*FUNDUS_CAMERA)]


def _describe_acquisition(shared: Dataset, variant: bool) -> None:
    """Set what was photographed and how, as far as it is the same for all images of an anatomy."""
    refraction = Dataset()
    refraction.SphericalLensPower = VARIANT_DIOPTRES if variant else USUAL_DIOPTRES
    refraction.CylinderLensPower = 0.0
    refraction.CylinderAxis = 0.0
    shared.RefractiveStateSequence = [refraction]
    shared.AnatomicRegionSequence = [_code(*RETINA_REGION)]
    shared.AcquisitionContextSequence = []
    shared.IlluminationTypeCodeSequence = []
    shared.LensesCodeSequence = []
    shared.EmmetropicMagnification = None
    shared.IntraOcularPressure = None
    shared.DetectorType = "CMOS"
    shared.PatientEyeMovementCommanded = "NO"


def _describe_image(shared: Dataset, side: int) -> None:
    """Set the pixel format: eight bits, RGB by pixel, uncompressed."""
    shared.SamplesPerPixel = 3
    shared.PhotometricInterpretation = "RGB"
    shared.PlanarConfiguration = 0
    shared.NumberOfFrames = 1
    shared.Rows = side
    shared.Columns = side
    shared.BitsAllocated = 8
    shared.BitsStored = 8
    shared.HighBit = 7
    shared.PixelRepresentation = 0
    shared.BurnedInAnnotation = "NO"
    shared.LossyImageCompression = "00"
    shared.PresentationLUTShape = "IDENTITY"


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    """A coded entry as one sequence item."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def _encode_with_pydicom(shared: Dataset, keyword: str) -> bytes:
    """Encode one element of a dataset alone."""
    alone = Dataset()
    alone.add(shared[keyword])
    buffer = BytesIO()
    stream = DicomIO(buffer)
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, alone)
    return buffer.getvalue()


def _encode_meta(sop_uid: str) -> bytes:
    """Encode the file meta information, its group length first (PS3.10 section 7.1)."""
    values = {
        "MediaStorageSOPClassUID": str(OphthalmicPhotography8BitImageStorage),
        "MediaStorageSOPInstanceUID": sop_uid,
        "TransferSyntaxUID": str(ExplicitVRLittleEndian),
        "ImplementationClassUID": str(PYDICOM_IMPLEMENTATION_UID),
        "ImplementationVersionName": IMPLEMENTATION,
    }
    elements = dict(_encode_all(values))
    elements.update(_encode_all({"FileMetaInformationVersion": b"\x00\x01"}))
    body = _in_order(elements)
    return struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(body)) + body


def _encode_all(values: Mapping[str, str | bytes]) -> Iterable[tuple[int, bytes]]:
    """Encode elements by keyword; texts are ASCII here, and padded to an even length (PS3.5 section 6.2)."""
    for keyword, value in values.items():
        tag, representation = _look_up(keyword)
        data = value.encode("ascii") if isinstance(value, str) else value
        if len(data) % 2:
            data += b"\x00" if representation in {"UI", "OB"} else b" "
        layout = "<HH2sHI" if representation in LONG_REPRESENTATIONS else "<HH2sH"
        length = (0, len(data)) if representation in LONG_REPRESENTATIONS else (len(data),)
        yield tag, struct.pack(layout, tag >> 16, tag & 0xFFFF, representation.encode(), *length) + data


@lru_cache(maxsize=128)
def _look_up(keyword: str) -> tuple[int, str]:
    """The tag and the value representation of a keyword; pixels of eight bits are OB."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag, "OB" if keyword == "PixelData" else dictionary_VR(tag)


def _in_order(elements: Mapping[int, bytes]) -> bytes:
    """Elements in ascending order of tags, as a dataset wants them."""
    return b"".join(elements[tag] for tag in sorted(elements))
