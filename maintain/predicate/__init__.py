"""Which cases a policy means: a neutral tree of tests, and the evaluator that says what it means.

The cohort compiles the same tree to SQL; `matches` here is the oracle that SQL is held against.
Logic is two-valued so that nobody has to think about "unknown": a missing value matches only
`exists: false`, `ne` and `not_in` require presence, and `not` is the plain complement.
"""

from __future__ import annotations

from maintain.predicate.check import Flaw, Part, check
from maintain.predicate.evaluate import date_interval, matches, matches_glob
from maintain.predicate.fields import FIELDS, LABEL_NAME, LATER_FIELDS, Field, field_named, field_values, is_later
from maintain.predicate.tree import (
    OPERATORS,
    AllOf,
    AnyOf,
    Compare,
    Kind,
    Not,
    Operand,
    Operator,
    Predicate,
    Rule,
    Shape,
)
from maintain.predicate.words import Absent, absent_among, absent_values, asked_fields, describe, explain, plain, unmet

__all__ = [
    "FIELDS",
    "LABEL_NAME",
    "LATER_FIELDS",
    "OPERATORS",
    "Absent",
    "AllOf",
    "AnyOf",
    "Compare",
    "Field",
    "Flaw",
    "Kind",
    "Not",
    "Operand",
    "Operator",
    "Part",
    "Predicate",
    "Rule",
    "Shape",
    "absent_among",
    "absent_values",
    "asked_fields",
    "check",
    "date_interval",
    "describe",
    "explain",
    "field_named",
    "field_values",
    "is_later",
    "matches",
    "matches_glob",
    "plain",
    "unmet",
]
