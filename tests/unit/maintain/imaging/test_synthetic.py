"""Answers about synthetic pictures hold across threads and not across weights."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from maintain import codec
from maintain.errors import DamagedError, NotEvaluatedError
from maintain.imaging import (
    ANSWER_TOLERANCE,
    answers_apart,
    build_network,
    synthetic_answers,
    threads,
    toy_problem,
)
from maintain.records import SyntheticAnswers
from maintain.vocabulary import Role

SPEC = toy_problem(roles=((Role.HOLDOUT, 7),)).spec()


def network(seed: int = 3) -> torch.nn.Module:
    return build_network(SPEC.network, input_shape=SPEC.input_shape, outputs=len(SPEC.label_order), seed=seed)


def test_answers_that_are_no_numbers_are_not_recorded() -> None:
    broken = network()
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter.fill_(float("nan"))
    with pytest.raises(NotEvaluatedError):
        synthetic_answers(broken, SPEC)


def test_answers_about_other_pictures_are_not_compared() -> None:
    recorded = synthetic_answers(network(), SPEC)
    for other in (
        dataclasses.replace(recorded, pictures="0" * 64),
        dataclasses.replace(recorded, outputs=recorded.outputs[:-1]),
        dataclasses.replace(recorded, outputs=((float("nan"),) * 3,) * len(recorded.outputs)),
    ):
        with pytest.raises(DamagedError, match="pictures"):
            answers_apart(network(), SPEC, other)


def test_the_same_weights_answer_alike_on_any_number_of_threads() -> None:
    with threads(1):
        recorded = synthetic_answers(network(), SPEC)
    for count in (1, 2, 4):
        with threads(count):
            assert answers_apart(network().train(), SPEC, recorded) < ANSWER_TOLERANCE / 10


def test_other_weights_and_another_preprocessing_are_seen() -> None:
    recorded = synthetic_answers(network(), SPEC)
    assert answers_apart(network(seed=4), SPEC, recorded) > ANSWER_TOLERANCE
    first, *steps = SPEC.preprocessing
    darker = dataclasses.replace(SPEC, preprocessing=(first, *(step for step in steps if step.name == "resize")))
    assert darker.preprocessing != SPEC.preprocessing
    assert answers_apart(network(), darker, recorded) > ANSWER_TOLERANCE


def test_the_record_is_read_back_as_it_was_and_the_pictures_never_change() -> None:
    recorded = synthetic_answers(network(), SPEC)
    assert codec.from_text(SyntheticAnswers, codec.to_text(recorded)) == recorded
    assert recorded.pictures == "fe0e953189540b2fdb519586b8fd66443b7f2443b2b11b213f762e8aebffa1a6"
