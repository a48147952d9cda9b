"""Who comes to the hospital: patients, visits, both eyes, labels with their noise, withdrawals, duplicates.

Each patient has a random stream of their own: the first patients of a larger hospital are those of a smaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from pydicom.uid import generate_uid

from maintain.hospital.cameras import CAMERAS, Camera, camera_shares
from maintain.hospital.options import HospitalOptions
from maintain.hospital.scenes import DIAGNOSES, Anatomy, Scene, draw_anatomy, draw_scene
from maintain.hospital.truth import TruthRow
from maintain.vocabulary import Eye

#: Images of one patient, both ends included; the mean of 4 makes 5200 images of the demo's 1300 patients.
IMAGES_PER_PATIENT = (2, 6)
#: A visit photographs the right eye and then the left.
IMAGES_PER_VISIT = 2
#: Age at the first visit: an eye clinic's patients, mostly past sixty.
AGE_MEAN, AGE_SD, AGE_RANGE = 63.0, 13.0, (19, 94)
#: First visits are spread over these days; later ones follow after four to fourteen months.
FIRST_VISIT, FIRST_VISIT_DAYS = date(2019, 1, 7), 1500
MONTHS_BETWEEN_VISITS = (4, 14)
#: Withdrawals of consent arrive after the last visit, about two a week.
FIRST_WITHDRAWAL, WITHDRAWAL_DAYS = date(2026, 2, 2), 4
#: Pigmentation of the retina between persons (standard deviation of a factor around 1).
PIGMENT_SD = 0.10
#: Second word of every random stream, after the seed; patients add their number as a third.
PATIENT_STREAM, WITHDRAWAL_STREAM, DUPLICATE_STREAM = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One image before it is painted: its truth, its scene, its camera and the visit it belongs to."""

    truth: TruthRow
    scene: Scene
    camera: Camera
    visit: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A patient who takes back consent, and when."""

    patient_id: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    """What is the same in all images of a patient."""

    number: int
    patient_id: str
    sex: str
    birth_date: date
    camera: Camera
    variant: bool
    true_diagnosis: str
    charted_diagnosis: str
    withdraws: bool
    images: int
    first_visit: date


def draw_population(options: HospitalOptions) -> tuple[tuple[Shot, ...], tuple[Withdrawal, ...]]:
    """Every image in filing order, duplicates last, and the withdrawals in the order they arrive."""
    withdrawals = _draw_withdrawals(options)
    leaving = {withdrawal.patient_id for withdrawal in withdrawals}
    shots = [shot for number in range(options.patients) for shot in _draw_patient_shots(options, number, leaving)]
    return (*shots, *_draw_duplicates(options, shots)), withdrawals


def patient_id_of(number: int) -> str:
    """The PatientID of a patient, or of a second pseudonym, by number."""
    return f"SYN-{number:06d}"


def _draw_withdrawals(options: HospitalOptions) -> tuple[Withdrawal, ...]:
    """Choose who withdraws; the order is the order of arrival, not of patient numbers."""
    rng = np.random.default_rng([options.seed, WITHDRAWAL_STREAM])
    chosen = rng.permutation(options.patients)[: options.withdrawals]
    return tuple(
        Withdrawal(
            patient_id=patient_id_of(int(number)),
            day=FIRST_WITHDRAWAL + timedelta(days=WITHDRAWAL_DAYS * position),
        )
        for position, number in enumerate(chosen)
    )


def _draw_patient_shots(options: HospitalOptions, number: int, leaving: set[str]) -> Iterator[Shot]:
    """Draw a patient and then, visit by visit, the images of the right and the left eye."""
    rng = np.random.default_rng([options.seed, PATIENT_STREAM, number])
    patient = _draw_patient(rng, options, number, leaving)
    pigment = float(rng.normal(1.0, PIGMENT_SD))
    eyes = {
        eye: draw_anatomy(rng, left=eye is Eye.LEFT, variant=patient.variant, pigment=pigment)
        for eye in (Eye.RIGHT, Eye.LEFT)
    }
    day = patient.first_visit
    for image in range(patient.images):
        visit, place = divmod(image, IMAGES_PER_VISIT)
        if visit and not place:
            day += timedelta(days=int(30.4 * rng.uniform(*MONTHS_BETWEEN_VISITS)))
        eye = Eye.LEFT if place else Eye.RIGHT
        yield _draw_shot(rng, options, patient, (eye, eyes[eye]), visit=visit, number=image, day=day)


def _draw_patient(rng: np.random.Generator, options: HospitalOptions, number: int, leaving: set[str]) -> _Patient:
    """Draw what is the same in all images; the patient's label noise makes one wrong chart of all."""
    patient_id = patient_id_of(number)
    first_visit = FIRST_VISIT + timedelta(days=int(rng.integers(FIRST_VISIT_DAYS)))
    age = float(np.clip(rng.normal(AGE_MEAN, AGE_SD), *AGE_RANGE))
    diagnosis = DIAGNOSES[int(rng.integers(len(DIAGNOSES)))]
    return _Patient(
        number=number,
        patient_id=patient_id,
        sex="F" if rng.uniform() < 0.53 else "M",
        birth_date=first_visit - timedelta(days=int(age * 365.25)),
        camera=CAMERAS[int(rng.choice(len(CAMERAS), p=camera_shares(options.withdrawn_share)))],
        variant=bool(rng.uniform() < options.variant_share),
        true_diagnosis=diagnosis,
        charted_diagnosis=_mischart(rng, diagnosis, options.patient_label_noise),
        withdraws=patient_id in leaving,
        images=int(rng.integers(IMAGES_PER_PATIENT[0], IMAGES_PER_PATIENT[1] + 1)),
        first_visit=first_visit,
    )


def _mischart(rng: np.random.Generator, diagnosis: str, chance: float) -> str:
    """Return the diagnosis, or with this chance one of the others."""
    others = [other for other in DIAGNOSES if other != diagnosis]
    wrong = others[int(rng.integers(len(others)))]
    return wrong if rng.uniform() < chance else diagnosis


def _draw_shot(
    rng: np.random.Generator,
    options: HospitalOptions,
    patient: _Patient,
    eye: tuple[Eye, Anatomy],
    *,
    visit: int,
    number: int,
    day: date,
) -> Shot:
    """Draw one image and its truth."""
    side, anatomy = eye
    scene = draw_scene(rng, anatomy, patient.true_diagnosis, difficulty=options.difficulty)
    charted = scene.lesions[0]
    study_uid = _uid(options, patient.patient_id, f"study {visit}")
    sop_uid = _uid(options, patient.patient_id, f"image {number}")
    truth = TruthRow(
        patient_id=patient.patient_id,
        person_id=patient.patient_id,
        study_uid=study_uid,
        series_uid=_uid(options, patient.patient_id, f"series {visit}"),
        sop_uid=sop_uid,
        path=_path(patient.patient_id, day, study_uid, sop_uid, number=number),
        camera=patient.camera.model,
        eye=side,
        sex=patient.sex,
        birth_date=patient.birth_date,
        age=_years(patient.birth_date, day),
        study_date=day,
        variant=patient.variant,
        true_diagnosis=patient.true_diagnosis,
        recorded_diagnosis=_mischart(rng, patient.charted_diagnosis, options.image_label_noise),
        withdraws=patient.withdraws,
        duplicate_of=None,
        lesion_amplitude=charted.amplitude,
        lesion_radius=charted.radius,
        lesion_x=charted.x,
        lesion_y=charted.y,
        lesions=len(scene.lesions),
    )
    return Shot(truth=truth, scene=scene, camera=patient.camera, visit=visit, number=number)


def _draw_duplicates(options: HospitalOptions, shots: Sequence[Shot]) -> Iterator[Shot]:
    """Re-send images of different patients under new UIDs, every second one under another PatientID."""
    rng = np.random.default_rng([options.seed, DUPLICATE_STREAM])
    people = rng.permutation(options.patients)[: options.duplicates]
    first_shot = {shot.truth.patient_id: shot for shot in shots if shot.number == 0}
    for position, number in enumerate(people):
        original = first_shot[patient_id_of(int(number))]
        alias = patient_id_of(options.patients + position // 2) if position % 2 else original.truth.patient_id
        yield _resend(options, original, alias, position)


def _resend(options: HospitalOptions, original: Shot, patient_id: str, position: int) -> Shot:
    """The same pixels and label under other UIDs; withdrawals name the first pseudonym only."""
    truth = original.truth
    study_uid = _uid(options, patient_id, f"resent study {position}")
    sop_uid = _uid(options, patient_id, f"resent image {position}")
    resent = replace(
        truth,
        patient_id=patient_id,
        study_uid=study_uid,
        series_uid=_uid(options, patient_id, f"resent series {position}"),
        sop_uid=sop_uid,
        path=_path(patient_id, truth.study_date, study_uid, sop_uid, number=position),
        withdraws=truth.withdraws and patient_id == truth.patient_id,
        duplicate_of=truth.sop_uid,
    )
    return replace(original, truth=resent)


def _uid(options: HospitalOptions, *words: str) -> str:
    """A UID that depends on the seed and on these words only."""
    return str(generate_uid(entropy_srcs=["maintain.hospital", str(options.seed), *words]))


def _path(patient_id: str, day: date, study_uid: str, sop_uid: str, *, number: int) -> str:
    """The file's place below the hospital's folder; like in real archives some files have no ending."""
    name = f"IM{number:04d}" if number % 3 == 2 else f"{sop_uid}.dcm"
    return f"dicom/{patient_id}/{day:%Y%m%d}-{study_uid[-6:]}/{name}"


def _years(birth: date, day: date) -> int:
    """Whole years of age on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
