from __future__ import annotations

import subprocess
import sys

import pytest

from maintain.errors import UnknownNameError
from maintain.records import Setting
from maintain.unlearn import (
    METHODS,
    load_method,
    method_info,
    resolve_options,
)


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'retrain'"):
        method_info("retrian")
    with pytest.raises(UnknownNameError, match="unlearning method"):
        load_method("psgg")


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
