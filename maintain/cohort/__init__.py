"""The cohort: every case that is known, what may be used of it, and what a model may learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain.cohort.erasing import (
        ErasedRows,
        Marks,
        Remains,
        barred_cases,
        erase_rows,
        left_in_rows,
        marks_of,
    )
    from maintain.cohort.facts import (
        Arrival,
        CohortStatus,
        Conflict,
        ConsentCounts,
        ConsentFact,
        Count,
        EyeKey,
        FileOutcome,
        KnownFile,
        LabelCounts,
        LabelFact,
        LabelVersion,
        Patient,
        PersonFact,
        ScoreState,
        Standing,
        commitment,
    )
    from maintain.cohort.issuers import (
        Coverage,
        coverage,
        intakes_without_issuers,
        keep_issuers,
        sealed_issuers,
        unlinked_people,
    )
    from maintain.cohort.reading import label_names, read_standings
    from maintain.cohort.scores import read_scores, replace_scores, score_states, scores_digest
    from maintain.cohort.selection import (
        Selected,
        field_counts,
        matching_ids,
        near_value,
        refuse_unknown_values,
        select,
        select_stored,
        unknown_stored,
        unknown_values,
    )
    from maintain.cohort.snapshots import (
        keep_snapshot,
        load_snapshot,
        load_snapshot_by_digest,
        named_digest,
        snapshot_names,
        take_snapshot,
    )
    from maintain.cohort.splits import (
        SplitCount,
        SplitCounts,
        SplitShares,
        decide_splits,
        declare_splits,
        declared_sides,
        lineages,
        record_splits,
        splits_of,
    )
    from maintain.cohort.store import CohortStore
    from maintain.cohort.suppression import SuppressionList, suppress, suppressed

__all__ = [
    "Arrival",
    "CohortStatus",
    "CohortStore",
    "Conflict",
    "ConsentCounts",
    "ConsentFact",
    "Count",
    "Coverage",
    "ErasedRows",
    "EyeKey",
    "FileOutcome",
    "KnownFile",
    "LabelCounts",
    "LabelFact",
    "LabelVersion",
    "Marks",
    "NumberedImage",
    "Patient",
    "PersonFact",
    "Remains",
    "ScoreState",
    "Selected",
    "SplitCount",
    "SplitCounts",
    "SplitShares",
    "Standing",
    "SuppressionList",
    "barred_cases",
    "commitment",
    "coverage",
    "decide_splits",
    "declare_splits",
    "declared_sides",
    "erase_rows",
    "field_counts",
    "intakes_without_issuers",
    "keep_issuers",
    "keep_snapshot",
    "label_names",
    "left_in_rows",
    "lineages",
    "load_snapshot",
    "load_snapshot_by_digest",
    "marks_of",
    "matching_ids",
    "named_digest",
    "near_value",
    "read_scores",
    "read_standings",
    "record_splits",
    "refuse_unknown_values",
    "replace_scores",
    "score_states",
    "scores_digest",
    "sealed_issuers",
    "select",
    "select_stored",
    "snapshot_names",
    "splits_of",
    "suppress",
    "suppressed",
    "take_snapshot",
    "unknown_stored",
    "unknown_values",
    "unlinked_people",
]

#: Where each name lives; the store and what leans on it bring SQLAlchemy, so all wait for their first use.
_ROOMS = {
    "erasing": "ErasedRows Marks Remains barred_cases erase_rows left_in_rows marks_of",
    "facts": (
        "Arrival CohortStatus Conflict ConsentCounts ConsentFact Count EyeKey FileOutcome KnownFile LabelCounts "
        "LabelFact LabelVersion NumberedImage Patient PersonFact ScoreState Standing commitment"
    ),
    "issuers": "Coverage coverage intakes_without_issuers keep_issuers sealed_issuers unlinked_people",
    "reading": "label_names read_standings",
    "scores": "read_scores replace_scores score_states scores_digest",
    "selection": (
        "Selected field_counts matching_ids near_value refuse_unknown_values select select_stored "
        "unknown_stored unknown_values"
    ),
    "snapshots": "keep_snapshot load_snapshot load_snapshot_by_digest named_digest snapshot_names take_snapshot",
    "splits": (
        "SplitCount SplitCounts SplitShares decide_splits declare_splits declared_sides lineages record_splits "
        "splits_of"
    ),
    "store": "CohortStore",
    "suppression": "SuppressionList suppress suppressed",
}

_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import a name on its first use."""
    import importlib

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"maintain.cohort.{_HOME[name]}"), name)
