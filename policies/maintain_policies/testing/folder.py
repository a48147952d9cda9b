"""A policy's test in a folder: three files, and how such folders are found below another one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maintain.errors import InputError, PolicyError, Problem
from maintain_policies.catalogues import Catalogues
from maintain_policies.loader import load_policy, read_file
from maintain_policies.testing.cohort import read_cohort
from maintain_policies.testing.expect import read_expectations
from maintain_policies.testing.values import PolicyTest

POLICY_FILE, COHORT_FILE, EXPECT_FILE = "policy.yaml", "cohort.yaml", "expect.yaml"


def find_tests(places: Iterable[Path]) -> tuple[Path, ...]:
    """The folders of these places, and below them, that hold a test; each once, sorted within a place.

    Raises `InputError` for a place that is no folder or holds none, and for a test that lacks one of its files: a
    policy that nobody tests must not look like one that passed.
    """
    found: dict[Path, None] = {}
    for place in places:
        if not place.is_dir():
            raise InputError(f"{place} is not a folder.", remedy=_REMEDY)
        here = sorted({path.parent for name in _FILES for path in place.rglob(name)})
        if not here:
            raise InputError(f"There is no {POLICY_FILE} in {place} or below.", remedy=_REMEDY)
        found.update(dict.fromkeys(here))
    lacking = [f"{folder} has no {name}" for folder in found for name in _FILES if not (folder / name).is_file()]
    if lacking:
        raise InputError(f"Not every policy has its test: {'; '.join(lacking)}.", remedy=_REMEDY)
    return tuple(found)


def load_test(folder: Path, catalogues: Catalogues) -> PolicyTest:
    """The test of a folder. Raises `PolicyError` with every mistake of all three files."""
    problems: list[Problem] = []
    policy = cohort = expected = None
    try:
        policy = load_policy(folder / POLICY_FILE, catalogues)
    except PolicyError as error:
        problems += error.problems
    try:
        cohort = read_cohort(read_file(folder / COHORT_FILE), source=str(folder / COHORT_FILE))
    except PolicyError as error:
        problems += error.problems
    try:
        expected = read_expectations(read_file(folder / EXPECT_FILE), source=str(folder / EXPECT_FILE))
    except PolicyError as error:
        problems += error.problems
    if policy is None or cohort is None or expected is None:
        raise PolicyError(problems, remedy="Mend these lines; each says what may stand there.")
    return PolicyTest(folder=folder, policy=policy, cohort=cohort, expected=expected)


# --- private ---------------------------------------------------------------------------------------

_FILES = (POLICY_FILE, COHORT_FILE, EXPECT_FILE)

_REMEDY = f"Name a folder with {POLICY_FILE}, {COHORT_FILE} and {EXPECT_FILE}, or one that holds such folders."
