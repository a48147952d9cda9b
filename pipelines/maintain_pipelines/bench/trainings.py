"""Trainings of the bench, each made once: by the product's own loop, under its witness, kept by what it was made of.

Every candidate of a trial begins here, so that what a forger claims and what a loader really counted can be told
apart. A kept training is read back only where problem, cases, recipe and libraries are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from maintain import codec
from maintain.hashing import Digest, digest_json, short
from maintain.imaging import State, read_weights, save_weights, weights_digest
from maintain.records import LoaderLog, PlannedCase, Recipe
from maintain.unlearn import Heard, Witness, train
from maintain.vocabulary import Role
from maintain_pipelines.bench.problem import Problem


@dataclass(frozen=True, slots=True)
class Model:
    """Weights and what is known of how they were made."""

    state: State
    heard: Heard

    @property
    def weights(self) -> Digest:
        """The digest of the weights."""
        return self.heard.weights


@dataclass(frozen=True, slots=True)
class Trainings:
    """What was trained so far, in memory and, where a folder is given, on disk for the next time."""

    folder: Path | None = None
    _made: dict[Digest, Model] = field(default_factory=dict, repr=False)

    def of(
        self,
        problem: Problem,
        rows: Iterable[PlannedCase],
        *,
        seed: int,
        role: Role = Role.RETAIN,
        epochs: int | None = None,
    ) -> Model:
        """The problem's network trained on these cases, handed out under this role."""
        recipe = problem.recipe(seed)
        recipe = replace(recipe, epochs=epochs or recipe.epochs)
        learned = tuple(rows)
        key = _key(problem, learned, recipe, role)
        if key not in self._made:
            self._made[key] = _read(self.folder, key, recipe) or self._train(problem, learned, recipe, role, key)
        return self._made[key]

    def drop(self) -> None:
        """Drop what is in memory; what is on disk stays."""
        self._made.clear()

    def _train(self, problem: Problem, rows: tuple[PlannedCase, ...], recipe: Recipe, role: Role, key: Digest) -> Model:
        witness = Witness()
        cases = problem.blueprint.loader_cases(rows, role)
        state = train(problem.blueprint, recipe, cases, problem.pixels, witness=witness).state
        model = Model(state, witness.of(state))
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_weights(self.folder / f"{short(key)}.safetensors", state)
            codec.write(self.folder / f"{short(key)}.log.json", model.heard.log)
        return model


# --- private ---------------------------------------------------------------------------------------


def _key(problem: Problem, rows: tuple[PlannedCase, ...], recipe: Recipe, role: Role) -> Digest:
    cases = sorted([row.case_id, row.label, row.pixels] for row in rows)
    made_of = [codec.encode(problem.blueprint), codec.encode(recipe), role.value, cases, version("torch")]
    return digest_json(made_of)


def _read(folder: Path | None, key: Digest, recipe: Recipe) -> Model | None:
    if folder is None or not (folder / f"{short(key)}.log.json").is_file():
        return None
    state = read_weights(folder / f"{short(key)}.safetensors")
    log = codec.read(folder / f"{short(key)}.log.json", LoaderLog, expected=None)
    done = replace(recipe, initial_weights=log.origin.weights)
    return Model(state, Heard(weights_digest(state), done, log.origin, log, log.steps, log.steps))
