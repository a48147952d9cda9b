"""The policy of a run as it was: kept in the folder, checked against the digest that the plan names."""

from __future__ import annotations

import json
from typing import Any

from maintain import codec
from maintain.hashing import Digest, canonical_json, digest_bytes
from maintain.predicate import AllOf, AnyOf, Compare, Not, Operator, Predicate, describe
from maintain.report import NotShown, Wish
from maintain_pipelines.rundir import POLICY, RunFolder
from maintain_policies import Policy, meaning


def keep_policy(policy: Policy, folder: RunFolder) -> None:
    """Write the meaning of a policy into the folder; its digest is the one by which the plan calls it."""
    folder.guard()
    codec.write_bytes(folder.file(POLICY), canonical_json(meaning(policy)).encode())


def read_wish(folder: RunFolder, digest: Digest) -> Wish | NotShown:
    """Who wanted the run, and which cases; not shown where the folder does not hold that very policy."""
    path = folder.file(POLICY)
    if not path.is_file():
        return NotShown("The policy was not kept with this run, so its owner is not told here.")
    data = path.read_bytes()
    if digest_bytes(data) != digest:
        return NotShown("The policy in the run folder is not the one that the plan names, so it is not quoted.")
    document: dict[str, Any] = json.loads(data)
    forget = document["forget"]
    return Wish(
        owner=str(document["owner"]),
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
