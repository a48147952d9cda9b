"""The answer goes to stdout, the talk to stderr, and both are plain where nobody watches."""

from __future__ import annotations

import json

import pytest

from maintain.cli import console
from maintain.errors import InputError, PolicyError, Problem


def test_an_expected_failure_is_one_paragraph_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.complain(InputError("The folder is empty.", remedy="Name another."), as_json=False)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "maintain: The folder is empty.\nName another.\n"


def test_with_json_a_failure_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    console.complain(PolicyError([Problem("p.yaml", 2, 3, "no such key")]), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "maintain.cli.error"
    assert document["version"] == 1
    assert document["problems"] == [{"source": "p.yaml", "line": 2, "column": 3, "message": "no such key"}]


def test_an_answer_is_lines_or_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    console.answer({"n": 1}, ["one", "two"], schema="thing", as_json=False)
    assert capsys.readouterr().out == "one\ntwo\n"
    console.answer({"n": 1}, ["one"], schema="thing", as_json=True)
    assert json.loads(capsys.readouterr().out) == {"schema": "maintain.cli.thing", "version": 1, "n": 1}


def test_a_table_aligns_words_left_and_numbers_right() -> None:
    assert console.table(("name", "n"), [("a", 5), ("bcdef", 12), ("c", None)]) == [
        "name    n",
        "-----  --",
        "a       5",
        "bcdef  12",
        "c       -",
    ]


def test_an_empty_table_says_so() -> None:
    assert console.table(("name",), []) == ["  (none)"]


def test_progress_is_a_few_lines_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    for done in range(1, 101):
        console.progress("reading", done, 100)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [f"  reading: {done}/100" for done in (25, 50, 75, 100)]
