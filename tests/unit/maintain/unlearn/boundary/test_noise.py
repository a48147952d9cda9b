from __future__ import annotations

import torch

from maintain.unlearn.boundary.noise import mixed, normals

_64 = (1 << 64) - 1


def splitmix(number: int) -> int:
    """SplitMix64's mixing in whole numbers, as it is published."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & _64
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & _64
    return number ^ (number >> 31)


def test_the_mixing_is_the_published_one() -> None:
    numbers = [0, 1, 2, 12345, 1 << 40, (1 << 63) - 1, -1, -(1 << 63)]
    found = [int(number) & _64 for number in mixed(torch.tensor(numbers))]
    assert found == [splitmix(number & _64) for number in numbers]
    assert splitmix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF, "the first output of SplitMix64 seeded with 0"


def test_noise_belongs_to_seed_place_step_and_coordinate_alone() -> None:
    whole = normals(3, torch.arange(10), 2, (3, 5, 5))
    assert whole.shape == (10, 3, 5, 5)
    assert whole.dtype is torch.float32
    for places in ([4], [9, 0, 4]):
        assert torch.equal(normals(3, torch.tensor(places), 2, (3, 5, 5)), whole[places])
    for other in (normals(4, torch.arange(10), 2, (3, 5, 5)), normals(3, torch.arange(10), 3, (3, 5, 5))):
        assert abs(float(torch.corrcoef(torch.stack([whole.flatten(), other.flatten()]))[0, 1])) < 0.15
    assert len(set(whole.flatten().tolist())) > 740


def test_odd_and_single_coordinates_are_filled() -> None:
    assert normals(1, torch.arange(2), 1, (1,)).shape == (2, 1)
    assert normals(1, torch.arange(2), 1, (7,)).shape == (2, 7)
    assert torch.isfinite(normals(1, torch.arange(2000), 1, (101,))).all()
