"""The groups that a policy wants retention judged in, fixed when the plan is made.

A group that is chosen after its figures are known can be chosen to look well, so the fields are the policy's
and the cases of each group are a table that the plan names by digest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from maintain.errors import InputError
from maintain.gates.options import GATED_CASES, GATED_PATIENTS, MOST_GATED
from maintain.predicate import Kind, field_named, field_values
from maintain.records import Case, GateRequest, RoleTable, Strata, Stratum
from maintain.vocabulary import Role

#: What a case without the value is filed under: missing values are no reason to be judged nowhere.
NOT_RECORDED = "not recorded"

#: Years in a band of ages, and the last one: 90 stands for 90 and over.
BAND = 10
LAST_BAND = 90

#: Digits of the year at the start of a date.
YEAR = 4


def declared(gates: Iterable[GateRequest]) -> tuple[str, ...]:
    """The fields, or products of fields, whose groups the gates of a plan judge apart."""
    texts = [
        str(setting.value)
        for request in gates
        for setting in request.options
        if request.name == "retention" and setting.name == "by"
    ]
    return tuple(by.strip() for text in texts for by in text.split(",") if by.strip())


def strata_of(declarations: Sequence[str], roles: RoleTable, cases: Iterable[Case]) -> Strata:
    """The group of every held-out case in each declaration, ordered by case within it.

    Raises:
        InputError: No held-out case has a value in a field, or more than four groups would be judged.
    """
    known = {case.case_id: case for case in cases}
    held_out = [known[row.case_id] for row in roles.of(Role.HOLDOUT)]
    for by in declarations if held_out else ():
        _refuse_empty(by, held_out)
    rows = tuple(Stratum(by, _value(case, by), case.case_id) for by in declarations for case in held_out)
    _refuse_too_many(rows, {case.case_id: case.patient for case in held_out})
    return Strata(rows)


# --- private ---------------------------------------------------------------------------------------


def _value(case: Case, by: str) -> str:
    """The value of a field; of a product, its values with a cross between them."""
    return " x ".join(_told(case, name) for name in _fields(by))


def _fields(by: str) -> list[str]:
    return [name.strip() for name in by.split("*")]


def _told(case: Case, name: str) -> str:
    """One value as a group: ages in bands, dates by year, several values of one case together."""
    found, field = field_values(case, name), field_named(name)
    if not found:
        return NOT_RECORDED
    if field is not None and field.kind is Kind.NUMBER:
        low = int(found[0]) // BAND * BAND
        return f"{LAST_BAND} and over" if low >= LAST_BAND else f"{low}-{low + BAND - 1}"
    if field is not None and field.kind is Kind.DATE:
        return str(found[0])[:YEAR]
    return " + ".join(sorted(map(str, found)))


def _refuse_empty(by: str, held_out: Sequence[Case]) -> None:
    for name in _fields(by):
        if not any(field_values(case, name) for case in held_out):
            raise InputError(
                f"Retention should be judged by {name}, but no held-out case has a value there.",
                remedy="Leave it out of `by`, or bring in cases that have it; `maintain cohort status` counts them.",
            )


def _refuse_too_many(rows: Iterable[Stratum], patient_of: dict[str, str]) -> None:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        groups[row.by, row.value].append(patient_of[row.case_id])
    gated = [
        f"{by} {value}"
        for (by, value), patients in sorted(groups.items())
        if len(patients) >= GATED_CASES and len(set(patients)) >= GATED_PATIENTS
    ]
    if len(gated) > MOST_GATED:
        raise InputError(
            f"There would be more than four gated subgroups, {len(gated)}: {', '.join(gated)}.",
            remedy=f"Name fewer fields in `by`: groups of {GATED_CASES} cases and {GATED_PATIENTS} patients are judged"
            " each by itself, and four are the most.",
        )
