"""The proxy for difficulty: fitted on retained cases only, asked about others, and silent where it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from maintain.imaging import PixelSource, toy_problem
from maintain.measure import image_features
from maintain.records import RoleTable
from maintain.vocabulary import Role
from maintain_pipelines.difficulty import PENALTY, difficulty_of

TOY = toy_problem(roles=((Role.RETAIN, 60), (Role.FORGET, 9), (Role.NEVER_SEEN, 9), (Role.HOLDOUT, 6)))
ROLES = RoleTable(TOY.rows)
ASKED = ROLES.of(Role.FORGET, Role.NEVER_SEEN)


class Watched:
    """Pixels that notice whose they are when they are read."""

    def __init__(self, source: PixelSource) -> None:
        self.source, self.read = source, set[str]()

    def load(self, digests: Sequence[str], /) -> NDArray[np.uint8]:
        self.read.update(digests)
        return self.source.load(digests)


def test_retained_cases_of_one_label_say_nothing() -> None:
    rows = tuple(replace(row, label="left") if row.role is Role.RETAIN else row for row in TOY.rows)
    assert difficulty_of(ASKED, RoleTable(rows), TOY.pixels) is None
    assert difficulty_of(ASKED, RoleTable(ASKED), TOY.pixels) is None


def test_a_label_that_no_retained_case_has_gets_no_row() -> None:
    odd = (replace(ASKED[0], label="above"), *ASKED[1:])
    found = difficulty_of(odd, ROLES, TOY.pixels)
    assert found is not None
    assert [row.case_id for row in found.rows] == [case.case_id for case in ASKED[1:]]
    nobody = difficulty_of(odd[:1], ROLES, TOY.pixels)
    assert nobody is not None
    assert nobody.rows == ()


def test_it_reads_retained_and_asked_cases_and_no_other() -> None:
    pixels = Watched(TOY.pixels)
    difficulty_of(ASKED, ROLES, pixels)
    assert pixels.read == {row.pixels for row in (*ROLES.of(Role.RETAIN), *ASKED)}


def test_it_is_the_logistic_regression_of_block_means() -> None:
    found = difficulty_of(ASKED, ROLES, TOY.pixels)
    assert found is not None
    assert (found.proxy, found.fitted_on) == ("logistic-16", 60)
    retained = ROLES.of(Role.RETAIN)
    learned, asked = (image_features(TOY.pixels, [row.pixels for row in rows]) for rows in (retained, ASKED))
    scaler = StandardScaler().fit(learned.blocks)
    model = LogisticRegression(C=1 / (len(retained) * PENALTY), tol=1e-8, max_iter=5000)
    model.fit(scaler.transform(learned.blocks), [row.label for row in retained])
    chances = model.predict_proba(scaler.transform(asked.blocks))
    classes = list(model.classes_)
    own = [row_chances[classes.index(case.label)] for row_chances, case in zip(chances, ASKED, strict=True)]
    np.testing.assert_allclose([row.probability for row in found.rows], own, atol=1e-3)
    np.testing.assert_allclose([row.log_probability for row in found.rows], np.log(own), atol=1e-2)
    decided = model.predict(scaler.transform(asked.blocks))
    assert [row.right for row in found.rows] == [said == case.label for said, case in zip(decided, ASKED, strict=True)]
    assert [row.brightness for row in found.rows] == pytest.approx(list(asked.brightness))
    assert [row.contrast for row in found.rows] == pytest.approx(list(asked.contrast))
