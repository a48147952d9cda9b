"""What a training leaves behind after every leg, and how another process goes on from it bit for bit."""

from __future__ import annotations

from dataclasses import asdict

from torch.optim.lr_scheduler import LRScheduler

from maintain.errors import InputError
from maintain.imaging.compute import restore_rng, rng_state
from maintain.imaging.loader import LoaderState
from maintain.imaging.weights import state_of
from maintain.unlearn.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from maintain.unlearn.feed import FeedState
from maintain.unlearn.session import Kept, LegResult, Session, Standing


def keep(session: Session) -> None:
    """Replace the checkpoint, where one is asked for."""
    path, kept = session.asked.checkpoint, session.kept
    if path is None:
        return
    write_checkpoint(
        path,
        Checkpoint(
            training=session.digest,
            initial_weights=session.origin.weights,
            step=session.step,
            network=state_of(session.network),
            optimiser=session.optimiser.state_dict(),
            scheduler=_plain(session.scheduler),
            feed=asdict(session.asked.feed.state()),
            history=[[float(result.leg), result.loss, result.accuracy] for result in session.history],
            rng=list(rng_state(session.asked.device)),
            kept=None if kept is None else kept.state,
            best=None
            if kept is None
            else {"feed": asdict(kept.feed), "step": kept.step, "standing": asdict(kept.standing)},
            objective={name: tensor.cpu() for name, tensor in session.asked.objective.state().items()},
        ),
    )


def resume(session: Session) -> None:
    """Stand where the checkpoint says, if there is one. Raises as `read_checkpoint` does."""
    path = session.asked.checkpoint
    found = read_checkpoint(path, training=session.digest) if path is not None else None
    if found is None:
        return
    session.network.load_state_dict(found.network)
    session.optimiser.load_state_dict(found.optimiser)
    session.scheduler.load_state_dict({**session.scheduler.state_dict(), **found.scheduler})
    session.asked.feed.restore(_feed_state(found.feed))
    session.step = found.step
    session.history = [LegResult(int(leg), loss, accuracy) for leg, loss, accuracy in found.history]
    if found.kept is not None and found.best is not None:
        standing = Standing(**found.best["standing"])
        session.kept = Kept(found.kept, _feed_state(found.best["feed"]), found.best["step"], standing)
    session.asked.objective.restore(found.objective)
    restore_rng(tuple(found.rng), session.asked.device)


# --- private ---------------------------------------------------------------------------------------


def _plain(scheduler: LRScheduler) -> dict[str, object]:
    """What a scheduler must remember; a function among it is made again from the course."""
    return {name: value for name, value in scheduler.state_dict().items() if name != "lr_lambdas"}


def _feed_state(plain: dict[str, dict[str, object] | None]) -> FeedState:
    forget, retain = (None if part is None else _loader_state(part) for part in (plain["forget"], plain["retain"]))
    if retain is None:
        raise InputError("The checkpoint counts no retained cases.", remedy="Start the training again.")
    return FeedState(forget, retain)


def _loader_state(plain: dict[str, object]) -> LoaderState:
    drawn, counts = plain["drawn"], plain["counts"]
    if not isinstance(drawn, int) or not isinstance(counts, (list, tuple)):
        raise InputError("The checkpoint's counts cannot be read.", remedy="Start the training again.")
    return LoaderState(drawn, tuple(counts))
