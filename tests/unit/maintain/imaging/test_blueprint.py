from __future__ import annotations

import dataclasses

import pytest

from maintain.errors import InputError, UnknownNameError
from maintain.imaging import Blueprint, blueprint_of, toy_problem
from maintain.records import Network
from maintain.vocabulary import Head, Role

TOY = toy_problem()


@pytest.mark.parametrize("labels", [(), ("one",), ("one", "one")])
def test_labels_that_cannot_be_told_apart_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="told apart"):
        dataclasses.replace(TOY.blueprint, label_order=labels)


def test_what_cannot_be_built_is_refused_at_once() -> None:
    with pytest.raises(UnknownNameError):
        dataclasses.replace(TOY.blueprint, network=Network("unknown"))
    with pytest.raises(InputError, match="head"):
        dataclasses.replace(TOY.blueprint, head=Head.BINARY)
    with pytest.raises(InputError, match="input of shape"):
        dataclasses.replace(TOY.blueprint, input_shape=(3, 16))


def test_cases_with_a_label_the_model_does_not_know_are_refused() -> None:
    odd = dataclasses.replace(TOY.rows[0], label="above")
    with pytest.raises(InputError, match="does not know: above"):
        TOY.blueprint.loader_cases([odd, *TOY.rows], Role.RETAIN)


def test_cases_become_loader_cases_in_one_role() -> None:
    handed = TOY.blueprint.loader_cases(TOY.rows, Role.LEARN)
    assert [case.case_id for case in handed] == [row.case_id for row in TOY.rows]
    assert [TOY.blueprint.label_order[case.label] for case in handed] == [row.label for row in TOY.rows]
    assert {case.role for case in handed} == {Role.LEARN}
    assert TOY.blueprint.label_index("middle") == 1
    assert TOY.blueprint.label_index("above") is None


def test_the_blueprint_of_a_spec_is_the_one_it_was_made_from() -> None:
    found: Blueprint = blueprint_of(TOY.spec())
    assert found == TOY.blueprint
