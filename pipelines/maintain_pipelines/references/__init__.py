"""References: retrains of a plan with three seeds, the yardstick of the claim `group`.

The front door. The first reference is the very retrain that the last slot of the plan would release.
"""

from __future__ import annotations

from maintain_pipelines.references.costing import ReferenceCost, reference_cost
from maintain_pipelines.references.keeping import (
    KeptReferences,
    StoredReference,
    kept_references,
    read_reference,
    reference_folder,
    references_for,
)
from maintain_pipelines.references.naming import (
    REFERENCES,
    asks_for_references,
    reference_key,
    reference_keys,
    reference_seeds,
)
from maintain_pipelines.references.releasing import trained_before
from maintain_pipelines.references.training import TrainedReference, train_references

__all__ = [
    "REFERENCES",
    "KeptReferences",
    "ReferenceCost",
    "StoredReference",
    "TrainedReference",
    "asks_for_references",
    "kept_references",
    "read_reference",
    "reference_cost",
    "reference_folder",
    "reference_key",
    "reference_keys",
    "reference_seeds",
    "references_for",
    "train_references",
    "trained_before",
]
