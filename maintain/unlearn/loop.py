"""The only training loop: first trainings, retrains, references and behavioural methods all pass through `train`.

One loop, because `never-saw` is proven by the loader it drives: a second loop would be a second
place where cases could be consumed uncounted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from maintain.codec import encode
from maintain.errors import InputError, RefusedError, WaitingError
from maintain.hashing import Digest, digest_json
from maintain.imaging.augmentation import load_augmentation
from maintain.imaging.bank import bank_for
from maintain.imaging.blueprint import Blueprint
from maintain.imaging.compute import deterministic, restore_rng, rng_state, seeded
from maintain.imaging.heads import head_rule
from maintain.imaging.loader import CaseLoader, LoaderCase, LoaderState
from maintain.imaging.pixels import PixelSource
from maintain.imaging.transforms import Chain
from maintain.imaging.weights import all_finite, fill, state_of, weights_digest
from maintain.records import LoaderLog, Origin, Recipe
from maintain.unlearn.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from maintain.unlearn.recipes import (
    END_DIVISOR,
    NOT_DRAWN_YET,
    RISE_SHARE,
    START_DIVISOR,
    check_recipe,
    steps_of,
)
from maintain.unlearn.start import Start, check_start, freeze_norms
from maintain.unlearn.witness import Witness
from maintain.vocabulary import OriginKind

#: Told after every pass: (passes done, passes in all, mean loss of the pass).
Progress: TypeAlias = Callable[[int, int, float], None]
#: Asked after every pass whether to stop here, before its checkpoint is written; what it raises leaves none.
Stop: TypeAlias = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What one pass looked like from inside, measured while the weights moved."""

    epoch: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Trained:
    """Finished weights with everything that says how they were made."""

    state: dict[str, torch.Tensor]
    weights: Digest
    recipe: Recipe
    origin: Origin
    log: LoaderLog
    steps: int
    history: tuple[EpochResult, ...]


def train(
    blueprint: Blueprint,
    recipe: Recipe,
    cases: Sequence[LoaderCase],
    pixels: PixelSource,
    *,
    start: Start | None = None,
    witness: Witness | None = None,
    budget_steps: int | None = None,
    device: str = "cpu",
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Trained:
    """Train from new weights drawn from the recipe's seed, or from `start`; equal inputs, equal bytes.

    With `checkpoint`, every pass replaces that file and an interrupted training goes on from it bit for
    bit; it holds weights, so the caller removes it once the result is kept. What was done is told to
    `witness`, so that whoever made the witness need not believe whoever called this.

    Raises:
        DamagedError: The weights to start from are not those that their digest names.
        InputError: The recipe, the cases or the budget do not fit, or the checkpoint is another training's.
        RefusedError: Loss or weights stopped being finite numbers.
        WaitingError: `stop` said so; the checkpoint is written.
    """
    check_recipe(recipe)
    _refuse_beyond_budget(recipe, len(cases), budget_steps)
    bank = bank_for(pixels, [case.pixels for case in cases], device=device)
    Chain(blueprint.preprocessing).check(bank.take(torch.tensor([0])), blueprint.input_shape)
    loader = CaseLoader(cases, bank, batch_size=recipe.batch_size, seed=recipe.seed)
    with deterministic(device), seeded(recipe.seed, device):
        session = _begin(blueprint, recipe, loader, device, start)
        _resume(session, checkpoint)
        while session.done < recipe.epochs:
            _epoch(session)
            told_to_stop = stop is not None and stop()
            _keep(session, checkpoint)
            if progress is not None:
                progress(session.done, recipe.epochs, session.history[-1].loss)
            if told_to_stop and session.done < recipe.epochs:
                raise _interrupted(session, checkpoint)
        trained = _finished(session)
    if witness is not None:
        witness.hear(loader, state=trained.state, recipe=trained.recipe, origin=trained.origin, steps=trained.steps)
    return trained


# --- private ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Session:
    """A training under way: what moves, and what it must stay true to."""

    blueprint: Blueprint
    recipe: Recipe
    origin: Origin
    freeze_norms: bool
    loader: CaseLoader
    device: str
    training: Digest
    chain: Chain
    network: nn.Module
    optimiser: SGD
    scheduler: OneCycleLR
    history: list[EpochResult] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Finished passes."""
        return len(self.history)


def _refuse_beyond_budget(recipe: Recipe, cases: int, budget_steps: int | None) -> None:
    planned = steps_of(recipe, cases)
    if budget_steps is not None and planned > budget_steps:
        raise InputError(
            f"This training takes {planned} steps; the budget is {budget_steps}.",
            remedy="Raise `unlearn.budget.steps`, or choose a recipe with fewer epochs.",
        )


def _first_weights(blueprint: Blueprint, recipe: Recipe, start: Start | None) -> tuple[nn.Module, Origin]:
    network = blueprint.build(recipe.seed)
    if start is None:
        origin = Origin(OriginKind.INITIALISATION, weights_digest(network.state_dict()))
    else:
        check_start(start)
        fill(network, start.state, source="the start")
        origin = start.origin
    if recipe.initial_weights not in (NOT_DRAWN_YET, origin.weights):
        raise InputError(
            "The recipe names other initial weights than this training begins from.",
            remedy="Train with the torch version that the recipe was made with, or leave the digest out.",
        )
    return network, origin


def _begin(blueprint: Blueprint, recipe: Recipe, loader: CaseLoader, device: str, start: Start | None) -> _Session:
    network, origin = _first_weights(blueprint, recipe, start)
    frozen = start is not None and start.freeze_norms
    network.to(device)
    optimiser = SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )
    scheduler = OneCycleLR(
        optimiser,
        max_lr=recipe.learning_rate,
        total_steps=recipe.epochs * loader.batches_per_epoch,
        pct_start=RISE_SHARE,
        div_factor=START_DIVISOR,
        final_div_factor=END_DIVISOR,
        cycle_momentum=False,
    )
    filled = replace(recipe, initial_weights=origin.weights)
    training = digest_json([encode(blueprint), encode(filled), encode(origin), frozen, loader.cases_digest])
    chain = Chain(blueprint.preprocessing)
    return _Session(blueprint, filled, origin, frozen, loader, device, training, chain, network, optimiser, scheduler)


def _epoch(session: _Session) -> None:
    """One pass: gradient, clip, step, schedule. Refuses to go on from numbers that are not finite."""
    rule, augment = head_rule(session.blueprint.head), load_augmentation(session.recipe.augmentation)
    loss_sum = torch.zeros((), dtype=torch.float64, device=session.device)
    right = torch.zeros((), dtype=torch.int64, device=session.device)
    session.network.train()
    if session.freeze_norms:
        freeze_norms(session.network)
    for images, labels in session.loader.epoch(session.done):
        outputs = session.network(session.chain.apply(augment(images, torch.default_generator)))
        loss = rule.loss(outputs, labels)
        session.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves `backward` unannotated
        nn.utils.clip_grad_norm_(session.network.parameters(), session.recipe.clip_norm)
        session.optimiser.step()
        session.scheduler.step()
        loss_sum += loss.detach() * len(labels)
        right += (rule.decide(outputs) == labels).sum()
    cases = len(session.loader)
    mean_loss = float(loss_sum) / cases
    if not torch.isfinite(loss_sum) or not all_finite(session.network.state_dict()):
        raise RefusedError(
            f"The training diverged in epoch {session.done + 1}: loss or weights are not finite numbers.",
            remedy="Lower the learning rate; nothing of this training was kept.",
        )
    session.history.append(EpochResult(session.done + 1, mean_loss, int(right) / cases))


def _keep(session: _Session, path: Path | None) -> None:
    if path is None:
        return
    write_checkpoint(
        path,
        Checkpoint(
            training=session.training,
            initial_weights=session.recipe.initial_weights,
            epoch=session.done,
            network=state_of(session.network),
            optimiser=session.optimiser.state_dict(),
            scheduler=session.scheduler.state_dict(),
            loader_counts=torch.tensor(session.loader.state().counts, dtype=torch.int64),
            history=[[float(result.epoch), result.loss, result.accuracy] for result in session.history],
            rng=list(rng_state(session.device)),
        ),
    )


def _resume(session: _Session, path: Path | None) -> None:
    kept = read_checkpoint(path, training=session.training) if path is not None else None
    if kept is None:
        return
    session.network.load_state_dict(kept.network)
    session.optimiser.load_state_dict(kept.optimiser)
    session.scheduler.load_state_dict(kept.scheduler)
    session.loader.restore(LoaderState(kept.epoch, tuple(kept.loader_counts.tolist())))
    session.history = [EpochResult(int(epoch), loss, accuracy) for epoch, loss, accuracy in kept.history]
    restore_rng(tuple(kept.rng), session.device)


def _interrupted(session: _Session, path: Path | None) -> WaitingError:
    kept = "what was done is kept" if path is not None else "nothing of it was kept"
    return WaitingError(
        f"The training was interrupted after {session.done} of {session.recipe.epochs} epochs; {kept}.",
        remedy="Say the same command again; it goes on from the last finished epoch.",
    )


def _finished(session: _Session) -> Trained:
    state = state_of(session.network)
    weights = weights_digest(state)
    steps = session.done * session.loader.batches_per_epoch
    log = session.loader.log(session.origin, final_weights=weights, steps=steps)
    return Trained(state, weights, session.recipe, session.origin, log, steps, tuple(session.history))
