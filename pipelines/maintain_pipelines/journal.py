"""The journal: which runs there are, who holds them, and where each stands.

Rows hold only claim, state and the digest of the last value; the values themselves are files in
the run folder. Every move is checked against the table of `states`, inside the transaction that
also writes whatever made the move true.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from maintain.clock import timestamp
from maintain.database import UnitOfWork
from maintain.database.tables import look, look_patient, run
from maintain.errors import UnknownNameError
from maintain.hashing import Digest
from maintain.vocabulary import RunState
from maintain_pipelines.states import BEGINNINGS, check_move


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
    error: str | None
    started: str
    changed: str


def new_run_name(policy_name: str, now: datetime) -> str:
    """A name that sorts by time and says which policy it served."""
    return f"{now:%Y%m%d-%H%M%S}-{policy_name}-{secrets.token_hex(2)}"


def begin(
    unit: UnitOfWork,
    name: str,
    *,
    model: str,
    policy: Digest,
    policy_name: str,
    champion: Digest,
    state: RunState,
    digest: Digest | None,
    now: datetime,
) -> None:
    """Write the row of a new run."""
    if state not in BEGINNINGS:
        check_move(state, state)
    row = {
        "run": name,
        "model": model,
        "policy": policy,
        "policy_name": policy_name,
        "champion": champion,
        "state": state.value,
        "slot": 1,
        "digest": digest,
        "fence": 0,
        "started": timestamp(now),
        "changed": timestamp(now),
    }
    unit.execute(insert(run), row)


def move(
    unit: UnitOfWork,
    name: str,
    to: RunState,
    *,
    now: datetime,
    digest: Digest | None = None,
    error: str | None = None,
    slot: int | None = None,
) -> None:
    """Move a run to a state. Raises `IllegalMoveError` where the table does not allow it."""
    present = get(unit, name)
    check_move(present.state, to)
    values = {
        "state": to.value,
        "digest": digest or present.digest,
        "error": error,
        "slot": slot or present.slot,
        "changed": timestamp(now),
    }
    unit.execute(update(run).where(run.c.run == name).values(values))


def get(unit: UnitOfWork, name: str) -> RunRow:
    """One run. Raises `UnknownNameError` listing the runs there are."""
    found = unit.row(select(*_COLUMNS).where(run.c.run == name))
    if found is None:
        raise UnknownNameError("run", name, [row.run for row in runs(unit)])
    return _row(found)


def runs(unit: UnitOfWork) -> tuple[RunRow, ...]:
    """Every run, newest last."""
    return tuple(_row(found) for found in unit.rows(select(*_COLUMNS).order_by(run.c.started, run.c.run)))


def take_look(
    unit: UnitOfWork, name: str, candidate: Digest, *, model: str, patients: tuple[str, ...], now: datetime
) -> tuple[int, bool]:
    """Count one opening of the holdout, once per (run, candidate): its number, and whether it is new."""
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
    run.c.error,
    run.c.started,
    run.c.changed,
)


def _row(found: object) -> RunRow:
    values = dict(found._mapping)  # type: ignore[attr-defined]  # a SQLAlchemy Row
    values["state"] = RunState(values["state"])
    return RunRow(**values)
