"""What a policy's test says, as frozen values: hand-written cases, and what is expected of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from maintain.errors import Problem
from maintain.vocabulary import ConsentStatus, Eye, Reason, RequestState, Split
from maintain_policies.model import Policy
from maintain_policies.tree import Place

#: Stands for the role of a case that the plan does not list.
NOT_PLANNED = "none"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file as it was read: what a mistake in it is shown with."""

    source: str
    lines: tuple[str, ...]

    def problem(self, place: Place, message: str) -> Problem:
        """A mistake at a place of this file, with its line."""
        snippet = self.lines[place.line - 1].rstrip() if place.line <= len(self.lines) else ""
        return Problem(self.source, place.line, place.column, message, snippet)

    def whole(self, message: str) -> Problem:
        """A mistake of the file as a whole."""
        return Problem(self.source, 1, 1, message)


class Membership(StrEnum):
    """What the serving version had to do with a case."""

    LEARNED = "learned"
    """It was trained on it."""
    UNLEARNED = "unlearned"
    """A version that its weights come from was; its behaviour was removed since."""
    SELECTED_WITH = "selected-with"
    """It stood in validation when the version was trained."""
    NONE = "none"
    """Nothing: it was held out, or came later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCase:
    """One hand-written case, as intake would find it. `labels` are every answer's values, oldest first.

    `learned_version` is the version of the answer that the champion was trained with; `suppressed` is why an earlier
    policy barred the case. `requests` are how requests of its patient stand; `scores` are what `cohort score`
    would have computed.
    """

    name: str
    place: Place
    patient: str
    study: str
    series: str
    picture: str
    split: Split | None
    membership: Membership
    learned_version: int
    suppressed: Reason | None
    manufacturer: str | None
    model: str | None
    model_raw: str | None
    serial: str | None
    station: str | None
    software: tuple[str, ...]
    eye: Eye | None
    sex: str | None
    age: int | None
    study_date: str | None
    site: str | None
    consent: ConsentStatus
    requests: tuple[RequestState, ...]
    labels: tuple[tuple[str, tuple[str, ...]], ...]
    scores: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCohort:
    """A cohort for one test. `label` is the answer that the model learns."""

    sheet: Sheet
    label: str
    cases: tuple[SampleCase, ...]


class Subject(StrEnum):
    """What an expectation is about; the keys of an `expect.yaml`."""

    ROLES = "roles"
    """What each case is in the plan, and why."""
    BARRED = "barred"
    """What later snapshots of this model may not use, once the plan was carried out."""
    BARRED_ELSEWHERE = "barred_elsewhere"
    """What snapshots of other models may not use."""
    LIMITS = "limits"
    """What the plan uses of each limit."""
    GATES = "gates"
    """The gates that decide."""
    METHODS = "methods"
    """The methods that are tried, in order."""
    REFUSED = "refused"
    """Why there is no plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One thing that shall hold, and where it is written.

    `of` is a case, a limit or a gate; `wanted` is its role, its figures or its settings; `because` a part of the
    reason that is given. What a subject has no use for is empty.
    """

    subject: Subject
    of: str
    wanted: str
    because: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Everything that is expected of one policy; `given` are the subjects that the file speaks of, even if empty."""

    sheet: Sheet
    rows: tuple[Expectation, ...]
    given: frozenset[Subject]

    def of(self, subject: Subject) -> tuple[Expectation, ...]:
        """The expectations about one subject, in the order of the file."""
        return tuple(row for row in self.rows if row.subject is subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTest:
    """One folder: a policy, a cohort, and what is expected."""

    folder: Path
    policy: Policy
    cohort: SampleCohort
    expected: Expectations
