from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from torch import Generator, Tensor

from maintain.errors import InputError, UnknownNameError
from maintain.imaging import AUGMENTATIONS, deterministic, load_augmentation
from maintain.imaging.distortions import CROP_PAD, JITTER, MOVE_SHARE, TURN_DEGREES

NAMES = sorted(AUGMENTATIONS)
WHITE = 255.0


def seeded(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def stored(count: int, height: int, width: int, channels: int, seed: int = 0) -> Tensor:
    draw = np.random.default_rng(seed)
    return torch.from_numpy(draw.integers(0, 256, (count, height, width, channels), dtype=np.uint8))


def test_an_unknown_augmentation_names_the_nearest_version() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'flip@1'"):
        load_augmentation("flip")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
@pytest.mark.parametrize("batch", [torch.zeros(2, 8, 8, dtype=torch.uint8), torch.zeros(2, 8, 8, 3, dtype=torch.int64)])
def test_what_is_not_a_batch_of_images_is_refused(name: str, batch: Tensor) -> None:
    with pytest.raises(InputError, match="takes a batch of images"):
        load_augmentation(name)(batch, seeded(1))


def test_the_table_is_read_without_torch_and_every_entry_says_what_it_does() -> None:
    assert all(entry.doc and entry.name == name for name, entry in AUGMENTATIONS.items())
    assert all("@" in name for name in NAMES if name != "none")
    code = "import sys; import maintain.imaging.augmentation; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("floating", [False, True])
def test_type_and_shape_stay_and_the_generator_alone_decides(name: str, channels: int, floating: bool) -> None:
    batch = stored(6, 12, 16, channels)
    if floating:
        batch = batch.permute(0, 3, 1, 2) / WHITE
    kept = batch.clone()
    augment, generator = load_augmentation(name), seeded(1)
    torch.manual_seed(5)
    with deterministic():
        first = augment(batch, generator)
    torch.manual_seed(6)
    assert torch.equal(batch, kept)
    assert (first.shape, first.dtype) == (batch.shape, batch.dtype)
    assert torch.equal(augment(batch, seeded(1)), first)
    if name != "none":
        assert not torch.equal(augment(batch, generator), first)
    if floating:
        assert 0 <= float(first.min()) <= float(first.max()) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_drawn_for_by_its_place_and_stands_for_itself(name: str) -> None:
    """The same draws distort an image alike, whatever its neighbours are."""
    batch, other = stored(5, 10, 10, 3), stored(5, 10, 10, 3, seed=1)
    other[2] = batch[2]
    augment = load_augmentation(name)
    assert torch.equal(augment(batch, seeded(4))[2], augment(other, seeded(4))[2])


@given(seed=st.integers(0, 99), count=st.integers(1, 5), height=st.integers(1, 9), width=st.integers(1, 9))
@settings(max_examples=30)
def test_flip_and_crop_are_the_loop_over_images(seed: int, count: int, height: int, width: int) -> None:
    batch = stored(count, height, width, 2, seed)
    down, right, coin = torch.rand((3, count), generator=seeded(seed)).tolist()
    wanted = np.zeros((count, height, width, 2), dtype=np.uint8)
    for place in range(count):
        padded = np.pad(batch[place].numpy(), ((CROP_PAD, CROP_PAD), (CROP_PAD, CROP_PAD), (0, 0)))
        top, left = (int(draw[place] * (2 * CROP_PAD + 1)) for draw in (down, right))
        window = padded[top : top + height, left : left + width]
        wanted[place] = window[:, ::-1] if coin[place] < 0.5 else window
    assert load_augmentation("crop-flip@1")(batch, seeded(seed)).numpy().tolist() == wanted.tolist()


def test_flip_turns_about_half_of_the_images_and_changes_nothing_else() -> None:
    batch = stored(400, 4, 5, 1)
    flipped = load_augmentation("flip@1")(batch, seeded(2))
    turned = [torch.equal(new, old.flip(1)) for new, old in zip(flipped, batch, strict=True)]
    same = [torch.equal(new, old) for new, old in zip(flipped, batch, strict=True)]
    assert all(one or another for one, another in zip(turned, same, strict=True))
    assert 150 < sum(turned) < 250


def test_floating_images_are_moved_as_stored_ones_are() -> None:
    batch = stored(6, 9, 7, 3)
    floating = batch.permute(0, 3, 1, 2) / WHITE
    for name in ("flip@1", "crop@1", "crop-flip@1"):
        augment = load_augmentation(name)
        wanted = augment(batch, seeded(3)).permute(0, 3, 1, 2) / WHITE
        assert torch.equal(augment(floating, seeded(3)), wanted)


@pytest.mark.parametrize(("height", "width", "channels"), [(16, 16, 3), (12, 20, 1), (21, 9, 3), (8, 8, 2)])
def test_medical_is_scipys_affine_transform_and_the_jitter_written_out(height: int, width: int, channels: int) -> None:
    batch = stored(8, height, width, channels)
    floating = batch.permute(0, 3, 1, 2) / WHITE
    draws = torch.rand((7, 8), generator=seeded(9)).double().numpy()
    wanted = np.stack([_by_hand(image, draws[:, place]) for place, image in enumerate(floating.double().numpy())])
    augment = load_augmentation("medical@1")
    assert np.abs(augment(floating, seeded(9)).double().numpy() - wanted).max() < 1e-5
    rounded = augment(batch, seeded(9)).permute(0, 3, 1, 2).double().numpy()
    assert np.abs(rounded - WHITE * wanted).max() < 0.51


def test_a_turn_is_bounded_and_a_bright_middle_stays_in_the_image() -> None:
    batch = torch.zeros(50, 1, 32, 32)
    batch[:, :, 14:18, 14:18] = 0.5
    assert load_augmentation("medical@1")(batch, seeded(1)).amax(dim=(1, 2, 3)).min() > 0.3


# --- private ---------------------------------------------------------------------------------------


def _by_hand(image: NDArray[np.float64], draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """One image [C, H, W]: pixel coordinates about the middle, one channel at a time."""
    coin, *reaches = draws
    turn, down, right, bright, strong, colourful = (2 * draw - 1 for draw in reaches)
    _, height, width = image.shape
    angle = np.deg2rad(turn * TURN_DEGREES)
    mirror = -1.0 if coin < 0.5 else 1.0
    matrix = np.array([[np.cos(angle), mirror * np.sin(angle)], [-np.sin(angle), mirror * np.cos(angle)]])
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    move = np.array([down * MOVE_SHARE * height, right * MOVE_SHARE * width])
    offset = middle - matrix @ middle + move
    moved = np.stack(
        [ndimage.affine_transform(channel, matrix, offset, order=1, mode="grid-constant") for channel in image]
    )
    moved = np.clip(moved * (1 + JITTER * bright), 0, 1)
    mean = _grey(moved).mean()
    moved = np.clip((moved - mean) * (1 + JITTER * strong) + mean, 0, 1)
    grey = _grey(moved)
    return np.asarray(np.clip((moved - grey) * (1 + JITTER * colourful) + grey, 0, 1))


def _grey(image: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(image) != 3:
        return np.asarray(image.mean(axis=0))
    return np.asarray(0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2])
