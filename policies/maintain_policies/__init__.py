"""The policy language: YAML files to frozen policies, with every mistake at its line and column."""

from __future__ import annotations

from maintain_policies.catalogues import (
    AUTO,
    AutoChoice,
    Catalogues,
    GateEntry,
    GateSet,
    MethodEntry,
)
from maintain_policies.demo import DEMO_POLICIES, DEMO_POLICY, STORY_POLICIES, demo_policy
from maintain_policies.label_map import LabelMap, read_label_map
from maintain_policies.loader import load_policy, parse_policy
from maintain_policies.model import Limits, ModelTarget, NothingToForget, Policy, UnlearnSpec, meaning
from maintain_policies.plain import NamedEntry, read_named, read_table
from maintain_policies.schedule import Schedule
from maintain_policies.schema import json_schema
from maintain_policies.where import parse_where
from maintain_policies.worked import KINDS, begin_policy, summary_of, worked_policy

__all__ = [
    "AUTO",
    "DEMO_POLICIES",
    "DEMO_POLICY",
    "KINDS",
    "STORY_POLICIES",
    "AutoChoice",
    "Catalogues",
    "GateEntry",
    "GateSet",
    "LabelMap",
    "Limits",
    "MethodEntry",
    "ModelTarget",
    "NamedEntry",
    "NothingToForget",
    "Policy",
    "Schedule",
    "UnlearnSpec",
    "begin_policy",
    "demo_policy",
    "json_schema",
    "load_policy",
    "meaning",
    "parse_policy",
    "parse_where",
    "read_label_map",
    "read_named",
    "read_table",
    "summary_of",
    "worked_policy",
]
