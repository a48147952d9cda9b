"""Suppression without a training: by a run that has nothing to unlearn, and by hand.

The cases may still be waiting to be used by the next snapshot, so they are barred all the same, and
the ledger says so in the same transaction: counts and salted commitments, never a case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maintain.cohort import (
    CohortStore,
    Selected,
    commitment,
    lineages,
    matching_ids,
    refuse_unknown_values,
    suppress,
)
from maintain.database import UnitOfWork
from maintain.errors import InputError, NothingToDoError, UnknownNameError
from maintain.predicate import Predicate, describe
from maintain.records import Case, Plan
from maintain.requests import RequestStore
from maintain.vocabulary import Reason
from maintain_pipelines.context import Context
from maintain_registry import Event, EventKind

#: Subject of the ledger's entry where no single model is concerned.
EVERYWHERE = "cohort"


@dataclass(frozen=True, slots=True)
class Suppression:
    """What was asked to be barred by hand, and how much of it is new. `model` None: everywhere."""

    reason: Reason
    model: str | None
    cases: int
    copies: int
    patients: int
    newly_suppressed: int


def suppress_only(unit: UnitOfWork, run: str, plan: Plan, matches: tuple[Selected, ...], context: Context) -> int:
    """Bar every match from later use and record it. Returns how many cases are newly barred."""
    cases = tuple(match.case for match in matches)
    listed = besides_requests(unit, cases, plan)
    count = suppress(unit, listed, reason=plan.reason, policy=plan.policy, model=plan.model, now=context.clock.now())
    body = {"run": run, "policy_name": plan.policy_name, **_counts(unit, cases, plan.reason, count)}
    context.ledger.append(unit, Event(EventKind.CASES_SUPPRESSED, subject=plan.model, body=body))
    return count


def besides_requests(unit: UnitOfWork, cases: Iterable[Case], plan: Plan) -> tuple[Case, ...]:
    """The cases that a policy lists itself: what a person's request bars already, its withdrawal must lift."""
    barred = RequestStore(unit).barred_pixels() if plan.reason.personal else frozenset()
    return tuple(case for case in cases if case.pixels not in barred)


def suppress_by_hand(
    case_ids: tuple[str, ...], where: Predicate | None, *, reason: Reason, model: str | None, context: Context
) -> Suppression:
    """Bar the named cases, or those that match, from later use; saying it again changes nothing.

    Raises `InputError` for what cannot be meant, and `NothingToDoError` when no case matches.
    """
    if bool(case_ids) == (where is not None):
        raise InputError("Nobody said which cases.", remedy="Name cases, or give `--where`; one of the two.")
    with context.ledger.begin(context.database) as unit:
        _check_scope(unit, reason, model)
        asked, copies = _asked(unit, case_ids, where, reason)
        cases = (*asked, *copies)
        count = suppress(unit, cases, reason=reason, policy=_by_hand(reason), model=model, now=context.clock.now())
        if count:
            body = {"by_hand": True, **_counts(unit, cases, reason, count)}
            context.ledger.append(unit, Event(EventKind.CASES_SUPPRESSED, subject=model or EVERYWHERE, body=body))
    patients = len({case.patient for case in cases})
    return Suppression(reason, model, len(asked), len(copies), patients, count)


# --- private ---------------------------------------------------------------------------------------


def _by_hand(reason: Reason) -> str:
    """Stands where a policy's digest would: each reason is listed for itself."""
    return f"by hand: {reason.value}"


def _check_scope(unit: UnitOfWork, reason: Reason, model: str | None) -> None:
    if reason.personal:
        if model is not None:
            raise InputError(
                f"A suppression for {reason.value} holds everywhere, not for one model.",
                remedy="Leave `--model` out.",
            )
        return
    if model is None:
        raise InputError(
            f"Cases suppressed for {reason.value} concern one model, and none was named.",
            remedy="Name it with `--model`.",
        )
    known = lineages(unit)
    if model not in known:
        raise UnknownNameError("model", model, known)


def _asked(
    unit: UnitOfWork, case_ids: tuple[str, ...], where: Predicate | None, reason: Reason
) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """The cases that are meant, and their exact copies; a copy may carry the right label, so not for a wrong one."""
    store = CohortStore(unit)
    if where is not None:
        refuse_unknown_values(unit, where)
        case_ids = tuple(matching_ids(unit, where))
        if not case_ids:
            raise NothingToDoError(f"No case matches {describe(where)}.", remedy="Nothing was changed.")
    asked = store.named(case_ids)
    return asked, () if reason is Reason.WRONG_LABEL else store.copies(asked)


def _counts(unit: UnitOfWork, cases: Iterable[Case], reason: Reason, newly: int) -> dict[str, object]:
    cases = tuple(cases)
    patients = {case.patient for case in cases}
    salts = CohortStore(unit).salts(patients)
    return {
        "reason": reason.value,
        "cases": len(cases),
        "newly_suppressed": newly,
        "patients": sorted(commitment(salts[patient], patient) for patient in patients if patient in salts),
    }
