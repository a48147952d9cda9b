"""The hospital on disk: DICOM files, labels, withdrawals, and the truth beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from maintain.errors import InputError
from maintain.hospital.drawing import paint_shot
from maintain.hospital.headers import ISSUER, encode_file
from maintain.hospital.options import HospitalOptions
from maintain.hospital.population import Shot, Withdrawal, draw_population
from maintain.hospital.truth import HospitalFolder, truth_lines
from maintain.vocabulary import ConsentStatus

#: Images between two reports of progress.
PROGRESS_EVERY = 100

Progress = Callable[[int, int], None]


def build_hospital(folder: Path, options: HospitalOptions, *, progress: Progress | None = None) -> HospitalFolder:
    """Write the hospital of these options into a new or empty folder; equal options write equal bytes.

    `progress` is called with (images written, images in all), the last time when all are written.

    Raises:
        InputError: The folder holds something already, or is a file.
    """
    _refuse_occupied(folder)
    shots, withdrawals = draw_population(options)
    hospital = HospitalFolder(
        root=folder,
        dicom=folder / "dicom",
        labels=folder / "labels.csv",
        withdrawals=folder / "withdrawals.csv",
        anatomy=folder / "anatomy.csv",
        truth=folder / "truth.jsonl",
        images=len(shots),
        patients=len({shot.truth.patient_id for shot in shots}),
    )
    _write_images(hospital, shots, options, progress)
    _write_tables(hospital, shots, withdrawals)
    _write_lines(hospital.truth, truth_lines(options, [shot.truth for shot in shots]))
    return hospital


def _refuse_occupied(folder: Path) -> None:
    """Refuse a folder that holds something: a hospital is never mixed with other files."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        raise InputError(
            "The folder for the synthetic hospital is not empty.",
            remedy="Name a new folder, or empty this one.",
        )


def _write_images(
    hospital: HospitalFolder, shots: Sequence[Shot], options: HospitalOptions, progress: Progress | None
) -> None:
    """Paint and write image by image, so that memory holds one at a time."""
    made: set[Path] = set()
    for done, shot in enumerate(shots, start=1):
        path = hospital.root / shot.truth.path
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_bytes(encode_file(shot, paint_shot(shot, options)))
        if progress is not None and (done % PROGRESS_EVERY == 0 or done == len(shots)):
            progress(done, len(shots))


def _write_tables(hospital: HospitalFolder, shots: Sequence[Shot], withdrawals: Sequence[Withdrawal]) -> None:
    """Write what lies beside an archive: labels, the grading of the anatomy, the consent register."""
    truths = [shot.truth for shot in shots]
    labels = (f"{truth.sop_uid},{truth.recorded_diagnosis}" for truth in truths)
    _write_lines(hospital.labels, ["SOPInstanceUID,diagnosis", *labels])
    anatomy = (f"{truth.sop_uid},{'variant' if truth.variant else 'usual'}" for truth in truths)
    _write_lines(hospital.anatomy, ["SOPInstanceUID,anatomy", *anatomy])
    gone = (f"{one.patient_id},{ISSUER},{ConsentStatus.WITHDRAWN.value},{one.day.isoformat()}" for one in withdrawals)
    _write_lines(hospital.withdrawals, ["PatientID,IssuerOfPatientID,status,date", *gone])


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines with newlines as they are on every system."""
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
