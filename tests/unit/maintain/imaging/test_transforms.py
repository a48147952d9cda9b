from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from maintain.errors import InputError, UnknownNameError
from maintain.imaging import STEPS, Chain, default_chain
from maintain.records import Scalar, Setting, Step

FLOAT = Step("to-float", 1)


def standardise(mean: Scalar, std: Scalar) -> Step:
    return Step("standardise", 1, (Setting("mean", mean), Setting("std", std)))


def resize(side: Scalar) -> Step:
    return Step("resize", 1, (Setting("side", side),))


def resize_as(side: Scalar, mode: Scalar) -> Step:
    return Step("resize", 2, (Setting("side", side), Setting("mode", mode)))


def images(seed: int = 0, shape: tuple[int, ...] = (2, 6, 5, 3)) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


@pytest.mark.parametrize("step", [Step("resise", 1), Step("resize", 3, (Setting("side", 4),))])
def test_an_unknown_step_or_version_is_refused(step: Step) -> None:
    with pytest.raises(UnknownNameError, match="preprocessing step"):
        Chain((FLOAT, step))


@pytest.mark.parametrize("steps", [(), (resize(4),), (resize(4), FLOAT), (FLOAT, FLOAT)])
def test_a_chain_begins_with_to_float_once(steps: tuple[Step, ...]) -> None:
    with pytest.raises(InputError, match="begins with to-float@1"):
        Chain(steps)


@pytest.mark.parametrize(
    "step",
    [
        resize(0),
        resize(4.0),
        resize(True),
        standardise(0.5, 0.0),
        standardise("0.5,x", 1.0),
        standardise(float("nan"), 1.0),
        standardise(True, 1.0),
        Step("resize", 1),
        resize_as(0, "area"),
        resize_as(4, "nearest"),
        Step("resize", 2, (Setting("side", 4),)),
        Step("resize", 1, (Setting("side", 4), Setting("side", 4))),
        Step("to-float", 1, (Setting("side", 4),)),
    ],
)
def test_wrong_options_are_refused_before_any_image(step: Step) -> None:
    with pytest.raises(InputError):
        Chain((FLOAT, step))


def test_pixels_that_are_not_stored_pixels_are_refused() -> None:
    with pytest.raises(InputError, match="uint8"):
        Chain((FLOAT,)).apply(images().to(torch.float32))
    with pytest.raises(InputError, match="3 dimensions"):
        Chain((FLOAT,)).apply(images()[0])
    with pytest.raises(InputError, match="mean cannot be"):
        Chain((FLOAT, standardise("0.1,0.2", 1.0))).apply(images())


def test_a_chain_that_resizes_what_is_standardised_has_no_pixels() -> None:
    late = Chain((FLOAT, standardise(0.5, 0.5), resize(4)))
    with pytest.raises(InputError, match="no scale of their own"):
        late.pixels(images())
    with pytest.raises(InputError, match="no scale of their own"):
        late.standardised(torch.zeros(1, 3, 4, 4))
    with pytest.raises(InputError, match="uint8"):
        Chain((FLOAT,)).pixels(images().to(torch.float32))


@pytest.mark.parametrize(
    "steps", [(), (resize(4),), (resize(9), resize(4), standardise("0.1,0.2,0.3", "1,2,4")), (standardise(0.5, 0.3),)]
)
def test_a_chain_is_its_pixels_and_then_what_is_standardised_of_them(steps: tuple[Step, ...]) -> None:
    chain, drawn = Chain((FLOAT, *steps)), images()
    pixels = chain.pixels(drawn)
    assert float(pixels.min()) >= 0
    assert float(pixels.max()) <= 1
    assert_close(chain.standardised(pixels), chain.apply(drawn), rtol=0, atol=1e-6)


def test_what_is_standardised_has_the_gradient_of_the_plain_arithmetic() -> None:
    chain = Chain((FLOAT, resize(4), standardise("0.1,0.2,0.3", "1,2,4")))
    pixels = chain.pixels(images()).requires_grad_()
    (gradient,) = torch.autograd.grad(chain.standardised(pixels).sum(), pixels)
    assert_close(gradient, torch.tensor([1, 0.5, 0.25]).view(1, 3, 1, 1).expand_as(gradient))


def test_images_of_another_shape_than_the_network_reads_are_refused() -> None:
    Chain(default_chain(8)).check(images(), (3, 8, 8))
    with pytest.raises(InputError, match="the network reads"):
        Chain(default_chain(8)).check(images(shape=(1, 8, 8, 1)), (3, 8, 8))


@given(seed=st.integers(0, 99), mean=st.floats(-1, 1), std=st.floats(0.1, 2))
@settings(max_examples=25)
def test_float_and_standardise_are_the_plain_arithmetic(seed: int, mean: float, std: float) -> None:
    drawn = images(seed)
    plain = (drawn.numpy().transpose(0, 3, 1, 2).astype(np.float64) / 255 - mean) / std
    assert_close(
        Chain((FLOAT, standardise(mean, std))).apply(drawn).numpy(),
        plain.astype(np.float32),
        rtol=1e-4,
        atol=1e-4,
    )


def test_each_channel_may_have_its_own_figures() -> None:
    drawn = images()
    found = Chain((FLOAT, standardise("0.1,0.2,0.3", "1,2,4"))).apply(drawn)
    plain = Chain((FLOAT,)).apply(drawn)
    assert_close(found[:, 2], (plain[:, 2] - 0.3) / 4)


def test_resize_leaves_its_own_size_untouched_and_averages_when_halving() -> None:
    drawn = images(shape=(2, 8, 8, 3))
    plain = Chain((FLOAT,)).apply(drawn)
    assert torch.equal(Chain((FLOAT, resize(8))).apply(drawn), plain)
    flat = torch.full((1, 8, 8, 1), 77, dtype=torch.uint8)
    halved = Chain((FLOAT, resize(4))).apply(flat)
    assert halved.shape == (1, 1, 4, 4)
    assert_close(halved, torch.full((1, 1, 4, 4), 77 / 255))
    checkers = torch.tensor([[0, 255] * 8, [255, 0] * 8] * 8, dtype=torch.uint8).reshape(1, 16, 16, 1)
    assert float((Chain((FLOAT, resize(4))).apply(checkers) - 0.5).abs().max()) < 0.05


@pytest.mark.parametrize("mode", ["area", "bilinear"])
@pytest.mark.parametrize("side", [4, 9])
def test_resize_as_is_what_monai_does_by_that_name(mode: str, side: int) -> None:
    from monai.transforms.spatial.array import Resize

    batch = images(seed=3, shape=(1, 12, 7, 3))
    wanted = Resize((side, side), mode=mode)(Chain((FLOAT,)).apply(batch)[0])
    assert_close(Chain((FLOAT, resize_as(side, mode))).apply(batch)[0], torch.as_tensor(wanted))


def test_transposed_rows_are_columns_and_may_stand_before_a_resize() -> None:
    batch, turn = images(seed=4), Step("transpose", 1)
    plain = Chain((FLOAT,)).apply(batch)
    assert torch.equal(Chain((FLOAT, turn)).apply(batch), plain.transpose(2, 3))
    chain = Chain((FLOAT, turn, resize(4), standardise(0.5, 0.5)))
    assert torch.equal(chain.standardised(chain.pixels(batch)), chain.apply(batch))


def test_every_step_is_documented_and_the_default_chain_reads_in_the_unit_ball() -> None:
    assert all(entry.doc for entry in STEPS.values())
    prepared = Chain(default_chain(8)).apply(images())
    assert prepared.shape == (2, 3, 8, 8)
    assert float(prepared.abs().max()) <= 1.0
