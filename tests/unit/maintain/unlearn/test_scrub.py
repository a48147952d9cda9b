from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional

from helpers.toy_requests import toy_champion, toy_inputs, toy_network, toy_outputs, toy_request, toy_training
from maintain.errors import InputError
from maintain.imaging import State, weights_digest
from maintain.imaging.batches import batches_per_epoch
from maintain.records import Setting
from maintain.unlearn import Standing, load_method
from maintain.unlearn.course import CONSTANT, Course, Norms
from maintain.unlearn.loop import run
from maintain.unlearn.objective import Answer, Batch, Loss
from maintain.unlearn.rounds import Rounds, rounds_of
from maintain.unlearn.scrub import MaxMin, divergence
from maintain.unlearn.session import begin
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
#: The rounds of that course.
ROUNDS = Rounds(COURSE.steps, 2, COURSE.steps)
SHORT = (Setting("steps", 10), Setting("forget_batch", 4), Setting("retain_batch", 16))
SMALL = (Setting("steps", 40), Setting("forget_batch", 4), Setting("retain_batch", 16))


def objective() -> MaxMin:
    return MaxMin(alpha=0.5, gamma=1.0, temperature=4.0, rounds=ROUNDS)


@pytest.mark.parametrize(
    "option",
    [
        Setting("max_steps", 0),
        Setting("max_steps", 9),
        Setting("temperature", 0.0),
        Setting("gamma", 0.0),
        Setting("alpha", -0.1),
    ],
)
def test_wrong_options_are_refused(option: Setting) -> None:
    with pytest.raises(InputError):
        load_method("scrub").unlearn(toy_request(5, option))


def test_another_head_is_refused() -> None:
    request = toy_request(5)
    request = dataclasses.replace(request, spec=dataclasses.replace(request.spec, head=Head.ORDINAL))
    with pytest.raises(InputError, match="not defined for the head 'ordinal'"):
        load_method("scrub").unlearn(request)


def test_rounds_that_the_budget_does_not_hold_are_refused_before_a_step() -> None:
    request = dataclasses.replace(toy_request(12, *SHORT), budget_steps=29)
    with pytest.raises(InputError, match="takes 30 steps; the budget is 29"):
        load_method("scrub").unlearn(request)
    assert request.witness.steps == 0


def test_a_forget_set_too_large_for_the_steps_has_rounds_until_every_case_was_seen() -> None:
    request = toy_request(12, *SHORT)
    found = load_method("scrub").eligible(request)
    assert found.ok
    assert "max-steps alone, and those of 10 steps do not see every one of 12: it takes 30" in found.reasons[-1].reason
    heard = request.witness.of(load_method("scrub").unlearn(request).state)
    assert heard.spent == 30
    assert sum(row.role is Role.FORGET for row in heard.log.rows) == 12


@pytest.mark.parametrize("max_steps", [1, 2, 5, 8])
@pytest.mark.parametrize("forgotten", [0, 1, 2, 33, 512, 513, 857, 5000])
def test_max_steps_see_every_case_once_and_small_sets_go_as_they_were_told(forgotten: int, max_steps: int) -> None:
    options = {"steps": 80, "max_steps": max_steps, "forget_batch": 32}
    gone = rounds_of(options, forgotten)
    whole = batches_per_epoch(forgotten, 32) if forgotten else 0
    ours = [step for step in range(gone.steps) if gone.is_max_step(step)]
    assert len(ours) >= whole
    if 8 * max_steps >= whole:
        assert gone == Rounds(80, max_steps, 80)
    else:
        assert len(ours) < whole + max_steps
        assert gone.steps >= 1.5 * gone.until
        assert all(1 <= step % 10 <= max_steps for step in ours)


def test_the_teacher_is_another_object_that_stays_while_the_student_leaves() -> None:
    teaching = objective()
    training = toy_training(teaching, dataclasses.replace(COURSE, steps=1))
    student = begin(training).network
    assert teaching.teacher is not student
    assert not {id(tensor) for tensor in student.parameters()} & {
        id(tensor) for tensor in teaching.teacher.parameters()
    }
    champion, state = toy_champion(12)[1], run(training).state
    assert weights_digest(teaching.teacher.state_dict()) == champion.weights
    assert not teaching.teacher.training
    assert not any(weight.requires_grad for weight in teaching.teacher.parameters())
    inputs, _ = toy_inputs(Role.FORGET)
    with torch.no_grad():
        taught = teaching.teacher(inputs)
        assert float(divergence(toy_network(champion.state)(inputs), taught, temperature=4.0)) == 0.0
        assert float(divergence(toy_network(state)(inputs), taught, temperature=4.0)) > 1e-6


def test_the_divergence_is_that_of_the_formula() -> None:
    torch.manual_seed(1)
    outputs, taught = torch.randn(5, 4, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    teacher, student = (functional.softmax(one / 3, dim=1) for one in (taught, outputs))
    expected = sum(
        float(p * (p / q).log())
        for row, other in zip(teacher, student, strict=True)
        for p, q in zip(row, other, strict=True)
    )
    assert float(divergence(outputs, taught, temperature=3.0)) == pytest.approx(9 * expected / 5)
    assert float(divergence(taught, taught, temperature=3.0)) == 0.0


def test_a_round_is_a_min_step_then_max_steps_then_min_steps() -> None:
    assert [step for step in range(20) if Rounds(20, 3, 20).is_max_step(step)] == [1, 2, 3, 11, 12, 13]


class Watched(MaxMin):
    """Which side every step drew, and what its loss was of."""

    def __init__(self) -> None:
        super().__init__(alpha=0.5, gamma=1.0, temperature=4.0, rounds=ROUNDS)
        self.steps: list[tuple[int, int, float]] = []

    def loss(self, network: Answer, batch: Batch) -> Loss:
        found = super().loss(network, batch)
        self.steps.append((batch.forgotten, len(batch.labels), float(found.value.detach())))
        return found


def test_max_steps_are_of_forgotten_cases_alone_and_climb() -> None:
    watched = Watched()
    run(toy_training(watched, COURSE))
    for step, (forgotten, cases, loss) in enumerate(watched.steps):
        assert (forgotten, cases) == ((6, 6) if ROUNDS.is_max_step(step) else (0, 16))
        assert (loss < 0) == ROUNDS.is_max_step(step)
    climbed = [-loss for step, (_, _, loss) in enumerate(watched.steps) if ROUNDS.is_max_step(step)]
    assert climbed[-1] > climbed[0]


def test_the_student_leaves_on_forgotten_cases_more_than_on_retained_ones() -> None:
    champion, state = toy_champion(12)[1].state, run(toy_training(objective(), COURSE)).state
    apart = {
        role: float(divergence(toy_outputs(state, role)[0], toy_outputs(champion, role)[0], temperature=1.0))
        for role in (Role.FORGET, Role.RETAIN)
    }
    assert apart[Role.FORGET] > apart[Role.RETAIN]
    outputs, labels = toy_outputs(state, Role.RETAIN)
    assert (outputs.argmax(dim=1) == labels).float().mean() > 0.8


def test_it_goes_the_whole_course_and_back_to_the_look_nearest_to_the_target() -> None:
    scores = iter([3.0, 0.5, 2.0])
    seen: list[str] = []

    def judge(state: State) -> Standing:
        seen.append(weights_digest(state))
        return Standing(next(scores), reached=True)

    request = dataclasses.replace(toy_request(12, *SMALL), judge=judge)
    heard = request.witness.of(load_method("scrub").unlearn(request).state)
    assert (heard.weights, heard.steps, heard.spent) == (seen[1], 30, 40)
