"""What every revision does, whatever its objective: looks, choices, layers, statistics, memory, going on."""

from __future__ import annotations

import dataclasses
import gc
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from helpers.toy_requests import RETAINED, toy_champion, toy_inputs, toy_network, toy_request, toy_training
from maintain.errors import InputError, RefusedError, WaitingError
from maintain.hashing import digest_json, short
from maintain.imaging import State, weights_digest
from maintain.imaging.pixels import PixelSource
from maintain.imaging.stages import Layers
from maintain.unlearn import Heard, Standing, UnlearnRequest, Witness, weights_in_checkpoint
from maintain.unlearn.course import CONSTANT, Choice, Course, Norms
from maintain.unlearn.feed import Side
from maintain.unlearn.loop import run
from maintain.unlearn.objective import Answer, Batch, Loss, Objective, Scene
from maintain.unlearn.relabel import Relabel, random_other
from maintain.unlearn.revision import revise
from maintain.vocabulary import Precision, Role

#: The name under which these courses are gone: its row allows the toy's head.
METHOD = "random-label"
COURSE = Course(
    steps=8,
    leg=2,
    learning_rate=0.05,
    schedule=CONSTANT,
    momentum=0.9,
    weight_decay=0.0,
    clip_norm=1.0,
    batch_size=16,
    forget_batch=6,
    norms=Norms.FROZEN,
)


def relabelling() -> Relabel:
    return Relabel(random_other, remain=1.0)


class Script:
    """A judge that says what it is told to, look after look, and remembers what it was shown."""

    def __init__(self, scores: Iterable[float], *, reached_below: float = 0.0) -> None:
        self._scores, self._reached_below = iter(scores), reached_below
        self.shown: list[str] = []

    def __call__(self, state: State) -> Standing:
        self.shown.append(weights_digest(state))
        score = next(self._scores)
        return Standing(score, reached=score < self._reached_below)


def revised(
    course: Course, request: UnlearnRequest | None = None, objective: Objective | None = None
) -> tuple[State, Heard]:
    asked = toy_request(12) if request is None else request
    state = revise(METHOD, asked, relabelling() if objective is None else objective, course).state
    return state, asked.witness.of(state)


def judged(course: Course, judge: Callable[[State], Standing]) -> Heard:
    return revised(course, dataclasses.replace(toy_request(12), judge=judge))[1]


# --- refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 0}, "steps of this training cannot be used"),
        ({"leg": 0}, "leg of this training cannot be used"),
        ({"learning_rate": 0.0}, "learning rate"),
        ({"momentum": 1.0}, "momentum"),
        ({"weight_decay": -0.1}, "weight decay"),
        ({"clip_norm": 0.0}, "clipping norm"),
        ({"batch_size": 0}, "batch size"),
        ({"schedule": "sawtooth"}, "schedule"),
        ({"steps": 10_001}, "takes 10001 steps; the budget is 10000"),
        ({"steps": 1}, "1 steps do not see every one of 12 forgotten cases"),
    ],
)
def test_a_course_that_cannot_be_gone_is_refused_before_a_step(changes: dict[str, object], said: str) -> None:
    request = toy_request(12)
    with pytest.raises(InputError, match=said):
        revised(dataclasses.replace(COURSE, **changes), request)  # type: ignore[arg-type]
    assert request.witness.steps == 0


class RetainedAlone(Objective):
    """Draws no forgotten case though it could."""

    def side(self, step: int) -> Side:
        return Side.RETAIN


def test_a_revision_that_left_forgotten_cases_out_is_refused() -> None:
    request = toy_request(12)
    with pytest.raises(RefusedError, match="before every forgotten case came into a step"):
        revised(COURSE, request, RetainedAlone())
    assert request.witness.steps == COURSE.steps


# --- looks and choices ---------------------------------------------------------------------------------


def test_the_last_weights_are_taken_unasked() -> None:
    judge = Script([])
    heard = judged(dataclasses.replace(COURSE, choice=Choice.LAST), judge)
    assert (heard.steps, heard.spent, judge.shown) == (8, 8, [])


@pytest.mark.parametrize("choice", [Choice.FIRST, Choice.BEST])
def test_where_nothing_judges_the_last_weights_are_taken(choice: Choice) -> None:
    _, heard = revised(dataclasses.replace(COURSE, choice=choice))
    assert (heard.steps, heard.spent) == (8, 8)
    assert heard.weights == revised(COURSE)[1].weights


def test_the_first_that_reaches_the_target_ends_it() -> None:
    judge = Script([3.0, 0.5], reached_below=1.0)
    heard = judged(dataclasses.replace(COURSE, choice=Choice.FIRST), judge)
    assert (heard.weights, heard.steps, heard.spent) == (judge.shown[1], 4, 4)


def test_where_none_reaches_it_the_nearest_is_taken_and_all_steps_were_spent() -> None:
    judge = Script([3.0, 1.0, 2.0, 4.0])
    heard = judged(dataclasses.replace(COURSE, choice=Choice.FIRST), judge)
    assert (heard.weights, heard.steps, heard.spent) == (judge.shown[1], 4, 8)


def test_the_best_is_looked_for_to_the_end_and_reaching_comes_before_nearness() -> None:
    standings = iter([Standing(0.1, False), Standing(0.9, True), Standing(0.5, True), Standing(0.0, False)])
    shown: list[str] = []

    def judge(state: State) -> Standing:
        shown.append(weights_digest(state))
        return next(standings)

    heard = judged(dataclasses.replace(COURSE, choice=Choice.BEST), judge)
    assert (heard.weights, heard.steps, heard.spent, len(shown)) == (shown[2], 6, 8, 4)


def test_of_equals_the_later_look_is_taken() -> None:
    judge = Script([1.0, 0.5, 0.5, 1.0])
    heard = judged(dataclasses.replace(COURSE, choice=Choice.BEST), judge)
    assert (heard.weights, heard.steps) == (judge.shown[2], 6)


def test_steps_that_were_thrown_away_are_spent_and_their_cases_are_not_in_the_log() -> None:
    request = dataclasses.replace(toy_request(12), judge=Script([0.0, 1.0, 1.0, 1.0]))
    state, heard = revised(dataclasses.replace(COURSE, choice=Choice.BEST), request)
    assert (heard.steps, heard.spent, request.witness.steps) == (2, 8, 8)
    assert (heard.log.steps, heard.log.final_weights) == (2, weights_digest(state))
    handed = {role: sum(row.times_seen for row in heard.log.rows if row.role is role) for role in Role}
    assert handed[Role.RETAIN] == 2 * COURSE.batch_size
    assert handed[Role.FORGET] == 12 + 2 * COURSE.forget_batch
    shorter, _ = revised(dataclasses.replace(COURSE, steps=2))
    assert weights_digest(shorter) == weights_digest(state)


def test_a_look_before_every_forgotten_case_was_in_a_step_is_not_asked() -> None:
    judge = Script([0.0] * 8, reached_below=1.0)
    course = dataclasses.replace(COURSE, leg=1, forget_batch=4, choice=Choice.FIRST)
    heard = judged(course, judge)
    assert (heard.steps, len(judge.shown)) == (3, 1)
    assert {row.times_seen for row in heard.log.rows if row.role is Role.FORGET} == {2}


# --- layers and statistics -----------------------------------------------------------------------------


def differing(state: State) -> set[str]:
    champion = toy_champion(12)[1].state
    return {name for name, tensor in state.items() if not torch.equal(tensor, champion[name])}


def statistics(state: State) -> set[str]:
    return {name for name in state if "running" in name or "num_batches" in name}


@pytest.mark.parametrize("norms", [Norms.FROZEN, Norms.MIXED])
@pytest.mark.parametrize(
    ("layers", "moving"),
    [
        (Layers.HEAD, {"head.weight", "head.bias"}),
        (Layers.LATE, {"head.weight", "head.bias", "fc.weight", "fc.bias"}),
    ],
)
def test_layers_that_do_not_move_keep_their_weights_and_statistics(
    layers: Layers, moving: set[str], norms: Norms
) -> None:
    state, _ = revised(dataclasses.replace(COURSE, layers=layers, norms=norms, weight_decay=0.1))
    assert differing(state) == moving


def test_frozen_statistics_stay_the_champions() -> None:
    state, _ = revised(dataclasses.replace(COURSE, norms=Norms.FROZEN))
    assert not differing(state) & statistics(state)
    assert "norm1.weight" in differing(state)


def test_mixed_statistics_are_learned_from_both_kinds_of_cases() -> None:
    state, _ = revised(dataclasses.replace(COURSE, norms=Norms.MIXED))
    assert statistics(state) <= differing(state)
    assert int(state["norm1.num_batches_tracked"]) == int(toy_champion(12)[1].state["norm1.num_batches_tracked"]) + 8


def test_recalibrated_statistics_are_those_of_the_retained_cases_in_the_weights_that_were_looked_at() -> None:
    course = dataclasses.replace(COURSE, norms=Norms.RECALIBRATE, batch_size=RETAINED)
    state, _ = revised(course)
    frozen, _ = revised(dataclasses.replace(course, norms=Norms.FROZEN, steps=2))
    assert statistics(state) <= differing(state)
    network = toy_network(state)
    given: dict[str, torch.Tensor] = {}
    for name in ("norm1", "norm2", "norm3"):
        layer = network.get_submodule(name)
        layer.train()
        layer.register_forward_pre_hook(lambda layer, inputs, name=name: given.update({name: inputs[0]}))
    with torch.no_grad():
        network(toy_inputs(Role.RETAIN)[0])
    for name, inputs in given.items():
        torch.testing.assert_close(state[f"{name}.running_mean"], inputs.mean(dim=(0, 2, 3)))
        torch.testing.assert_close(state[f"{name}.running_var"], inputs.var(dim=(0, 2, 3)))
    assert not differing(frozen) & statistics(frozen)


# --- memory --------------------------------------------------------------------------------------------


class Heavy(Relabel):
    """Does not fit in memory once, at a step after the first checkpoint; remembers every batch."""

    def __init__(self, checkpoint: Path) -> None:
        super().__init__(random_other, remain=1.0)
        self._checkpoint, self._fits = checkpoint, False
        self.batches: list[tuple[int, int]] = []
        self.checkpoints: list[bool] = []

    def begin(self, scene: Scene) -> None:
        self.checkpoints.append(self._checkpoint.exists())
        super().begin(scene)

    def loss(self, network: Answer, batch: Batch) -> Loss:
        if batch.step == 3 and not self._fits:
            self._fits = True
            self.checkpoints.append(self._checkpoint.exists())
            raise torch.OutOfMemoryError("more than there is")
        self.batches.append((batch.forgotten, len(batch.labels) - batch.forgotten))
        return super().loss(network, batch)


def test_memory_that_does_not_hold_a_batch_halves_both_begins_again_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    request = dataclasses.replace(toy_request(12), checkpoints=tmp_path, say=said.append)
    heavy = Heavy(tmp_path / f"{METHOD}-{short(digest_json([]))}.checkpoint")
    state, heard = revised(COURSE, request, heavy)
    assert said == ["Memory does not hold a batch; the training begins again with batches of 8."]
    assert heavy.batches == [(6, 16)] * 3 + [(3, 8)] * 8
    assert heavy.checkpoints == [False, True, False]
    halved, whole = revised(dataclasses.replace(COURSE, batch_size=8, forget_batch=3))
    assert weights_digest(state) == weights_digest(halved)
    assert heard.log == whole.log


def test_memory_that_does_not_hold_a_single_case_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Relabel, network: nn.Module, batch: Batch) -> Loss:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Relabel, "loss", full)
    with pytest.raises(RefusedError, match="single case"):
        revised(COURSE)


# --- going on ------------------------------------------------------------------------------------------


def test_an_interrupted_one_goes_on_with_the_best_look_so_far(tmp_path: Path) -> None:
    course = dataclasses.replace(COURSE, choice=Choice.BEST)
    shown = Script([2.0, 0.5, 3.0, 1.0])
    whole = judged(course, shown)
    assert whole.weights == shown.shown[1]
    scores = dict(zip(shown.shown, [2.0, 0.5, 3.0, 1.0], strict=True))
    asked: list[str] = []

    def judge(state: State) -> Standing:
        asked.append(weights_digest(state))
        return Standing(scores[asked[-1]], reached=False)

    answers = iter([False, False, True])
    stopped = dataclasses.replace(toy_request(12), judge=judge, checkpoints=tmp_path, stop=lambda: next(answers))
    with pytest.raises(WaitingError, match="after 3 of 4 looks; what was done is kept"):
        revised(course, stopped)
    (path,) = tmp_path.iterdir()
    assert weights_in_checkpoint(path) == {shown.shown[1], shown.shown[2]}
    resumed = dataclasses.replace(stopped, stop=None, witness=Witness())
    assert revised(course, resumed)[1] == whole
    assert asked == shown.shown


def test_one_that_reached_its_target_is_not_gone_on_with(tmp_path: Path) -> None:
    course = dataclasses.replace(COURSE, choice=Choice.FIRST)
    request = dataclasses.replace(toy_request(12), checkpoints=tmp_path, judge=Script([0.0], reached_below=1.0))
    done = revised(course, request)[1]
    again = dataclasses.replace(request, judge=Script([]), witness=Witness())
    assert revised(course, again)[1] == done
    assert (done.steps, done.spent) == (2, 2)


# --- precision -----------------------------------------------------------------------------------------


def test_half_the_bits_are_close_to_all_of_them_and_weights_keep_theirs() -> None:
    losses, states = [], []
    for precision in Precision:
        done = run(toy_training(relabelling(), dataclasses.replace(COURSE, precision=precision)))
        losses.append([look.loss for look in done.history])
        states.append(done.state)
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    champion = toy_champion(12)[1].state
    for name in ("head.weight", "conv1.weight"):
        whole, half = (state[name] - champion[name] for state in states)
        assert half.dtype is torch.float32
        assert (half - whole).norm() < 0.1 * whole.norm()


class Lent:
    """Pixels that are read from elsewhere, as from a disk; remembers which were asked for."""

    def __init__(self, source: PixelSource) -> None:
        self._source, self.asked = source, Counter[str]()

    def load(self, digests: Sequence[str], /) -> NDArray[np.uint8]:
        self.asked.update(digests)
        return self._source.load(digests)


def test_every_image_is_held_once() -> None:
    """Sixty thousand small images are then some 50 MB beside the network, whatever the method."""
    request = toy_request(RETAINED)
    lent, held = Lent(request.pixels), []

    def look(*told: object) -> None:
        stored = {
            tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
            for tensor in gc.get_objects()
            if type(tensor) is torch.Tensor and tensor.dtype is torch.uint8 and tensor.ndim == len("NHWC")
        }
        held.append(sum(stored.values()))

    look()
    before = held.pop()
    revise(METHOD, dataclasses.replace(request, pixels=lent, progress=look), relabelling(), COURSE)
    image = int(np.prod(request.pixels.load(list(lent.asked)[:1]).shape))
    batch = COURSE.batch_size + COURSE.forget_batch
    assert len(lent.asked) == 2 * RETAINED
    assert max(held) - before <= (2 * RETAINED + batch) * image
    assert lent.asked.total() <= 2 * RETAINED + 2  # the first of either bank is read for its shape
