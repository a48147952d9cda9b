"""Orders that could only be half obeyed are refused before anything is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maintain.errors import InputError
from maintain.imaging import network_of
from maintain.imaging.adopting import KeyMap
from maintain.vocabulary import Head
from maintain_pipelines.adopting import AdoptionOrder, label_order_of
from maintain_pipelines.adopting.recipes import read_recipe

ORDER = AdoptionOrder(
    model="triage",
    weights=Path("model.pt"),
    network=network_of("small-bn"),
    head=Head.SOFTMAX,
    label_name="diagnosis",
    label_order=("a", "b"),
    keys=KeyMap(),
    preprocessing=Path("p.yaml"),
    arrays=None,
    threshold=None,
    expect=None,
    tolerance=1e-3,
    trained_on=None,
    allow_absent=False,
    recipe=None,
)
RECIPE = """\
optimiser: sgd-nesterov
learning_rate: 0.05
momentum: 0.9
weight_decay: 5.0e-4
schedule: one-cycle
epochs: 6
batch_size: 64
clip_norm: 1.0
"""


def test_nobody_guesses_how_pictures_are_read() -> None:
    with pytest.raises(InputError, match="how pictures become"):
        replace(ORDER, preprocessing=None)


@pytest.mark.parametrize(("labels", "threshold"), [(("a", "b"), 0.3), (("a", "b", "c"), 0.5)])
def test_a_threshold_that_would_not_be_judged_is_refused(labels: tuple[str, ...], threshold: float) -> None:
    with pytest.raises(InputError, match="neither judged nor served"):
        replace(ORDER, label_order=labels, threshold=threshold)
    assert replace(ORDER, threshold=0.5).threshold == 0.5


@pytest.mark.parametrize("tolerance", [0.0, -1.0, 1.0, float("nan")])
def test_a_tolerance_that_compares_nothing_is_refused(tolerance: float) -> None:
    with pytest.raises(InputError, match="cannot be compared"):
        replace(ORDER, tolerance=tolerance)


@pytest.mark.parametrize("words", ["diagnosis", "=a,b", "diagnosis=", "diagnosis=a,,b", "diagnosis=a", "diagnosis=a,A"])
def test_labels_that_cannot_be_told_apart_are_refused(words: str) -> None:
    with pytest.raises(InputError):
        label_order_of(words)


def test_labels_keep_the_order_of_the_outputs() -> None:
    assert label_order_of("diagnosis=c, a,b") == ("diagnosis", ("c", "a", "b"))


@pytest.mark.parametrize(
    ("old", "new"),
    [("sgd-nesterov", "adam"), ("momentum: 0.9\n", ""), ("epochs: 6", "epochs: 0"), ("0.9", "1.5"), ("0.05", "0")],
)
def test_a_recipe_that_could_not_be_repeated_is_refused(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError):
        read_recipe(tmp_path / "recipe.yaml")


def test_a_recipe_says_everything_but_what_only_a_training_knows(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(f"{RECIPE}seed: 4\n", encoding="utf-8")
    recipe = read_recipe(tmp_path / "recipe.yaml")
    assert recipe is not None
    assert (recipe.epochs, recipe.weight_decay, recipe.seed, recipe.initial_weights) == (6, 5e-4, 4, "")
    assert read_recipe(None) is None
