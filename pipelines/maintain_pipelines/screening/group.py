"""The screen of the claim `group`: does the candidate answer on the group as models that never saw it?

Where the group is all there is of its labels, it is asked instead how often they are still given.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    if any(request.name == "zero" for request in contest.plan.gates):
        return _withdrawn(contest)
    if len(contest.references) < FEWEST_REFERENCES:
        return left("There are no references to compare it with on the group.")
    return together(tuple(_beside(contest, role) for role in ARMS))


# --- private ---------------------------------------------------------------------------------------


def _beside(contest: Contest, role: Role) -> Screened:
    """One arm: within the margin of the references' mean, where these agree and the champion is outside."""
    margin = limit_of(contest.plan, "reference", "margin", default=MARGIN)
    widest = limit_of(contest.plan, "reference", "spread", default=MARGIN)
    rows, name = contest.ask(contest.candidate, (role,)), ARMS[role]
    if not rows:
        return left(f"There are no {name} cases of the group to compare it on.")
    yardstick = [accuracy(contest.ask(state, (role,))) for state in contest.references]
    mean, spread = sum(yardstick) / len(yardstick), max(yardstick) - min(yardstick)
    before, after = accuracy(contest.ask(contest.champion, (role,))) - mean, accuracy(rows) - mean
    figures = (
        figure(f"champion less references, {name} accuracy", before, rows),
        figure(f"candidate less references, {name} accuracy", after, rows, limit=margin),
        figure(f"spread of the references, {name} accuracy", spread, rows, limit=widest),
    )
    if spread > widest:
        return left(f"The references differ by {spread:.3f} on {name} cases, more than {widest:g}.", *figures)
    if role is Role.FORGET and abs(before) <= margin:
        return left(f"The champion answers as the references do ({before:+.3f}): nothing to forget.", *figures)
    said = f"On {name} cases it differs from the references by {after:+.3f} (champion {before:+.3f})"
    score = beyond(abs(after), SLACK)
    if abs(after) > margin:
        return left(f"{said}, more than {margin:g}.", *figures, score=score)
    return Screened(True, f"{said}.", figures, score)


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
