from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRLittleEndian

from maintain.hospital import HospitalOptions
from maintain.hospital.cameras import CAMERAS
from maintain.hospital.drawing import paint_shot
from maintain.hospital.headers import encode_file
from maintain.hospital.population import Shot, draw_population

OPTIONS = HospitalOptions(patients=30, withdrawals=0, duplicates=3, side=17)
SHOTS, _ = draw_population(OPTIONS)


def encoded(shot: Shot) -> bytes:
    return encode_file(shot, paint_shot(shot, OPTIONS))


def read(shot: Shot) -> FileDataset:
    return dcmread(BytesIO(encoded(shot)))


@pytest.mark.parametrize("shot", SHOTS[::9])
def test_bytes_are_those_of_pydicoms_own_writer(shot: Shot) -> None:
    again = BytesIO()
    read(shot).save_as(again, enforce_file_format=True)
    assert encoded(shot) == again.getvalue()


def test_an_odd_number_of_pixel_bytes_is_padded() -> None:
    dataset = read(SHOTS[0])
    assert len(dataset.PixelData) % 2 == 0
    assert np.array_equal(dataset.pixel_array, paint_shot(SHOTS[0], OPTIONS))


@pytest.mark.parametrize("shot", SHOTS[::7])
def test_headers_say_what_the_truth_says(shot: Shot) -> None:
    dataset, truth = read(shot), shot.truth
    assert dataset.PatientID == truth.patient_id
    assert dataset.PatientSex == truth.sex
    assert dataset.PatientAge == f"{truth.age:03d}Y"
    assert dataset.PatientBirthDate == truth.birth_date.strftime("%Y%m%d")
    assert dataset.StudyDate == truth.study_date.strftime("%Y%m%d")
    assert dataset.AcquisitionDateTime.startswith(dataset.StudyDate)
    assert dataset.StudyInstanceUID == truth.study_uid
    assert dataset.SeriesInstanceUID == truth.series_uid
    assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID == truth.sop_uid
    assert dataset.ImageLaterality == truth.eye.value
    assert dataset.ManufacturerModelName == truth.camera
    assert dataset.RefractiveStateSequence[0].SphericalLensPower == (-7.5 if truth.variant else -0.5)


def test_the_format_is_ophthalmic_photography_8_bit_rgb_uncompressed() -> None:
    dataset = read(SHOTS[0])
    assert dataset.SOPClassUID == dataset.file_meta.MediaStorageSOPClassUID
    assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.77.1.5.1"
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (dataset.Modality, dataset.PhotometricInterpretation) == ("OP", "RGB")
    assert (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.BitsStored) == (17, 17, 3, 8)
    assert (dataset.BurnedInAnnotation, dataset.LossyImageCompression) == ("NO", "00")
    assert dataset.AcquisitionDeviceTypeCodeSequence[0].CodeMeaning == "Fundus Camera"
    assert dataset.AnatomicRegionSequence[0].CodeMeaning == "Retina"


def test_each_camera_names_its_device_with_several_software_versions() -> None:
    for camera in CAMERAS:
        shot = next(shot for shot in SHOTS if shot.camera is camera)
        dataset = read(shot)
        assert dataset.Manufacturer == camera.manufacturer
        assert dataset.DeviceSerialNumber == camera.serial
        assert tuple(dataset.SoftwareVersions) == camera.software
        assert dataset.StationName == camera.station
        assert dataset.InstitutionName == camera.institution
        assert dataset.HorizontalFieldOfView == camera.field_of_view_degrees


def test_every_name_says_that_it_is_synthetic_and_every_value_fits() -> None:
    for shot in SHOTS[::5]:
        dataset = read(shot)
        assert str(dataset.PatientName).startswith("SYNTHETIC^")
        assert dataset.PatientID.startswith("SYN-")
        assert len(dataset.AccessionNumber) <= 16
        assert {dataset.PupilDilated} <= {"YES", "NO"}
