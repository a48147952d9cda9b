from __future__ import annotations

import subprocess
import sys

import pytest

from maintain.errors import InputError, UnknownNameError
from maintain.records import Scalar, Setting
from maintain.unlearn import (
    METHODS,
    MethodInfo,
    OptionInfo,
    OptionKind,
    load_method,
    method_info,
    resolve_options,
)
from maintain.vocabulary import Claim

INFO = MethodInfo(
    name="example",
    doc="For this test.",
    claims=(Claim.EXAMPLES,),
    citation="none",
    options=(
        OptionInfo("radius", OptionKind.NUMBER, 0.1, 0.0, 1.0, "How far."),
        OptionInfo("steps", OptionKind.INTEGER, 60, 1, None, "How long."),
        OptionInfo("mixup", OptionKind.BOOLEAN, True, None, None, "Whether labels are mixed."),
        OptionInfo("layers", OptionKind.STRING, "head", None, None, "Which layers."),
    ),
    target="none:None",
    consumes_forget=True,
)


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'retrain'"):
        method_info("retrian")
    with pytest.raises(UnknownNameError, match="unlearning method"):
        load_method("psgg")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("radus", 0.1, "There is no option of example"),
        ("radius", 2, "cannot be 2"),
        ("radius", -0.1, "cannot be -0.1"),
        ("radius", float("nan"), "cannot be nan"),
        ("radius", "0.1", "cannot be '0.1'"),
        ("radius", True, "cannot be True"),
        ("steps", 1.0, "cannot be 1.0"),
        ("steps", 0, "cannot be 0"),
        ("steps", True, "cannot be True"),
        ("mixup", 1, "cannot be 1"),
        ("layers", 3, "cannot be 3"),
    ],
)
def test_wrong_options_are_refused(name: str, value: Scalar, said: str) -> None:
    with pytest.raises(InputError, match=said):
        resolve_options(INFO, (Setting(name, value),))


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="given twice"):
        resolve_options(INFO, (Setting("steps", 1), Setting("steps", 1)))


def test_options_are_completed_in_the_order_of_the_table() -> None:
    resolved = resolve_options(INFO, (Setting("steps", 5), Setting("radius", 1)))
    assert resolved == (
        Setting("radius", 1.0),
        Setting("steps", 5),
        Setting("mixup", True),
        Setting("layers", "head"),
    )
    assert isinstance(resolved[0].value, float)


def test_every_method_is_documented_and_can_be_loaded() -> None:
    for name, info in METHODS.items():
        assert name == info.name
        assert info.doc
        assert info.citation
        assert info.claims
        defaults = tuple(Setting(option.name, option.default) for option in info.options)
        assert resolve_options(info, ()) == defaults
        assert load_method(name)


def test_the_room_and_its_table_are_read_without_torch() -> None:
    code = (
        "import sys, maintain.unlearn;"
        "from maintain.unlearn import METHODS, retrain_eligibility, default_recipe;"
        "assert METHODS and 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
