from __future__ import annotations

import numpy as np
import pytest

from helpers.two_arms import arm_of, plain_arm
from maintain.errors import InputError, NotEvaluatedError
from maintain.statistics import patient_rank


def test_a_rank_needs_one_patient_among_others() -> None:
    others = plain_arm([0.0, 1.0, 2.0], "b")
    with pytest.raises(InputError, match="one patient"):
        patient_rank(plain_arm([0.0, 1.0], "a"), others)
    with pytest.raises(InputError, match="one patient"):
        patient_rank(plain_arm([1.0], "b"), others)
    with pytest.raises(InputError, match="covariates"):
        patient_rank(arm_of(np.random.default_rng(1), "a", 1), others)
    with pytest.raises(NotEvaluatedError, match="no cases"):
        patient_rank(plain_arm([1.0], "a"), plain_arm([], "b"))
    with pytest.raises(NotEvaluatedError, match="NaN"):
        patient_rank(plain_arm([np.nan], "a"), others)
    with pytest.raises(NotEvaluatedError, match="tied"):
        patient_rank(plain_arm([1.0], "a"), plain_arm([1.0, 1.0], "b"))


def test_the_share_of_patients_at_least_as_high_with_the_one_counted() -> None:
    others = plain_arm([0.0, 2.0, 1.0, 3.0, 5.0, 3.0], "b", each=2)
    for value, p in ((9.0, 1 / 4), (4.0, 2 / 4), (3.0, 2 / 4), (2.0, 3 / 4), (1.0, 1.0), (-9.0, 1.0)):
        assert patient_rank(plain_arm([value, value], "a", each=2), others) == pytest.approx(p)


def test_an_easy_patient_is_no_memorised_patient() -> None:
    rng = np.random.default_rng(2)
    others = arm_of(rng, "b", 99)
    easy = [patient_rank(arm_of(rng, "a", 1, easier=2.0), others) for _ in range(20)]
    memorised = [patient_rank(arm_of(rng, "a", 1, shift=5.0), others) for _ in range(20)]
    assert 0.25 < np.median(easy) < 0.75
    assert memorised == pytest.approx([0.01] * 20)


def test_the_level_is_kept() -> None:
    rng = np.random.default_rng(3)
    low = [patient_rank(arm_of(rng, "a", 1), arm_of(rng, "b", 39)) <= 0.05 for _ in range(600)]
    assert 0.025 <= np.mean(low) <= 0.08
