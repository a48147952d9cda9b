"""Scores and the ledger: what is refused is entered nowhere; both or neither; and no case or value is in an entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers.lineage import CASES, make_workspace, opened
from maintain.cohort import read_scores, score_states, scores_digest
from maintain.errors import InputError
from maintain.vocabulary import Reason
from maintain_pipelines.context import Context
from maintain_pipelines.score_cases import cases_to_score
from maintain_pipelines.score_keeping import How, keep_scores
from maintain_pipelines.suppress import suppress_by_hand
from maintain_registry import Entry, EventKind

HOW = How("by hand", 1)
NAME = "outlier"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with opened(make_workspace(tmp_path / "workspace")) as found:
        yield found


def entries(context: Context) -> list[Entry]:
    with context.database.read() as unit:
        return [entry for entry in context.ledger.entries(unit) if entry.event is EventKind.SCORES_COMPUTED]


def stored(context: Context) -> dict[str, float]:
    with context.database.read() as unit:
        return dict(read_scores(unit, NAME))


def keep(context: Context, column: np.ndarray, how: How = HOW) -> frozenset[str]:
    usable, _ = cases_to_score(context)
    return keep_scores(usable, {NAME: column}, how, context)


def test_scores_that_cannot_be_kept_are_not_entered(context: Context) -> None:
    with pytest.raises(InputError, match="not finite"):
        keep(context, np.full(CASES, np.nan))
    assert entries(context) == []
    assert stored(context) == {}


def test_an_entry_that_cannot_be_written_leaves_no_scores(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(type(context.ledger), "append", torn)
    with pytest.raises(OSError, match="full"):
        keep(context, np.arange(CASES, dtype=np.float64))
    assert stored(context) == {}


def test_the_entry_is_signed_and_holds_digests_method_and_counts_only(context: Context) -> None:
    keep(context, np.linspace(0.123456789, 5.0, CASES))
    (entry,) = entries(context)
    assert entry.envelope is not None
    assert entry.subject == "cohort"
    assert dict(entry.body) == {
        "scores": {NAME: {"digest": scores_digest(stored(context)), "replaced": None}},
        "method": "by hand",
        "version": 1,
        "cases": CASES,
        "passed_over": 0,
    }


def test_what_is_replaced_is_named_by_its_digest(context: Context) -> None:
    keep(context, np.arange(CASES, dtype=np.float64))
    before = scores_digest(stored(context))
    keep(context, np.ones(CASES))
    assert [entry.body["scores"] for entry in entries(context)][-1] == {
        NAME: {"digest": scores_digest(stored(context)), "replaced": before}
    }


def test_said_again_nothing_is_entered_but_another_method_of_the_same_values_is(context: Context) -> None:
    keep(context, np.ones(CASES))
    keep(context, np.ones(CASES))
    assert len(entries(context)) == 1
    keep(context, np.ones(CASES), How("by hand", 2))
    assert len(entries(context)) == 2
    with context.database.read() as unit:
        assert [state.version for state in score_states(unit)] == [2]


def test_whoever_was_barred_while_scores_were_computed_is_not_kept(context: Context) -> None:
    usable, _ = cases_to_score(context)
    suppress_by_hand(("case-0007",), None, reason=Reason.DATA_SUBJECT, model=None, context=context)
    kept = keep_scores(usable, {NAME: np.ones(CASES)}, HOW, context)
    assert "case-0007" not in kept
    assert set(stored(context)) == kept
    assert (entries(context)[0].body["cases"], entries(context)[0].body["passed_over"]) == (
        len(kept),
        CASES - len(kept),
    )
