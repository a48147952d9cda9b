"""Options of methods and gates: one checker, and the words of its refusals."""

from __future__ import annotations

import pytest

from maintain.errors import InputError
from maintain.options import Option, fill_in, read_settings
from maintain.records import Scalar, Setting

OPTIONS = (
    Option(name="radius", kind="number", default=0.1, minimum=0.0, maximum=1.0, doc="How far."),
    Option(name="steps", kind="integer", default=60, minimum=1, doc="How long."),
    Option(name="mixup", kind="boolean", default=True, doc="Whether labels are mixed."),
    Option(name="layers", kind="string", default="head", doc="Which layers."),
)


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
        fill_in("example", OPTIONS, (Setting(name, value),))


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="given twice"):
        fill_in("example", OPTIONS, (Setting("steps", 1), Setting("steps", 1)))


def test_options_are_completed_in_the_order_of_the_table() -> None:
    resolved = fill_in("example", OPTIONS, (Setting("steps", 5), Setting("radius", 1)))
    assert resolved == (
        Setting("radius", 1.0),
        Setting("steps", 5),
        Setting("mixup", True),
        Setting("layers", "head"),
    )
    assert isinstance(resolved[0].value, float)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("steps", "gives no option of example a value"),
        ("stps=3", "There is no option of example"),
        ("steps=3.5", "cannot be '3.5'"),
        ("steps=0", "cannot be 0"),
        ("radius=far", "cannot be 'far'"),
        ("radius=nan", "cannot be nan"),
        ("mixup=True", "one of true, false"),
    ],
)
def test_words_that_say_no_option_are_refused(word: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_settings("example", OPTIONS, [word])
    assert said in f"{caught.value.message} {caught.value.remedy}"


def test_words_are_read_in_the_kind_of_their_option() -> None:
    found = read_settings("example", OPTIONS, ["mixup=false", "radius=1", "layers=a=b", "steps=7"])
    assert found == (Setting("radius", 1.0), Setting("steps", 7), Setting("mixup", False), Setting("layers", "a=b"))
