from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from maintain.errors import InputError
from maintain.imaging import CaseLoader, LoaderCase, LoaderState
from maintain.imaging.bank import ResidentBank
from maintain.vocabulary import Role


def cases(count: int, role: Role = Role.RETAIN) -> tuple[LoaderCase, ...]:
    return tuple(LoaderCase(f"case-{number:03d}", 1, number % 3, f"pixels-{number}", role) for number in range(count))


def images(count: int) -> Tensor:
    """Every image is full of its own number, so that a batch says which cases it holds."""
    return torch.arange(count, dtype=torch.uint8).reshape(-1, 1, 1, 1).expand(-1, 2, 2, 1).contiguous()


def loader(count: int = 10, *, batch_size: int = 4, seed: int = 3) -> CaseLoader:
    return CaseLoader(cases(count), ResidentBank(images(count)), batch_size=batch_size, seed=seed)


def one_pass(given: CaseLoader) -> list[int]:
    """The cases of the next pass, in their order."""
    drawn = (given.draw() for _ in range(given.batches_per_epoch))
    return [int(image.flatten()[0]) for batch in drawn for image in batch.images]


def order(given: CaseLoader, number: int) -> list[int]:
    """The cases of a pass, after those before it."""
    for _ in range(number):
        one_pass(given)
    return one_pass(given)


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


@given(count=st.integers(1, 40), batch_size=st.integers(1, 12), seed=st.integers(0, 99), passes=st.integers(1, 4))
@settings(max_examples=40)
def test_a_pass_hands_out_every_case_once_with_its_own_label_and_place(
    count: int, batch_size: int, seed: int, passes: int
) -> None:
    given_loader = loader(count, batch_size=batch_size, seed=seed)
    for _ in range(passes):
        drawn = [given_loader.draw() for _ in range(given_loader.batches_per_epoch)]
        seen = [
            (int(image.flatten()[0]), int(label), int(place))
            for batch in drawn
            for image, label, place in zip(batch.images, batch.labels, batch.places, strict=True)
        ]
        assert sorted(seen) == [(number, number % 3, number) for number in range(count)]
    assert given_loader.state() == LoaderState(passes * given_loader.batches_per_epoch, (passes,) * count)


def test_a_sweep_hands_out_every_case_once_in_order_and_disturbs_no_pass() -> None:
    swept, undisturbed = loader(), loader()
    seen = [int(place) for drawn in swept.sweep() for place in drawn.places]
    assert seen == list(range(10))
    assert swept.state() == LoaderState(0, (1,) * 10)
    assert order(swept, 1) == order(undisturbed, 1)


def test_the_order_is_drawn_from_seed_and_pass_alone() -> None:
    torch.manual_seed(1)
    first = order(loader(), 2)
    torch.manual_seed(2)
    assert order(loader(), 2) == first
    assert order(loader(), 3) != first
    assert order(loader(seed=4), 2) != first
    turned = CaseLoader(tuple(reversed(cases(10))), ResidentBank(images(10).flip(0)), batch_size=4, seed=3)
    assert order(turned, 2) == first


def test_spoiling_a_batch_spoils_nothing_else() -> None:
    given_loader = loader()
    for _ in range(given_loader.batches_per_epoch):
        drawn = given_loader.draw()
        for tensor in (drawn.images, drawn.labels, drawn.places):
            tensor.zero_()
    assert sorted(one_pass(given_loader)) == list(range(10))


def test_only_what_was_handed_out_is_counted() -> None:
    given_loader = loader(10, batch_size=4)
    handed_out = {f"case-{int(image.flatten()[0]):03d}" for image in given_loader.draw().images}
    assert {row.case_id for row in given_loader.rows(given_loader.state())} == handed_out
    assert len(given_loader) == 10
    assert given_loader.batches_per_epoch == 3


def test_a_restored_loader_goes_on_in_the_middle_of_a_pass() -> None:
    whole, first, second = loader(), loader(), loader()
    expected = [whole.draw().places.tolist() for _ in range(8)]
    found = [first.draw().places.tolist() for _ in range(4)]
    second.restore(first.state())
    found += [second.draw().places.tolist() for _ in range(4)]
    assert found == expected
    assert second.state() == whole.state()


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
