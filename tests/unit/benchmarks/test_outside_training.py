"""The stranger's script: it knows nothing of the program, and what it writes down is what it does."""

from __future__ import annotations

import ast
from pathlib import Path

import torch
import yaml
from outside_training import BATCH, EPOCHS, PEAK, PREPROCESSING, RECIPE, Classifier, prepared, share_out

from maintain.imaging import build_network, network_of
from maintain.imaging.adopting import NamedTransform, chain_of
from maintain.imaging.transforms import Chain

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "outside_training.py"


def test_it_has_never_heard_of_the_program() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert [name for name in imported if name and name.startswith("maintain")] == []


def test_pictures_are_prepared_as_it_says() -> None:
    pixels = torch.arange(2 * 8 * 8 * 3, dtype=torch.int64).remainder(256).to(torch.uint8).reshape(2, 8, 8, 3)
    named = [
        NamedTransform(name, options, "here")
        for entry in yaml.safe_load(PREPROCESSING)
        for name, options in entry.items()
    ]
    assert torch.allclose(Chain(chain_of(named)).apply(pixels), prepared(pixels), atol=1e-6)


def test_the_recipe_that_it_writes_is_the_one_that_it_follows() -> None:
    recipe = yaml.safe_load(RECIPE)
    assert (recipe["epochs"], recipe["batch_size"], recipe["learning_rate"]) == (EPOCHS, BATCH, PEAK)


def test_no_patient_is_in_two_parts_and_every_part_has_some() -> None:
    roles = share_out([f"patient {number // 2}" for number in range(60)], seed=3)
    assert len(roles) == 30
    assert set(roles.values()) == {"train", "validation", "holdout"}


def test_its_network_is_one_of_the_catalogue_under_other_names() -> None:
    ours = build_network(network_of("small-bn"), input_shape=(3, 64, 64), outputs=2, seed=1).state_dict()
    theirs = Classifier(64, 2).state_dict()
    renamed = {name.removeprefix("net.").replace("classifier.", "head."): value.shape for name, value in theirs.items()}
    assert renamed == {name: value.shape for name, value in ours.items()}
