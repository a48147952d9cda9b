"""Expectations are read one by one with their places, or every mistake is named."""

from __future__ import annotations

import pytest

from maintain.errors import PolicyError
from maintain_policies.testing import Expectations, Subject, read_expectations


def read(body: str) -> Expectations:
    """The expectations of a file with this body."""
    return read_expectations(f"version: 1\n{body}", source="expect.yaml")


@pytest.mark.parametrize(
    ("body", "place", "said"),
    [
        ("rolls: {}\n", "2:1", "Did you mean 'roles'?"),
        ("gates: [integrity]\n", "1:1", "say what becomes of each case"),
        ("roles: []\n", "2:8", "roles must be a mapping"),
        ("roles: {forgot: [a]}\n", "2:9", "Did you mean 'forget'?"),
        ("roles: {learn: [a]}\n", "2:9", "no a role called 'learn'"),
        ("roles: {forget: a}\n", "2:17", "a mapping or a list of cases"),
        ("roles: {forget: {a: }}\n", "2:20", "must be text, found nothing"),
        ("roles:\n  forget: [a]\n  retain: [a]\n", "4:12", "'a' has a role already, in line 3"),
        ("roles: {}\nlimits: {max_people: {used: 1, allowed: 2}}\n", "3:10", "no a limit called 'max_people'"),
        ("roles: {}\nlimits: {max_patients: {used: 1}}\n", "3:10", "needs both figures"),
        ("roles: {}\nlimits: {max_patients: {used: 1, allowed: few}}\n", "3:43", "must be a number"),
        ("roles: {}\ngates: integrity\n", "3:8", "a list of gates"),
        ("roles: {}\nmethods: []\n", "3:10", "a list of methods"),
        ("refused: [a]\n", "2:10", "must be text"),
    ],
)
def test_a_mistake_is_named_at_its_place(body: str, place: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(body)
    problems = [(f"{problem.line}:{problem.column}", problem.message) for problem in caught.value.problems]
    assert any(at == place and said in message for at, message in problems), problems


@pytest.mark.parametrize(("text", "said"), [("", "empty"), ("[]", "mapping of keys"), ("roles: {}\n", "'version'")])
def test_a_file_without_expectations_is_refused(text: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        read_expectations(text, source="expect.yaml")


def test_each_expectation_knows_its_line() -> None:
    found = read("roles:\n  forget:\n    a: because\n  retain: [b, c]\nbarred: {}\n")
    assert [(row.of, row.wanted, row.because, row.place.line) for row in found.of(Subject.ROLES)] == [
        ("a", "forget", "because", 4),
        ("b", "retain", "", 5),
        ("c", "retain", "", 5),
    ]
    assert found.given == {Subject.ROLES, Subject.BARRED}


def test_figures_gates_and_methods_are_plain_words() -> None:
    found = read(
        "roles: {}\nlimits: {max_percent: {used: 7.40, allowed: not limited}}\n"
        "gates: [integrity, {retention: {by: device.model}}]\nmethods: [psg, retrain]\n"
    )
    assert [(row.of, row.wanted) for row in found.rows] == [
        ("max_percent", "7.4 of not limited"),
        ("integrity", ""),
        ("retention", ""),
        ("retention.by", "device.model"),
        ("", "psg, retrain"),
    ]
