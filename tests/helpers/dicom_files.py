"""Small DICOM files, written with pydicom, one keyword away from being broken in any wanted way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    OphthalmicPhotography8BitImageStorage,
)

#: Height, width and channels of the pictures, unless other pixels are given.
SHAPE = (6, 4, 3)

#: Prefix of the UIDs; the rest says which study, series or instance is meant.
ROOT = "1.2.826.0.1.3680043.10.5432"


def picture(seed: int, shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    """Random pixels, the same for the same seed."""
    return np.random.default_rng(seed).integers(0, 256, size=shape, dtype=np.uint8)


def instance_uid(number: int) -> str:
    """The SOPInstanceUID of the file with that number."""
    return f"{ROOT}.3.{number}"


def make_header(number: int = 1, *, pixels: NDArray[np.uint8] | None = None, **elements: Any) -> Dataset:
    """A fundus photograph's header with pixels. Keywords replace elements; None removes one."""
    pixels = picture(number) if pixels is None else pixels
    header = Dataset()
    values: dict[str, Any] = {
        "SOPClassUID": OphthalmicPhotography8BitImageStorage,
        "StudyInstanceUID": f"{ROOT}.1.{number}",
        "SeriesInstanceUID": f"{ROOT}.2.{number}",
        "SOPInstanceUID": instance_uid(number),
        "PatientID": f"P{number:04d}",
        "IssuerOfPatientID": "CLINIC",
        "PatientName": "Doe^Jane",
        "PatientBirthDate": "19500615",
        "PatientSex": "F",
        "StudyDate": "20240301",
        "InstitutionName": "Elmford Eye Clinic",
        "Manufacturer": "Northlight Ophthalmics",
        "ManufacturerModelName": "Cirrus 800 FA",
        "DeviceSerialNumber": "NL8-1",
        "StationName": "EYE-1",
        "SoftwareVersions": ["4.2.1", "RetinaView 2.0"],
        "ImageLaterality": "R",
        "SamplesPerPixel": pixels.shape[2],
        "PhotometricInterpretation": "RGB" if pixels.shape[2] == 3 else "MONOCHROME2",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "PlanarConfiguration": 0,
        "PixelData": pixels.tobytes() + b"\0" * (pixels.size % 2),
    }
    for keyword, value in (values | elements).items():
        if value is not None:
            setattr(header, keyword, value)
    if "PixelData" in header:
        header["PixelData"].VR = "OB"
    return header


def write_dicom(
    path: Path,
    number: int = 1,
    *,
    syntax: UID = ExplicitVRLittleEndian,
    pixels: NDArray[np.uint8] | None = None,
    **elements: Any,
) -> Path:
    """Write one file and return its path."""
    header = make_header(number, pixels=pixels, **elements)
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.file_meta.MediaStorageSOPClassUID = OphthalmicPhotography8BitImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = UID(instance_uid(number))
    header.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path, enforce_file_format=True, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    return path
