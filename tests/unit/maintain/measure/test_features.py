"""Block means against an obvious loop, and the last hidden layer of every network of the catalogue."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from maintain.errors import InputError, NotEvaluatedError
from maintain.imaging import Chain, MemoryPixels, blueprint_of, load_images, toy_problem, weights_digest
from maintain.measure import image_features, last_hidden
from maintain.records import ModelSpec, Network
from maintain.vocabulary import Role

TOY = toy_problem(roles=((Role.HOLDOUT, 7),))
SPEC = TOY.spec()


def replace_network(spec: ModelSpec, name: str) -> ModelSpec:
    return dataclasses.replace(spec, network=Network(name))


def drawn(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_no_images_and_images_of_other_channels_have_no_common_features() -> None:
    pixels = MemoryPixels()
    both = [pixels.put(drawn(8, 8, 3)), pixels.put(drawn(8, 8, 1))]
    for digests in ([], both):
        with pytest.raises(InputError, match="no common features"):
            image_features(pixels, digests)


def test_a_block_is_the_mean_of_its_pixels() -> None:
    pixels, image = MemoryPixels(), drawn(32, 48, 3)
    found = image_features(pixels, [pixels.put(image)], side=16)
    by_hand = [image[2 * y : 2 * y + 2, 3 * x : 3 * x + 3].mean((0, 1)) / 255 for y in range(16) for x in range(16)]
    np.testing.assert_allclose(found.blocks[0], np.concatenate(by_hand))
    assert found.brightness[0] == pytest.approx(image.mean() / 255)
    assert found.contrast[0] == pytest.approx(image.std() / 255)


@pytest.mark.parametrize("shape", [(17, 23, 3), (5, 40, 3), (16, 16, 3)])
def test_a_pixel_on_an_edge_is_shared_by_area(shape: tuple[int, int, int]) -> None:
    """The same as enlarging every pixel to 16 x 16 equal ones and averaging whole blocks of those."""
    pixels, image = MemoryPixels(), drawn(*shape)
    enlarged = np.repeat(np.repeat(image, 16, 0), 16, 1) / 255
    height, width = shape[0], shape[1]
    by_hand = enlarged.reshape(16, height, 16, width, 3).mean((1, 3))
    found = image_features(pixels, [pixels.put(image)], side=16)
    np.testing.assert_allclose(found.blocks[0], by_hand.ravel())
    assert found.blocks.dtype == np.float64


def test_images_of_different_sizes_have_the_same_columns() -> None:
    pixels = MemoryPixels()
    found = image_features(pixels, [pixels.put(drawn(20, 20, 3)), pixels.put(drawn(64, 48, 3))])
    assert found.blocks.shape == (2, 16 * 16 * 3)
    assert found.brightness.shape == found.contrast.shape == (2,)


def test_a_network_without_a_linear_layer_has_no_last_hidden_layer() -> None:
    bare = nn.Sequential(nn.Conv2d(3, 3, 16), nn.Flatten())
    with pytest.raises(InputError, match="no hidden layer"):
        last_hidden(bare, SPEC, TOY.rows, TOY.pixels)
    with pytest.raises(InputError, match="no cases"):
        last_hidden(TOY.blueprint.build(0), SPEC, (), TOY.pixels)


def test_activations_that_are_not_finite_are_no_features() -> None:
    spoilt = TOY.blueprint.build(seed=3)
    with torch.no_grad():
        next(spoilt.parameters())[0] = float("nan")
    with pytest.raises(NotEvaluatedError, match="not finite"):
        last_hidden(spoilt, SPEC, TOY.rows, TOY.pixels)


@pytest.mark.parametrize(("name", "side", "width"), [("small-bn", 16, 64), ("densenet121", 32, 1024)])
def test_the_last_layer_makes_the_outputs_of_what_is_returned(name: str, side: int, width: int) -> None:
    toy = toy_problem(roles=((Role.HOLDOUT, 5),), side=side)
    spec = replace_network(toy.spec(), name)
    network = blueprint_of(spec).build(seed=1).train()
    before = weights_digest(network.state_dict())
    hidden = last_hidden(network, spec, toy.rows, toy.pixels, batch_size=2)
    assert hidden.shape == (5, width)
    assert network.training
    assert weights_digest(network.state_dict()) == before
    head = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    images = load_images(toy.pixels, [row.pixels for row in toy.rows])
    with torch.no_grad():
        plain = network.eval()(Chain(spec.preprocessing).apply(images))
        again = functional.linear(torch.from_numpy(hidden).float(), head.weight, head.bias)
    torch.testing.assert_close(again, plain, rtol=1e-4, atol=1e-4)
