"""What an objective finds before the first step, on a toy model that learned its cases."""

from __future__ import annotations

from pathlib import Path

from helpers.toy_requests import toy_champion
from maintain.imaging import Chain, head_rule
from maintain.imaging.bank import bank_for
from maintain.imaging.loader import CaseLoader
from maintain.imaging.weights import fill
from maintain.unlearn.feed import Feed
from maintain.unlearn.objective import Scene, frozen_copy
from maintain.vocabulary import Role

#: Cases a batch of the toy's loaders.
FORGET_BATCH, RETAIN_BATCH = 4, 16


def toy_scene(forgotten: int, *, seed: int = 7, cache: Path | None = None) -> Scene:
    """The champion of the toy with so many forgotten cases, about to be revised."""
    toy, champion = toy_champion(forgotten)
    network = toy.blueprint.build(seed)
    fill(network, champion.state, source="the champion")

    def loader(role: Role, batch_size: int) -> CaseLoader:
        cases = toy.blueprint.loader_cases([row for row in toy.rows if row.role is role], role)
        bank = bank_for(toy.pixels, [case.pixels for case in cases], device="cpu")
        return CaseLoader(cases, bank, batch_size=batch_size, seed=seed)

    return Scene(
        network=network,
        blueprint=toy.blueprint,
        chain=Chain(toy.blueprint.preprocessing),
        rule=head_rule(toy.blueprint.head),
        feed=Feed(loader(Role.RETAIN, RETAIN_BATCH), loader(Role.FORGET, FORGET_BATCH)),
        seed=seed,
        device="cpu",
        freeze=lambda: frozen_copy(network),
        cache=cache,
    )
