from __future__ import annotations

import dataclasses

import pytest
import torch

from maintain.errors import RefusedError
from maintain.imaging import CaseLoader, load_images, toy_problem, weights_digest
from maintain.imaging.bank import ResidentBank
from maintain.unlearn import Finished, Trained, Witness, default_recipe, train
from maintain.unlearn.feed import Feed
from maintain.vocabulary import Role

TOY = toy_problem(roles=((Role.RETAIN, 20),))
CASES = TOY.blueprint.loader_cases(TOY.rows, Role.RETAIN)
RECIPE = dataclasses.replace(default_recipe(seed=3, epochs=2), batch_size=16)


def trained(witness: Witness | None, *, seed: int = 3) -> Trained:
    return train(TOY.blueprint, dataclasses.replace(RECIPE, seed=seed), CASES, TOY.pixels, witness=witness)


def test_weights_of_no_training_are_refused() -> None:
    witness = Witness()
    done = trained(witness)
    touched = {**done.state, "head.bias": done.state["head.bias"] + 1e-6}
    for state in (touched, TOY.blueprint.build(3).state_dict(), trained(None, seed=4).state):
        with pytest.raises(RefusedError, match="no training under its witness ended with"):
            witness.of(state)


def test_a_training_without_the_witness_is_unheard() -> None:
    with pytest.raises(RefusedError):
        Witness().of(trained(None).state)


def test_it_hears_what_the_loader_counted() -> None:
    witness = Witness()
    done = trained(witness)
    heard = witness.of(done.state)
    assert (heard.weights, heard.log, heard.origin) == (done.weights, done.log, done.origin)
    assert (heard.recipe, heard.steps) == (done.recipe, 4)


def test_the_log_is_the_feeds_whoever_tells() -> None:
    witness = Witness()
    done = trained(None)
    images = load_images(TOY.pixels, [case.pixels for case in CASES])
    feed = Feed(CaseLoader(CASES, ResidentBank(images), batch_size=16, seed=3))
    told = Finished(done.state, "0" * 64, done.origin, feed.state(), done.log, 4, 4, done.history, None)
    witness.hear(feed, told, recipe=done.recipe)
    assert witness.of(done.state).log.rows == ()
    assert witness.of(done.state).weights == weights_digest(done.state)


def test_it_tells_several_trainings_apart_and_counts_their_steps() -> None:
    witness = Witness()
    first, second = trained(witness), trained(witness, seed=4)
    assert witness.of(first.state).log.final_weights == first.weights
    assert witness.of(second.state).log.final_weights == second.weights
    assert witness.steps == 8
    assert not torch.equal(first.state["head.bias"], second.state["head.bias"])
