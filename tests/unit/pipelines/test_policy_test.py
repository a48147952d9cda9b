"""A policy's test fails on what nobody expected and on what never came, each at its line; else it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from maintain.cli.catalogues import catalogues
from maintain.database import Database, create_database
from maintain.errors import PolicyError
from maintain_pipelines.policy_expected import PolicyOutcome
from maintain_pipelines.policy_test import run_test
from maintain_policies import KINDS, parse_policy
from maintain_policies.testing import PolicyTest, load_test, read_cohort, read_expectations

EXAMPLES = Path(__file__).parents[3] / "policies" / "examples"
KNOWN = catalogues()

POLICY = """\
version: 1
name: old-eyes
owner: somebody
reason: outlier
claim: group
model: {name: m}
forget: {where: {label.eye: old}}
limits: {max_percent: 60}
gates: [default, {retention: {margin: 0.04}}]
"""

COHORT = """\
version: 1
label: diagnosis
every_case: {label.diagnosis: drusen}
cases:
  - {case: old, patient: ann, split: train, label.eye: old}
  - {case: young, patient: ben, split: train, label.diagnosis: atrophy}
  - {case: checked, patient: cem, split: validation}
  - {case: held, patient: dov, split: holdout}
"""

EXPECTED = """\
version: 1
roles:
  forget: {old: label.eye is "old"}
  retain: [young]
  validation: [checked]
  holdout: [held]
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = create_database(tmp_path_factory.mktemp("policies") / "maintain.db")
    yield database
    database.close()


def ended(database: Database, *, policy: str = POLICY, cohort: str = COHORT, expected: str = EXPECTED) -> PolicyOutcome:
    """How a test with these files ends."""
    test = PolicyTest(
        folder=Path("here"),
        policy=parse_policy(policy, source="policy.yaml", catalogues=KNOWN),
        cohort=read_cohort(cohort, source="cohort.yaml"),
        expected=read_expectations(expected, source="expect.yaml"),
    )
    return run_test(test, database)


def said(tested: PolicyOutcome) -> list[str]:
    """Every problem as file, line and message."""
    return [f"{problem.source}:{problem.line} {problem.message}" for problem in tested.problems]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("  retain: [young]\n", "", "cohort.yaml:6 nobody expected that 'young' is retain"),
        ("[young]", "[young, yuong]", "expect.yaml:4 the cohort has no case 'yuong'; did you mean 'young'?"),
        ("retain: [young]", "suppressed: [young]", "expect.yaml:4 'young' was expected as suppressed, and is retain"),
        (
            "retain: [young]",
            "retain: {young: barred}",
            "expect.yaml:4 'young' has another reason: learned",
        ),
        ("[held]\n", "[held]\nbarred: {}\n", "cohort.yaml:5 nobody expected that 'old' is barred for this model"),
        ("[held]\n", "[held]\nbarred: [old, young]\n", "expect.yaml:7 'young' is not barred for this model"),
        ("[held]\n", "[held]\nbarred_elsewhere: [old]\n", "expect.yaml:7 'old' is not barred for other models"),
        ("[held]\n", "[held]\ngates: [integrity]\n", "expect.yaml:1 nobody expected that the gate 'retention' decides"),
        ("[held]\n", "[held]\ngates: [rank]\n", "expect.yaml:7 the gate 'rank' does not decide"),
        (
            "[held]\n",
            "[held]\ngates: [{retention: {margin: 0.07}}]\n",
            "expect.yaml:7 retention.margin was expected as 0.07, and is 0.04",
        ),
        (
            "[held]\n",
            "[held]\ngates: [integrity, never-saw, {retention: {alpha: 0.025}}, reference, bn-recalibration]\n",
            "expect.yaml:1 nobody expected that retention.margin is 0.04, and not 0.05",
        ),
        ("[held]\n", "[held]\nmethods: [psg]\n", "expect.yaml:7 the methods were expected as psg, and are retrain"),
        (
            "[held]\n",
            "[held]\nlimits: {max_percent: {used: 50, allowed: 70}}\n",
            "expect.yaml:7 max_percent was expected as 50 of 70, and is 50 of 60",
        ),
        ("[held]\n", "[held]\nrefused: too much\n", "expect.yaml:7 a refusal was expected, and there is a plan"),
    ],
)
def test_what_is_not_as_expected_is_named(before: str, after: str, problem: str, database: Database) -> None:
    tested = ended(database, expected=EXPECTED.replace(before, after))
    assert any(line.startswith(problem) for line in said(tested)), said(tested)


def test_everything_is_named_at_once(database: Database) -> None:
    expected = EXPECTED.replace("retain: [young]", "retain: {young: barred, gone: x}").replace("[held]", "[checked2]")
    tested = ended(database, expected=expected)
    assert [line.split(" ")[0] for line in said(tested)] == ["cohort.yaml:8", *["expect.yaml:4"] * 2, "expect.yaml:6"]
    assert (tested.expectations, tested.held) == (5, 2)


def test_a_refusal_that_nobody_expected_fails_the_test(database: Database) -> None:
    tested = ended(database, policy=POLICY.replace("60", "40"))
    assert [line.partition(": ")[0] for line in said(tested)] == ["expect.yaml:1 nobody expected that there is no plan"]


def test_limits_can_be_expected_to_stop_a_policy(database: Database) -> None:
    policy = POLICY.replace("60", "40")
    assert ended(database, policy=policy, expected=f"{EXPECTED}refused: more than max_percent 40\n").problems == ()
    other = ended(database, policy=policy, expected=f"{EXPECTED}refused: max_patients\n")
    assert said(other)[0].startswith("expect.yaml:7 it is refused for another reason")


def test_a_plan_that_cannot_be_made_has_no_roles(database: Database) -> None:
    policy = POLICY.replace("label.eye: old", "label.eye: odl")
    tested = ended(database, policy=policy, expected="version: 1\nrefused: \"label.eye is never 'odl'\"\n")
    assert (tested.problems, tested.held) == ((), 1)
    more = ended(database, policy=policy, expected=f"{EXPECTED}refused: never\n")
    assert len(more.problems) == 4
    assert "there is no plan in which this could be" in said(more)[0]


def test_a_score_that_no_case_was_given_is_refused_and_one_that_some_have_selects(database: Database) -> None:
    policy = POLICY.replace("label.eye: old", "score.outlier: {gt: 3.5}")
    refused = ended(database, policy=policy, expected="version: 1\nrefused: computed of no case\n")
    assert (refused.problems, refused.held) == ((), 1)
    scored = COHORT.replace("label.eye: old", "score.outlier: 3.6")
    expected = EXPECTED.replace('label.eye is "old"', "score.outlier > 3.5")
    assert said(ended(database, policy=policy, cohort=scored, expected=expected)) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "{case: odd, patient: eva, study: s, split: train}\n  - {case: odder, patient: fay, study: s}",
            "inconsistent",
        ),
        ("{case: odd, patient: eva, device.manufacturer: Zeiss, device.model: VISUCAM 500}", "as 'Visucam 500'"),
    ],
)
def test_a_cohort_that_intake_would_refuse_is_refused(line: str, said: str, database: Database) -> None:
    with pytest.raises(PolicyError, match=said) as caught:
        ended(database, cohort=f"{COHORT}  - {line}\n")
    assert caught.value.problems[0].line >= 9


def test_a_cohort_that_no_model_could_learn_from_is_refused(database: Database) -> None:
    with pytest.raises(PolicyError, match="no case in holdout"):
        ended(database, cohort="".join(line for line in COHORT.splitlines(keepends=True) if "held" not in line))


@pytest.mark.parametrize("kind", KINDS)
def test_every_worked_example_holds(kind: str, database: Database) -> None:
    tested = run_test(load_test(EXAMPLES / kind, KNOWN), database)
    assert said(tested) == []
    assert tested.held == tested.expectations >= 25


def test_the_example_of_the_language_page_holds(database: Database) -> None:
    page = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (cohort,) = (block for block in blocks if "\ncases:" in block)
    (expected,) = (block for block in blocks if "\nroles:" in block)
    policy = (EXAMPLES / "retired-camera" / "policy.yaml").read_text(encoding="utf-8")
    assert said(ended(database, policy=policy, cohort=cohort, expected=expected)) == []


def test_nothing_is_left_behind(database: Database) -> None:
    """The same cohort goes into the same database as often as one likes."""
    assert ended(database) == ended(database)
    assert ended(database).problems == ()
