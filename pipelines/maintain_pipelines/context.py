"""What a stage may use: the open workspace, handed down as one explicit value.

Real adapters are built in exactly one place (`maintain.cli.composition`); stages receive them here
and never reach for a global. Progress goes through two callables, so that stages never print.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maintain.arrays import ArrayStore
from maintain.clock import Clock
from maintain.database import Database
from maintain.records import Environment
from maintain.settings import Workspace
from maintain_registry import Ledger, ModelStore


@dataclass(frozen=True, slots=True)
class Talk:
    """Where a stage says what it is doing: one sentence, or how far a long piece of work is."""

    say: Callable[[str], None]
    progress: Callable[[str, int, int], None]


def silence() -> Talk:
    """A talk that nobody hears, for tests and libraries."""
    return Talk(say=lambda _: None, progress=lambda _name, _done, _total: None)


@dataclass(frozen=True, slots=True)
class Context:
    """The ports of one workspace. `elsewhere` is where a run computes that left its plan's environment."""

    workspace: Workspace
    database: Database
    ledger: Ledger
    store: ModelStore
    arrays: ArrayStore
    clock: Clock
    talk: Talk
    stop: Callable[[], bool] = lambda: False
    elsewhere: Environment | None = None
