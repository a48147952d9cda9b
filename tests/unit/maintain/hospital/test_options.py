from __future__ import annotations

import math

import pytest

from maintain.errors import InputError
from maintain.hospital import HospitalOptions


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("patients", 0),
        ("variant_share", 1.01),
        ("variant_share", -0.01),
        ("variant_share", math.nan),
        ("withdrawals", -1),
        ("duplicates", -1),
        ("patient_label_noise", 0.51),
        ("image_label_noise", -0.1),
        ("difficulty", 2.5),
        ("difficulty", math.inf),
        ("camera_shift", -0.5),
        ("side", 15),
    ],
)
def test_nonsense_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name) as caught:
        HospitalOptions(**{name: value})  # type: ignore[arg-type]  # one dictionary for int and float options
    assert name in caught.value.remedy


def test_more_withdrawals_or_duplicates_than_patients_are_refused() -> None:
    with pytest.raises(InputError, match="withdrawals"):
        HospitalOptions(patients=3, withdrawals=4, duplicates=0)
    with pytest.raises(InputError, match="duplicates"):
        HospitalOptions(patients=3, withdrawals=0, duplicates=4)


def test_the_edges_are_allowed() -> None:
    HospitalOptions(patients=1, withdrawals=1, duplicates=1, variant_share=1.0, side=16)
    HospitalOptions(difficulty=0.0, camera_shift=0.0, patient_label_noise=0.0, image_label_noise=0.5)


def test_options_are_frozen() -> None:
    with pytest.raises(AttributeError):
        HospitalOptions().seed = 8  # type: ignore[misc]  # the point of the test
