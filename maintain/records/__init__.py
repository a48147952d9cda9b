"""The frozen values of the one path, each naming the digest of the one before it.

    Snapshot -> TrainingManifest + ModelSpec -> ModelVersion -> Plan -> Candidate -> Verdict -> Registration

What is written down is exactly these values (`maintain.codec`), so the chain of digests *is* the
lineage. Long tables (`RoleTable`, `LoaderLog`, `Measurements`) are files of their own, named by
digest. No value holds a time of day or a duration: the same inputs give the same digests.
"""

from __future__ import annotations

from maintain.records.cohort import Case, CaseRef, Device, Label, Score, Snapshot, SnapshotMember
from maintain.records.evidence import CaseDifficulty, Difficulty, Reference, Strata, Stratum
from maintain.records.models import (
    ModelSpec,
    ModelVersion,
    Network,
    Origin,
    Recipe,
    Scalar,
    Setting,
    Step,
    SyntheticAnswers,
    TrainingManifest,
)
from maintain.records.runs import (
    Candidate,
    ChampionRef,
    Decision,
    Environment,
    Erased,
    Figure,
    GateRequest,
    GateResult,
    LoaderLog,
    LoaderRow,
    Match,
    MatchTable,
    Measurement,
    Measurements,
    MethodRequest,
    Plan,
    PlannedCase,
    Registration,
    RoleCount,
    RoleTable,
    Slot,
    Verdict,
)

__all__ = [
    "Candidate",
    "Case",
    "CaseDifficulty",
    "CaseRef",
    "ChampionRef",
    "Decision",
    "Device",
    "Difficulty",
    "Environment",
    "Erased",
    "Figure",
    "GateRequest",
    "GateResult",
    "Label",
    "LoaderLog",
    "LoaderRow",
    "Match",
    "MatchTable",
    "Measurement",
    "Measurements",
    "MethodRequest",
    "ModelSpec",
    "ModelVersion",
    "Network",
    "Origin",
    "Plan",
    "PlannedCase",
    "Recipe",
    "Reference",
    "Registration",
    "RoleCount",
    "RoleTable",
    "Scalar",
    "Score",
    "Setting",
    "Slot",
    "Snapshot",
    "SnapshotMember",
    "Step",
    "Strata",
    "Stratum",
    "SyntheticAnswers",
    "TrainingManifest",
    "Verdict",
]
