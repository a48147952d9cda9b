"""A policy's own test: its selection resolved over a small cohort, and held against what is expected.

Every case of the cohort must be expected somewhere, and every expectation must hold: what nobody expected and what
never came are mistakes alike. Nothing is kept, and no model is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from maintain import __version__
from maintain.cohort import CohortStore, read_standings, suppressed
from maintain.cohort import suppress as bar
from maintain.database import Database, UnitOfWork
from maintain.errors import InputError, LimitError, Problem, nearest_name
from maintain.predicate import matches_glob
from maintain.records import Environment, GateRequest, Scalar
from maintain.vocabulary import Precision
from maintain_pipelines.explain import CaseStory, story_of
from maintain_pipelines.policy_cohort import MOMENT, stage_cohort
from maintain_pipelines.reach import LimitUse, refuse_excess
from maintain_pipelines.select import Preview, resolve
from maintain_policies import Policy
from maintain_policies.testing import (
    NOT_LIMITED,
    NOT_PLANNED,
    Expectation,
    Expectations,
    PolicyTest,
    SampleCohort,
    Subject,
)

#: Where a test computes: nowhere. No method is run, so nothing depends on it.
NOWHERE = Environment("none", "none", "cpu", 1, "none", "none", __version__, Precision.FP32)

#: A model that is not the policy's: what is barred there is barred everywhere.
ANOTHER_MODEL = "another-model"


@dataclass(frozen=True, slots=True)
class Tested:
    """How one test ended. `problems` are expectations that do not hold and facts that nobody expected."""

    policy: str
    folder: str
    expectations: int
    held: int
    problems: tuple[Problem, ...]


def run_test(test: PolicyTest, database: Database) -> Tested:
    """Stage the cohort, resolve the policy, compare. Raises `PolicyError` for a cohort that cannot be.

    The database must hold no case; nothing is left in it.
    """
    happened: list[_Happened] = []
    with suppress(_Undone), database.begin() as unit:
        happened.append(_happen(test.policy, test.cohort, unit))
        raise _Undone
    return _compare(test, happened[0])


# --- private: what happens -------------------------------------------------------------------------


class _Undone(Exception):
    """Ends a unit of work without keeping it."""


@dataclass(frozen=True, slots=True)
class _Happened:
    """What the policy does on the cohort. Without a plan there is the refusal alone."""

    stories: tuple[CaseStory, ...]
    found: Preview | None
    refused: str | None
    barred: dict[str, str]
    barred_elsewhere: dict[str, str]


def _happen(policy: Policy, cohort: SampleCohort, unit: UnitOfWork) -> _Happened:
    champion = stage_cohort(cohort, policy.model.name, unit)
    try:
        found = resolve(policy, champion, unit, NOWHERE)
    except InputError as error:
        return _Happened((), None, error.message, {}, {})
    try:
        refuse_excess(policy.name, found.reach)
        refused = None
    except LimitError as error:
        refused = error.message
    stories = tuple(story_of(case, policy, found) for case in CohortStore(unit).cases())
    matched = [match.case for match in found.selection.matches]
    bar(unit, matched, reason=policy.reason, policy=policy.digest, model=policy.model.name, now=MOMENT)
    here, elsewhere = (_barred(unit, model, cohort.label) for model in (policy.model.name, ANOTHER_MODEL))
    return _Happened(stories, found, refused, here, elsewhere)


def _barred(unit: UnitOfWork, model: str, label: str) -> dict[str, str]:
    """What the next snapshot of a model would leave out, under the labels of today, each with its reason."""
    listed = suppressed(unit, model)
    whys = {case.case_id: listed.why(case, label_version=case.label_version) for case in read_standings(unit, label)}
    return {case: why for case, why in whys.items() if why is not None}


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


# --- private: what was expected --------------------------------------------------------------------


def _compare(test: PolicyTest, happened: _Happened) -> Tested:
    expected = test.expected
    problems = list(_refusal(expected, happened))
    if happened.found is not None:
        roles = {story.case_id: (story.role or NOT_PLANNED, _why(story)) for story in happened.stories}
        problems += _cases(test, Subject.ROLES, roles)
        for subject, barred in (
            (Subject.BARRED, happened.barred),
            (Subject.BARRED_ELSEWHERE, happened.barred_elsewhere),
        ):
            problems += _cases(test, subject, {case: ("", why) for case, why in barred.items()})
        plan = happened.found.selection.plan
        problems += _limits(expected, happened.found.reach.limits)
        problems += _gates(expected, plan.gates)
        tried = ", ".join(dict.fromkeys(request.name for request in plan.slots[0].methods))
        problems += _methods(expected, tried)
        unmet = {(problem.line, problem.column) for problem in problems if problem.source == expected.sheet.source}
        held = sum((row.place.line, row.place.column) not in unmet for row in expected.rows)
    else:
        held = 0 if problems else 1
        problems += _impossible(expected, happened.refused or "") if not problems else []
    ordered = sorted(problems, key=lambda problem: (problem.source, problem.line, problem.column))
    return Tested(test.policy.name, str(test.folder), len(expected.rows), held, tuple(ordered))


def _refusal(expected: Expectations, happened: _Happened) -> Iterator[Problem]:
    rows = expected.of(Subject.REFUSED)
    if happened.refused is not None and not rows:
        yield expected.sheet.whole(f"nobody expected that there is no plan: {happened.refused}")
    for row in rows:
        if happened.refused is None:
            yield expected.sheet.problem(row.place, "a refusal was expected, and there is a plan")
        elif row.because not in happened.refused:
            yield expected.sheet.problem(row.place, f"it is refused for another reason: {happened.refused}")


def _impossible(expected: Expectations, refused: str) -> Iterator[Problem]:
    """Without a plan nothing else can hold."""
    for row in expected.rows:
        if row.subject is not Subject.REFUSED:
            yield expected.sheet.problem(row.place, f"there is no plan in which this could be: {refused}")


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
    for name in decisive.keys() - {row.of for row in rows}:
        yield expected.sheet.whole(f"nobody expected that the gate {name!r} decides")


def _methods(expected: Expectations, tried: str) -> Iterator[Problem]:
    for row in expected.of(Subject.METHODS):
        if row.wanted != tried:
            yield expected.sheet.problem(row.place, f"the methods were expected as {row.wanted}, and are {tried}")


def _plain(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else value


_WORDS = {
    Subject.ROLES: "in the cohort",
    Subject.BARRED: "barred for this model",
    Subject.BARRED_ELSEWHERE: "barred for other models",
}
