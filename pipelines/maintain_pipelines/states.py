"""The states of a run as a table: the law that the journal enforces.

The table is data so that a test can try every move that is not in it, and so that an auditor can
read it beside the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping

from maintain.errors import IllegalMoveError
from maintain.vocabulary import RunState

#: From each state, the states that may follow. A state with none is an end.
MOVES: Mapping[RunState, frozenset[RunState]] = {
    RunState.PLANNED: frozenset(
        {RunState.AWAITING_PLAN_APPROVAL, RunState.UNLEARNED, RunState.FAILED, RunState.ABANDONED}
    ),
    RunState.AWAITING_PLAN_APPROVAL: frozenset({RunState.PLANNED, RunState.REJECTED, RunState.ABANDONED}),
    RunState.UNLEARNED: frozenset(
        {
            RunState.VERIFIED,
            RunState.PLANNED,
            RunState.REJECTED,
            RunState.UNDECIDED,
            RunState.FAILED,
            RunState.ABANDONED,
        }
    ),
    RunState.VERIFIED: frozenset(
        {RunState.AWAITING_RELEASE_APPROVAL, RunState.REGISTERED, RunState.FAILED, RunState.ABANDONED}
    ),
    RunState.AWAITING_RELEASE_APPROVAL: frozenset({RunState.VERIFIED, RunState.REJECTED, RunState.ABANDONED}),
    RunState.REGISTERED: frozenset(),
    RunState.NOTHING_TO_DO: frozenset(),
    RunState.REJECTED: frozenset(),
    RunState.UNDECIDED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.ABANDONED: frozenset(),
}

#: What a run may begin as.
BEGINNINGS: frozenset[RunState] = frozenset({RunState.PLANNED, RunState.NOTHING_TO_DO})


#: Chances at the holdout; a refused first one leads back to PLANNED once.
LAST_SLOT = 2


def is_end(state: RunState) -> bool:
    """Whether nothing can follow this state."""
    return not MOVES[state]


def check_move(present: RunState, following: RunState) -> None:
    """Raise `IllegalMoveError` unless the table allows this move."""
    if following not in MOVES[present]:
        allowed = ", ".join(sorted(MOVES[present])) or "nothing: it is an end"
        raise IllegalMoveError(
            f"A run that is {present} cannot become {following}.",
            remedy=f"From {present} a run may become: {allowed}.",
        )


def check_slot(present: RunState, following: RunState, slot: int, wanted: int) -> None:
    """Raise `IllegalMoveError` unless the slot grows by one, up to the last, exactly where a run plans again."""
    again = present is RunState.UNLEARNED and following is RunState.PLANNED
    if wanted != slot + again or wanted > LAST_SLOT:
        raise IllegalMoveError(
            f"A run in slot {slot} that is {present} cannot become {following} in slot {wanted}.",
            remedy=f"A refused candidate leads to the next slot, once; there are {LAST_SLOT}.",
        )
