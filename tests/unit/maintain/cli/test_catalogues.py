"""What a policy may name: the tables of methods and gates, and what `auto` means in every situation."""

from __future__ import annotations

from maintain.cli.catalogues import catalogues
from maintain.unlearn.options import METHODS
from maintain.unlearn.table.measured import measured_choices
from maintain.vocabulary import Situation


def test_auto_is_what_was_measured_and_a_retrain_where_nothing_else_can() -> None:
    auto = {choice.situation: choice.methods for choice in catalogues().auto}
    assert auto == {Situation.NEVER_SAW: ("retrain",), **measured_choices()}
    assert set(auto) == set(Situation)


def test_every_method_of_the_table_can_be_named() -> None:
    assert {method.name for method in catalogues().methods} == set(METHODS)
