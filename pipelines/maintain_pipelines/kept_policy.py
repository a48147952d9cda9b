"""What the policy of a run said, every default resolved: kept in its folder, believed by the digest in the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maintain import codec
from maintain.hashing import Digest, canonical_json, digest_json
from maintain_pipelines.rundir import POLICY, RunFolder
from maintain_policies import Policy, meaning


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """What lies in a run folder, and the digest that it has now."""

    said: Mapping[str, Any]
    digest: Digest


def keep_policy(policy: Policy, folder: RunFolder) -> None:
    """Write down what the policy says; its digest is the one in the plan."""
    folder.guard()
    codec.write_bytes(folder.file(POLICY), f"{canonical_json(meaning(policy))}\n".encode())


def kept_policy(folder: RunFolder) -> KeptPolicy | None:
    """What a run kept of its policy; None where there is nothing that can be read."""
    try:
        said = json.loads(folder.file(POLICY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return KeptPolicy(said, digest_json(said)) if isinstance(said, dict) else None
