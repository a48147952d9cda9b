"""The table of spellings: consistent with itself, and kind to what it does not know."""

from __future__ import annotations

import pytest

from maintain.intake.devices import MANUFACTURERS, MODELS, normalise_device


@pytest.mark.parametrize("nothing", [None, "", "   ", "\0"])
def test_nothing_stays_nothing(nothing: str | None) -> None:
    assert normalise_device(nothing, nothing) == (None, None)


@pytest.mark.parametrize(
    ("manufacturer", "model", "expected"),
    [
        ("SIEMENS", "Artis", ("Siemens Healthineers", "Artis")),
        ("Siemens  Healthineers ", "Artis", ("Siemens Healthineers", "Artis")),
        ("Carl Zeiss Meditec, Inc.", "VISUCAM 500", ("Carl Zeiss Meditec", "Visucam 500")),
        ("northlight ophthalmics", "CIRRUS 800  FA", ("Northlight Ophthalmics", "Cirrus 800 FA")),
        ("Somebody Else", "CIRRUS 800 FA", ("Somebody Else", "CIRRUS 800 FA")),
        (None, "  New   Camera ", (None, "New Camera")),
    ],
)
def test_spellings(manufacturer: str | None, model: str | None, expected: tuple[str | None, str | None]) -> None:
    assert normalise_device(manufacturer, model) == expected


def test_normalised_names_stay_as_they_are() -> None:
    for name in MANUFACTURERS.values():
        assert normalise_device(name, None)[0] == name
    for (manufacturer, _), model in MODELS.items():
        assert manufacturer in MANUFACTURERS.values()
        assert normalise_device(manufacturer, model) == (manufacturer, model)


def test_the_tables_are_keyed_by_what_is_looked_up() -> None:
    for spelling in [*MANUFACTURERS, *(model for _, model in MODELS)]:
        assert spelling == " ".join(spelling.casefold().split())
        assert spelling.rstrip(".") == spelling or spelling.rstrip(".") in MANUFACTURERS
