"""Controls that take no step: the champion as it is, and the champion with other running statistics.

Neither changes a weight that was learned. They pass through the witness as every method does, with a log of no
steps, so that the gates see them as what they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import torch
from torch import Tensor, nn

from maintain.codec import digest_of
from maintain.errors import InputError, RefusedError
from maintain.imaging.blueprint import Blueprint, blueprint_of
from maintain.imaging.compute import deterministic, seeded
from maintain.imaging.transforms import Chain
from maintain.imaging.weights import all_finite, fill, state_of, weights_digest
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.eligibility import Eligibility
from maintain.unlearn.feed import Feed
from maintain.unlearn.foresight import unstepped
from maintain.unlearn.halving import halving
from maintain.unlearn.loop import Finished
from maintain.unlearn.revision import loader_of
from maintain.unlearn.side_by_side import options_of
from maintain.unlearn.start import Start, read_start
from maintain.unlearn.table.row import RETAIN_BATCH
from maintain.vocabulary import Role

#: The names in the table.
_NOOP, _BN_ONLY = "noop", "bn-only"


class Noop:
    """The method `noop`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether the champion could be revised at all."""
        return unstepped(_NOOP, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion's own weights. Raises `InputError` where it could not be revised."""
        self.eligible(request).require(_NOOP)
        start, blueprint = _start(request), blueprint_of(request.spec)
        feed = Feed(loader_of(request, blueprint, Role.RETAIN, RETAIN_BATCH))
        return _heard(request, feed, start, start.state)


class BnOnly:
    """The method `bn-only`."""

    def eligible(self, request: UnlearnRequest) -> Eligibility:
        """Whether the champion could be revised at all; that it keeps statistics is found when it is read."""
        return unstepped(_BN_ONLY, request).eligibility

    def unlearn(self, request: UnlearnRequest) -> Unlearned:
        """The champion's weights with running statistics that drifted towards the forgotten cases.

        Raises:
            InputError: The champion could not be revised, or keeps no running statistics.
            RefusedError: Statistics stopped being finite numbers, or memory does not hold a case.
        """
        options = options_of(_BN_ONLY, request)
        self.eligible(request).require(_BN_ONLY)
        start, blueprint = _start(request), blueprint_of(request.spec)

        def attempt(batch_size: int) -> tuple[Feed, dict[str, Tensor]]:
            retain = loader_of(request, blueprint, Role.RETAIN, RETAIN_BATCH)
            feed = Feed(retain, loader_of(request, blueprint, Role.FORGET, batch_size))
            network = _network(request, blueprint, start)
            drawn = _drawn(feed, blueprint, passes=int(options["passes"]))
            with deterministic(request.device), seeded(request.seed, request.device):
                drift(network, drawn, momentum=float(options["momentum"]))
            return feed, state_of(network)

        feed, state = halving(attempt, int(options["forget_batch"]), say=request.say)
        if not all_finite(state):
            raise RefusedError(
                "Running statistics stopped being finite numbers.", remedy="Look at the forgotten cases' pixels."
            )
        return _heard(request, feed, start, state)


def drift(network: nn.Module, batches: Iterable[Tensor], *, momentum: float) -> None:
    """Move running statistics towards these batches, and nothing else; the network is left in evaluation mode.

    statistic <- (1 - momentum) * statistic + momentum * that of the batch. Raises `InputError` where none is kept.
    """
    layers = [layer for layer in network.eval().modules() if getattr(layer, "running_mean", None) is not None]
    if not layers:
        raise InputError(
            "This network keeps no running statistics, so they cannot drift.",
            remedy="Leave `bn-only` out: there is nothing that it could show here.",
        )
    before = [layer.momentum for layer in layers]
    for layer in layers:
        layer.train()
        layer.momentum = momentum  # type: ignore[assignment]  # a plain float, which a module does not declare
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for layer, own in zip(layers, before, strict=True):
        layer.momentum = own
    network.eval()


# --- private ---------------------------------------------------------------------------------------


def _start(request: UnlearnRequest) -> Start:
    return read_start(request.read_parent, weights=request.parent_weights, manifest=digest_of(request.manifest))


def _network(request: UnlearnRequest, blueprint: Blueprint, start: Start) -> nn.Module:
    network = blueprint.build(request.seed)
    fill(network, start.state, source="the start")
    return network.to(request.device)


def _drawn(feed: Feed, blueprint: Blueprint, *, passes: int) -> Iterable[Tensor]:
    """The forgotten cases as the network reads them, so many times over; counted as they leave."""
    chain, forget = Chain(blueprint.preprocessing), feed.forget
    if forget is not None:
        for _ in repeat(None, passes * forget.batches_per_epoch):
            yield chain.apply(forget.draw().images)


def _heard(request: UnlearnRequest, feed: Feed, start: Start, state: dict[str, Tensor]) -> Unlearned:
    """Tell the witness: weights that no step led to, and whatever was handed out on the way."""
    weights, at = weights_digest(state), feed.state()
    log = feed.log(start.origin, at, final_weights=weights, steps=0)
    done = Finished(state, weights, start.origin, at, log, 0, 0, (), None)
    request.witness.hear(feed, done, recipe=None)
    return Unlearned(state)
