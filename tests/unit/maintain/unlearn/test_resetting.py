from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional

from helpers.toy_requests import toy_champion, toy_request
from maintain.errors import InputError
from maintain.imaging import head_rule
from maintain.imaging.stages import reset_stages, stages_of
from maintain.records import Setting
from maintain.unlearn import Standing, load_method
from maintain.unlearn.objective import Batch
from maintain.unlearn.resetting import Mixup
from maintain.vocabulary import Head, Role

FORGOTTEN = 12


@pytest.mark.parametrize("option", [Setting("reset_share", 0.0), Setting("mixup", -1.0), Setting("learning_rate", 0.0)])
def test_options_out_of_range_are_refused(option: Setting) -> None:
    with pytest.raises(InputError):
        load_method("reset-refit").unlearn(toy_request(FORGOTTEN, option))


def mixup(alpha: float) -> Mixup:
    objective = Mixup(alpha)
    objective.rule = head_rule(Head.SOFTMAX)
    return objective


def batch(count: int = 6) -> Batch:
    draw = torch.Generator().manual_seed(4)
    inputs = torch.rand((count, 5), generator=draw)
    return Batch(inputs, torch.arange(count) % 3, torch.empty(0, dtype=torch.int64), 0)


def test_without_mixing_it_is_the_plain_loss() -> None:
    network, given = nn.Linear(5, 3), batch()
    found = mixup(0.0).loss(network, given)
    assert torch.equal(found.value, functional.cross_entropy(network(given.inputs), given.labels))


def test_mixing_is_the_loss_of_mixed_images_with_mixed_labels() -> None:
    network, given = nn.Linear(5, 3), batch()
    torch.manual_seed(9)
    found = mixup(0.6).loss(network, given).value
    torch.manual_seed(9)
    shares = torch.distributions.Beta(0.6, 0.6).sample((6,))
    other = torch.randperm(6)
    expected = 0.0
    for place in range(6):
        share, partner = float(shares[place]), int(other[place])
        mixed = share * given.inputs[place] + (1 - share) * given.inputs[partner]
        logs = network(mixed).detach().log_softmax(dim=0)
        expected -= float(share * logs[given.labels[place]] + (1 - share) * logs[given.labels[partner]]) / 6
    assert float(found.detach()) == pytest.approx(expected, rel=1e-5)


def test_only_the_late_stages_begin_anew_and_from_the_seed() -> None:
    toy, champion = toy_champion(FORGOTTEN)
    request = dataclasses.replace(toy_request(FORGOTTEN), checkpoints=None)
    tiny = (
        Setting("steps", 1),
        Setting("learning_rate", 1e-6),
        Setting("reset_share", 0.4),
        Setting("norms", "frozen"),
    )
    state = load_method("reset-refit").unlearn(dataclasses.replace(request, options=tiny)).state
    network = toy.blueprint.build(1)
    network.load_state_dict(champion.state)
    reset_stages(toy.blueprint, network, depth=2, seed=request.seed)
    expected = network.state_dict()
    for stage in stages_of(toy.blueprint.network, network):
        for name in (*stage.parameters, *stage.buffers):
            assert torch.allclose(state[name].float(), expected[name].float(), atol=1e-4), name
    changed = {name for name in expected if not torch.equal(expected[name], champion.state[name])}
    assert {name.partition(".")[0] for name in changed} == {"fc", "head"}


@pytest.mark.parametrize("method", ["reset-refit", "warm-restart"])
def test_forgotten_cases_are_never_loaded(method: str) -> None:
    request = toy_request(FORGOTTEN, Setting("steps", 20))
    log = request.witness.of(load_method(method).unlearn(request).state).log
    assert {row.role for row in log.rows} == {Role.RETAIN}


def test_it_ends_with_the_look_that_is_nearest_and_pays_for_all_steps() -> None:
    scores = iter([0.5, 0.1, 0.3])
    request = dataclasses.replace(
        toy_request(FORGOTTEN, Setting("steps", 30)), judge=lambda _: Standing(next(scores), reached=False)
    )
    heard = request.witness.of(load_method("reset-refit").unlearn(request).state)
    assert (heard.steps, heard.spent) == (20, 30)
