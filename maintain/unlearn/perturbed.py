"""The update of perturbed sign gradient: learn what the champion's boundary says, beside retained cases.

The search is the boundary room's, on the frozen champion and once, so there is no hypergradient: what is left is
relabelling, with a weight of the retained cases that may be steered, and two meanings of forgetting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from torch import Tensor, nn
from torch.nn import functional

from maintain.imaging.weights import weights_digest
from maintain.unlearn.boundary import (
    Boundary,
    BoundaryCache,
    BoundaryOptions,
    Kept,
    TargetKind,
    boundary_key,
    joined,
    search_boundary,
    targets_of,
)
from maintain.unlearn.feed import Side
from maintain.unlearn.multiplier import Multiplier
from maintain.unlearn.objective import Batch, Loss, Objective, Scene
from maintain.unlearn.psg_options import PsgChoices
from maintain.unlearn.sparing import Spared
from maintain.unlearn.table.perturbed import PsgMode

#: Tells people something; None where nobody listens.
Say: TypeAlias = Callable[[str], None] | None


class Perturbed(Objective):
    """Cross-entropy of forgotten cases with what the boundary says, plus a weight times that of retained ones.

    Steps draw forgotten cases alone where retained ones have no weight.
    """

    def __init__(self, choices: PsgChoices, *, say: Say = None) -> None:
        self._choices, self._say = choices, say

    def begin(self, scene: Scene) -> None:
        """Find the boundary of all forgotten cases, or read the one that was kept; prepare weight and mode."""
        super().begin(scene)
        choices = self._choices
        boundary = found_boundary(scene, choices.search, say=self._say)
        self._targets = _targets(boundary, choices)
        self._weight = Multiplier(scene, start=choices.remain, drop=choices.retention_drop)
        self._spared = Spared(boundary, choices.held_out_share) if choices.mode is PsgMode.SELECTIVE else None

    def side(self, step: int) -> Side:
        """Both, or forgotten cases alone."""
        return Side.BOTH if self._choices.remain else Side.FORGET

    def loss(self, network: nn.Module, batch: Batch) -> Loss:
        """The mean over forgotten cases, of which some may count nothing, plus the weighted mean over retained ones."""
        outputs = network(batch.inputs)
        count = batch.forgotten
        each = functional.cross_entropy(outputs[:count], self._targets[batch.places], reduction="none")
        if self._spared is not None:
            answered = self.rule.decide(outputs[:count].detach()) == batch.labels[:count]
            each = each * self._spared.pushed(batch.places, answered)
        if not self._choices.remain:
            return Loss(each.mean(), outputs)
        retained = self.rule.loss(outputs[count:], batch.labels[count:])
        weighted = self._weight.times(retained, batch.inputs[count:], batch.labels[count:])
        return Loss(each.mean() + weighted, outputs)

    def state(self) -> dict[str, Tensor]:
        """The weight as it stands, and which forgotten cases were last answered as labelled."""
        spared = {} if self._spared is None else {"answered": self._spared.answered}
        return {"weight": self._weight.value, **spared}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Stand where `state` says."""
        self._weight.value.copy_(state["weight"])
        if self._spared is not None:
            self._spared.answered.copy_(state["answered"])


def found_boundary(scene: Scene, options: BoundaryOptions, *, say: Say = None) -> Boundary:
    """The boundary of every forgotten case in the champion, in the loader's order, on the device of the scene.

    With a folder it is searched once for the same weights, cases, options and seed, and read by whoever goes on.
    """
    champion = scene.freeze()

    def search() -> Boundary:
        return joined(
            [
                search_boundary(
                    champion,
                    scene.chain,
                    swept.images,
                    swept.labels,
                    options,
                    seed=scene.seed,
                    first_place=int(swept.places[0]),
                )
                for swept in scene.forgotten()
            ]
        )

    if scene.cache is None or scene.feed.forget is None:
        return _said(search(), "searched", say)
    key = boundary_key(
        weights=weights_digest(champion.state_dict()),
        cases=scene.feed.forget.cases_digest,
        preprocessing=scene.blueprint.preprocessing,
        options=options,
        seed=scene.seed,
    )
    boundary, kept = BoundaryCache(scene.cache).read_or_search(key, search)
    if kept is Kept.READ:
        for _ in scene.forgotten():  # labels come from these cases all the same, so the loader counts them
            pass
    return _said(boundary.to(scene.device), kept.value, say)


# --- private ---------------------------------------------------------------------------------------


def _targets(boundary: Boundary, choices: PsgChoices) -> Tensor:
    """Labels, or a distribution over the labels a row."""
    if choices.targets is TargetKind.HARD:
        return boundary.labels
    return targets_of(boundary, choices.targets, temperature=choices.temperature)


def _said(boundary: Boundary, where: str, say: Say) -> Boundary:
    if say is not None:
        say(
            f"The boundary of {len(boundary)} forgotten cases was {where}; {boundary.uncrossed} of them do not cross "
            "it within the radius."
        )
    return boundary
