"""The emergency brake: no version of a model serves any more, until somebody decides again.

It asks for nothing but a reason, also where a safe version could be returned to: whoever pulls it may know
what no gate measured.
"""

from __future__ import annotations

import dataclasses

from maintain.database import UnitOfWork
from maintain.errors import NothingToDoError
from maintain_pipelines.context import Context
from maintain_pipelines.promote import Moved, require_model
from maintain_pipelines.requests import settle_after
from maintain_pipelines.wording import check_reason
from maintain_registry import Aliases, EventKind, Move, move_aliases, serving_of


def suspend(model: str, context: Context, *, reason: str) -> Moved:
    """Take the alias `champion` away. Raises `NothingToDoError` when no version serves."""
    require_model(model, context)
    check_reason(reason, context)

    def decide(unit: UnitOfWork, found: Aliases) -> Move:
        if found.champion is None:
            said = serving_of(unit, model).entry
            raise NothingToDoError(
                f"No version of {model} serves (ledger entry {said}).", remedy="Nothing was changed."
            )
        after = dataclasses.replace(found, champion=None)
        body = {"left": found.champion, "reason": reason}
        return Move(EventKind.MODEL_SUSPENDED, found.champion, after, body)

    move, entry = move_aliases(context.database, context.ledger, context.store, model, decide)
    settle_after(context)
    return Moved(model, None, move.version, move.after.previous, entry.number, entry.hash)
