"""What speed is measured against does what it is said to do, bugs included, on data small enough to follow."""

from __future__ import annotations

import pytest
import torch
from reference_recipe import Batch, Settings, boundary_labels, run_reference
from torch import Tensor, nn

#: Smallest settings with more than one pass and a batch that is not full.
TINY = Settings(epochs=2, batch_size=4)


class Scores(nn.Module):
    """One score per label, linear in the mean brightness: the nearest boundary is known."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(1, 3)
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor([[0.0], [4.0], [-4.0]]))
            self.head.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.head(images.mean((1, 2, 3), keepdim=False).unsqueeze(1))
        return outputs


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 16, 3))


def data(seed: int, cases: int = 18) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (cases, 6, 6), generator=generator, dtype=torch.uint8)
    return pixels, torch.arange(cases) % 3


@pytest.mark.parametrize("remain_weight", [0.0, 0.5])
def test_it_returns_labels_weights_and_seconds(remain_weight: float) -> None:
    champion = network()
    before = {name: value.clone() for name, value in champion.state_dict().items()}
    settings = Settings(epochs=2, batch_size=4, remain_weight=remain_weight)
    outcome = run_reference(champion, data(1), data(2), settings)
    assert outcome.steps == 4  # 6 cases in batches of 4, twice
    assert len(outcome.labels) == 12
    assert set(outcome.seconds) == {"splits", "loading", "search", "update", "evaluation"}
    assert 0 < outcome.compute_seconds < outcome.total_seconds
    assert 0 <= outcome.forgotten_accuracy <= 1
    assert all(torch.equal(before[name], value) for name, value in champion.state_dict().items())
    assert not torch.equal(outcome.network.state_dict()["4.weight"], before["4.weight"])
    assert not torch.equal(outcome.network.state_dict()["1.running_mean"], before["1.running_mean"])


def test_a_step_crosses_the_boundary_that_is_near_enough() -> None:
    images = torch.tensor([0.1, 0.9, -0.1]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    found = boundary_labels(Scores(), images, torch.tensor([0, 1, 0]), TINY)
    # In the attack's units a step of .1 is .49: to .59, .41 and -.59, where 4x is above 1, above 1, and -4x above 1.
    assert found.tolist() == [1, 1, 2]


def test_a_label_that_was_not_left_is_returned_as_it_is() -> None:
    images = torch.full((1, 1, 4, 4), 2.0)
    assert boundary_labels(Scores(), images, torch.tensor([1]), TINY).tolist() == [1]


def test_equal_seeds_give_equal_weights() -> None:
    first, second = (run_reference(network(), data(1), data(2), TINY) for _ in range(2))
    assert torch.equal(first.labels, second.labels)
    assert all(
        torch.equal(first.network.state_dict()[name], value) for name, value in second.network.state_dict().items()
    )
