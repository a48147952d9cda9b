"""Splits: decided once, inherited, and never between two copies of one picture."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from helpers.cohorts import NOW, fill, make_case, undone
from maintain.cohort import SplitShares, decide_splits, record_splits, splits_of
from maintain.cohort.splits import most_seen
from maintain.database import Database, UnitOfWork, tables
from maintain.errors import InputError
from maintain.hashing import digest_bytes
from maintain.vocabulary import Split

SHARES = SplitShares(train=60, validation=10, holdout=30)


@pytest.mark.parametrize("share", [0, -1, 1.5, True, "7"])
def test_a_side_without_a_share_is_refused(share: Any) -> None:
    for name in ("train", "validation", "holdout"):
        shares = {"train": 1, "validation": 1, "holdout": 1, name: share}
        with pytest.raises(InputError, match="share of at least 1"):
            SplitShares(**shares)


@pytest.mark.parametrize(
    ("shares", "seed"),
    [
        (SplitShares(train=61, validation=10, holdout=30), 1),
        (SplitShares(train=60, validation=10, holdout=31), 1),
        (SHARES, 2),
    ],
)
def test_a_lineage_keeps_its_shares_and_seed(unit: UnitOfWork, shares: SplitShares, seed: int) -> None:
    fill(unit, [make_case()])
    decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    with pytest.raises(InputError, match="train 60, validation 10, holdout 30"):
        decide_splits(unit, "m", shares, seed=seed, now=NOW)
    decide_splits(unit, "other", shares, seed=seed, now=NOW)


def test_sides_decided_elsewhere_are_kept_and_newcomers_drawn(unit: UnitOfWork) -> None:
    fill(unit, [make_case(number) for number in range(4)])
    given = {"patient-0000": Split.HOLDOUT, "patient-0001": Split.TRAIN, "patient-0002": Split.VALIDATION}
    record_splits(unit, "m", given, SHARES, seed=1, now=NOW)
    assert splits_of(unit, "m") == given
    assert decide_splits(unit, "m", SHARES, seed=1, now=NOW).new == 1
    assert given.items() <= splits_of(unit, "m").items()
    with pytest.raises(InputError, match="cannot change"):
        record_splits(unit, "m", {"patient-0003": Split.TRAIN}, SHARES, seed=2, now=NOW)


def test_nothing_is_decided_twice(unit: UnitOfWork) -> None:
    fill(unit, [make_case(number) for number in range(40)])
    first = decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    before = splits_of(unit, "m")
    again = decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    assert (first.new, again.new) == (40, 0)
    fill(unit, [make_case(number) for number in range(40, 80)])
    more = decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    after = splits_of(unit, "m")
    assert more.new == 40
    assert sum(row.patients for row in more.rows) == 80
    assert before.items() <= after.items()


def test_who_else_is_there_changes_nothing(unit: UnitOfWork) -> None:
    fill(unit, [make_case(number) for number in range(30)])
    decide_splits(unit, "all", SHARES, seed=1, now=NOW)
    for patient, side in splits_of(unit, "all").items():
        assert side is SHARES.draw(seed=1, group=patient)


def test_the_draw_is_the_documented_one() -> None:
    for number in range(50):
        group = f"patient-{number}"
        place = int(hashlib.sha256(f"9:{group}".encode()).hexdigest(), 16) / 2**256 * 100
        expected = Split.TRAIN if place < 60 else Split.VALIDATION if place < 70 else Split.HOLDOUT
        assert SHARES.draw(seed=9, group=group) is expected


def test_shares_are_kept_in_the_long_run() -> None:
    drawn = Counter(SHARES.draw(seed=3, group=str(number)) for number in range(20_000))
    for split, share in ((Split.TRAIN, 0.6), (Split.VALIDATION, 0.1), (Split.HOLDOUT, 0.3)):
        assert abs(drawn[split] / 20_000 - share) < 0.015


def _decided(unit: UnitOfWork, sides: dict[str, Split]) -> None:
    head = {"model": "m", "seed": 1, "train": 60, "validation": 10, "holdout": 30, "decided": "then"}
    unit.execute(insert(tables.lineage), head)
    rows = [{"model": "m", "patient": patient, "split": side.value} for patient, side in sides.items()]
    unit.execute_many(insert(tables.lineage_split), rows)


@pytest.mark.parametrize("side", list(Split))
def test_a_newcomer_joins_the_side_of_its_copies(unit: UnitOfWork, side: Split) -> None:
    shared = digest_bytes(b"shared")
    fill(unit, [make_case(1, pixels=shared), make_case(2, pixels=shared), make_case(3)])
    _decided(unit, {"patient-0002": side})
    decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    assert splits_of(unit, "m")["patient-0001"] is side


@pytest.mark.parametrize(
    ("sides", "joins"),
    [
        ((Split.TRAIN, Split.HOLDOUT), Split.TRAIN),
        ((Split.HOLDOUT, Split.TRAIN), Split.TRAIN),
        ((Split.VALIDATION, Split.HOLDOUT), Split.VALIDATION),
        ((Split.TRAIN, Split.VALIDATION), Split.TRAIN),
    ],
)
def test_a_newcomer_between_two_sides_joins_the_one_that_has_seen_most(
    unit: UnitOfWork, sides: tuple[Split, Split], joins: Split
) -> None:
    one, two = digest_bytes(b"one"), digest_bytes(b"two")
    newcomer = [make_case(3, pixels=one), make_case(4, patient="patient-0003", pixels=two)]
    fill(unit, [make_case(1, pixels=one), make_case(2, pixels=two), *newcomer])
    _decided(unit, {"patient-0001": sides[0], "patient-0002": sides[1]})
    counts = decide_splits(unit, "m", SHARES, seed=1, now=NOW)
    assert splits_of(unit, "m")["patient-0003"] is joins
    assert counts.straddling == 1


def test_the_most_seen_side_of_a_picture() -> None:
    placed = [("a", Split.HOLDOUT), ("a", Split.VALIDATION), ("b", Split.HOLDOUT), ("a", Split.TRAIN)]
    assert most_seen(placed) == {"a": Split.TRAIN, "b": Split.HOLDOUT}


images = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 14)), min_size=1, max_size=25, unique=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(images=images, seed=st.integers(0, 5))
def test_copies_never_straddle(database: Database, images: list[tuple[int, int]], seed: int) -> None:
    cases = [
        make_case(number, patient=f"p{patient:02d}", pixels=digest_bytes(f"{pixels}".encode()))
        for number, (patient, pixels) in enumerate(images)
    ]
    with undone(database) as unit:
        fill(unit, cases)
        decide_splits(unit, "m", SHARES, seed=seed, now=NOW)
        sides = splits_of(unit, "m")
        for group in _components(images):
            assert {sides[f"p{patient:02d}"] for patient in group} == {
                SHARES.draw(seed=seed, group=f"p{min(group):02d}")
            }


def _components(images: list[tuple[int, int]]) -> list[set[int]]:
    """The slow, obvious way: merge until nothing merges."""
    owners: dict[int, set[int]] = defaultdict(set)
    for patient, pixels in images:
        owners[pixels].add(patient)
    groups = [set(group) for group in owners.values()]
    merged = True
    while merged:
        merged = False
        for one in groups:
            for two in groups:
                if one is not two and one & two:
                    one |= two
                    groups.remove(two)
                    merged = True
                    break
            if merged:
                break
    return groups
