"""What a method costs is counted at the network, and whoever judges learns nothing from what a champion learned."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from fashion_cases import (
    FORGOTTEN,
    Fashion,
    Meter,
    Part,
    accuracies,
    draw_fashion,
    half_all_cnn,
    judge_of,
    request_of,
    standing_of,
    stratified,
    taken,
    unlearned,
)

from maintain.imaging.compute import _computes_bf16
from maintain.records import Scalar, Setting
from maintain.vocabulary import Precision, Role


def test_validation_cases_are_never_learned_from_and_every_class_has_as_many() -> None:
    labels = np.repeat(np.arange(10), 40)
    learned, judged = stratified(labels, 20, 10, seed=1)
    assert not set(learned) & set(judged)
    assert np.bincount(labels[list(learned)]).tolist() == [20] * 10
    assert np.bincount(labels[list(judged)]).tolist() == [10] * 10
    assert stratified(labels, 20, 10, seed=1) == (learned, judged)
    assert stratified(labels, 20, 10, seed=2)[0] != learned


def test_fewer_learned_cases_are_some_of_the_more() -> None:
    labels = np.repeat(np.arange(10), 40)
    assert set(stratified(labels, 5, 0, seed=3)[0]) < set(stratified(labels, 20, 10, seed=3)[0])


def test_images_are_counted_with_a_gradient_and_without_and_a_pause_counts_nothing() -> None:
    network = half_all_cnn(8).build(1)
    images, meter = torch.zeros(3, 1, 8, 8), Meter()
    network(images)
    with meter.running():
        network.train()(images).sum().backward()
        network.eval().requires_grad_(False)
        with torch.no_grad():
            network(images[:2])
        with meter.pause():
            network(images)
    network(images)
    assert (meter.gradient, meter.forward) == (3, 2)
    assert meter.cpu > 0
    assert meter.wall > 0


def test_a_search_by_pixels_is_counted_as_passes_with_a_gradient() -> None:
    network, meter = half_all_cnn(8).build(1).eval().requires_grad_(False), Meter()
    images = torch.zeros(4, 1, 8, 8, requires_grad=True)
    with meter.running():
        torch.autograd.grad(network(images).sum(), images)
    assert (meter.gradient, meter.forward) == (4, 0)


@pytest.mark.parametrize(
    ("both", "reached", "score"),
    [
        ([(0.0, 0.9), (0.0, 0.9)], True, 0.0),
        ([(0.0, 0.9), (0.1, 0.9)], False, 0.1),
        ([(0.0, 0.7), (0.0, 0.9)], False, 0.1),
        ([(0.2, 0.6), (0.0, 0.9)], False, 0.4),
    ],
)
def test_the_worse_of_both_looks_decides(both: list[tuple[float, float]], reached: bool, score: float) -> None:
    standing = standing_of(both, floor=0.8)
    assert standing.reached is reached
    assert standing.score == pytest.approx(score)


def test_accuracies_are_those_of_the_forgotten_class_and_of_the_others() -> None:
    labels = torch.tensor([FORGOTTEN, FORGOTTEN, 1, 2, 3])
    outputs = torch.nn.functional.one_hot(torch.tensor([FORGOTTEN, 1, 1, 2, 1]), 10).float()
    assert accuracies(outputs, labels) == pytest.approx((1 / 2, 2 / 3))
    part = Part(torch.arange(5), labels)
    assert part.forgotten.images.tolist() == [0, 1]
    assert part.retained.images.tolist() == [2, 3, 4]
    assert taken(part, [4, 0]).images.tolist() == [4, 0]


@pytest.fixture
def drawn(tmp_path: Path) -> Fashion:
    """Noise in the form of the data set: six cases a class to learn from, two to judge on, one to test."""
    generator = np.random.default_rng(4)
    for part, count in (("train", 8), ("t10k", 1)):
        labels = np.repeat(np.arange(10, dtype=np.uint8), count)
        images = generator.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            head = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            (tmp_path / name).write_bytes(head + array.tobytes())
    return draw_fashion(1, 60, judged=2, folder=tmp_path)


def test_what_the_network_is_counted_to_have_seen_is_what_the_loaders_say_they_handed_out(drawn: Fashion) -> None:
    options: dict[str, Scalar] = {
        "steps": 3,
        "forget_batch": 6,
        "retain_batch": 8,
        "layers": "head",
        "search_steps": 1,
        "bisections": 0,
    }
    request = request_of(
        drawn,
        drawn.blueprint.build(1).state_dict(),
        seed=5,
        options=[Setting(name, value) for name, value in options.items()],
        wanted=Precision.FP32,
    )
    made = unlearned("psg", request)
    handed = sum(row.times_seen for row in request.witness.of(made.state).log.rows)
    swept = len(drawn.learned.forgotten.labels)
    assert handed == 3 * (6 + 8) + swept
    assert made.gradient == handed, "each step's images, and the one signed step of the search"
    assert 0 <= made.forward <= swept


def test_cases_found_anew_are_the_same_cases_with_their_roles(drawn: Fashion) -> None:
    found = drawn.found()
    assert found.rows == drawn.rows
    assert [row.role is Role.FORGET for row in found.rows] == (drawn.learned.labels == FORGOTTEN).tolist()
    digests = [row.pixels for row in found.rows]
    assert torch.equal(torch.from_numpy(found.pixels.load(digests)), drawn.learned.images)


@pytest.mark.skipif(not _computes_bf16("cpu"), reason="this processor has no bfloat16")
def test_what_the_judge_takes_is_no_methods_time_and_no_methods_passes(drawn: Fashion) -> None:
    state, meter = drawn.blueprint.build(1).state_dict(), Meter()
    judge = judge_of(drawn, state, meter)
    began = time.perf_counter()
    with meter.running():
        judge(state)
    assert (meter.gradient, meter.forward) == (0, 0)
    assert meter.wall < (time.perf_counter() - began) / 2
