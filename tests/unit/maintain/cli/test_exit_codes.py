"""The exit code is a pure function of what happened."""

from __future__ import annotations

import inspect
import itertools

import pytest

from maintain import errors
from maintain.cli.exit_codes import PRECEDENCE, ExitCode, of_error, of_job, of_night, of_outcome, of_state, worst
from maintain.vocabulary import JobOutcome, Outcome, RunState


def test_no_code_at_all_is_an_internal_error() -> None:
    assert worst([]) is ExitCode.INTERNAL


def test_an_unexpected_exception_is_an_internal_error() -> None:
    assert of_error(RuntimeError("x")) is ExitCode.INTERNAL
    assert of_error(AssertionError()) is ExitCode.INTERNAL


def test_only_a_registered_run_passes() -> None:
    assert [state for state in RunState if of_state(state) is ExitCode.PASSED] == [RunState.REGISTERED]


def test_only_a_pass_passes() -> None:
    assert [outcome for outcome in Outcome if of_outcome(outcome) is ExitCode.PASSED] == [Outcome.PASS]


def test_only_a_job_that_passed_passes() -> None:
    assert [outcome for outcome in JobOutcome if of_job(outcome) is ExitCode.PASSED] == [JobOutcome.PASSED]


def night(*outcomes: JobOutcome, elsewhere: bool = False, interrupted: bool = False, detailed: bool = False) -> int:
    return int(of_night(outcomes, elsewhere=elsewhere, interrupted=interrupted, detailed=detailed))


def test_a_night_that_was_interrupted_says_so_whatever_it_did() -> None:
    for outcome in JobOutcome:
        assert night(outcome, interrupted=True) == night(outcome, interrupted=True, detailed=True) == 6


def test_a_night_is_as_bad_as_its_worst_job_and_quiet_about_what_waits() -> None:
    quiet = {JobOutcome.NOTHING_TO_DO: 5, JobOutcome.WAITING: 6, JobOutcome.HELD_BACK: 6}
    loud = {JobOutcome.REFUSED: 1, JobOutcome.NOT_EVALUATED: 3, JobOutcome.BAD_INPUT: 2, JobOutcome.FAILED: 4}
    assert {*quiet, *loud} == {*JobOutcome} - {JobOutcome.PASSED}
    for outcome, code in quiet.items():
        assert (night(outcome), night(outcome, detailed=True)) == (0, code)
        assert night(outcome, JobOutcome.PASSED) == 0
    for outcome, code in loud.items():
        assert night(outcome, *quiet, JobOutcome.PASSED) == night(outcome, *quiet, detailed=True) == code
    assert night(*loud) == 4


def test_a_night_without_a_job_is_nothing_to_do_and_one_that_others_work_on_waits() -> None:
    assert (night(), night(detailed=True)) == (0, 5)
    assert (night(elsewhere=True), night(elsewhere=True, detailed=True)) == (0, 6)


def test_every_error_of_the_family_has_its_code() -> None:
    bare = errors.MaintainError("x", remedy="y")
    family = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, type(bare))]
    known = {kind: of_error(kind.__new__(kind)) for kind in family if kind is not errors.MaintainError}
    assert known[errors.PolicyError] is ExitCode.BAD_INPUT
    assert known[errors.BrokenChainError] is ExitCode.REFUSED
    assert known[errors.NotEvaluatedError] is ExitCode.NOT_EVALUATED
    assert known[errors.DamagedError] is ExitCode.INTERNAL
    assert known[errors.NothingToDoError] is ExitCode.NOTHING_TO_DO
    assert known[errors.WaitingError] is ExitCode.WAITING


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(PRECEDENCE, 2)))
def test_the_first_of_the_precedence_wins(first: ExitCode, second: ExitCode) -> None:
    assert worst([second, first]) is worst([first, second]) is first


def test_the_precedence_is_the_documented_one() -> None:
    assert [int(code) for code in PRECEDENCE] == [4, 2, 1, 3, 6, 0, 5]
    assert set(PRECEDENCE) == set(ExitCode)
