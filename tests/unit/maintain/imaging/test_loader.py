from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from maintain.errors import InputError
from maintain.imaging import CaseLoader, LoaderCase, LoaderState, ResidentBank
from maintain.records import Origin
from maintain.vocabulary import OriginKind, Role

ORIGIN = Origin(OriginKind.INITIALISATION, "start")


def cases(count: int, role: Role = Role.RETAIN) -> tuple[LoaderCase, ...]:
    return tuple(LoaderCase(f"case-{number:03d}", 1, number % 3, f"pixels-{number}", role) for number in range(count))


def images(count: int) -> Tensor:
    """Every image is full of its own number, so that a batch says which cases it holds."""
    return torch.arange(count, dtype=torch.uint8).reshape(-1, 1, 1, 1).expand(-1, 2, 2, 1).contiguous()


def loader(count: int = 10, *, batch_size: int = 4, seed: int = 3) -> CaseLoader:
    return CaseLoader(cases(count), ResidentBank(images(count)), batch_size=batch_size, seed=seed)


def order(given: CaseLoader, epoch: int) -> list[int]:
    return [int(image.flatten()[0]) for batch, _ in given.epoch(epoch) for image in batch]


def test_cases_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="0 cases do not fit"):
        CaseLoader((), ResidentBank(images(1)), batch_size=4, seed=1)
    with pytest.raises(InputError, match="3 cases do not fit"):
        CaseLoader(cases(3), ResidentBank(images(2)), batch_size=4, seed=1)
    with pytest.raises(InputError, match="seed"):
        loader(seed=-1)


def test_a_case_in_two_roles_is_refused() -> None:
    twice = (cases(1)[0], dataclasses.replace(cases(1)[0], role=Role.FORGET))
    with pytest.raises(InputError, match="twice"):
        CaseLoader(twice, ResidentBank(images(2)), batch_size=4, seed=1)


@given(count=st.integers(1, 40), batch_size=st.integers(1, 12), seed=st.integers(0, 99), epoch=st.integers(0, 9))
@settings(max_examples=40)
def test_a_pass_hands_out_every_case_once_with_its_own_label(
    count: int, batch_size: int, seed: int, epoch: int
) -> None:
    given_loader = loader(count, batch_size=batch_size, seed=seed)
    seen = [
        (int(image.flatten()[0]), int(label))
        for batch, labels in given_loader.epoch(epoch)
        for image, label in zip(batch, labels, strict=True)
    ]
    assert sorted(seen) == [(number, number % 3) for number in range(count)]
    assert given_loader.state() == LoaderState(epoch + 1, (1,) * count)


def test_the_order_is_drawn_from_seed_and_epoch_alone() -> None:
    torch.manual_seed(1)
    first = order(loader(), 2)
    later = loader()
    order(later, 0)
    torch.manual_seed(2)
    assert order(later, 2) == first
    assert order(loader(), 3) != first
    assert order(loader(seed=4), 2) != first
    turned = CaseLoader(tuple(reversed(cases(10))), ResidentBank(images(10).flip(0)), batch_size=4, seed=3)
    assert order(turned, 2) == first


def test_spoiling_a_batch_spoils_nothing_else() -> None:
    given_loader = loader()
    for batch, labels in given_loader.epoch(0):
        batch.zero_()
        labels.zero_()
    assert sorted(order(given_loader, 1)) == list(range(10))


def test_only_what_was_handed_out_is_counted() -> None:
    given_loader = loader(10, batch_size=4)
    batch, _ = next(iter(given_loader.epoch(0)))
    handed_out = {f"case-{int(image.flatten()[0]):03d}" for image in batch}
    log = given_loader.log(ORIGIN, final_weights="end", steps=1)
    assert {row.case_id for row in log.rows} == handed_out
    assert len(given_loader) == 10
    assert given_loader.batches_per_epoch == 3


def test_the_log_is_sorted_by_role_and_case_and_names_both_ends() -> None:
    mixed = tuple(
        dataclasses.replace(case, role=Role.FORGET if number % 2 else Role.RETAIN, label_version=number)
        for number, case in enumerate(reversed(cases(6)))
    )
    given_loader = CaseLoader(mixed, ResidentBank(images(6)), batch_size=4, seed=1)
    for epoch in range(3):
        order(given_loader, epoch)
    log = given_loader.log(ORIGIN, final_weights="end", steps=6)
    assert (log.origin, log.final_weights, log.steps) == (ORIGIN, "end", 6)
    keys = [(row.role.value, row.case_id, row.label_version) for row in log.rows]
    assert keys == sorted(keys)
    assert {row.times_seen for row in log.rows} == {3}
    assert [row.label_version for row in log.rows] == [5, 3, 1, 4, 2, 0]


def test_a_restored_loader_goes_on_counting() -> None:
    whole, first, second = loader(), loader(), loader()
    for epoch in range(4):
        order(whole, epoch)
    order(first, 0)
    order(first, 1)
    second.restore(first.state())
    order(second, 2)
    order(second, 3)
    assert second.state() == whole.state()
    assert second.log(ORIGIN, final_weights="end", steps=12) == whole.log(ORIGIN, final_weights="end", steps=12)


@pytest.mark.parametrize("counts", [(1,) * 9, (1,) * 11, (-1,) * 10])
def test_counts_of_other_cases_are_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="other cases"):
        loader(10).restore(LoaderState(1, counts))


def test_the_digest_of_the_cases_knows_role_label_and_pixels_but_not_the_order() -> None:
    def digest(given: tuple[LoaderCase, ...]) -> str:
        return CaseLoader(given, ResidentBank(images(len(given))), batch_size=4, seed=1).cases_digest

    plain = cases(3)
    assert digest(plain) == digest(tuple(reversed(plain)))
    for change in ({"role": Role.FORGET}, {"label": 2}, {"pixels": "other"}, {"label_version": 2}):
        assert digest((dataclasses.replace(plain[0], **change), *plain[1:])) != digest(plain)
