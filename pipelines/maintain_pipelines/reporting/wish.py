"""The policy of a run as it was: kept in the folder, checked against the digest that the plan names."""

from __future__ import annotations

from typing import Any

from maintain.hashing import Digest
from maintain.predicate import AllOf, AnyOf, Compare, Not, Operator, Predicate, describe
from maintain.report import NotShown, Wish
from maintain_pipelines.kept_policy import kept_policy
from maintain_pipelines.rundir import RunFolder


def read_wish(folder: RunFolder, digest: Digest) -> Wish | NotShown:
    """Who wanted the run, and which cases; not shown where the folder does not hold that very policy."""
    kept = kept_policy(folder)
    if kept is None:
        return NotShown("The policy was not kept with this run, so its owner is not told here.")
    if kept.digest != digest:
        return NotShown("The policy in the run folder is not the one that the plan names, so it is not quoted.")
    forget = kept.said["forget"]
    return Wish(
        owner=str(kept.said["owner"]),
        where=describe(_predicate(forget["where"])),
        unit=str(forget["unit"]),
    )


# --- private ---------------------------------------------------------------------------------------


def _predicate(plain: dict[str, Any]) -> Predicate:
    """The meaning of a `where` read back."""
    if "all" in plain:
        return AllOf(tuple(map(_predicate, plain["all"])))
    if "any" in plain:
        return AnyOf(tuple(map(_predicate, plain["any"])))
    if "not" in plain:
        return Not(_predicate(plain["not"]))
    value = plain["value"]
    return Compare(plain["field"], Operator(plain["operator"]), tuple(value) if isinstance(value, list) else value)
