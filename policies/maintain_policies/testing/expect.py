"""`expect.yaml`: what shall become of every case of the cohort, and of the plan as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from maintain.vocabulary import Role
from maintain_policies.language import KEYS, LANGUAGE_VERSION, unknown
from maintain_policies.reading import found_as, read_choice, read_integer, read_number, read_text
from maintain_policies.testing.values import NOT_PLANNED, Expectation, Expectations, Sheet, Subject
from maintain_policies.tree import Hole, Items, Node, Notes, Pairs, Scalar, notes_for, read_tree

#: Stands for a limit that the policy does not set.
NOT_LIMITED = "not limited"


def read_expectations(text: str, *, source: str) -> Expectations:
    """The expectations of a text. Raises `PolicyError` with every mistake at once."""
    notes = notes_for(text, source=source)
    root = read_tree(text, notes)
    if not isinstance(root, Pairs):
        if not isinstance(root, Hole):
            notes.add(root.place, f"expectations are a mapping of keys, found {found_as(root)}")
        raise notes.stop()
    rows: list[Expectation] = []
    for word, node in root.pairs:
        if word.text == "version":
            read_integer(node, notes, name="version", minimum=LANGUAGE_VERSION, maximum=LANGUAGE_VERSION)
        elif word.text in tuple(Subject):
            rows += _READERS[Subject(word.text)](Subject(word.text), node, notes)
        else:
            notes.add(
                word.place,
                unknown("key of expectations", word.text, _KEYS),
            )
    given = {word.text for word, _ in root.pairs}
    if "version" not in given:
        notes.add(root.place, "the expectations lack the key 'version'")
    if not given & {Subject.ROLES, Subject.REFUSED}:
        notes.add(root.place, "say what becomes of each case (roles), or why there is no plan (refused)")
    if notes.problems:
        raise notes.stop()
    subjects = frozenset(Subject(name) for name in given if name in tuple(Subject))
    return Expectations(sheet=Sheet(source, tuple(notes.lines)), rows=tuple(rows), given=subjects)


# --- private ---------------------------------------------------------------------------------------

_KEYS = ("version", *(subject.value for subject in Subject))
_ROLES = (*(role.value for role in Role if role is not Role.LEARN), NOT_PLANNED)


def _read_roles(subject: Subject, node: Node, notes: Notes) -> Iterator[Expectation]:
    """{ROLE: {CASE: REASON}} or {ROLE: [CASE]}; a case has one role."""
    seen: dict[str, int] = {}
    for role, cases in _pairs(node, notes, subject):
        if read_choice(role, notes, name="a role", choices=_ROLES) is None:
            continue
        for row in _read_cases(subject, cases, notes, wanted=role.text):
            if row.of in seen:
                notes.add(row.place, f"the case {row.of!r} has a role already, in line {seen[row.of]}")
            else:
                seen[row.of] = row.place.line
                yield row


def _read_cases(subject: Subject, node: Node, notes: Notes, *, wanted: str = "") -> Iterator[Expectation]:
    """{CASE: REASON}, or a list of cases whose reason is nobody's concern."""
    if isinstance(node, Items):
        for one in node.nodes:
            name = read_text(one, notes, name="a case")
            if name is not None:
                yield Expectation(subject=subject, of=name, wanted=wanted, because="", place=one.place)
    else:
        for case, reason in _pairs(node, notes, subject, also=" or a list of cases"):
            because = read_text(reason, notes, name=f"the reason of {case.text}")
            if because is not None:
                yield Expectation(subject=subject, of=case.text, wanted=wanted, because=because, place=case.place)


def _read_limits(subject: Subject, node: Node, notes: Notes) -> Iterator[Expectation]:
    """What is used of each limit, and what it allows: {LIMIT: {used: NUMBER, allowed: NUMBER}}."""
    known = tuple(path.removeprefix("limits.") for path in KEYS if path.startswith("limits."))
    for limit, figures in _pairs(node, notes, subject):
        if read_choice(limit, notes, name="a limit", choices=known) is None:
            continue
        told = {}
        for key, value in _pairs(figures, notes, limit.text):
            if read_choice(key, notes, name=f"a figure of {limit.text}", choices=("used", "allowed")) is None:
                continue
            if key.text == "allowed" and isinstance(value, Scalar) and value.text == NOT_LIMITED:
                told[key.text] = NOT_LIMITED
            elif (number := read_number(value, notes, name=key.text, minimum=0)) is not None:
                told[key.text] = f"{number:g}"
        if len(told) == 2:
            wanted = f"{told['used']} of {told['allowed']}"
            yield Expectation(subject=subject, of=limit.text, wanted=wanted, because="", place=limit.place)
        elif isinstance(figures, Pairs):
            notes.add(limit.place, f"{limit.text} needs both figures: {{used: ..., allowed: ...}}")


def _read_gates(subject: Subject, node: Node, notes: Notes) -> Iterator[Expectation]:
    """A list of gates, each a name or {NAME: {OPTION: VALUE}}; one row a gate and one an option."""
    if not isinstance(node, Items):
        notes.add(node.place, f"gates must be a list of gates, found {found_as(node)}")
        return
    for one in node.nodes:
        if isinstance(one, Scalar):
            yield Expectation(subject=subject, of=one.text, wanted="", because="", place=one.place)
            continue
        for gate, options in _pairs(one, notes, "a gate"):
            yield Expectation(subject=subject, of=gate.text, wanted="", because="", place=gate.place)
            for option, value in _pairs(options, notes, gate.text):
                text = read_text(value, notes, name=option.text)
                if text is not None:
                    of = f"{gate.text}.{option.text}"
                    yield Expectation(subject=subject, of=of, wanted=text, because="", place=option.place)


def _read_methods(subject: Subject, node: Node, notes: Notes) -> Iterator[Expectation]:
    """The methods in order, as one row."""
    if not isinstance(node, Items) or not node.nodes:
        notes.add(node.place, f"methods must be a list of methods, found {found_as(node)}")
        return
    names = [read_text(one, notes, name="a method") for one in node.nodes]
    yield Expectation(
        subject=subject, of="", wanted=", ".join(name or "" for name in names), because="", place=node.place
    )


def _read_refused(subject: Subject, node: Node, notes: Notes) -> Iterator[Expectation]:
    """A part of what is said when there is no plan."""
    because = read_text(node, notes, name="refused")
    if because is not None:
        yield Expectation(subject=subject, of="", wanted="", because=because, place=node.place)


def _pairs(node: Node, notes: Notes, name: str, *, also: str = "") -> tuple[tuple[Scalar, Node], ...]:
    if isinstance(node, Pairs):
        return node.pairs
    if not isinstance(node, Hole) and not (isinstance(node, Scalar) and found_as(node) == "nothing" and also):
        notes.add(node.place, f"{name} must be a mapping{also}, found {found_as(node)}")
    return ()


_READERS = {
    Subject.ROLES: _read_roles,
    Subject.BARRED: _read_cases,
    Subject.BARRED_ELSEWHERE: _read_cases,
    Subject.LIMITS: _read_limits,
    Subject.GATES: _read_gates,
    Subject.METHODS: _read_methods,
    Subject.REFUSED: _read_refused,
}
