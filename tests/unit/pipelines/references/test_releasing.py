"""A reference is released as the retrain that it is only where ledger, files and seed all say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from helpers.toy_lineage import Lineage, make_lineage
from maintain import codec
from maintain.imaging import State, weights_digest
from maintain.records import LoaderRow
from maintain.unlearn import Heard
from maintain.vocabulary import Role
from maintain_pipelines.context import Talk
from maintain_pipelines.references import StoredReference, train_references, trained_before


@pytest.fixture
def lineage(tmp_path: Path) -> Iterator[Lineage]:
    made = make_lineage(tmp_path)
    yield made
    made.context.database.close()


def train_all(lineage: Lineage) -> StoredReference:
    """Train the references; the first of them."""
    first, *_ = train_references(lineage.plan, lineage.roles, lineage.champion, lineage.context, guard=lambda: None)
    return first.reference


def released(lineage: Lineage, said: list[str] | None = None) -> tuple[State, Heard] | None:
    heard = [] if said is None else said
    context = replace(lineage.context, talk=Talk(heard.append, lambda _name, _done, _total: None))
    return trained_before(lineage.plan, lineage.roles, lineage.champion, context)


def forge(reference: StoredReference, **parts: Any) -> None:
    """Other files than were written, with a record whose digests agree with them, as a forger would."""
    names = {"spec": "spec.json", "manifest": "manifest.json", "log": "loader-log.jsonl"}
    digests: dict[str, Any] = {
        {"log": "loader_log"}.get(part, part): codec.write(reference.folder / names[part], value)
        for part, value in parts.items()
    }
    codec.write(reference.folder / "reference.json", replace(reference.record, **digests))


def test_nothing_trained_nothing_released(lineage: Lineage) -> None:
    said: list[str] = []
    assert released(lineage, said) is None
    assert said == []


def test_a_forged_log_is_not_believed(lineage: Lineage) -> None:
    reference = train_all(lineage)
    forgotten = lineage.roles.of(Role.FORGET)[0]
    rows = (*reference.log.rows, LoaderRow(Role.RETAIN, forgotten.case_id, forgotten.label_version, 3))
    forge(reference, log=replace(reference.log, rows=rows))
    said: list[str] = []
    assert released(lineage, said) is None
    assert "not trained on the retained cases of this plan" in said[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: {"log": replace(one.log, final_weights="0" * 64)}, "log is of other weights"),
        (
            lambda one: {"log": replace(one.log, origin=replace(one.log.origin, weights="0" * 64))},
            "gives other weights",
        ),
        (lambda one: {"spec": replace(one.spec, recipe=replace(one.spec.recipe, epochs=2))}, "another recipe"),
        (lambda one: {"spec": replace(one.spec, operating_threshold=0.5)}, "spec is another's"),
        (lambda one: {"manifest": replace(one.manifest, learned=())}, "manifest does not say"),
        (lambda one: {"log": replace(one.log, steps=1)}, "ledger does not say"),
    ],
)
def test_what_disagrees_with_the_plan_is_trained_anew(lineage: Lineage, change: Any, said: str) -> None:
    reference = train_all(lineage)
    forge(reference, **change(reference))
    heard: list[str] = []
    assert released(lineage, heard) is None
    assert said in heard[0]
    assert "trained anew" in heard[0]


def test_without_the_ledgers_word_it_is_trained_anew(lineage: Lineage) -> None:
    train_all(lineage)
    with lineage.context.database.begin() as unit:
        triggers = unit.connection.execute(text("select name from sqlite_master where type = 'trigger'")).scalars()
        for name in triggers.all():
            unit.execute(text(f"drop trigger {name}"))
        unit.execute(text("update ledger set body = '{}' where event = 'reference-trained'"))
    said: list[str] = []
    assert released(lineage, said) is None
    assert "ledger is not whole" in said[0]


def test_damaged_weights_are_not_released(lineage: Lineage) -> None:
    reference = train_all(lineage)
    reference.weights.write_bytes(reference.weights.read_bytes()[:-1])
    said: list[str] = []
    assert released(lineage, said) is None
    assert "not the file that was written" in said[0]


def test_the_first_reference_is_released_with_what_was_heard_of_it(lineage: Lineage) -> None:
    reference = train_all(lineage)
    found = released(lineage)
    assert found is not None
    state, heard = found
    assert weights_digest(state) == heard.weights == reference.record.weights
    assert heard.log == reference.log
    assert heard.recipe == reference.spec.recipe
    assert released(replace(lineage, plan=replace(lineage.plan, seed=6))) is None
