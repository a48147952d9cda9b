from __future__ import annotations

import subprocess
import sys

import pytest

from maintain.errors import InputError, UnknownNameError
from maintain.gates import GATE_SET_ALIASES, GATE_SETS, GATES, gate_info, gate_set, gates_for, request_for
from maintain.records import Setting
from maintain.vocabulary import Claim


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="never-saw"):
        gate_info("never-seen")
    with pytest.raises(UnknownNameError, match="default"):
        gate_set("defaults")
    with pytest.raises(UnknownNameError, match="margin"):
        request_for("retention", (Setting("margins", 0.03),))


@pytest.mark.parametrize("value", ["0.03", True, 0.0, 0.9, float("nan")])
def test_values_of_another_kind_or_out_of_range_are_refused(value: str | float) -> None:
    with pytest.raises(InputError, match="margin"):
        request_for("retention", (Setting("margin", value),))


def test_a_request_has_every_option_resolved() -> None:
    request = request_for("retention", (Setting("margin", 0.03),))
    assert request.options[:3] == (Setting("margin", 0.03), Setting("alpha", 0.025), Setting("lineage_margin", 0.08))
    assert [setting.name for setting in request.options] == [option.name for option in GATES["retention"].options]
    assert request.decisive


def test_defaults_lie_in_their_own_range() -> None:
    for name in GATES:
        assert request_for(name).name == name


def test_every_set_and_alias_names_what_exists() -> None:
    assert all(alias in GATE_SETS for alias in GATE_SET_ALIASES.values())
    assert all(name in GATES for found in GATE_SETS.values() for name in found.gates)
    assert gate_set("default") is GATE_SETS["default@1"]


def test_a_claim_gets_the_gates_that_prove_it_and_those_that_always_run() -> None:
    always = ["integrity", "never-saw", "retention"]
    assert [info.name for info in gates_for(Claim.NEVER_SAW)] == [*always, "held-out", "membership", "rank"]
    assert [info.name for info in gates_for(Claim.EXAMPLES)] == [
        *always,
        "held-out",
        "membership",
        "not-collapsed",
        "bn-recalibration",
    ]
    assert [info.name for info in gates_for(Claim.GROUP)] == [*always, "reference", "zero", "bn-recalibration"]


def test_the_table_is_read_without_anything_heavy() -> None:
    heavy = "{'torch', 'numpy', 'scipy', 'monai'}"
    program = f"import maintain.gates, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
