"""The journal: which runs there are, where each stands, and how often a holdout was opened.

Rows hold only the state and the digest of the last value; the values themselves are files in the
run folder. Every write is fenced by its claim and checked against the table of `states`, inside the
transaction that also writes whatever made the move true.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from maintain.clock import timestamp
from maintain.database import UnitOfWork
from maintain.database.tables import look, look_patient, run
from maintain.errors import UnknownNameError, WaitingError
from maintain.hashing import Digest
from maintain.vocabulary import RunState
from maintain_pipelines import claims
from maintain_pipelines.claims import Claim
from maintain_pipelines.states import BEGINNINGS, check_move, check_slot, is_end


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the journal knows it."""

    run: str
    model: str
    policy: Digest
    policy_name: str
    champion: Digest
    state: RunState
    slot: int
    digest: Digest | None
    matches: Digest | None
    roles: Digest | None
    error: str | None
    started: str
    changed: str


def new_run_name(policy_name: str, now: datetime) -> str:
    """A name that sorts by time and says which policy it served."""
    return f"{now:%Y%m%d-%H%M%S}-{policy_name}-{secrets.token_hex(2)}"


def begin(
    unit: UnitOfWork,
    claim: Claim,
    *,
    policy: Digest,
    policy_name: str,
    champion: Digest,
    state: RunState,
    digest: Digest,
    matches: Digest,
    roles: Digest,
    now: datetime,
) -> None:
    """Write the row of the run that holds the claim. Raises `WaitingError` beside an unfinished one."""
    claims.check(unit, claim)
    refuse_unfinished(unit, claim.model)
    if state not in BEGINNINGS:
        check_move(state, state)
    row = {
        "run": claim.holder,
        "model": claim.model,
        "policy": policy,
        "policy_name": policy_name,
        "champion": champion,
        "state": state.value,
        "slot": 1,
        "digest": digest,
        "matches": matches,
        "roles": roles,
        "started": timestamp(now),
        "changed": timestamp(now),
    }
    unit.execute(insert(run), row)


def move(
    unit: UnitOfWork,
    claim: Claim,
    to: RunState,
    *,
    now: datetime,
    digest: Digest | None = None,
    error: str | None = None,
    slot: int | None = None,
) -> None:
    """Move the run that holds the claim. Raises `IllegalMoveError` where the table does not allow it."""
    claims.check(unit, claim)
    present = get(unit, claim.holder)
    check_move(present.state, to)
    check_slot(present.state, to, present.slot, slot or present.slot)
    values = {
        "state": to.value,
        "digest": digest or present.digest,
        "error": error,
        "slot": slot or present.slot,
        "changed": timestamp(now),
    }
    unit.execute(update(run).where(run.c.run == claim.holder).values(values))


def get(unit: UnitOfWork, name: str) -> RunRow:
    """One run. Raises `UnknownNameError` listing the runs there are."""
    found = unit.row(select(*_COLUMNS).where(run.c.run == name))
    if found is None:
        raise UnknownNameError("run", name, [row.run for row in runs(unit)])
    return _row(found)


def runs(unit: UnitOfWork) -> tuple[RunRow, ...]:
    """Every run, newest last."""
    return tuple(_row(found) for found in unit.rows(select(*_COLUMNS).order_by(run.c.started, run.c.run)))


def unfinished(unit: UnitOfWork, model: str) -> RunRow | None:
    """The run of a model that has not come to an end; there is never a second one."""
    return next((row for row in runs(unit) if row.model == model and not is_end(row.state)), None)


def refuse_unfinished(unit: UnitOfWork, model: str) -> None:
    """Raise `WaitingError` naming the unfinished run of a model, and the two ways to end it."""
    other = unfinished(unit, model)
    if other is not None:
        raise WaitingError(
            f"The run {other.run} of {model} was begun {other.started} and has not ended; it is {other.state}.",
            remedy=f"`maintain run --resume {other.run}` goes on with it; "
            f"`maintain runs abandon {other.run}` gives it up.",
        )


def take_look(
    unit: UnitOfWork, claim: Claim, candidate: Digest, *, patients: tuple[str, ...], now: datetime
) -> tuple[int, bool]:
    """Count one opening of the holdout, once per (run, candidate): its number, and whether it is new."""
    claims.check(unit, claim)
    name, model = claim.holder, claim.model
    known = unit.scalar(select(look.c.number).where(look.c.run == name, look.c.candidate == candidate))
    if known is not None:
        return int(known), False
    number = 1 + looks(unit, model)
    row = {
        "run": name,
        "candidate": candidate,
        "model": model,
        "number": number,
        "taken": timestamp(now),
    }
    unit.execute(insert(look), row)
    seen = [{"run": name, "candidate": candidate, "patient": patient} for patient in patients]
    unit.execute_many(insert(look_patient), seen)
    return number, True


def looks(unit: UnitOfWork, model: str) -> int:
    """How often the holdout of a lineage has been opened."""
    return len(unit.rows(select(look.c.number).where(look.c.model == model)))


# --- private ---------------------------------------------------------------------------------------

_COLUMNS = (
    run.c.run,
    run.c.model,
    run.c.policy,
    run.c.policy_name,
    run.c.champion,
    run.c.state,
    run.c.slot,
    run.c.digest,
    run.c.matches,
    run.c.roles,
    run.c.error,
    run.c.started,
    run.c.changed,
)


def _row(found: object) -> RunRow:
    values = dict(found._mapping)  # type: ignore[attr-defined]  # a SQLAlchemy Row
    values["state"] = RunState(values["state"])
    return RunRow(**values)
