"""Small files beside the policies: every mistake at its line and column, nothing constructed."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import InputError
from maintain.options import Option
from maintain_policies import read_named, read_table

OPTIONS = (
    Option(name="epochs", kind="integer", default=1, minimum=1, doc="Passes."),
    Option(name="rate", kind="number", default=0.1, doc="Rate."),
)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("- Resize: {side: [1", "file.yaml:1:"),
        ("Resize: {side: 1}\n", "is a list of names, found a mapping"),
        ("- Resize\n- {a: 1, b: 2}\n", "file.yaml:2:3: an entry"),
        ("- Resize: 3\n", "the options of Resize are a mapping, found 3"),
        ("- Resize: {side: {a: 1}}\n", "Resize.side must be text"),
        ("- &a Resize\n- *a\n", "aliases"),
        ("- !!python/object:os.system Resize\n", "tags are refused"),
        ("- Resize: {side: 1, side: 2}\n", "given twice"),
    ],
)
def test_a_list_is_refused_with_its_places(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_named(write(tmp_path, text), what="preprocessing")
    assert said in caught.value.message
    assert "the preprocessing:" in caught.value.message


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_named(tmp_path / "gone.yaml", what="preprocessing")


def test_names_come_with_values_as_they_look(tmp_path: Path) -> None:
    text = "- Plain\n- Bare:\n- Resize: {size: [32, 32], rate: 0.5, on: true, mode: area, quoted: '3', none: null}\n"
    plain, bare, resize = read_named(write(tmp_path, text), what="preprocessing")
    assert (plain.name, plain.options, plain.place) == ("Plain", {}, "file.yaml:1:3")
    assert (bare.name, bare.options) == ("Bare", {})
    wanted = {"size": (32, 32), "rate": 0.5, "on": True, "mode": "area", "quoted": "3", "none": None}
    assert resize.options == wanted
    assert type(resize.options["size"]) is tuple


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- epochs\n", "found a list"),
        ("rate: 0.5\n", "file.yaml:1:1: recipe lacks epochs"),
        ("epocs: 3\n", "file.yaml:1:1: there is no option of recipe called 'epocs'. Did you mean 'epochs'?"),
        ("epochs: 0\nrate: x\n", "2 mistakes"),
    ],
)
def test_a_table_is_refused_with_its_places(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_table(write(tmp_path, text), OPTIONS, required=("epochs",), what="recipe")
    assert said in caught.value.message


def test_a_table_holds_what_is_said(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, "epochs: 3\n"), OPTIONS, required=("epochs",), what="recipe") == {"epochs": 3}
