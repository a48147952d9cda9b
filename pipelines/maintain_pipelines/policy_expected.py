"""What a policy's test expected, against what was seen: every mistake at its line.

Every case of the cohort must be expected somewhere, and every expectation must hold: what nobody expected and what
never came are mistakes alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maintain.errors import Problem, nearest_name
from maintain.gates import gate_info
from maintain.predicate import matches_glob
from maintain.records import GateRequest, Scalar
from maintain_pipelines.explain import CaseStory
from maintain_pipelines.reach import LimitUse
from maintain_pipelines.select import Preview
from maintain_policies.testing import NOT_LIMITED, NOT_PLANNED, Expectation, Expectations, PolicyTest, Subject


@dataclass(frozen=True, slots=True)
class Observed:
    """What a policy does on a cohort. Without a plan there is the refusal alone.

    `barred` and `barred_elsewhere` are what later snapshots of this model, and of any other, may not use, and why.
    """

    stories: tuple[CaseStory, ...]
    found: Preview | None
    refused: str | None
    barred: dict[str, str]
    barred_elsewhere: dict[str, str]


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """How one test ended. `problems` are expectations that do not hold, and things that were `unexpected`."""

    policy: str
    folder: str
    expectations: int
    held: int
    unexpected: int
    problems: tuple[Problem, ...]


def compare(test: PolicyTest, seen: Observed) -> PolicyOutcome:
    """Hold what was seen against what was expected, both ways."""
    expected = test.expected
    rest = _unplanned(expected) if seen.found is None else _planned(test, seen)
    problems = [*_refusal(expected, seen), *rest]
    unmet = {(problem.line, problem.column) for problem in problems if problem.source == expected.sheet.source}
    broken = [row for row in expected.rows if (row.place.line, row.place.column) in unmet]
    return PolicyOutcome(
        policy=test.policy.name,
        folder=str(test.folder),
        expectations=len(expected.rows),
        held=len(expected.rows) - len(broken),
        unexpected=len(problems) - len(broken),
        problems=tuple(sorted(problems, key=lambda problem: (problem.source, problem.line, problem.column))),
    )


# --- private ---------------------------------------------------------------------------------------


def _refusal(expected: Expectations, seen: Observed) -> Iterator[Problem]:
    rows = expected.of(Subject.REFUSED)
    if seen.refused is not None and not rows:
        yield expected.sheet.whole(f"nobody expected that there is no plan: {seen.refused}")
    for row in rows:
        if seen.refused is None:
            yield expected.sheet.problem(row.place, "a refusal was expected, and there is a plan")
        elif row.because not in seen.refused:
            yield expected.sheet.problem(row.place, f"it is refused for another reason: {seen.refused}")


def _unplanned(expected: Expectations) -> Iterator[Problem]:
    """Without a plan nothing but the refusal can hold."""
    for row in expected.rows:
        if row.subject is not Subject.REFUSED:
            yield expected.sheet.problem(row.place, "there is no plan in which this could be")


def _planned(test: PolicyTest, seen: Observed) -> Iterator[Problem]:
    assert seen.found is not None
    plan, expected = seen.found.selection.plan, test.expected
    roles = {story.case_id: (story.role or NOT_PLANNED, _why(story)) for story in seen.stories}
    yield from _cases(test, Subject.ROLES, roles)
    yield from _cases(test, Subject.BARRED, {case: ("", why) for case, why in seen.barred.items()})
    yield from _cases(test, Subject.BARRED_ELSEWHERE, {case: ("", why) for case, why in seen.barred_elsewhere.items()})
    yield from _limits(expected, seen.found.reach.limits)
    yield from _gates(expected, plan.gates)
    tried = ", ".join(dict.fromkeys(request.name for request in plan.slots[0].methods))
    yield from _methods(expected, tried)


def _cases(test: PolicyTest, subject: Subject, found: dict[str, tuple[str, str]]) -> Iterator[Problem]:
    """Both ways: expectations that no case fulfils, and cases that no expectation names."""
    expected = test.expected
    if subject not in expected.given:
        return
    places = {case.name: case.place for case in test.cohort.cases}
    unnamed = dict(found)
    for row in expected.of(subject):
        meant = [case for case in places if matches_glob(case, row.of)]
        said = next((wrong for case in meant if (wrong := _wrong(row, case, found))), None)
        if not meant:
            nearest = nearest_name(row.of, places)
            said = f"the cohort has no case {row.of!r}" + (f"; did you mean {nearest!r}?" if nearest else "")
        if said is not None:
            yield expected.sheet.problem(row.place, said)
        for case in meant:
            unnamed.pop(case, None)
    for case, (role, why) in unnamed.items():
        yield test.cohort.sheet.problem(
            places[case], f"nobody expected that {case!r} is {role or _WORDS[subject]}: {why}"
        )


def _wrong(row: Expectation, case: str, found: dict[str, tuple[str, str]]) -> str | None:
    """What is not as expected with one case; None where all is."""
    if case not in found:
        return f"{case!r} is not {_WORDS[row.subject]}"
    role, why = found[case]
    if role != row.wanted:
        return f"{case!r} was expected as {row.wanted}, and is {role}: {why}"
    return None if row.because in why else f"{case!r} has another reason: {why}"


def _limits(expected: Expectations, uses: Iterable[LimitUse]) -> Iterator[Problem]:
    """The figures of the plan as it prints them; of limits that hold for each label the one nearest to its end."""
    nearest: dict[str, LimitUse] = {}
    for use in uses:
        if use.name not in nearest or use.used > nearest[use.name].used:
            nearest[use.name] = use
    for row in expected.of(Subject.LIMITS):
        use = nearest[row.of]
        said = f"{round(use.used, 1):g} of {NOT_LIMITED if use.most is None else f'{use.most:g}'}"
        if said != row.wanted:
            yield expected.sheet.problem(row.place, f"{row.of} was expected as {row.wanted}, and is {said}")


def _gates(expected: Expectations, requests: Iterable[GateRequest]) -> Iterator[Problem]:
    """The gates that decide, and every figure of theirs that is not the catalogue's."""
    if Subject.GATES not in expected.given:
        return
    decisive = {request.name: request for request in requests if request.decisive}
    settings = {
        f"{name}.{setting.name}": _plain(setting.value)
        for name, request in decisive.items()
        for setting in request.options
    }
    rows, told = expected.of(Subject.GATES), expected.sheet.problem
    for row in rows:
        if not row.wanted and row.of not in decisive:
            yield told(row.place, f"the gate {row.of!r} does not decide; these do: {', '.join(decisive)}")
        elif row.wanted and settings.get(row.of) != row.wanted:
            yield told(row.place, f"{row.of} was expected as {row.wanted}, and is {settings.get(row.of, 'not there')}")
    named = {row.of for row in rows}
    for name in decisive:
        if name not in named:
            yield expected.sheet.whole(f"nobody expected that the gate {name!r} decides")
    usual = {f"{name}.{option.name}": _plain(option.default) for name in decisive for option in gate_info(name).options}
    for name, value in settings.items():
        if value != usual.get(name) and name not in named:
            yield expected.sheet.whole(f"nobody expected that {name} is {value}, and not {usual.get(name)}")


def _methods(expected: Expectations, tried: str) -> Iterator[Problem]:
    for row in expected.of(Subject.METHODS):
        if row.wanted != tried:
            yield expected.sheet.problem(row.place, f"the methods were expected as {row.wanted}, and are {tried}")


def _plain(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else value


def _why(story: CaseStory) -> str:
    """Everything that is said of a case, for a part of it to be expected."""
    parts = [story.role_reason]
    if story.role is None and story.selected:
        parts.append(f"selected: {story.selected}")
    if not story.selected:
        parts.append(f"not selected: {story.test} does not hold")
    if story.suppressed and story.suppressed not in story.role_reason:
        parts.append(f"barred: {story.suppressed}")
    return "; ".join(parts)


_WORDS = {
    Subject.ROLES: "in the cohort",
    Subject.BARRED: "barred for this model",
    Subject.BARRED_ELSEWHERE: "barred for other models",
}
