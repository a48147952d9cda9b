"""HAM10000 as a hospital would hand it over: a folder of DICOM, one Secondary Capture a lesion, and a table of labels.

The images come from a file that the reader brings (`ham10000_64.npz`, CC BY-NC-SA 4.0; Tschandl, Rosendahl, Kittler,
Sci Data 5:180161, 2018). They are no part of this project, and nothing here writes an image anywhere but into the
folder that was named.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

#: Files of the folder: images, and what they show.
DICOM, LABELS = "dicom", "labels.csv"
#: Columns of the file, beside `images` and `labels`.
COLUMNS = ("class_names", "device", "device_names", "meta_age", "meta_image_id", "meta_lesion_id", "meta_sex")
#: The source gives no dates: these are made up, one day after another and again from the first, alike for each device.
FIRST_DAY, DAYS = date(2015, 1, 5), 1000
#: What has no sex or no age in the source has none here.
SEXES = {"male": "M", "female": "F"}
#: Who "made" the devices: nobody is said to; a header wants a word.
MANUFACTURER = "HAM10000"
#: The diagnoses of which `malignancy`, the coarser label, says malignant.
MALIGNANT = frozenset({"akiec", "bcc", "mel"})
#: Images between two reports of progress.
PROGRESS_EVERY = 500


@dataclass(frozen=True, slots=True)
class Lesion:
    """One image before it is a file. `number` is its place in the source."""

    number: int
    image_id: str
    lesion_id: str
    device: str
    diagnosis: str
    age: float
    sex: str

    @property
    def malignancy(self) -> str:
        """The answer that a clinic acts on."""
        return "malignant" if self.diagnosis in MALIGNANT else "benign"

    @property
    def sop_uid(self) -> str:
        """The same for the same image, wherever it is exported."""
        return _uid("image", self.image_id)


@dataclass(frozen=True, slots=True)
class Source:
    """The lesions of a file and their pixels, uint8 [N, H, W, 3], in one order."""

    lesions: tuple[Lesion, ...]
    pixels: NDArray[np.uint8]
    about: dict[str, str]


def read_source(path: Path) -> Source:
    """Every lesion of the file. Raises `SystemExit` where the file is no such file."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            missing = {"images", "labels", "readme", *COLUMNS} - set(stored.files)
            columns = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError) as error:
        raise SystemExit(f"{path.name} cannot be read as an .npz file.") from error
    if missing:
        raise SystemExit(f"{path.name} has no {', '.join(sorted(missing))}: it is not the subset of HAM10000.")
    lesions = tuple(
        Lesion(
            number=place,
            image_id=str(columns["meta_image_id"][place]),
            lesion_id=str(columns["meta_lesion_id"][place]),
            device=str(columns["device_names"][columns["device"][place]]),
            diagnosis=str(columns["class_names"][label]),
            age=float(columns["meta_age"][place]),
            sex=str(columns["meta_sex"][place]),
        )
        for place, label in enumerate(columns["labels"])
    )
    return Source(lesions, columns["images"], json.loads(str(columns["readme"])))


def export(source: Source, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write `dicom/DEVICE/IMAGE.dcm` and `labels.csv` into a new folder; equal sources write equal bytes."""
    folder.mkdir(parents=True)
    for done, lesion in enumerate(source.lesions, start=1):
        path = folder / DICOM / lesion.device / f"{lesion.image_id}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        _dataset(lesion, source.pixels[lesion.number]).save_as(path, enforce_file_format=True)
        if progress is not None and (done % PROGRESS_EVERY == 0 or done == len(source.lesions)):
            progress(done, len(source.lesions))
    with (folder / LABELS).open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("SOPInstanceUID", "diagnosis", "malignancy"))
        rows.writerows((lesion.sop_uid, lesion.diagnosis, lesion.malignancy) for lesion in source.lesions)


# --- private ---------------------------------------------------------------------------------------


def _dataset(lesion: Lesion, pixels: NDArray[np.uint8]) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID(lesion.sop_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    _describe_visit(header, lesion)
    header.Manufacturer, header.ManufacturerModelName = MANUFACTURER, lesion.device
    header.ConversionType, header.Modality = "DI", "XC"
    header.BurnedInAnnotation = "NO"
    header.Rows, header.Columns, header.SamplesPerPixel = *pixels.shape[:2], 3
    header.PhotometricInterpretation, header.PlanarConfiguration = "RGB", 0
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 8, 8, 7, 0
    header.PixelData = np.ascontiguousarray(pixels).tobytes()
    header["PixelData"].VR = "OB"
    return header


def _describe_visit(header: Dataset, lesion: Lesion) -> None:
    """A lesion stands for a patient: the source names no patients."""
    header.SOPClassUID, header.SOPInstanceUID = SecondaryCaptureImageStorage, UID(lesion.sop_uid)
    header.StudyInstanceUID = _uid("study", lesion.lesion_id)
    header.SeriesInstanceUID = _uid("series", lesion.lesion_id)
    header.StudyDate = f"{FIRST_DAY + timedelta(days=lesion.number % DAYS):%Y%m%d}"
    header.PatientID, header.PatientName = lesion.lesion_id, ""
    header.PatientSex = SEXES.get(lesion.sex, "")
    header.PatientAge = "" if np.isnan(lesion.age) else f"{round(lesion.age):03d}Y"


def _uid(*words: str) -> str:
    return str(generate_uid(entropy_srcs=["benchmarks.ham_cases", *words]))
