"""The reference's recipe, against a plain transcript of how it is described (psg.md §1.4a, §4.3)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from helpers.boundaries import FLOAT, PLAIN, convolutional, decided, linear, standardise, stored
from maintain.errors import InputError
from maintain.imaging import Chain
from maintain.unlearn.boundary.noise import normals
from maintain.unlearn.boundary.options import BoundaryOptions, reference_options
from maintain.unlearn.boundary.reference import MEANS, REFERENCE_BATCH, SPREADS
from maintain.unlearn.boundary.search import search_boundary


def test_images_of_other_channels_are_refused() -> None:
    images = stored(1, 4, channels=2)
    with pytest.raises(InputError, match="1 or 3 channels"):
        search_boundary(linear(1, pixels=32), PLAIN, images, torch.zeros(4).long(), reference_options(), seed=1)


@pytest.mark.parametrize(("closeness", "noise"), [(0.0, 0.0), (1e-3, 0.0), (0.1, 1e-2)])
def test_it_is_the_recipe_as_described(closeness: float, noise: float) -> None:
    network, chain = convolutional(3)
    images = stored(3, REFERENCE_BATCH + 6, side=8, channels=3)
    labels = torch.arange(len(images)) % 3
    found = search_boundary(network, chain, images, labels, reference_options(closeness=closeness, noise=noise), seed=7)
    drawn = normals(7, torch.arange(len(images)), 1, (3, 8, 8))
    mean, std = (np.array(numbers, dtype=np.float32).reshape(1, 3, 1, 1) for numbers in (MEANS, SPREADS))
    for part in (slice(0, REFERENCE_BATCH), slice(REFERENCE_BATCH, None)):
        read = chain.apply(images[part]).requires_grad_()
        (slope,) = torch.autograd.grad(functional.cross_entropy(network(read), labels[part]), read)
        normed, gradient = read.detach().numpy(), slope.numpy()
        pixel = normed * std + mean
        inside = gradient + closeness * (normed - pixel) + noise * drawn[part].numpy()
        moved = np.round(255 * np.clip(pixel + 0.1 * np.sign(inside), 0, 1)) / 255
        with torch.no_grad():
            outputs = network(torch.from_numpy((moved - mean) / std))
        assert_close(found.logits[part], outputs, atol=2e-3, rtol=0)
        agree = found.labels[part] == outputs.argmax(dim=1)
        assert float(agree.float().mean()) > 0.98


def test_its_mistakes_show() -> None:
    """Own labels stay where nothing is crossed; the dark blue moves at once; the closeness works in a first step."""
    network, chain = convolutional(3)
    images = stored(3, 40, side=8, channels=3)
    labels = decided(network, chain, images)
    with torch.no_grad():
        network.get_submodule("head").get_parameter("weight").mul_(1e-3)
        network.get_submodule("head").get_parameter("bias").copy_(torch.tensor([0.0, 0.0, 9.0]))
    stuck = search_boundary(network, chain, images, torch.full_like(labels, 2), reference_options(), seed=1)
    assert set(stuck.labels.tolist()) == {2}
    assert stuck.uncrossed == 40
    cifar = Chain((FLOAT, standardise("0.4914,0.4822,0.4465", "0.2023,0.1994,0.2010")))
    network = convolutional(3)[0]
    plain = search_boundary(network, cifar, images, labels, reference_options(), seed=1)
    closer = search_boundary(network, cifar, images, labels, reference_options(closeness=0.1), seed=1)
    assert not torch.equal(plain.logits, closer.logits)
    assert float(plain.radius.nan_to_num().max()) == pytest.approx(0.22, abs=0.01)


def test_without_replicate_the_closeness_does_nothing_in_a_first_step() -> None:
    network, chain = convolutional(3)
    images = stored(3, 40, side=8, channels=3)
    labels = decided(network, chain, images)
    plain, closer = (
        search_boundary(network, chain, images, labels, BoundaryOptions(steps=1, bisections=0, closeness=much), seed=1)
        for much in (0.0, 50.0)
    )
    assert torch.equal(plain.logits, closer.logits)
