"""A worked example becomes somebody's policy: their words in their places, and nothing else changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.cli.catalogues import catalogues
from maintain.errors import InputError, UnknownNameError
from maintain.predicate import describe
from maintain_policies import KINDS, begin_policy, parse_policy, summary_of, worked_policy

EXAMPLES = Path(__file__).parents[3] / "policies" / "examples"


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="retired-camera"):
        worked_policy("retired-camra")


@pytest.mark.parametrize(
    ("field", "said"),
    [("device.modl", "not at all"), ("study.date", "not at all")],
)
def test_a_field_that_the_example_does_not_test_is_refused(field: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        begin_policy("retired-camera", fields={field: "x"})
    assert "device.model" in caught.value.remedy


def test_a_field_that_is_tested_twice_is_left_to_a_hand() -> None:
    with pytest.raises(InputError, match="more than once"):
        begin_policy("scanner-software", fields={"device.software": "5.*"})


def test_the_kinds_are_the_examples() -> None:
    assert sorted(KINDS) == sorted(folder.name for folder in EXAMPLES.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_is_valid_commented_and_summed_up(kind: str) -> None:
    text = begin_policy(kind)
    assert text == (EXAMPLES / kind / "policy.yaml").read_text(encoding="utf-8")
    assert parse_policy(text, source=kind, catalogues=catalogues()).name == kind
    assert summary_of(kind).endswith(".")
    assert text.count("#") >= 2


@pytest.mark.parametrize("kind", KINDS)
def test_words_are_put_in_their_places(kind: str) -> None:
    text = begin_policy(kind, name="ours", model="our-model", owner="We: the team #1")
    policy = parse_policy(text, source=kind, catalogues=catalogues())
    assert (policy.name, policy.model.name, policy.owner) == ("ours", "our-model", "We: the team #1")
    before = parse_policy(worked_policy(kind), source=kind, catalogues=catalogues())
    assert policy.where == before.where
    assert policy.limits == before.limits
    assert text.count("#") == worked_policy(kind).count("#") + 1


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("retired-camera", {"device.model": "Visucam 500"}, 'device.model is "Visucam 500"'),
        ("retired-camera", {"device.model": "yes: no"}, 'device.model is "yes: no"'),
        ("variant-anatomy", {"score.outlier": "4.25"}, "score.outlier > 4.25"),
        ("site-recall", {"site": "0012", "study.date": "2020, 2021-06"}, 'between "2020" and "2021-06"'),
        ("retention-expired", {"patient.age": "21"}, "patient.age >= 21"),
    ],
)
def test_a_field_is_held_against_another_value(kind: str, fields: dict[str, str], said: str) -> None:
    policy = parse_policy(begin_policy(kind, fields=fields), source=kind, catalogues=catalogues())
    assert said in describe(policy.where)
