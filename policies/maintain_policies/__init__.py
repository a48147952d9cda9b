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
from maintain_policies.demo import DEMO_POLICIES, DEMO_POLICY, demo_policy
from maintain_policies.loader import load_policy, parse_policy
from maintain_policies.model import Limits, ModelTarget, NothingToForget, Policy, UnlearnSpec, meaning
from maintain_policies.plain import NamedEntry, read_named, read_table
from maintain_policies.schema import json_schema
from maintain_policies.where import parse_where

__all__ = [
    "AUTO",
    "DEMO_POLICIES",
    "DEMO_POLICY",
    "AutoChoice",
    "Catalogues",
    "GateEntry",
    "GateSet",
    "Limits",
    "MethodEntry",
    "ModelTarget",
    "NamedEntry",
    "NothingToForget",
    "Policy",
    "UnlearnSpec",
    "demo_policy",
    "json_schema",
    "load_policy",
    "meaning",
    "parse_policy",
    "parse_where",
    "read_named",
    "read_table",
]
