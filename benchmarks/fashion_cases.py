"""Fashion-MNIST as the house sees a cohort: cases with roles, a champion that must forget a class, and its judge.

What the scripts about it share. A judge looks at validation cases alone; what a method costs is counted at the
network itself, forward passes with a gradient and without, so that no method says itself what it took.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from maintain.codec import encode
from maintain.hashing import digest_json
from maintain.imaging import Blueprint, Chain, MemoryPixels, State, read_weights, save_weights, weights_digest
from maintain.imaging.compute import channels_last, precision
from maintain.imaging.weights import fill, state_of
from maintain.intake.idx import FASHION_MNIST, IdxImages, IdxPart, read_idx
from maintain.measure.recalibration import recalibrate
from maintain.records import ModelSpec, Network, Origin, PlannedCase, Recipe, RoleTable, Setting, Step, TrainingManifest
from maintain.unlearn import Standing, UnlearnRequest, Witness, load_method, train
from maintain.unlearn.recipes import CLIP_NORM, MOMENTUM, NOT_DRAWN_YET, ONE_CYCLE, SGD_NESTEROV, WEIGHT_DECAY
from maintain.vocabulary import Head, ManifestStatus, OriginKind, Precision, Role

#: What is forgotten: T-shirts and tops, the hardest class, as the reference does.
FORGOTTEN = 0
#: Classes of the data set.
CLASSES = 10
#: Sides of its images.
SIDE = 28
#: Validation cases a class: images of the training part that no model learns from.
VALIDATION_A_CLASS = 200
#: Passes, peak rate and cases a batch of champion and retrain: both then answer 90 to 92 % of 10,000 images right.
EPOCHS, PEAK, BATCH = 8, 0.1, 64
#: Clothes have no side.
AUGMENTATION = "flip@1"
#: Whoever draws cases draws from here, so that seeds of cases and of weights differ.
DRAWN_FROM = 1000
#: Added to a seed for the retrain: its weights begin elsewhere than the champion's.
RETRAINED_FROM = 500
#: How far accuracy on what is kept may fall below the champion's, on validation.
RETENTION_MARGIN = 0.02
#: Retained cases that statistics of batch normalisation are made anew from, and how many at a time.
RECALIBRATION_CASES, RECALIBRATION_BATCH = 2048, 256
#: Cases answered at a time; 500 at a time left the caches and took twice as long in 32 bits, a quarter more in 16.
ANSWER_BATCH = 64
#: Steps that nothing here needs; a budget is not what is measured.
ENOUGH_STEPS = 1_000_000
#: What everything here computes in: the processor has kernels of it, and so has any card.
PRECISION = Precision.BF16


@dataclass(frozen=True, slots=True)
class Part:
    """Stored pixels, uint8 [N, H, W, C], and labels."""

    images: Tensor
    labels: Tensor

    def of(self, chosen: Tensor) -> Part:
        """Those that a mask or places choose."""
        return Part(self.images[chosen], self.labels[chosen])

    @property
    def forgotten(self) -> Part:
        """The cases of the class that is forgotten."""
        return self.of(self.labels == FORGOTTEN)

    @property
    def retained(self) -> Part:
        """The others."""
        return self.of(self.labels != FORGOTTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fashion:
    """One draw: what a champion learns, what judges, and the whole test part. `places`: those learned, in the file."""

    seed: int
    blueprint: Blueprint
    places: tuple[int, ...]
    rows: tuple[PlannedCase, ...]
    pixels: MemoryPixels
    learned: Part
    validation: Part
    test: Part

    def found(self) -> Fashion:
        """The same, its cases and their roles found anew from stored pixels and labels."""
        pixels = MemoryPixels()
        return replace(self, rows=_rows(self.blueprint, self.places, self.learned, pixels), pixels=pixels)

    def recipe(self, seed: int) -> Recipe:
        """How champion and retrain are trained."""
        return Recipe(
            optimiser=SGD_NESTEROV,
            learning_rate=PEAK,
            momentum=MOMENTUM,
            weight_decay=WEIGHT_DECAY,
            schedule=ONE_CYCLE,
            epochs=EPOCHS,
            batch_size=BATCH,
            clip_norm=CLIP_NORM,
            augmentation=AUGMENTATION,
            seed=seed,
            initial_weights=NOT_DRAWN_YET,
        )


@dataclass(slots=True)
class Meter:
    """Images that went through a network, with a gradient to come and without, and seconds; `pause` stops both."""

    gradient: int = 0
    forward: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    _paused: bool = field(default=False, repr=False)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count every network, whoever calls it, and the time, until this ends."""
        hook = torch.nn.modules.module.register_module_forward_hook(self._saw)
        began = time.process_time(), time.perf_counter()
        try:
            yield
        finally:
            self.cpu += time.process_time() - began[0]
            self.wall += time.perf_counter() - began[1]
            hook.remove()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """What happens here belongs to whoever measures."""
        began = time.process_time(), time.perf_counter()
        self._paused = True
        try:
            yield
        finally:
            self._paused = False
            self.cpu -= time.process_time() - began[0]
            self.wall -= time.perf_counter() - began[1]

    def _saw(self, module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        if self._paused or not (isinstance(module, nn.Sequential) and hasattr(module, "head")):
            return
        if output.requires_grad:
            self.gradient += len(output)
        else:
            self.forward += len(output)


@dataclass(frozen=True, slots=True)
class Made:
    """Weights, and what they took: images with gradient and without, seconds of the processor and of the clock."""

    state: State
    gradient: int
    forward: int
    cpu: float
    wall: float


def half_all_cnn(side: int = SIDE) -> Blueprint:
    """All-CNN of half the width, reading images as they are stored, centred on mid-range."""
    chain = (Step("to-float", 1), Step("standardise", 1, (Setting("mean", 0.5), Setting("std", 0.5))))
    labels = tuple(f"class-{place}" for place in range(CLASSES))
    network = Network("all-cnn", (Setting("width", "half"),))
    return Blueprint(network, (1, side, side), Head.SOFTMAX, labels, chain)


def draw_fashion(seed: int, size: int, *, judged: int = VALIDATION_A_CLASS, folder: Path = FASHION_MNIST) -> Fashion:
    """`size` training images, as many of every class, and `judged` others of each of the training part to judge on."""
    train, test = read_idx(folder, IdxPart.TRAIN), read_idx(folder, IdxPart.TEST)
    learned, validation = stratified(train.labels, size // CLASSES, judged, seed=seed)
    blueprint, pixels, part = half_all_cnn(), MemoryPixels(), _part(train, learned)
    return Fashion(
        seed=seed,
        blueprint=blueprint,
        places=learned,
        rows=_rows(blueprint, learned, part, pixels),
        pixels=pixels,
        learned=part,
        validation=_part(train, validation),
        test=_part(test, range(len(test.labels))),
    )


def stratified(
    labels: np.ndarray[Any, Any], learned: int, judged: int, *, seed: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Places of so many of every class to learn from, and of as many others to judge on; both shuffled."""
    generator = np.random.default_rng(DRAWN_FROM + seed)
    chosen = [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    parts = (
        np.concatenate([places[:learned] for places in chosen]),
        np.concatenate([places[learned : learned + judged] for places in chosen]),
    )
    first, second = (generator.permutation(part) for part in parts)
    return tuple(map(int, first)), tuple(map(int, second))


def champion_of(drawn: Fashion, cache: Path | None) -> Made:
    """The champion: the recipe over every drawn case."""

    def make(witness: Witness) -> State:
        cases = drawn.blueprint.loader_cases(drawn.rows, Role.LEARN)
        recipe = drawn.recipe(drawn.seed)
        return train(drawn.blueprint, recipe, cases, drawn.pixels, witness=witness, precision=PRECISION).state

    return _kept(drawn, "champion", cache, lambda: metered(make))


def retrain_of(drawn: Fashion, request: UnlearnRequest, cache: Path | None) -> Made:
    """The method `retrain`: the same recipe, from other weights, over what is kept."""
    return _kept(drawn, "retrain", cache, lambda: unlearned("retrain", request))


def unlearned(method: str, request: UnlearnRequest, *, meter: Meter | None = None) -> Made:
    """What a method makes of the champion, and what that takes; the meter is the one that the judge pauses."""
    return metered(lambda _: load_method(method).unlearn(request).state, meter=meter)


def metered(make: Callable[[Witness], State], *, meter: Meter | None = None) -> Made:
    """What is made, and what that took."""
    meter = meter or Meter()
    with meter.running():
        state = make(Witness())
    return Made(state, meter.gradient, meter.forward, meter.cpu, meter.wall)


def request_of(
    drawn: Fashion,
    champion: State,
    *,
    seed: int,
    options: Sequence[Setting] = (),
    judge: Callable[[State], Standing] | None = None,
    wanted: Precision = PRECISION,
) -> UnlearnRequest:
    """The champion must forget the class: what a plan would ask of a method."""
    blueprint = drawn.blueprint
    initial = weights_digest(blueprint.build(drawn.seed).state_dict())
    origin = Origin(OriginKind.INITIALISATION, initial)
    learned = tuple(row.ref for row in drawn.rows)
    spec = ModelSpec(
        model="fashion",
        network=blueprint.network,
        input_shape=blueprint.input_shape,
        head=blueprint.head,
        label_name="class",
        label_order=blueprint.label_order,
        operating_threshold=None,
        preprocessing=blueprint.preprocessing,
        recipe=drawn.recipe(drawn.seed),
        manifest="",
    )
    data = _file_of(champion)
    return UnlearnRequest(
        spec=spec,
        manifest=TrainingManifest("fashion", ManifestStatus.PROVEN, origin, learned, (), ()),
        parent_weights=weights_digest(champion),
        read_parent=lambda: data,
        roles=RoleTable(drawn.rows),
        pixels=drawn.pixels,
        options=tuple(options),
        seed=seed,
        budget_steps=ENOUGH_STEPS,
        precision=wanted,
        judge=judge,
    )


def answers(blueprint: Blueprint, state: State, images: Tensor, *, wanted: Precision = PRECISION) -> Tensor:
    """Outputs of these weights for stored images, a row each, in 32 bits."""
    network, chain = _network(blueprint, state), Chain(blueprint.preprocessing)
    with torch.inference_mode(), precision(wanted):
        return torch.cat([network(_laid_out(chain.apply(part))).float() for part in torch.split(images, ANSWER_BATCH)])


def recalibrated(blueprint: Blueprint, state: State, retained: Part) -> State:
    """The weights with batch statistics made anew from retained cases."""
    network, chain = _network(blueprint, state), Chain(blueprint.preprocessing)
    images = torch.split(retained.images[:RECALIBRATION_CASES], RECALIBRATION_BATCH)
    with precision(PRECISION):
        recalibrate(network, (_laid_out(chain.apply(part)) for part in images))
    return state_of(network)


def accuracies(outputs: Tensor, labels: Tensor) -> tuple[float, float]:
    """Share decided as labelled: of the class that is forgotten, and of the others."""
    right, gone = outputs.argmax(dim=1) == labels, labels == FORGOTTEN
    return float(right[gone].double().mean()), float(right[~gone].double().mean())


@dataclass(frozen=True, slots=True)
class Judge:
    """Stands for a claim's screen, on validation alone: no hit on the class, and what is kept stays as good.

    Both also after batch statistics were made anew. Its time is no method's.
    """

    drawn: Fashion
    floor: float
    meter: Meter

    def __call__(self, state: State) -> Standing:
        """How far these weights are from that: hits on the class, plus what retention lacks; the worse of the two."""
        with self.meter.pause():
            blueprint, part = self.drawn.blueprint, self.drawn.validation
            anew = recalibrated(blueprint, state, self.drawn.learned.retained)
            both = [accuracies(answers(blueprint, each, part.images), part.labels) for each in (state, anew)]
        return standing_of(both, floor=self.floor)


def standing_of(both: Sequence[tuple[float, float]], *, floor: float) -> Standing:
    """The worse standing of (hits on the class, accuracy on what is kept) pairs; reached when all are."""
    short = [hits + max(0.0, floor - kept) for hits, kept in both]
    return Standing(max(short), max(short) == 0.0)


def judge_of(drawn: Fashion, champion: State, meter: Meter) -> Judge:
    """The judge of this champion's revisions."""
    outputs = answers(drawn.blueprint, champion, drawn.validation.images)
    return Judge(drawn, accuracies(outputs, drawn.validation.labels)[1] - RETENTION_MARGIN, meter)


def taken(part: Part, places: Sequence[int]) -> Part:
    """The cases at these places."""
    return part.of(torch.tensor(places))


# --- private ---------------------------------------------------------------------------------------


def _rows(blueprint: Blueprint, places: Sequence[int], part: Part, pixels: MemoryPixels) -> tuple[PlannedCase, ...]:
    labels, images = part.labels.tolist(), part.images.numpy()
    return tuple(
        PlannedCase(
            case_id=f"image-{place:05d}",
            label_version=1,
            label=blueprint.label_order[label],
            patient=f"image-{place:05d}",
            pixels=pixels.put(image),
            role=Role.FORGET if label == FORGOTTEN else Role.RETAIN,
            reason="drawn",
        )
        for place, label, image in zip(places, labels, images, strict=True)
    )


def _part(idx: IdxImages, places: Sequence[int]) -> Part:
    chosen = np.array(places, dtype=np.int64)
    return Part(torch.from_numpy(idx.images[chosen]), torch.from_numpy(idx.labels[chosen].astype(np.int64)))


def _network(blueprint: Blueprint, state: State) -> nn.Module:
    network = blueprint.build(0)
    fill(network, dict(state), source="weights to look at")
    return channels_last(network).eval()


def _laid_out(inputs: Tensor) -> Tensor:
    return inputs.contiguous(memory_format=torch.channels_last)


def _file_of(state: State) -> bytes:
    return bytes(save({name: tensor.contiguous() for name, tensor in state.items()}))


def _kept(drawn: Fashion, kind: str, folder: Path | None, make: Callable[[], Made]) -> Made:
    """Read what was made of these very cases by this recipe, else make it; a change of the loop is not noticed."""
    if folder is None:
        return make()
    named = [kind, encode(drawn.blueprint), encode(drawn.recipe(drawn.seed)), [encode(row) for row in drawn.rows]]
    path = folder / f"{kind}-{digest_json([*named, PRECISION.value])[:16]}.safetensors"
    cost = path.with_suffix(".json")
    if not cost.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = make()
        save_weights(path, made.state)
        cost.write_text(json.dumps({name: value for name, value in asdict(made).items() if name != "state"}))
    return Made(read_weights(path), **json.loads(cost.read_text()))
