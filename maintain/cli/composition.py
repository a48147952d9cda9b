"""The composition root: the one place where real adapters are built and put together."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from maintain.cli.options import Place
from maintain.clock import SystemClock
from maintain.errors import RegistryUnreachableError
from maintain.settings import Workspace, find_workspace

if TYPE_CHECKING:
    from maintain_pipelines.context import Context
    from maintain_registry import Ledger

#: Names whoever acts, where it is not the user who is logged in (a service account, a scheduler).
ACTOR_VARIABLE = "MAINTAIN_ACTOR"


@contextmanager
def open_context(place: Place) -> Iterator[Context]:
    """The workspace with every port open. Half-finished registrations and moves are finished first."""
    from maintain.database import open_database
    from maintain_registry import reconcile

    workspace = find_workspace(place.workspace)
    database = open_database(workspace.database)
    try:
        context = build_context(workspace, database)
        try:
            for line in reconcile(context.database, context.ledger, context.store):
                context.talk.say(f"Finished what an interrupted command left: {line}")
        except RegistryUnreachableError as error:  # what needs the registry says so itself, and waits
            context.talk.say(f"What an interrupted command left is still to be finished. {error.message}")
        yield context
    finally:
        database.close()


def build_context(workspace: Workspace, database: object) -> Context:
    """The ports of an open workspace."""
    from maintain.arrays import ArrayStore
    from maintain.cli import console, interruption
    from maintain.database import Database
    from maintain_pipelines.context import Context, Talk
    from maintain_registry import open_store

    if not isinstance(database, Database):
        raise TypeError("build_context needs an open Database")
    clock = SystemClock()
    return Context(
        workspace=workspace,
        database=database,
        ledger=build_ledger(workspace),
        store=open_store(workspace),
        arrays=ArrayStore(workspace.arrays),
        clock=clock,
        talk=Talk(say=console.say, progress=console.progress),
        stop=interruption.told,
    )


def build_ledger(workspace: Workspace) -> Ledger:
    """The pen of a workspace, which needs no database to be held."""
    from maintain_registry import Ledger, load_signer

    signer = load_signer(workspace.signing_key)
    return Ledger(clock=SystemClock(), signer=signer, actor=actor(), heads=workspace.ledger_heads)


def actor() -> str:
    """Who acts, as the ledger will say."""
    return os.environ.get(ACTOR_VARIABLE) or getpass.getuser()
