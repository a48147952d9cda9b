"""Names of tensors: every rule must fit something, and no two tensors may meet."""

from __future__ import annotations

import pytest
import torch

from maintain.errors import InputError, UnknownNameError
from maintain.imaging.adopting import KeyMap, key_map

STATE = {name: torch.tensor(float(place)) for place, name in enumerate(("module.net.a", "module.net.ab", "module.b.w"))}


def test_a_rule_that_fits_nothing_is_refused() -> None:
    for rules in (KeyMap("modul."), KeyMap(renames=(("module.net.c", "x"),)), KeyMap(renames=(("mod", "x"),))):
        with pytest.raises(UnknownNameError, match="part of a name"):
            rules.apply(STATE)


@pytest.mark.parametrize("word", ["a", "=a", "a=", "="])
def test_a_word_that_renames_nothing_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="renames nothing"):
        key_map("", (word,))


def test_two_tensors_under_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="under one name"):
        KeyMap(renames=(("module.net.a", "module.net.ab"),)).apply(STATE)


def test_the_prefix_goes_first_and_parts_are_renamed_whole() -> None:
    found = key_map("module.", ("net.a=head", "b.=tail.")).apply(STATE)
    assert {name: float(tensor) for name, tensor in found.items()} == {"head": 0, "net.ab": 1, "tail.w": 2}
    assert KeyMap().apply(STATE) == STATE
