"""The hospital of the bench: split by patient in fixed numbers, and in as many more as it has more patients."""

from __future__ import annotations

from functools import partial

import pytest

from maintain.hospital import HospitalOptions
from maintain.vocabulary import Split
from maintain_pipelines.bench import ward


@pytest.mark.parametrize("times", [1, 2])
def test_a_larger_hospital_is_split_in_the_same_shares(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ward, "TRAIN", 10)
    monkeypatch.setattr(ward, "VALIDATION", 4)
    monkeypatch.setattr(ward, "HospitalOptions", partial(HospitalOptions, patients=20, withdrawals=0))
    cases = ward.hospital(3, times=times).cases
    sides = {split: {case.patient for case in cases if case.split is split} for split in Split}
    sizes = [len(sides[split]) for split in (Split.TRAIN, Split.VALIDATION, Split.HOLDOUT)]
    assert sizes == [10 * times, 4 * times, 6 * times]
    assert len(set.union(*sides.values())) == 20 * times
