"""Every member of every closed vocabulary carries its sentence."""

from __future__ import annotations

import ast
import inspect
from enum import StrEnum

from maintain import vocabulary


def test_every_member_is_documented() -> None:
    tree = ast.parse(inspect.getsource(vocabulary))
    undocumented = []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        for member, following in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(member, ast.Assign) and not (
                isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            ):
                undocumented.append(f"{node.name}:{member.lineno}")
    assert undocumented == []


def test_words_are_kebab_case_and_not_repeated() -> None:
    enums = [kind for kind in vars(vocabulary).values() if inspect.isclass(kind) and issubclass(kind, StrEnum)]
    assert len(enums) > 10
    for kind in enums:
        values = [member.value for member in kind]
        assert len(set(values)) == len(values)


def test_personal_reasons_are_those_of_persons() -> None:
    assert {reason.value for reason in vocabulary.Reason if reason.personal} == {"consent", "data-subject"}
