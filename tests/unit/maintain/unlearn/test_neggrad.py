from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from helpers.toy_requests import toy_champion, toy_outputs, toy_request, toy_training
from maintain.errors import InputError
from maintain.records import Setting
from maintain.unlearn import load_method
from maintain.unlearn.course import CONSTANT, Course, Norms
from maintain.unlearn.loop import run
from maintain.unlearn.neggrad import CappedAscent, capped
from maintain.vocabulary import Head, Role

COURSE = Course(
    steps=40,
    leg=10,
    learning_rate=0.02,
    schedule=CONSTANT,
    momentum=0.9,
    weight_decay=0.0,
    clip_norm=1.0,
    batch_size=16,
    forget_batch=6,
    norms=Norms.FROZEN,
)


@pytest.mark.parametrize(
    "option", [Setting("ascent", 0.0), Setting("ascent", -1.0), Setting("cap", 0.9), Setting("norms", "none")]
)
def test_wrong_options_are_refused(option: Setting) -> None:
    with pytest.raises(InputError):
        load_method("neggrad-plus").unlearn(toy_request(5, option))


def test_another_head_is_refused() -> None:
    request = toy_request(5)
    request = dataclasses.replace(request, spec=dataclasses.replace(request.spec, head=Head.MULTI_LABEL))
    with pytest.raises(InputError, match="not defined for the head 'multi-label'"):
        load_method("neggrad-plus").unlearn(request)


@given(
    logits=st.lists(st.lists(st.floats(-20, 20), min_size=3, max_size=3), min_size=1, max_size=6),
    cap=st.floats(1.0, 6.0),
)
def test_a_case_counts_its_own_loss_up_to_the_cap_and_pushes_no_more_above_it(
    logits: list[list[float]], cap: float
) -> None:
    outputs = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    labels = torch.zeros(len(logits), dtype=torch.int64)
    losses = capped(outputs, labels, cap)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None
    for row, loss, grad in zip(logits, losses.tolist(), outputs.grad, strict=True):
        own = math.log(sum(math.exp(one - max(row)) for one in row)) + max(row) - row[0]
        assert loss == pytest.approx(min(own, cap * math.log(3)), abs=1e-9)
        if own > cap * math.log(3) + 1e-9:
            assert not grad.any()


def test_the_loss_is_descent_less_capped_ascent() -> None:
    objective = CappedAscent(ascent=0.3, cap=2.0, remain=0.7)
    training = toy_training(objective, dataclasses.replace(COURSE, steps=1, leg=1))
    champion = toy_champion(12)[1].state
    handed = toy_training(objective, COURSE).feed.draw()
    outputs, labels = toy_outputs(champion, Role.FORGET)
    forgotten = functional.cross_entropy(outputs, labels, reduction="none")[handed.places]
    outputs, labels = toy_outputs(champion, Role.RETAIN)
    assert training.feed.retain.labels.tolist() == labels.tolist()
    every = torch.arange(len(labels))[_drawn(training.course)]
    retained = functional.cross_entropy(outputs[every], labels[every])
    expected = 0.7 * retained - 0.3 * forgotten.clamp(max=2 * math.log(3)).mean()
    assert run(training).history[0].loss == pytest.approx(float(expected), abs=1e-5)


def test_forgotten_losses_rise_and_retained_cases_stay_known() -> None:
    champion = toy_champion(12)[1].state
    state = run(toy_training(CappedAscent(ascent=1.0, cap=2.0, remain=1.0), COURSE)).state
    before, after = (functional.cross_entropy(*toy_outputs(one, Role.FORGET)) for one in (champion, state))
    assert after > before + 0.5
    outputs, labels = toy_outputs(state, Role.RETAIN)
    assert (outputs.argmax(dim=1) == labels).float().mean() > 0.8


def test_the_cap_holds_where_nothing_else_would() -> None:
    """Ascent alone, many steps: without the cap losses grow without end; with it they stay where it stopped them."""
    steps = dataclasses.replace(COURSE, steps=120, momentum=0.0, learning_rate=0.1)
    ends = [
        float(
            functional.cross_entropy(
                *toy_outputs(run(toy_training(CappedAscent(ascent=1.0, cap=cap, remain=0.0), steps)).state, Role.FORGET)
            )
        )
        for cap in (2.0, 100.0)
    ]
    assert ends[0] < 3 * 2.0 * math.log(3)
    assert ends[1] > 3 * ends[0]


def _drawn(course: Course) -> torch.Tensor:
    """The places of the retained cases of the first step."""
    return toy_training(CappedAscent(ascent=1.0, cap=2.0, remain=1.0), course).feed.retain.draw().places
