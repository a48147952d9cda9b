"""What holds for every method of the table, on a toy model that learned its cases."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from helpers.toy_requests import RETAINED, toy_champion, toy_request
from maintain.errors import InputError, WaitingError
from maintain.imaging import all_finite, weights_digest
from maintain.records import Setting
from maintain.unlearn import METHODS, UnlearnRequest, Witness, load_method
from maintain.vocabulary import Head, ManifestStatus, Role

#: Forgotten cases beside the retained ones: some, few, and one.
SIZES = (12, 5, 1)

#: Methods that change no weight, by design: the control that does nothing.
UNMOVED = frozenset({"noop"})

#: Methods that move weights in one go, so that there is nothing to go on with.
AT_ONCE = frozenset({"noop", "bn-only"})

#: What a method is told so that it is quick here.
TOLD: dict[str, tuple[Setting, ...]] = {
    name: tuple(
        Setting(option.name, value)
        for option in info.options
        for known, value in (("steps", 40), ("forget_batch", 4), ("retain_batch", 16))
        if option.name == known
    )
    for name, info in METHODS.items()
}


def asked(method: str, forgotten: int) -> UnlearnRequest:
    return toy_request(forgotten, *TOLD[method])


@pytest.mark.parametrize("method", METHODS)
def test_a_model_whose_history_nobody_knows_is_refused(method: str) -> None:
    request = asked(method, 5)
    unknown = dataclasses.replace(request.manifest, status=ManifestStatus.UNKNOWN)
    request = dataclasses.replace(request, manifest=unknown)
    assert not load_method(method).eligible(request).ok
    with pytest.raises(InputError, match="Nobody says what this model learned from"):
        load_method(method).unlearn(request)


@pytest.mark.parametrize("method", sorted(set(METHODS) - AT_ONCE))
def test_a_budget_that_does_not_hold_it_is_refused_before_a_step(method: str) -> None:
    request = dataclasses.replace(asked(method, 5), budget_steps=1)
    with pytest.raises(InputError, match="budget is 1"):
        load_method(method).unlearn(request)
    assert request.witness.steps == 0


@pytest.mark.parametrize("forgotten", SIZES)
@pytest.mark.parametrize("method", METHODS)
def test_it_moves_the_weights_stays_finite_and_handles_every_forgotten_case(method: str, forgotten: int) -> None:
    request = asked(method, forgotten)
    assert load_method(method).eligible(request).ok
    state = load_method(method).unlearn(request).state
    assert all_finite(state)
    assert (weights_digest(state) == request.parent_weights) == (method in UNMOVED)
    seen = {row.case_id for row in request.witness.of(state).log.rows if row.role is Role.FORGET}
    planned = {row.case_id for row in request.roles.of(Role.FORGET)}
    assert seen == (planned if METHODS[method].consumes_forget else set())


@pytest.mark.parametrize("method", METHODS)
def test_no_forgotten_case_is_among_the_retained_ones(method: str) -> None:
    request = asked(method, 5)
    log = request.witness.of(load_method(method).unlearn(request).state).log
    retained = {row.case_id for row in request.roles.of(Role.RETAIN)}
    assert {row.case_id for row in log.rows if row.role is Role.RETAIN} <= retained
    assert {row.role for row in log.rows} <= {Role.RETAIN, Role.FORGET}
    assert len(retained) == RETAINED


@pytest.mark.parametrize("method", METHODS)
def test_equal_requests_give_equal_bytes(method: str) -> None:
    first, second = (load_method(method).unlearn(asked(method, 5)).state for _ in range(2))
    assert weights_digest(first) == weights_digest(second)


@pytest.mark.parametrize("method", sorted(set(METHODS) - AT_ONCE))
def test_an_interrupted_one_goes_on_bit_for_bit(method: str, tmp_path: Path) -> None:
    whole = load_method(method).unlearn(asked(method, 5)).state
    stopping = dataclasses.replace(asked(method, 5), checkpoints=tmp_path, stop=lambda: True)
    with pytest.raises(WaitingError, match="what was done is kept"):
        load_method(method).unlearn(stopping)
    resumed = dataclasses.replace(asked(method, 5), checkpoints=tmp_path, witness=Witness())
    assert weights_digest(load_method(method).unlearn(resumed).state) == weights_digest(whole)


def test_every_method_is_described() -> None:
    for name, info in METHODS.items():
        assert (info.name, info.doc[-1:]) == (name, ".")
        assert info.citation
        assert info.claims
        assert Head.SOFTMAX in info.heads


def test_the_toy_champion_knows_what_it_is_to_forget() -> None:
    _, champion = toy_champion(SIZES[0])
    assert champion.history[-1].accuracy > 0.7
