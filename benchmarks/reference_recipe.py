"""The published recipe of perturbed sign gradient unlearning, as its authors' code runs it: a yardstick of speed.

Written from the description of that code, none of it copied. Everything slow here is slow there, and a
comment beginning with "Slow:" names it; nothing was made slower than it is. Left out because they would only
flatter the comparison: decoding and resizing of every image (pixels are stored at the size that the network
reads), the metadata scan, and a new process for every cell of a grid.
"""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset

#: Stages whose sum is the compute of the method itself, images in hand.
COMPUTE = ("search", "update")
#: Mean and spread of the training transform for one-channel images.
CENTRE, SPREAD = 0.5, 0.5
#: What the attack takes for them on every data set: CIFAR's, the third mean mistyped.
ATTACK_MEAN = (0.4914, 0.4822, 0.2265)
ATTACK_SPREAD = (0.2023, 0.1994, 0.2010)
#: Largest value of an 8-bit pixel.
WHITE = 255.0

Item = tuple[Tensor, int]
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The recipe's numbers; the defaults are the hard-coded ones, lambda, gamma and phi those of its best runs."""

    forget_label: int = 0
    bound: float = 0.1
    closeness: float = 0.0
    exploration: float = 0.0
    remain_weight: float = 0.0
    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 1e-5
    momentum: float = 0.9
    seed: int = 2022


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out. `labels`: boundary labels of every step in the order drawn; `seconds`: by stage."""

    network: nn.Module
    labels: Tensor
    flipped: float
    steps: int
    forgotten_accuracy: float
    retained_accuracy: float
    seconds: dict[str, float]

    @property
    def compute_seconds(self) -> float:
        """Seconds in search and update: what remains if data cost nothing."""
        return sum(self.seconds[stage] for stage in COMPUTE)

    @property
    def total_seconds(self) -> float:
        """Seconds from stored pixels to scored weights."""
        return sum(self.seconds.values())


class Images(Dataset[Item]):
    """Stored pixels, made ready one item at a time in the main process."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, *, augment: bool) -> None:
        self.pixels, self.labels, self.augment = pixels, labels, augment

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Item:
        image = torch.from_numpy(self.pixels[index]).to(torch.float32).div(WHITE).unsqueeze(0)
        if self.augment and torch.rand(1) < 0.5:
            image = image.flip(-1)
        return (image - CENTRE) / SPREAD, int(self.labels[index])


def run_reference(
    champion: nn.Module,
    train: Batch,
    test: Batch,
    settings: Settings,
    *,
    seconds: Callable[[], float] = time.perf_counter,
) -> Outcome:
    """Unlearn one label, in a copy of `champion`, and score it. `train` and `test`: uint8 [N, H, W] and labels [N].

    `seconds` is the clock that stages are timed by.
    """
    torch.manual_seed(settings.seed)
    clock = _Clock(seconds)
    with clock.stage("splits"):
        forget, remain, test_forget, test_remain = _split(train, test, settings)
    frozen, network = copy.deepcopy(champion), copy.deepcopy(champion)
    optimiser = torch.optim.SGD(network.parameters(), lr=settings.learning_rate, momentum=settings.momentum)
    remaining = _endless(remain)
    labels: list[Tensor] = []
    right = 0
    for _ in range(settings.epochs):
        drawn: Iterator[Batch] = iter(forget)
        while True:
            with clock.stage("loading"):
                batch = next(drawn, None)
                # Slow: drawn at every step, also when its weight is nought.
                kept = next(remaining) if batch is not None else None
            if batch is None or kept is None:
                break
            with clock.stage("search"):
                # Slow: searched again in each of ten passes, though the network searched never changes.
                found = boundary_labels(frozen, *batch, settings)
            with clock.stage("update"):
                _update(network, optimiser, batch[0], found, kept, settings)
            labels.append(found)
            right += int((found == batch[1]).sum())
    with clock.stage("evaluation"):
        scores = [_accuracy(network, loader) for loader in (test_forget, test_remain)]
    every = torch.cat(labels)
    return Outcome(network, every, 1 - right / len(every), len(labels), scores[0], scores[1], dict(clock.seconds))


def boundary_labels(frozen: nn.Module, images: Tensor, labels: Tensor, settings: Settings) -> Tensor:
    """What `frozen` calls each image one signed step away; perhaps the old label. Constants and units as published."""
    channels = images.shape[1]
    mean = torch.tensor(ATTACK_MEAN[:channels]).view(1, -1, 1, 1)
    spread = torch.tensor(ATTACK_SPREAD[:channels]).view(1, -1, 1, 1)
    frozen.eval()
    reached = images.clone().requires_grad_()
    # The mean over the batch, so that every image's gradient is divided by the batch size.
    loss = functional.cross_entropy(frozen(reached), labels)
    # Slow: gradients of all frozen parameters are computed beside the one that is used.
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves `backward` unannotated
    assert reached.grad is not None
    frozen.zero_grad()
    pixel = images * spread + mean
    direction = reached.grad
    if settings.closeness > 0:
        direction = direction + settings.closeness * (images - pixel)
    if settings.exploration > 0:
        direction = direction + settings.exploration * torch.randn_like(images)
    step = (settings.bound * direction.sign()).clamp(-settings.bound, settings.bound)
    moved = torch.round((pixel + step).clamp(0, 1) * WHITE) / WHITE
    # Slow: a graph is kept that nobody asks for.
    outputs: Tensor = frozen((moved - mean) / spread)
    return outputs.argmax(1)


# --- private ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Clock:
    """Seconds by stage."""

    now: Callable[[], float]
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = self.now()
        yield
        self.seconds[name] += self.now() - began


def _split(train: Batch, test: Batch, settings: Settings) -> tuple[DataLoader[Item], ...]:
    """Forget and remain loaders of both sets. Slow: labels are asked of the images, made ready and augmented for it."""
    seen = Images(*(part.numpy() for part in train), augment=True)
    unseen = Images(*(part.numpy() for part in test), augment=False)
    _where(seen, settings.forget_label)  # the count pass
    loaders: list[DataLoader[Item]] = []
    for images, shuffle in ((seen, True), (unseen, False)):
        chosen = _where(images, settings.forget_label)
        for part in (chosen, sorted(set(range(len(images))) - set(chosen))):
            subset = Subset(images, part)
            # Slow: no workers, no pinned memory.
            loaders.append(DataLoader(subset, batch_size=settings.batch_size, shuffle=shuffle))
    for images in (unseen, seen):  # asked once more; the answer is not used
        _where(images, settings.forget_label)
    return tuple(loaders)


def _where(images: Images, label: int) -> list[int]:
    return [index for index in range(len(images)) if images[index][1] == label]


def _endless(loader: DataLoader[Item]) -> Iterator[Batch]:
    while True:
        yield from loader


def _update(
    network: nn.Module, optimiser: torch.optim.SGD, images: Tensor, found: Tensor, kept: Batch, settings: Settings
) -> None:
    """One step, fp32, batch normalisation in training mode. Slow: kept images take a forward of their own."""
    network.train()
    optimiser.zero_grad()
    loss = functional.cross_entropy(network(images), found)
    if settings.remain_weight > 0:
        loss = loss + settings.remain_weight * functional.cross_entropy(network(kept[0]), kept[1])
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves `backward` unannotated
    optimiser.step()


def _accuracy(network: nn.Module, loader: DataLoader[Item]) -> float:
    """Share right. Slow: counted case by case with two `.item()`, the graph kept."""
    network.eval()
    right = cases = 0
    for images, labels in loader:
        decided = network(images).argmax(1)
        for index in range(len(labels)):
            right += int(decided[index].item() == labels[index].item())
            cases += 1
    return right / cases
