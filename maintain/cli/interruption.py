"""Being told to stop: Ctrl-C and SIGTERM, from a terminal, a scheduler or a shutdown.

Most commands stop at once, as a kill would stop them, and lose nothing by it. Long work asks for
grace: it is told, and has `GRACE_SECONDS` to reach a place from which it goes on without loss.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

#: What work under grace has to reach its next checkpoint; with what follows it stays below 20 seconds.
GRACE_SECONDS = 12.0


class Interrupted(BaseException):
    """Told to stop, in a form that no library between here and the work takes for its own."""


@dataclass(slots=True)
class _Wish:
    """Whether somebody wants this process to stop, and whether the work asked for grace."""

    told: bool = False
    graceful: bool = False


_wish = _Wish()


def listen() -> None:
    """Take Ctrl-C and SIGTERM as wishes to stop; only the program itself calls this, never a test."""
    signal.signal(signal.SIGINT, _tell)
    signal.signal(signal.SIGTERM, _tell)
    signal.signal(signal.SIGALRM, _end_grace)


def told() -> bool:
    """Whether somebody wants this process to stop; what long work asks between its steps."""
    return _wish.told


@contextmanager
def grace() -> Iterator[None]:
    """For work that asks `told`: a first wish waits for it, a second one or the end of the grace does not."""
    _wish.graceful = True
    try:
        yield
    finally:
        _wish.graceful = False
        signal.setitimer(signal.ITIMER_REAL, 0)


# --- private ---------------------------------------------------------------------------------------


def _tell(number: int, frame: FrameType | None) -> None:
    again = _wish.told
    _wish.told = True
    if again or not _wish.graceful:
        raise Interrupted
    signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)


def _end_grace(number: int, frame: FrameType | None) -> None:
    if _wish.graceful:
        raise Interrupted
