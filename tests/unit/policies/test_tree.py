"""What YAML offers and a policy may not use is refused where it stands; nothing is ever constructed."""

from __future__ import annotations

import pytest

from maintain.errors import PolicyError, Problem
from maintain_policies.tree import DEEPEST, LARGEST_BYTES, Items, Pairs, Place, Scalar, notes_for, read_tree


def refusals(text: str) -> tuple[Problem, ...]:
    notes = notes_for(text, source="p.yaml")
    try:
        read_tree(text, notes)
    except PolicyError as error:
        return error.problems
    return notes.stop().problems


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 1, 1, "empty"),
        ("# only a comment\n", 1, 1, "empty"),
        ("a: [1, 2\nb: 3\n", 2, 2, "not YAML"),
        ("a: 'open\n", 2, 1, "not YAML"),
        ("a:\n\tb: 1\n", 2, 1, "not YAML"),
        ("a: 1\nb: \x07\n", 2, 4, "U+0007"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("a: &x 1\n", 1, 4, "anchors (&x)"),
        ("a: *x\n", 1, 4, "aliases (*x)"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "tags"),
        ("a: !local 1\n", 1, 4, "tags"),
        ("<<: {a: 1}\n", 1, 1, "merge keys"),
        ("a: 1\nb: 2\na: 3\n", 3, 1, "'a' is given twice; the first is in line 1"),
        ("[1, 2]: x\n", 1, 1, "plain word"),
        ("a: {{ owner }}\n", 1, 5, "plain word"),
        ("x: " + "[" * (DEEPEST + 1), 1, 3 + DEEPEST, "nested deeper"),
        ("a" * (LARGEST_BYTES + 1), 1, 1, "longer than 256 KiB"),
    ],
)
def test_a_refusal_has_its_place(text: str, line: int, column: int, said: str) -> None:
    (problem,) = refusals(text)
    assert said in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_a_bomb_of_aliases_is_read_once() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    assert len(refusals("\n".join(lines))) == 20 + 19 * 9


def test_hostile_nesting_stops_at_once() -> None:
    (problem,) = refusals("[" * (LARGEST_BYTES - 1))
    assert "nested deeper" in problem.message


def test_a_file_that_is_not_yaml_has_one_mistake_even_after_others() -> None:
    assert len(refusals("a: &x 1\na: 2\nb: [\n")) == 1


def test_lines_are_counted_as_yaml_counts_them() -> None:
    (problem,) = refusals("a: 1\r\nb: 2\u2028a: 3\r\n")
    assert (problem.line, problem.column) == (3, 1)
    assert problem.snippet == "a: 3"


def test_nodes_keep_the_text_and_its_place() -> None:
    text = 'a: 0012\nb: ["no", 2024-03]\n'
    tree = read_tree(text, notes_for(text, source="p.yaml"))
    assert tree == Pairs(
        (
            (Scalar("a", True, Place(1, 1)), Scalar("0012", True, Place(1, 4))),
            (
                Scalar("b", True, Place(2, 1)),
                Items((Scalar("no", False, Place(2, 5)), Scalar("2024-03", True, Place(2, 11))), Place(2, 4)),
            ),
        ),
        Place(1, 1),
    )
