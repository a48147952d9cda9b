"""Policies carry their own tests: a small cohort, written by hand, and what is expected of the policy on it.

This room reads the two files; running them takes the cohort and the stages, which stand on other floors
(`maintain_pipelines.policy_test`).
"""

from __future__ import annotations

from maintain_policies.testing.cohort import read_cohort
from maintain_policies.testing.expect import NOT_LIMITED, read_expectations
from maintain_policies.testing.folder import COHORT_FILE, EXPECT_FILE, POLICY_FILE, find_tests, load_test
from maintain_policies.testing.values import (
    NOT_PLANNED,
    Expectation,
    Expectations,
    Membership,
    PolicyTest,
    SampleCase,
    SampleCohort,
    Sheet,
    Subject,
)

__all__ = [
    "COHORT_FILE",
    "EXPECT_FILE",
    "NOT_LIMITED",
    "NOT_PLANNED",
    "POLICY_FILE",
    "Expectation",
    "Expectations",
    "Membership",
    "PolicyTest",
    "SampleCase",
    "SampleCohort",
    "Sheet",
    "Subject",
    "find_tests",
    "load_test",
    "read_cohort",
    "read_expectations",
]
