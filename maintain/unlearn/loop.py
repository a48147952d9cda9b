"""The only training loop: first trainings, retrains, references and every revision pass through `run`.

One loop, because `never-saw` is proven by the loaders it drives: a second loop would be a second
place where cases could be consumed uncounted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from maintain.errors import RefusedError, WaitingError
from maintain.hashing import Digest
from maintain.imaging.compute import deterministic, seeded
from maintain.imaging.stages import Layers
from maintain.imaging.weights import all_finite, state_of, weights_digest
from maintain.measure.recalibration import recalibrate
from maintain.records import LoaderLog, Origin
from maintain.unlearn.course import Choice, Norms
from maintain.unlearn.feed import FeedState
from maintain.unlearn.objective import Batch
from maintain.unlearn.resuming import keep, resume
from maintain.unlearn.session import Kept, LegResult, Session, Standing, Training, begin
from maintain.unlearn.start import freeze_norms

#: Batches of retained cases from which statistics are made anew before a look.
RECALIBRATION_BATCHES = 32


@dataclass(frozen=True, slots=True)
class Finished:
    """The weights that a training ends with, and what was consumed up to them.

    `at` is where the feed stood. `steps` led to these weights, `spent` were taken: those after the best look
    are thrown away, and still cost.
    """

    state: dict[str, Tensor]
    weights: Digest
    origin: Origin
    at: FeedState
    log: LoaderLog
    steps: int
    spent: int
    history: tuple[LegResult, ...]
    standing: Standing | None


def run(training: Training) -> Finished:
    """Go the whole course; equal inputs, equal bytes.

    With a checkpoint, every leg replaces that file and an interrupted training goes on from it bit for bit;
    it holds weights, so the caller removes it once the result is kept.

    Raises:
        DamagedError: The weights to start from are not those that their digest names.
        InputError: The initial weights are others than the recipe names, or the checkpoint is another training's.
        RefusedError: Loss or weights stopped being finite numbers.
        WaitingError: `stop` said so; the checkpoint is written.
    """
    with deterministic(training.device), seeded(training.seed, training.device):
        session = begin(training)
        resume(session)
        while not session.ended:
            _paid_leg(session)
            told_to_stop = training.stop is not None and training.stop()
            keep(session)
            if training.progress is not None:
                training.progress(session.done, training.course.legs, session.history[-1].loss)
            if told_to_stop and not session.ended:
                raise _interrupted(session)
        return _finished(session)


# --- private ---------------------------------------------------------------------------------------


def _train_mode(session: Session) -> None:
    """Layers learn, except statistics that shall not: all of them, or those of layers that do not move."""
    session.network.train()
    if session.asked.course.norms is not Norms.MIXED:
        freeze_norms(session.network)
    elif session.asked.course.layers is not Layers.ALL:
        freeze_norms(session.network, where=lambda layer: not any(w.requires_grad for w in layer.parameters()))


def _paid_leg(session: Session) -> None:
    """One leg; if it is refused, what was spent on this training is said first."""
    try:
        _leg(session)
    except RefusedError:
        if session.asked.pay is not None:
            session.asked.pay(session.step)
        raise


def _leg(session: Session) -> None:
    """The steps up to the next look. Refuses to go on from numbers that are not finite."""
    _train_mode(session)
    loss_sum = torch.zeros((), dtype=torch.float64, device=session.asked.device)
    right = torch.zeros((), dtype=torch.int64, device=session.asked.device)
    cases = 0
    for _ in range(min(session.asked.course.leg, session.asked.course.steps - session.step)):
        loss, hits, count = _step(session)
        loss_sum += loss * count
        right += hits
        cases += count
    if not torch.isfinite(loss_sum) or not all_finite(session.network.state_dict()):
        raise RefusedError(
            f"The training diverged in {session.asked.leg} {session.done + 1}: loss or weights are not finite numbers.",
            remedy="Lower the learning rate; nothing of this training was kept.",
        )
    session.history.append(LegResult(session.done + 1, float(loss_sum) / cases, int(right) / cases))
    _look(session)


def _step(session: Session) -> tuple[Tensor, Tensor, int]:
    """Gradient, clip, step, schedule: the loss, the cases decided as labelled, and how many there were."""
    asked, objective = session.asked, session.asked.objective
    handed = asked.feed.draw(objective.side(session.step))
    images = session.augment(handed.images, torch.default_generator)
    batch = Batch(session.chain.apply(images), handed.labels, handed.places, session.step)
    found = objective.loss(session.answer, batch)
    session.optimiser.zero_grad(set_to_none=True)
    found.value.backward()  # type: ignore[no-untyped-call]  # torch leaves `backward` unannotated
    objective.shape_gradients(session.network, session.step)
    nn.utils.clip_grad_norm_(session.network.parameters(), asked.course.clip_norm)
    session.optimiser.step()
    objective.mend(session.network)
    session.scheduler.step()
    session.step += 1
    hits = (session.rule.decide(found.outputs.detach()) == handed.labels).sum()
    return found.value.detach(), hits, len(handed.labels)


def _look(session: Session) -> None:
    """Hold the weights against the target, once every forgotten case was in a step; keep the nearest ones."""
    asked = session.asked
    if asked.course.norms is Norms.RECALIBRATE:
        images = (drawn.images for drawn in asked.feed.retain.sweep())
        recalibrate(session.network, map(session.chain.apply, islice(images, RECALIBRATION_BATCHES)))
    if asked.judge is None or asked.course.choice is Choice.LAST or not asked.feed.seen_whole:
        return
    state = state_of(session.network)
    standing = asked.judge(state)
    if session.kept is None or _rank(standing) <= _rank(session.kept.standing):
        session.kept = Kept(state, asked.feed.state(), session.step, standing)


def _rank(standing: Standing) -> tuple[bool, float]:
    """What reaches the target before what does not, then the nearer; of equals the later one is taken."""
    return not standing.reached, standing.score


def _interrupted(session: Session) -> WaitingError:
    asked = session.asked
    kept = "what was done is kept" if asked.checkpoint is not None else "nothing of it was kept"
    return WaitingError(
        f"The training was interrupted after {session.done} of {asked.course.legs} {asked.leg}s; {kept}.",
        remedy=f"Say the same command again; it goes on from the last finished {asked.leg}.",
    )


def _finished(session: Session) -> Finished:
    kept, feed = session.kept, session.asked.feed
    state = state_of(session.network) if kept is None else kept.state
    at, steps = (feed.state(), session.step) if kept is None else (kept.feed, kept.step)
    weights = weights_digest(state)
    log = feed.log(session.origin, at, final_weights=weights, steps=steps)
    standing = None if kept is None else kept.standing
    history = tuple(session.history)
    return Finished(state, weights, session.origin, at, log, steps, session.step, history, standing)
