"""The register of weights: what a registration and its removal leave in it, and what may never be registered again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from helpers.registering import MODEL, make_intent, make_version
from maintain.database import Database, create_database
from maintain.errors import RefusedError, RetiredError
from maintain.vocabulary import Alias
from maintain_registry import (
    Aliases,
    Event,
    EventKind,
    FolderStore,
    Ledger,
    MemoryStore,
    ModelStore,
    Move,
    WeightFile,
    WeightKind,
    abandon,
    doomed_weights,
    enter_weights,
    move_aliases,
    register,
    require_not_retired,
    retirements,
    strike_weights,
    weight_files,
)

PLACE = f"registry/{MODEL}/v0001/weights.safetensors"


class Failing(FolderStore):
    """A registry whose disk is full."""

    def put(self, version: object, files: object) -> None:
        raise OSError("full")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return create_database(tmp_path / "maintain.db")


def row(place: str = "runs/a/w.safetensors", weights: str | None = "d1") -> WeightFile:
    return WeightFile(place, WeightKind.CANDIDATE, MODEL, weights, weights)


def test_a_row_has_both_digests_or_none(database: Database) -> None:
    with pytest.raises(IntegrityError), database.begin() as unit:
        enter_weights(unit, WeightFile("a", WeightKind.FOUND, MODEL, "d1", None))


def test_rows_are_found_by_digest_and_replaced_by_place(database: Database) -> None:
    with database.begin() as unit:
        enter_weights(unit, row())
        enter_weights(unit, row("runs/b/w.safetensors", "d2"))
        enter_weights(unit, row("runs/b/w.safetensors", "d3"))
        enter_weights(unit, row("runs/c/checkpoints/", None))
        assert [found.place for found in weight_files(unit)] == [
            "runs/a/w.safetensors",
            "runs/b/w.safetensors",
            "runs/c/checkpoints/",
        ]
        assert weight_files(unit, "d2") == ()
        assert weight_files(unit, "d3") == (row("runs/b/w.safetensors", "d3"),)
        strike_weights(unit, ("runs/a/w.safetensors", "nowhere"))
        assert weight_files(unit, "d1") == ()


def test_a_registration_has_its_row_before_its_files(database: Database, ledger: Ledger, tmp_path: Path) -> None:
    store, intent = Failing(tmp_path / "registry"), make_intent()
    with pytest.raises(OSError, match="full"):
        register(database, ledger, store, intent)
    digest = intent.version.weights
    with database.read() as unit:
        assert weight_files(unit) == (WeightFile(PLACE, WeightKind.VERSION, MODEL, digest, digest),)
    abandon(database, store, intent.id)
    with database.read() as unit:
        assert weight_files(unit) == ()


def test_a_store_without_places_enters_nothing(database: Database, ledger: Ledger) -> None:
    register(database, ledger, MemoryStore(), make_intent())
    with database.read() as unit:
        assert weight_files(unit) == ()


def retire(database: Database, ledger: Ledger, store: ModelStore, number: int) -> None:
    move = Move(EventKind.VERSION_RETIRED, number, Aliases(champion=1))
    move_aliases(database, ledger, store, MODEL, lambda unit, found: move)


def test_no_alias_ever_points_at_a_retired_version(database: Database, ledger: Ledger) -> None:
    store = MemoryStore()
    register(database, ledger, store, make_intent())
    register(database, ledger, store, make_intent("run-2", salt=2, alias=Alias.CANDIDATE, champion=1))
    retire(database, ledger, store, 2)
    assert store.alias(MODEL, Alias.CANDIDATE) is None
    for aliases in (Aliases(champion=2), Aliases(champion=1, previous=2), Aliases(champion=1, candidate=2)):
        move = Move(EventKind.VERSION_PROMOTED, 2, aliases)
        with pytest.raises(RetiredError) as caught:
            move_aliases(database, ledger, store, MODEL, lambda unit, found, move=move: move)  # type: ignore[misc]
        assert (caught.value.version, caught.value.entry) == (2, 3)
    with database.read() as unit:
        assert retirements(unit, MODEL)[2].retired == 3
        require_not_retired(unit, MODEL, 1)
        with pytest.raises(RetiredError, match="is retired") as told:
            require_not_retired(unit, MODEL, 2)
    assert "audit show" in told.value.remedy


def test_doomed_weights_are_not_registered_whoever_brings_them(database: Database, ledger: Ledger) -> None:
    store = MemoryStore()
    register(database, ledger, store, make_intent())
    doomed = make_version(salt=2, revised=True)[0].weights
    with ledger.begin(database) as unit:
        ledger.append(unit, Event(EventKind.DESTRUCTION_ORDERED, "another", {"version": 7, "weights": doomed}))
        assert doomed_weights(unit) == {doomed: 2}
    with pytest.raises(RefusedError, match="were destroyed for good"):
        register(database, ledger, store, make_intent("run-2", salt=2, alias=Alias.CANDIDATE, champion=1))
    assert store.versions(MODEL) == (1,)


def test_an_order_and_a_tombstone_are_read_in_their_order(database: Database, ledger: Ledger) -> None:
    store = MemoryStore()
    register(database, ledger, store, make_intent())
    register(database, ledger, store, make_intent("run-2", salt=2, alias=Alias.CANDIDATE, champion=1))
    retire(database, ledger, store, 2)
    wanted = {EventKind.DESTRUCTION_ORDERED: True, EventKind.WEIGHTS_DESTROYED: False}
    for kind, unfinished in [*wanted.items(), *wanted.items()]:
        with ledger.begin(database) as unit:
            ledger.append(unit, Event(kind, MODEL, {"version": 2, "weights": "w"}))
            assert retirements(unit, MODEL)[2].unfinished is unfinished
