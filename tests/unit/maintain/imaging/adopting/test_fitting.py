"""Strict loading: what is missing, odd or misshapen is named, and nothing else passes."""

from __future__ import annotations

import pytest
import torch

from maintain.errors import InputError
from maintain.imaging import Blueprint, default_chain, network_of, state_of
from maintain.imaging.adopting import fit_state
from maintain.vocabulary import Head

BLUEPRINT = Blueprint(network_of("small-bn"), (3, 16, 16), Head.SOFTMAX, ("a", "b", "c"), default_chain(16))
STATE = state_of(BLUEPRINT.build(seed=4))


def refused(state: dict[str, torch.Tensor]) -> InputError:
    with pytest.raises(InputError) as caught:
        fit_state(state, BLUEPRINT, source="model.pt")
    return caught.value


def test_missing_and_odd_names_are_listed_the_first_few_of_them() -> None:
    left = {name: tensor for name, tensor in STATE.items() if not name.startswith("norm")}
    error = refused({**left, "extra": torch.zeros(1)})
    assert "missing: norm1.weight, norm1.bias, norm1.running_mean and 12 more" in error.message
    assert "not in the network: extra" in error.message


def test_a_prefix_is_found_and_said() -> None:
    error = refused({f"module.net.{name}": tensor for name, tensor in STATE.items()})
    assert error.remedy.endswith("--strip-prefix module.net.")
    renamed = {f"module.{name.replace('head', 'classifier')}": tensor for name, tensor in STATE.items()}
    assert refused(renamed).remedy.endswith("--strip-prefix module.")
    assert "--rename" in refused({name.replace("head", "classifier"): t for name, t in STATE.items()}).remedy


def test_wrong_labels_show_in_the_head() -> None:
    error = refused({**STATE, "head.weight": torch.zeros(4, 64), "head.bias": torch.zeros(4)})
    assert "head.weight is 4x64, not 3x64" in error.message
    assert "--labels" in error.remedy


def test_whole_numbers_for_floats_are_refused() -> None:
    assert (
        "another kind of number: head.bias"
        in refused({**STATE, "head.bias": torch.zeros(3, dtype=torch.int64)}).message
    )


def test_other_floats_are_brought_to_the_networks_and_said() -> None:
    halved = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in STATE.items()}
    fitted = fit_state(dict(reversed(halved.items())), BLUEPRINT, source="model.pt")
    assert list(fitted.state) == list(STATE)
    assert all(fitted.state[name].dtype == STATE[name].dtype for name in STATE)
    assert set(fitted.converted) == {name for name in STATE if STATE[name].is_floating_point()}
    assert fit_state(STATE, BLUEPRINT, source="model.pt").converted == ()
