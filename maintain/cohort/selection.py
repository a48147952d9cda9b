"""Which cases a policy selects, and the rule that selected each of them.

A match pulls in its unit, and every exact copy of a selected picture is selected too, under
whatever pseudonym it was filed: a model has not forgotten what it still sees as a copy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from maintain.cohort.facts import Count
from maintain.cohort.reading import joined, read_cases
from maintain.cohort.scores import score_states
from maintain.cohort.where import condition, fits, known_values, listed
from maintain.database import UnitOfWork, tables
from maintain.errors import InputError, nearest_name
from maintain.predicate import (
    Absent,
    Predicate,
    absent_among,
    absent_values,
    asked_fields,
    explain,
    field_values,
    matches,
)
from maintain.records import Case
from maintain.vocabulary import Eye, Unit

#: Why an exact copy is selected.
COPY = "exact copy of a selected image"


@dataclass(frozen=True, slots=True)
class Selected:
    """A case that a policy selects, and the rule that did it."""

    case: Case
    reason: str


def select(cases: tuple[Case, ...], predicate: Predicate, unit: Unit) -> tuple[Selected, ...]:
    """Every selected case with its reason, ordered by case.

    A copy joins as an image: equal pixels are one group, so a single round reaches every copy, and
    nothing is pulled in by a copy that merely looks the same.
    """
    reasons = {case.case_id: explain(predicate, case) for case in cases if matches(predicate, case)}
    pulling: dict[Hashable, str] = {}
    for case in cases:
        if case.case_id in reasons:
            pulling.update(dict.fromkeys(_unit_keys(case, unit), f"same {unit.value} as a match"))
    for case in cases:
        pulled = next((pulling[key] for key in _unit_keys(case, unit) if key in pulling), None)
        if pulled is not None:
            reasons.setdefault(case.case_id, pulled)
    copied = {case.pixels for case in cases if case.case_id in reasons}
    for case in cases:
        if case.pixels in copied:
            reasons.setdefault(case.case_id, COPY)
    found = (Selected(case, reasons[case.case_id]) for case in cases if case.case_id in reasons)
    return tuple(sorted(found, key=lambda selected: selected.case.case_id))


def select_stored(unit: UnitOfWork, predicate: Predicate, kind: Unit) -> tuple[Selected, ...]:
    """What `select` says of the whole cohort, reading only the cases that it selects and their units.

    The database finds the matches; the evaluator has the last word on each, and gives its reason.
    """
    if not fits(predicate):
        return select(read_cases(unit), predicate, kind)
    found = select(read_cases(unit, _around(predicate, kind)), predicate, kind)
    chosen = {selected.case.case_id for selected in found}
    image = tables.image_case
    pictures = listed(image.c.pixels, {selected.case.pixels for selected in found})
    shown = {row.case_id for row in unit.rows(joined(image.c.case_id).where(pictures))}
    copies = read_cases(unit, listed(image.c.case_id, shown - chosen)) if shown - chosen else ()
    every = (*found, *(Selected(case, COPY) for case in copies))
    return tuple(sorted(every, key=lambda selected: selected.case.case_id))


def matching_ids(unit: UnitOfWork, predicate: Predicate) -> frozenset[str]:
    """The cases of the cohort that match, without their units and copies."""
    if not fits(predicate):
        return frozenset(case.case_id for case in read_cases(unit) if matches(predicate, case))
    return frozenset(row.case_id for row in unit.rows(joined(tables.image_case.c.case_id).where(condition(predicate))))


def refuse_unknown_values(unit: UnitOfWork, predicate: Predicate) -> None:
    """Raise `InputError` for values that no case ever had, each with the nearest; most likely typing errors.

    A score that nobody computed is refused too: without it no case would match, which looks like nothing to do.
    """
    _refuse_unscored(unit, predicate)
    unknown = unknown_stored(unit, predicate)
    if unknown:
        listed_values = "; ".join(
            f"{item.field} is never {item.value!r}" + (f" (nearest: {item.nearest!r})" if item.nearest else "")
            for item in unknown
        )
        raise InputError(
            f"The test names values that no case ever had: {listed_values}.",
            remedy="Mend them; `maintain cohort status` lists what there is.",
        )


def unknown_stored(unit: UnitOfWork, predicate: Predicate) -> tuple[Absent, ...]:
    """What `unknown_values` says of the whole cohort; a label that was corrected is still a known one."""
    return absent_among(predicate, lambda field: {str(row.value) for row in unit.rows(known_values(field))})


def unknown_values(cases: tuple[Case, ...], predicate: Predicate) -> tuple[Absent, ...]:
    """Every value that the predicate names and no case ever had, with the nearest that one has."""
    return absent_values(predicate, cases)


def near_value(cases: tuple[Case, ...], field: str, value: str) -> str | None:
    """The value of that field, of those that some case has, that is most like the one given."""
    return nearest_name(value, {str(known) for case in cases for known in field_values(case, field)})


def field_counts(cases: tuple[Case, ...], field: str) -> tuple[Count, ...]:
    """How many cases have each value of a field, most first: what a policy's author may choose from."""
    counts: dict[str, int] = defaultdict(int)
    for case in cases:
        for value in field_values(case, field):
            counts[str(value)] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Count(name, value) for name, value in ordered)


# --- private ---------------------------------------------------------------------------------------


def _refuse_unscored(unit: UnitOfWork, predicate: Predicate) -> None:
    computed = {f"score.{state.name}" for state in score_states(unit)}
    missing = sorted(name for name in asked_fields(predicate) if name.startswith("score.") and name not in computed)
    if missing:
        raise InputError(
            f"The test asks for {', '.join(missing)}, which was computed of no case. "
            f"Computed: {', '.join(sorted(computed)) or 'no score'}.",
            remedy="Compute it with `maintain cohort score`.",
        )


def _around(predicate: Predicate, kind: Unit) -> ColumnElement[bool]:
    """The matches, and every case that one of them may pull in."""
    matching = condition(predicate)
    if kind is Unit.IMAGE:
        return matching
    shared: Mapping[Unit, ColumnElement[str]] = {
        Unit.SERIES: tables.series.c.series,
        Unit.STUDY: tables.study.c.study,
        Unit.EYE: tables.patient.c.patient,
        Unit.PATIENT: tables.patient.c.patient,
    }
    return shared[kind].in_(joined(shared[kind]).where(matching))


def _unit_keys(case: Case, unit: Unit) -> tuple[Hashable, ...]:
    """What a case shares with its unit. A picture of both eyes belongs to each; of an unknown one, to none."""
    if unit is Unit.EYE:
        eyes = (Eye.RIGHT, Eye.LEFT) if case.eye is Eye.BOTH else (case.eye,)
        return tuple((case.patient, eye) for eye in eyes if eye is not None)
    shared: Mapping[Unit, str] = {
        Unit.IMAGE: case.case_id,
        Unit.SERIES: case.series,
        Unit.STUDY: case.study,
        Unit.PATIENT: case.patient,
    }
    return (shared[unit],)
