"""The problem of the trial: drawn from its seed alone, memorable, and split by patient."""

from __future__ import annotations

from collections import Counter

import numpy as np

from maintain.vocabulary import Role
from maintain_pipelines.bench.desk import EXAMPLES, GROUP
from maintain_pipelines.bench.problem import SCANNERS, WITHDRAWN, separable

SMALL = separable(3, patients=120)


def test_equal_seeds_draw_equal_cases_and_pixels() -> None:
    assert separable(3, patients=120).cases == SMALL.cases
    assert separable(4, patients=120).cases != SMALL.cases


def test_every_case_has_pixels_of_its_own() -> None:
    assert len({case.pixels for case in SMALL.cases}) == len(SMALL.cases)
    images = SMALL.pixels.load([case.pixels for case in SMALL.cases])
    assert images.dtype == np.uint8
    assert images.shape[1:] == (16, 16, 3)


def test_a_patient_is_on_one_side() -> None:
    for story in (EXAMPLES, GROUP):
        sides: dict[str, set[Role]] = {}
        for row in SMALL.roles(story.forget).rows:
            sides.setdefault(row.patient, set()).add(row.role)
        assert {len(roles) for roles in sides.values()} == {1}


def test_the_group_is_one_scanner_whole() -> None:
    matched = {Role.FORGET, Role.NEVER_SEEN, Role.NEVER_SEEN_VALIDATION}
    scanner = {case.case_id: case.scanner for case in SMALL.cases}
    for row in SMALL.roles(GROUP.forget).rows:
        assert (row.role in matched) == (scanner[row.case_id] == WITHDRAWN)


def test_scanners_are_equally_bright() -> None:
    assert len({sum(colour) for _, _, colour in SCANNERS}) == 1
    assert abs(sum(share for _, share, _ in SCANNERS) - 1) < 1e-9


def test_both_labels_and_all_scanners_occur() -> None:
    assert min(Counter(case.label for case in SMALL.cases).values()) > 0.4 * len(SMALL.cases)
    assert len({case.scanner for case in SMALL.cases}) == len(SCANNERS)
