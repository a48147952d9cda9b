"""The tests of the worked examples mean something: change any clause of a policy, and some expectation fails.

What a test does not notice nobody would notice. Each example is staged once and met by every mutant of its policy;
a few hundred of them take some seconds, which is what the proof costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from helpers.cohorts import undone
from helpers.mutants import Mutant, mutants
from maintain.cli.catalogues import catalogues
from maintain.cohort import CohortStore
from maintain.database import Database, UnitOfWork, create_database
from maintain.errors import PolicyError
from maintain.predicate import FIELDS, field_values
from maintain.records import Case
from maintain_pipelines.champions import Champion
from maintain_pipelines.policy_cohort import stage_cohort
from maintain_pipelines.policy_expected import compare
from maintain_pipelines.policy_test import observe
from maintain_policies import KINDS, Policy, parse_policy
from maintain_policies.testing import PolicyTest, Subject, load_test

EXAMPLES = Path(__file__).parents[3] / "policies" / "examples"
KNOWN = catalogues()

#: Fewest mutants of an example: a generator that yields nothing would prove nothing.
FEWEST = 20

#: Keys that say neither what is forgotten nor how that is judged; no selection can show a change of theirs.
SILENT = ("version", "name", "owner", "model", "unlearn.seed", "unlearn.budget", "register", "schedule")

#: Clauses that say which cases are meant.
SELECTING = ("where", "unit")

ANYHOW = "every search ends in retrain, named or not"

#: Mutants that no cohort can tell from the policy, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "consent-withdrawal": dict.fromkeys(
        ("unit: image", "unit: eye", "unit: series", "unit: study"),
        "consent is said of a patient, so every image of the patient matches by itself",
    ),
    "forget-requests": {
        "reason: consent": "what a request bars is barred for the reason of its letter, and not listed twice",
    },
    "retired-camera": {
        "unit: series": "a series is taken by one device, so all of its images match or none",
        "methods: without retrain": ANYHOW,
    },
    "variant-anatomy": {"methods: without retrain": ANYHOW},
    "scanner-software": {"methods: without retrain": ANYHOW},
    "wrong-labels": {"methods: without retrain": ANYHOW},
    "diagnosis-relabelled": {"methods: without retrain": ANYHOW},
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = create_database(tmp_path_factory.mktemp("mutants") / "maintain.db")
    yield database
    database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_every_mutant_of_an_example_is_noticed(kind: str, database: Database) -> None:
    test = load_test(EXAMPLES / kind, KNOWN)
    plain = yaml.safe_load((EXAMPLES / kind / "policy.yaml").read_text(encoding="utf-8"))
    with undone(database) as unit:
        champion = stage_cohort(test.cohort, test.policy.model.name, unit)
        assert not _fails(test, champion, unit, test.policy)
        cases = CohortStore(unit).cases()
        known = {name: {str(value) for case in cases for value in field_values(case, name)} for name in _fields(cases)}
        every = [mutant for mutant in mutants(plain, known.__getitem__) if _parsed(mutant) != test.policy]
        survivors = {mutant.name for mutant in every if not _noticed(test, champion, unit, mutant)}
    assert len(every) >= FEWEST
    assert survivors == set(EQUIVALENT.get(kind, {}))


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_an_example_has_mutants_or_says_nothing_of_the_selection(kind: str) -> None:
    plain = yaml.safe_load((EXAMPLES / kind / "policy.yaml").read_text(encoding="utf-8"))
    changed = {mutant.clause for mutant in mutants(plain, lambda _: ())}
    keys = {key for key in plain if key not in ("forget", "limits", "unlearn")}
    keys |= {*plain["forget"], *plain["limits"], *(f"unlearn.{key}" for key in plain["unlearn"])}
    assert keys - changed - {"unlearn.methods"} <= set(SILENT)


def _fields(cases: Iterable[Case]) -> set[str]:
    cases = tuple(cases)
    labels = {f"label.{label.name}" for case in cases for label in case.labels}
    scores = {f"score.{score.name}" for case in cases for score in case.scores}
    return {name for name, field in FIELDS.items() if not field.family} | labels | scores


def _parsed(mutant: Mutant) -> Policy | None:
    """The policy of a mutant; None where the language refuses it."""
    try:
        return parse_policy(yaml.safe_dump(mutant.policy, sort_keys=False), source=mutant.name, catalogues=KNOWN)
    except PolicyError:
        return None


def _noticed(test: PolicyTest, champion: Champion, unit: UnitOfWork, mutant: Mutant) -> bool:
    """Whether the policy is refused or its test fails. A changed selection must show in roles, not in words."""
    policy = _parsed(mutant)
    return policy is None or _fails(_roles_alone(test) if mutant.clause in SELECTING else test, champion, unit, policy)


def _fails(test: PolicyTest, champion: Champion, unit: UnitOfWork, policy: Policy) -> bool:
    with _savepoint(unit):
        return bool(compare(test, observe(policy, champion, unit)).problems)


def _roles_alone(test: PolicyTest) -> PolicyTest:
    rows = tuple(replace(row, because="") for row in test.expected.of(Subject.ROLES))
    return replace(test, expected=replace(test.expected, rows=rows, given=frozenset({Subject.ROLES})))


@contextmanager
def _savepoint(unit: UnitOfWork) -> Iterator[None]:
    point = unit.connection.begin_nested()
    yield
    point.rollback()
