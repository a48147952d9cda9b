from __future__ import annotations

import pytest
import torch

from helpers.toy_requests import toy_champion, toy_request
from maintain.errors import InputError
from maintain.records import Setting
from maintain.unlearn import load_method
from maintain.vocabulary import Role

FORGOTTEN = 12


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="draw_share"):
        load_method("msg").unlearn(toy_request(FORGOTTEN, Setting("draw_share", 0.0)))


def test_the_share_of_every_layer_is_drawn_from_a_new_network_and_the_rest_stands() -> None:
    toy, champion = toy_champion(FORGOTTEN)
    told = {"steps": 1, "learning_rate": 1e-6, "draw_share": 0.25, "slow": 0.0}
    request = toy_request(FORGOTTEN, *(Setting(name, value) for name, value in told.items()))
    state = load_method("msg").unlearn(request).state
    fresh = toy.blueprint.build(request.seed).state_dict()
    for name, weight in champion.state.items():
        if not name.endswith("weight") or weight.ndim < 2:
            continue
        kept = torch.isclose(state[name], weight, atol=1e-5)
        drawn = torch.isclose(state[name], fresh[name], atol=1e-5)
        assert bool((kept | drawn).all()), name
        assert float((~kept).float().mean()) == pytest.approx(0.25, abs=0.02), name


def test_forgotten_cases_are_looked_at_once_and_no_step_loads_them() -> None:
    request = toy_request(FORGOTTEN, Setting("steps", 20))
    log = request.witness.of(load_method("msg").unlearn(request).state).log
    assert {row.times_seen for row in log.rows if row.role is Role.FORGET} == {1}
