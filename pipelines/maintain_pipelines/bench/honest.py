"""Candidates that must pass: retrains of each story's plan, and the same weights where only behaviour may decide.

A verifier that fails everybody cannot be fooled and is of no use, so honest candidates are counted beside the
impostors. Later methods add theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain_pipelines.bench.desk import BY_DEVICE, EXAMPLES, GROUP, NEVER_SAW, Desk, Story
from maintain_pipelines.bench.forge import Forgery
from maintain_pipelines.bench.impostors import Maker, references, retrained


@dataclass(frozen=True, slots=True)
class Honest:
    """A candidate that must pass, and the story whose plan it follows."""

    name: str
    doc: str
    story: Story
    make: Maker


# --- private ---------------------------------------------------------------------------------------


def _examples(desk: Desk, run: int) -> Forgery:
    model = retrained(desk, EXAMPLES, run)
    return Forgery(model.state, method="retrain", heard=model.heard)


def _behaviour(desk: Desk, run: int) -> Forgery:
    return Forgery(retrained(desk, EXAMPLES, run).state)


def _never_saw(desk: Desk, run: int) -> Forgery:
    model = retrained(desk, NEVER_SAW, run)
    return Forgery(model.state, method="retrain", heard=model.heard)


def _group(desk: Desk, run: int) -> Forgery:
    model = retrained(desk, GROUP, run)
    return Forgery(model.state, method="retrain", heard=model.heard, references=references(desk))


def _group_behaviour(desk: Desk, run: int) -> Forgery:
    return Forgery(retrained(desk, GROUP, run).state, references=references(desk))


HONEST = (
    Honest("retrain-examples", "A retrain, proven by digests.", EXAMPLES, _examples),
    Honest("retrain-by-device", "The same where retention is judged by scanner too.", BY_DEVICE, _examples),
    Honest("retrain-never-saw", "The same for the claim never-saw.", NEVER_SAW, _never_saw),
    Honest("retrain-group", "A retrain without the withdrawn scanner.", GROUP, _group),
    Honest("retrain-by-behaviour", "A retrain that only behaviour may judge.", EXAMPLES, _behaviour),
    Honest("retrain-group-by-behaviour", "The same without the withdrawn scanner.", GROUP, _group_behaviour),
)
