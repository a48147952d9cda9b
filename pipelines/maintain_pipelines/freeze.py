"""The two decisions that come before a training: who stands where, and which cases are frozen.

Both go into the ledger in the transaction that makes them, since every later claim leans on them.
"""

from __future__ import annotations

from maintain import codec
from maintain.cohort import SplitCounts, SplitShares, decide_splits, snapshot_names, take_snapshot
from maintain.hashing import Digest
from maintain.predicate import Predicate, describe
from maintain.records import Snapshot
from maintain_pipelines.context import Context
from maintain_registry import Event, EventKind, check_model_name


def split_lineage(model: str, shares: tuple[int, int, int], seed: int, context: Context) -> SplitCounts:
    """Give every patient of the cohort a place in a lineage; those who have one keep it."""
    check_model_name(model)
    train, validation, holdout = shares
    wanted = SplitShares(train=train, validation=validation, holdout=holdout)
    with context.ledger.begin(context.database) as unit:
        counts = decide_splits(unit, model, wanted, seed=seed, now=context.clock.now())
        if counts.new:
            body = {"shares": list(shares), "seed": seed, "counts": codec.encode(counts)}
            context.ledger.append(unit, Event(EventKind.SPLIT_DECIDED, subject=model, body=body))
    return counts


def freeze_snapshot(
    name: str, model: str, label: str, where: Predicate | None, context: Context
) -> tuple[Snapshot, Digest]:
    """Freeze the usable cases of the cohort under a digest. Said again, nothing is written twice."""
    with context.ledger.begin(context.database) as unit:
        known = name in snapshot_names(unit)
        frozen = take_snapshot(unit, name=name, model=model, label_name=label, where=where, now=context.clock.now())
        digest = codec.digest_of(frozen)
        body = {
            "name": name,
            "digest": digest,
            "cases": len(frozen.members),
            "where": describe(where) if where else None,
        }
        if not known:
            context.ledger.append(unit, Event(EventKind.SNAPSHOT_TAKEN, subject=model, body=body))
    return frozen, digest
