from __future__ import annotations

import dataclasses

import pytest
import torch

from maintain.errors import InputError
from maintain.imaging import CaseLoader, LoaderCase
from maintain.imaging.bank import ResidentBank
from maintain.records import Origin
from maintain.unlearn.feed import Feed, Side
from maintain.vocabulary import OriginKind, Role

ORIGIN = Origin(OriginKind.INITIALISATION, "start")


def loader(count: int, role: Role, *, batch_size: int) -> CaseLoader:
    cases = tuple(LoaderCase(f"{role.value}-{n:03d}", 1, n % 3, f"pixels-{n}", role) for n in range(count))
    images = torch.arange(count, dtype=torch.uint8).reshape(-1, 1, 1, 1).expand(-1, 2, 2, 1).contiguous()
    return CaseLoader(cases, ResidentBank(images), batch_size=batch_size, seed=3)


def feed() -> Feed:
    return Feed(loader(10, Role.RETAIN, batch_size=4), loader(5, Role.FORGET, batch_size=2))


def test_the_state_of_other_loaders_is_refused() -> None:
    with pytest.raises(InputError, match="other cases"):
        feed().restore(Feed(loader(9, Role.RETAIN, batch_size=4)).state())


def test_forgotten_cases_come_first_and_are_named_by_their_places() -> None:
    handed = feed().draw()
    assert handed.forgotten == 2
    assert len(handed.images) == len(handed.labels) == 6
    assert handed.images[:2, 0, 0, 0].tolist() == handed.places.tolist()


def test_one_side_alone_moves_that_side_alone() -> None:
    drawn = feed()
    assert drawn.draw(Side.RETAIN).forgotten == 0
    assert drawn.state().forget == feed().state().forget
    handed = drawn.draw(Side.FORGET)
    assert handed.forgotten == len(handed.images) == 2


def test_without_forgotten_cases_every_side_is_the_retained_one() -> None:
    alone = Feed(loader(10, Role.RETAIN, batch_size=4))
    assert alone.seen_whole
    for side in Side:
        assert alone.draw(side).forgotten == 0


def test_it_knows_when_every_forgotten_case_was_in_a_step() -> None:
    drawn = feed()
    list(drawn.forget.sweep() if drawn.forget is not None else ())
    seen = []
    for _ in range(3):
        seen.append(drawn.seen_whole)
        drawn.draw()
    assert [*seen, drawn.seen_whole] == [False, False, True, True]


def test_the_log_is_of_the_state_it_is_asked_for_and_sorted() -> None:
    drawn = feed()
    for _ in range(2):
        drawn.draw()
    early = drawn.state()
    drawn.draw()
    log = drawn.log(ORIGIN, early, final_weights="end", steps=2)
    assert {row.times_seen for row in log.rows if row.role is Role.FORGET} == {1}
    assert sum(row.role is Role.FORGET for row in log.rows) == 5
    keys = [(row.role.value, row.case_id) for row in log.rows]
    assert keys == sorted(keys)
    assert log != drawn.log(ORIGIN, drawn.state(), final_weights="end", steps=2)


def test_a_restored_feed_goes_on() -> None:
    whole, first, second = feed(), feed(), feed()
    expected = [whole.draw().images.tolist() for _ in range(6)]
    found = [first.draw().images.tolist() for _ in range(3)]
    second.restore(first.state())
    found += [second.draw().images.tolist() for _ in range(3)]
    assert found == expected


def test_the_digest_knows_both_sides_and_is_the_loaders_own_where_there_is_one() -> None:
    retain = loader(10, Role.RETAIN, batch_size=4)
    assert Feed(retain).cases_digest == retain.cases_digest
    other = loader(4, Role.FORGET, batch_size=2)
    assert len({Feed(retain).cases_digest, feed().cases_digest, Feed(retain, other).cases_digest}) == 3
    assert dataclasses.is_dataclass(feed().state())
