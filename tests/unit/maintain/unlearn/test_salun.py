from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from helpers.toy_requests import toy_champion, toy_inputs, toy_network, toy_request, toy_training
from maintain.errors import InputError
from maintain.imaging.stages import Layers
from maintain.records import Setting
from maintain.unlearn import load_method
from maintain.unlearn.course import CONSTANT, Course, Norms
from maintain.unlearn.loop import run
from maintain.unlearn.relabel import Relabel, random_other
from maintain.unlearn.salun import Masked, top_share
from maintain.unlearn.session import Training
from maintain.vocabulary import Head, Role

COURSE = Course(
    steps=8,
    leg=4,
    learning_rate=0.05,
    schedule=CONSTANT,
    momentum=0.9,
    weight_decay=0.0,
    clip_norm=1.0,
    batch_size=16,
    forget_batch=6,
    norms=Norms.FROZEN,
)


def masked(share: float = 0.5, layers: Layers = Layers.ALL) -> Masked:
    return Masked(Relabel(random_other, remain=1.0), share=share, layers=layers)


def trained(gate: Masked, *, checkpoint: Path | None = None, **changes: object) -> tuple[dict[str, torch.Tensor], int]:
    """What differs from the champion by weight, and how many steps were taken."""
    training: Training = toy_training(gate, dataclasses.replace(COURSE, **changes))  # type: ignore[arg-type]
    done = run(dataclasses.replace(training, checkpoint=checkpoint))
    champion = toy_champion(12)[1].state
    return {name: done.state[name] != champion[name] for name in gate.moved}, done.steps


@pytest.mark.parametrize("option", [Setting("share", 0.0), Setting("share", 1.1), Setting("layers", "early")])
def test_wrong_options_are_refused(option: Setting) -> None:
    with pytest.raises(InputError):
        load_method("salun").unlearn(toy_request(5, option))


def test_another_head_is_refused() -> None:
    request = toy_request(5)
    request = dataclasses.replace(request, spec=dataclasses.replace(request.spec, head=Head.BINARY))
    with pytest.raises(InputError, match="not defined for the head 'binary'"):
        load_method("salun").unlearn(request)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_masked_weights_stay_bit_for_bit_and_the_others_move(weight_decay: float, momentum: float) -> None:
    gate = masked()
    moved, _ = trained(gate, weight_decay=weight_decay, momentum=momentum)
    total = sum(mask.numel() for mask in gate.moved.values())
    for name, mask in gate.moved.items():
        assert not (moved[name] & ~mask).any(), name
    assert sum(int(found.sum()) for found in moved.values()) > 0.9 * 0.5 * total


def test_momentum_gathers_nothing_for_masked_weights(tmp_path: Path) -> None:
    gate, path = masked(), tmp_path / "it.checkpoint"
    trained(gate, checkpoint=path)
    states = torch.load(path, weights_only=True)["body"]["optimiser"]["state"]
    for place, mask in enumerate(gate.moved.values()):
        buffer = states[place]["momentum_buffer"]
        assert not buffer[~mask].any()


def test_the_saliency_is_the_summed_gradient_at_the_champion_whatever_the_batches_are() -> None:
    network = toy_network(toy_champion(12)[1].state)
    inputs, labels = toy_inputs(Role.FORGET)
    for one, label in zip(inputs, labels, strict=True):
        functional.cross_entropy(network(one[None]), label[None]).backward()  # type: ignore[no-untyped-call]
    scores = {name: weight.grad.abs() for name, weight in network.named_parameters() if weight.grad is not None}
    every = torch.cat([score.flatten() for score in scores.values()])
    bound = every.sort(descending=True).values[len(every) // 10]
    for batch in (12, 5):
        gate = masked(0.1)
        trained(gate, forget_batch=batch)
        for name, mask in gate.moved.items():
            clear = (scores[name] - bound).abs() > 1e-3 * bound
            assert torch.equal(mask[clear], (scores[name] > bound)[clear])


def test_the_ranking_is_one_for_all_layers_that_move() -> None:
    gate = masked(0.1)
    trained(gate)
    shares = [float(mask.float().mean()) for mask in gate.moved.values()]
    assert max(shares) > 2 * min(shares)
    late = masked(0.1, Layers.LATE)
    trained(late, layers=Layers.LATE)
    assert set(late.moved) == {"fc.weight", "fc.bias", "head.weight", "head.bias"}
    total = sum(mask.numel() for mask in late.moved.values())
    assert sum(int(mask.sum()) for mask in late.moved.values()) == -(-total // 10)


@given(
    first=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    second=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    share=st.floats(0.001, 1.0),
)
def test_the_top_share_is_that_of_a_sorted_list(first: list[int], second: list[int], share: float) -> None:
    found = top_share({"a": torch.tensor(first), "b": torch.tensor(second)}, share)
    ranked = sorted(range(len(first) + len(second)), key=lambda place: (-[*first, *second][place], place))
    count = next(n for n in range(1, len(ranked) + 1) if n >= share * len(ranked))
    expected = set(ranked[:count])
    assert [*found["a"].tolist(), *found["b"].tolist()] == [place in expected for place in range(len(ranked))]


def test_a_whole_share_is_random_labels() -> None:
    whole = run(toy_training(masked(1.0), COURSE))
    assert whole.weights == run(toy_training(Relabel(random_other, remain=1.0), COURSE)).weights
