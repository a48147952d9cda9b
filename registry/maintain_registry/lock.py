"""One writer of versions and aliases at a time: a lock beside the database, freed by the system on a kill.

Registration and every move of an alias take it, so that what one of them looked at still holds when it decides.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from maintain.database import Database
from maintain.errors import WaitingError

#: How long a writer is waited for; copying large weights takes seconds, a process that hangs takes for ever.
WAIT_SECONDS = 30.0

#: How often a lock that is held is tried again.
POLL_SECONDS = 0.05


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Hold the lock of a workspace. Raises `WaitingError` when another process keeps it for too long."""
    path = f"{database.engine.url.database}{_SUFFIX}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


# --- private ---------------------------------------------------------------------------------------

_SUFFIX = ".registering"


def _lock(descriptor: int) -> None:
    """Wait for the lock, not for ever: a process that was stopped while it registered never gives it back."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise WaitingError(
                    "Another process is registering a version or moving an alias in this workspace.",
                    remedy="Wait until it is done and say it again; if it hangs, end that process first.",
                ) from error
            time.sleep(POLL_SECONDS)
