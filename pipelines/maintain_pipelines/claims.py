"""Who may work on a model: one holder at a time, with a lease that must be renewed and a fence that grows.

A lease says when a silent holder may be taken over; the fence says who was. Whoever was taken over
finds another fence at its next write and stops there, however long it slept.
"""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from maintain.clock import timestamp
from maintain.database import Database, UnitOfWork
from maintain.database import tables as t
from maintain.errors import HeldError, InputError, MaintainError, TakenOverError
from maintain.hashing import digest_bytes, short

#: Renewals in the time of one lease: two may fail before another process may take over.
RENEWALS = 3

#: How long a holder that leaves waits for a renewal under way; its lease ends by itself anyway.
LEAVE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a model. `holder` is the name of the run, or the command."""

    model: str
    holder: str
    owner: str
    fence: int


@contextmanager
def hold(database: Database, model: str, holder: str, *, lease_seconds: float) -> Iterator[Claim]:
    """Claim a model, renew the lease while the block runs, and free it at the end.

    Raises `HeldError` while another process works on the model.
    """
    if lease_seconds < 1:
        raise InputError("A lease of less than a second holds nothing.", remedy="Raise `runs.lease_seconds`.")
    _shorten(database)
    with database.begin() as unit:
        claim = take(unit, model, holder, lease_seconds=lease_seconds)
    leaving = threading.Event()
    heart = threading.Thread(target=_beat, args=(database, claim, lease_seconds, leaving), daemon=True)
    heart.start()
    try:
        yield claim
    finally:
        leaving.set()
        heart.join(LEAVE_SECONDS)
        with contextlib.suppress(MaintainError, SQLAlchemyError), database.begin() as unit:
            _free(unit, claim)


def take(unit: UnitOfWork, model: str, holder: str, *, lease_seconds: float) -> Claim:
    """Claim a model in this transaction. Raises `HeldError` while a live holder has it."""
    row = unit.row(select(t.claim).where(t.claim.c.model == model))
    now = unit.seconds()
    if row is not None and row.owner is not None and row.lease_until > now and not surely_gone(row.owner):
        raise _held(row)
    claim = Claim(model, holder, new_owner(), 1 if row is None else row.fence + 1)
    values = {
        "holder": holder,
        "owner": claim.owner,
        "fence": claim.fence,
        "since": now,
        "lease_seconds": lease_seconds,
        "lease_until": now + lease_seconds,
    }
    if row is None:
        unit.execute(insert(t.claim), {"model": model, **values})
    else:
        unit.execute(update(t.claim).where(t.claim.c.model == model).values(values))
    return claim


def check(unit: UnitOfWork, claim: Claim) -> None:
    """Raise `TakenOverError` unless the claim still stands."""
    row = unit.row(select(t.claim.c.owner, t.claim.c.fence).where(t.claim.c.model == claim.model))
    if row is None or (row.owner, row.fence) != (claim.owner, claim.fence):
        raise TakenOverError(claim.model, claim.holder)


def guard(database: Database, claim: Claim) -> Callable[[], None]:
    """What to call before a file is written: raises `TakenOverError` unless the claim still stands."""

    def standing() -> None:
        with database.read() as unit:
            check(unit, claim)

    return standing


def renew(unit: UnitOfWork, claim: Claim, *, lease_seconds: float) -> None:
    """Let the lease begin anew. Raises `TakenOverError` when it is too late."""
    check(unit, claim)
    until = unit.seconds() + lease_seconds
    unit.execute(update(t.claim).where(t.claim.c.model == claim.model).values(lease_until=until))


def new_owner() -> str:
    """This process among all that may work on the database: host by digest, process, and a nonce."""
    return f"{_host()}:{os.getpid()}:{secrets.token_hex(4)}"


def surely_gone(owner: str) -> bool:
    """Whether the owner was a process of this very host that exists no more; False where nobody can say."""
    host, _, rest = owner.partition(":")
    process = rest.partition(":")[0]
    if host != _host() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


# --- private ---------------------------------------------------------------------------------------

#: Tells apart boots of one machine, and containers that share a host name but not their processes.
_HOST_MARKS = (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid"))


def _host() -> str:
    marks = [platform.node()]
    for mark in _HOST_MARKS:
        with contextlib.suppress(OSError):
            marks.append(str(mark.readlink()) if mark.is_symlink() else mark.read_text(encoding="utf-8").strip())
    return short(digest_bytes("\n".join(marks).encode()))


def _held(row: Row[Any]) -> HeldError:
    since, until = (timestamp(datetime.fromtimestamp(moment, UTC)) for moment in (row.since, row.lease_until))
    return HeldError(row.model, holder=row.holder, owner=row.owner, since=since, until=until)


def _shorten(database: Database) -> None:
    """A clock that was set back must not lengthen a lease: none ends later than a whole lease from now."""
    with database.begin() as unit:
        now = unit.seconds()
        table = t.claim
        late = table.c.lease_until > now + table.c.lease_seconds
        unit.execute(update(table).where(late).values(lease_until=now + table.c.lease_seconds))


def _beat(database: Database, claim: Claim, lease_seconds: float, leaving: threading.Event) -> None:
    """Renew until told to leave or taken over; a renewal that fails is tried again before the lease ends."""
    while not leaving.wait(lease_seconds / RENEWALS):
        try:
            with database.begin() as unit:
                renew(unit, claim, lease_seconds=lease_seconds)
        except TakenOverError:
            return
        except (MaintainError, SQLAlchemyError):
            continue


def _free(unit: UnitOfWork, claim: Claim) -> None:
    mine = (t.claim.c.model == claim.model) & (t.claim.c.owner == claim.owner) & (t.claim.c.fence == claim.fence)
    unit.execute(update(t.claim).where(mine).values(owner=None, since=None, lease_until=None))
