"""The gates: evidence in, results and a verdict out.

The table (`options`) and the values (`base`) are cheap; the gates themselves are loaded when a
plan asks for them, because their intervals need numpy and scipy.
"""

from __future__ import annotations

from maintain.gates.base import Ancestor, Evidence, FileCheck, Gate, ReferenceCheck, RunFile, WeightsCheck
from maintain.gates.catalog import build, evaluate
from maintain.gates.deciding import gates_of, reads_group, requests_of, situation_of, whole_labels
from maintain.gates.finding import NOTHING_TO_FORGET
from maintain.gates.options import (
    GATE_SET_ALIASES,
    GATE_SETS,
    GATES,
    PROOFS,
    GateInfo,
    GateSet,
    gate_info,
    gate_set,
    gates_for,
    request_for,
)
from maintain.gates.verdict import fold

__all__ = [
    "GATES",
    "GATE_SETS",
    "GATE_SET_ALIASES",
    "NOTHING_TO_FORGET",
    "PROOFS",
    "Ancestor",
    "Evidence",
    "FileCheck",
    "Gate",
    "GateInfo",
    "GateSet",
    "ReferenceCheck",
    "RunFile",
    "WeightsCheck",
    "build",
    "evaluate",
    "fold",
    "gate_info",
    "gate_set",
    "gates_for",
    "gates_of",
    "reads_group",
    "request_for",
    "requests_of",
    "situation_of",
    "whole_labels",
]
