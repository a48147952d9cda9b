"""Errors name what was wrong, and the next step."""

from __future__ import annotations

import inspect

from maintain import errors


def test_an_unknown_name_lists_the_known_ones_nearest_first() -> None:
    error = errors.UnknownNameError("gate", "retension", ["retention", "integrity"])
    assert error.message == "There is no gate called 'retension'. Did you mean 'retention'?"
    assert error.remedy == "Known: integrity, retention."


def test_no_table_is_said_plainly() -> None:
    assert errors.UnknownNameError("run", "x", []).remedy == "Known: none yet."


def test_problems_point_at_their_place() -> None:
    problem = errors.Problem("p.yaml", 3, 5, "no such key", "    clam: x")
    assert problem.render() == "p.yaml:3:5: no such key\n        clam: x\n        ^"
    assert "1 mistake in" in errors.PolicyError([problem]).message


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    doc = inspect.getdoc(errors) or ""
    family = [
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.MaintainError)
    ]
    assert len(family) > 10
    assert [name for name in family if name not in doc] == []
