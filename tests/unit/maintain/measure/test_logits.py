from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from maintain.errors import InputError, NotEvaluatedError
from maintain.imaging import Chain, load_images, toy_problem, weights_digest
from maintain.measure import measure
from maintain.vocabulary import Head, Role

TOY = toy_problem(roles=((Role.HOLDOUT, 11), (Role.NEVER_SEEN, 4)))
SPEC = TOY.spec()


def network() -> nn.Module:
    return TOY.blueprint.build(seed=3)


def test_outputs_that_are_not_finite_are_not_measured() -> None:
    spoilt = network()
    with torch.no_grad():
        next(spoilt.parameters())[0] = float("nan")
    with pytest.raises(NotEvaluatedError, match="not finite"):
        measure(spoilt, SPEC, TOY.rows, TOY.pixels, weights="w")


def test_a_head_or_a_shape_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="head"):
        measure(network(), dataclasses.replace(SPEC, head=Head.BINARY), TOY.rows, TOY.pixels, weights="w")
    with pytest.raises(InputError, match="the network reads"):
        measure(network(), dataclasses.replace(SPEC, input_shape=(1, 16, 16)), TOY.rows, TOY.pixels, weights="w")


def test_no_cases_give_no_rows() -> None:
    assert measure(network(), SPEC, (), TOY.pixels, weights="w") == ()


def test_every_case_has_one_row_in_order_with_the_plain_outputs() -> None:
    asked = network()
    rows = measure(asked, SPEC, TOY.rows, TOY.pixels, weights="w", batch_size=4)
    assert [(row.case_id, row.role, row.patient) for row in rows] == [
        (case.case_id, case.role, case.patient) for case in TOY.rows
    ]
    assert {row.weights for row in rows} == {"w"}
    assert [row.label for row in rows] == [(TOY.blueprint.label_order.index(case.label),) for case in TOY.rows]
    assert {row.label_mask for row in rows} == {(True,)}
    images = load_images(TOY.pixels, [case.pixels for case in TOY.rows])
    with torch.no_grad():
        plain = asked.eval()(Chain(SPEC.preprocessing).apply(images))
    assert_close(torch.tensor([row.logits for row in rows]), plain, rtol=1e-4, atol=1e-5)


def test_a_label_the_model_does_not_know_is_masked() -> None:
    odd = dataclasses.replace(TOY.rows[0], label="above")
    (row,) = measure(network(), SPEC, (odd,), TOY.pixels, weights="w")
    assert row.label_mask == (False,)
    assert row.label == (-1,)


def test_measuring_changes_nothing_and_repeats() -> None:
    asked = network()
    asked.train()
    frozen = asked.get_submodule("norm1").eval()
    before = weights_digest(asked.state_dict())
    first = measure(asked, SPEC, TOY.rows, TOY.pixels, weights="w")
    assert measure(asked, SPEC, TOY.rows, TOY.pixels, weights="w") == first
    assert weights_digest(asked.state_dict()) == before
    assert asked.training
    assert not frozen.training
