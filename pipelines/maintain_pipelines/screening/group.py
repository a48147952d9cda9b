"""The screen of the claim `group`: does the candidate answer on the group as models that never saw it?

Where the group is all there is of its labels, it is asked instead how often they are still given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maintain.gates import whole_labels
from maintain.imaging import State
from maintain.records import Figure, Measurement
from maintain.vocabulary import Role
from maintain_pipelines.screening.base import (
    Contest,
    Screened,
    accuracy,
    beyond,
    decided,
    figure,
    left,
    limit_of,
    together,
)

#: Difference to the mean of the references, and their own spread, that count as none (DESIGN §7, `reference`).
MARGIN = 0.10

#: Difference to the references that is noise in a score (as in the screen of `examples`).
SLACK = 0.03

#: Share of a withdrawn label's cases that may still be given it (DESIGN §7, `zero`).
ZERO_LIMIT = 0.02

#: Forgotten and never-seen cases of the group; the second are validation cases, for nothing else may choose.
ARMS = {Role.FORGET: "forgotten", Role.NEVER_SEEN_VALIDATION: "never-seen"}

#: Below this a mean of references is no yardstick; three are trained.
FEWEST_REFERENCES = 3


def screen(contest: Contest) -> Screened:
    """By `zero` where the plan asks for it, else by references."""
    if _by_zero(contest):
        return _withdrawn(contest)
    return hopeless(contest) or together(tuple(_beside(_yardstick(contest, role), contest) for role in ARMS))


def hopeless(contest: Contest) -> Screened | None:
    """What leaves every candidate, whatever it answers: that the references are no yardstick; None where they are.

    Too few of them, references that disagree by more than the plan allows, an arm without cases, or a champion that
    answers as they do. Looked at before a method is paid for.
    """
    if _by_zero(contest):
        return None
    if len(contest.references) < FEWEST_REFERENCES:
        return left("There are no references to compare it with on the group.")
    for role, name in ARMS.items():
        if not contest.ask(contest.champion, (role,)):
            return left(f"There are no {name} cases of the group to compare it on.")
    against = tuple(left(one.against, *one.figures) for role in ARMS if (one := _yardstick(contest, role)).against)
    return together(against) if against else None


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Yardstick:
    """One arm before there is a candidate: the references' mean accuracy, and what speaks against comparing with it."""

    role: Role
    mean: float
    before: float
    margin: float
    figures: tuple[Figure, Figure]
    against: str


def _yardstick(contest: Contest, role: Role) -> _Yardstick:
    margin = limit_of(contest.plan, "reference", "margin", default=MARGIN)
    widest = limit_of(contest.plan, "reference", "spread", default=MARGIN)
    rows, name = contest.ask(contest.champion, (role,)), ARMS[role]
    known = [accuracy(contest.ask(state, (role,))) for state in contest.references]
    mean, spread = sum(known) / len(known), max(known) - min(known)
    before = accuracy(rows) - mean
    against = ""
    if spread > widest:
        against = f"The references disagree by {spread:.3f} on {name} cases; {widest:g} is allowed."
    elif role is Role.FORGET and abs(before) <= margin:
        against = f"The champion answers as the references do ({before:+.3f}): nothing to forget."
    figures = (
        figure(f"champion less references, {name} accuracy", before, rows),
        figure(f"spread of the references, {name} accuracy", spread, rows, limit=widest),
    )
    return _Yardstick(role, mean, before, margin, figures, against)


def _beside(yardstick: _Yardstick, contest: Contest) -> Screened:
    """One arm: within the margin of the references' mean."""
    margin, name = yardstick.margin, ARMS[yardstick.role]
    rows = contest.ask(contest.candidate, (yardstick.role,))
    after = accuracy(rows) - yardstick.mean
    champion, spread = yardstick.figures
    figures = (champion, figure(f"candidate less references, {name} accuracy", after, rows, limit=margin), spread)
    said = f"On {name} cases it differs from the references by {after:+.3f} (champion {yardstick.before:+.3f})"
    score = beyond(abs(after), SLACK)
    if abs(after) > margin:
        return left(f"{said}, more than {margin:g}.", *figures, score=score)
    return Screened(True, f"{said}.", figures, score)


def _by_zero(contest: Contest) -> bool:
    return any(request.name == "zero" for request in contest.plan.gates)


def _withdrawn(contest: Contest) -> Screened:
    """How often the withdrawn labels are still given to their cases."""
    limit = limit_of(contest.plan, "zero", "limit", default=ZERO_LIMIT)
    gone = whole_labels(contest.roles)
    figures, failed = [], []
    for role, name in ARMS.items():
        before, after = (_given(contest, state, role, gone) for state in (contest.champion, contest.candidate))
        if not after:
            return left(f"There are no {name} cases of the group to compare it on.")
        figures += [
            _share(f"champion, {name} cases still given the label", before),
            _share(f"candidate, {name} cases still given the label", after, limit=limit),
        ]
        if role is Role.FORGET and figures[-2].value < limit:
            failed.append("The champion does not give the label either: nothing to forget.")
        if figures[-1].value >= limit:
            failed.append(f"{figures[-1].value:.3f} of {name} cases are still given the label; {limit:g} is allowed.")
    score = sum(found.value for found in figures if found.limit is not None)
    if failed:
        return left(" ".join(failed), *figures, score=score)
    return Screened(True, "The label is no longer given to forgotten or never-seen cases.", tuple(figures), score)


def _given(contest: Contest, state: State, role: Role, gone: frozenset[str]) -> tuple[tuple[Measurement, bool], ...]:
    labels = {row.case_id: row.label for row in contest.roles.of(role) if row.label in gone}
    asked = (row for row in contest.ask(state, (role,)) if row.case_id in labels)
    return tuple((row, decided(row) == row.label[0]) for row in asked)


def _share(name: str, given: Sequence[tuple[Measurement, bool]], *, limit: float | None = None) -> Figure:
    value = sum(hit for _, hit in given) / len(given)
    return figure(name, value, [row for row, _ in given], limit=limit)
