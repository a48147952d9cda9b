"""A whole label forgotten, as where a diagnosis is retired: the toy on which rivals and controls part ways."""

from __future__ import annotations

import pytest

from helpers.toy_requests import TOY_LABELS, toy_outputs, toy_request
from maintain.imaging import State, all_finite
from maintain.unlearn import load_method
from maintain.unlearn.table import CONTROLS, RELABELLING, RIVALS
from maintain.vocabulary import Role

LABEL = TOY_LABELS[0]
#: As many cases of the label as of each other one.
WHOLE = 16
FORGETTING = [info.name for info in (*RELABELLING, *RIVALS)]


def known(state: State, forgotten: int = WHOLE) -> tuple[float, float]:
    """Share of the validation cases of the label, and of the others, that are decided as they are labelled."""
    outputs, labels = toy_outputs(state, Role.VALIDATION, forgotten=forgotten, label=LABEL)
    right, gone = outputs.argmax(dim=1) == labels, labels == TOY_LABELS.index(LABEL)
    return float(right[gone].float().mean()), float(right[~gone].float().mean())


@pytest.mark.parametrize("method", [info.name for info in CONTROLS])
def test_a_control_goes_on_knowing_it(method: str) -> None:
    state = load_method(method).unlearn(toy_request(WHOLE, label=LABEL)).state
    assert known(state) == (1.0, 1.0)


@pytest.mark.parametrize("method", FORGETTING)
def test_what_is_told_to_forget_it_does_and_goes_on_knowing_the_others(method: str) -> None:
    state = load_method(method).unlearn(toy_request(WHOLE, label=LABEL)).state
    gone, others = known(state)
    assert gone == 0.0
    assert others >= 0.9


@pytest.mark.parametrize("forgotten", [5, 1])
@pytest.mark.parametrize("method", [info.name for info in (*CONTROLS, *RELABELLING, *RIVALS)])
def test_a_label_of_few_cases_is_no_obstacle(method: str, forgotten: int) -> None:
    request = toy_request(forgotten, label=LABEL)
    found = load_method(method).eligible(request)
    assert [reason.reason for reason in found.reasons] == [
        f"No retained case has the label {LABEL}; the retrain will never answer it."
    ]
    state = load_method(method).unlearn(request).state
    assert all_finite(state)
