"""What a plan says of a method is what the method says of itself, and no torch is needed to say it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from helpers.toy_requests import toy_request
from maintain.errors import InputError, UnknownNameError
from maintain.records import RoleTable, Setting
from maintain.unlearn import METHODS, foresee, load_method, steps_of
from maintain.vocabulary import Role

FORGOTTEN = 12


def test_what_cannot_be_foreseen_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="salun"):
        foresee("salum", toy_request(FORGOTTEN))
    with pytest.raises(InputError, match="nonsense"):
        foresee("noop", toy_request(FORGOTTEN, Setting("nonsense", 1)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("change", ["as it is", "no budget", "nothing retained", "no recipe", "suppressed"])
def test_a_plan_and_the_method_say_the_same(method: str, change: str) -> None:
    request = toy_request(FORGOTTEN)
    if change == "no budget":
        request = dataclasses.replace(request, budget_steps=1)
    elif change == "nothing retained":
        kept = tuple(row for row in request.roles.rows if row.role is not Role.RETAIN)
        request = dataclasses.replace(request, roles=RoleTable(kept))
    elif change == "no recipe":
        request = dataclasses.replace(request, spec=dataclasses.replace(request.spec, recipe=None))
    elif change == "suppressed":
        rows = tuple(
            dataclasses.replace(row, role=Role.SUPPRESSED) if row.role is Role.RETAIN and place % 2 else row
            for place, row in enumerate(request.roles.rows)
        )
        request = dataclasses.replace(request, roles=RoleTable(rows))
    foreseen = foresee(method, request)
    assert foreseen is not None
    assert foreseen.eligibility == load_method(method).eligible(request)


def test_steps_follow_from_options_and_the_recipe() -> None:
    request = toy_request(FORGOTTEN)
    recipe, retained = request.spec.recipe, len(request.roles.of(Role.RETAIN))
    assert recipe is not None
    whole = steps_of(recipe, retained)
    for method, options, steps in (
        ("retrain", (), whole),
        ("short-retrain", (Setting("epochs", 1),), whole // recipe.epochs),
        ("short-retrain", (Setting("epochs", 99),), whole),
        ("finetune", (Setting("epochs", 2),), 2 * whole // recipe.epochs),
        ("random-label", (Setting("steps", 30),), 30),
        ("reset-refit", (Setting("steps", 40),), 40),
        ("noop", (), 0),
    ):
        foreseen = foresee(method, dataclasses.replace(request, options=options))
        assert foreseen is not None
        assert (method, foreseen.steps) == (method, steps)
    without = dataclasses.replace(request, spec=dataclasses.replace(request.spec, recipe=None))
    found = foresee("retrain", without)
    assert found is not None
    assert (found.steps, found.eligibility.ok) == (None, False)


def test_it_is_said_without_torch() -> None:
    code = (
        "import sys, importlib; from maintain.unlearn import METHODS, foresee;"
        "[importlib.import_module(info.foreseen.partition(':')[0]) for info in METHODS.values() if info.foreseen];"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
