"""A search through controls and rivals, as a policy orders it: each is tried, counted and held to its screen."""

from __future__ import annotations

from pathlib import Path

from helpers.commands import say
from maintain import codec
from maintain.records import Candidate
from maintain.unlearn import weights_in_checkpoint

POLICY = """\
version: 1
name: tried
owner: imaging-ai@hospital.example
reason: device-deprecated
claim: examples
model: {name: fundus-triage}
forget:
  where: {patient.age: {gt: 70}}
limits: {max_percent: 100}
unlearn:
  methods: [noop, bn-only, neggrad-plus, scrub, salun, retrain]
  options: {bn-only: {passes: 2}, neggrad-plus: {steps: 20}, scrub: {steps: 40}, salun: {steps: 20}}
  seed: 11
gates: [default, {retention: {margin: 0.15, by: [device.model]}}]
"""


def test_controls_and_rivals_are_tried_in_order_and_the_retrain_ends_it(fresh: Path) -> None:
    path = fresh / "policies" / "tried.yaml"
    path.write_text(POLICY, encoding="utf-8")
    said = say("run", path, "--json", workspace=fresh)
    assert said.code == 0, said.out + said.err
    (folder,) = (fresh / "runs").iterdir()
    candidate = codec.read(folder / "02-candidate.json", Candidate)
    *left, taken = candidate.decisions
    assert [(one.method, one.steps) for one in left] == [
        ("noop", 0),
        ("bn-only", 0),
        ("neggrad-plus", 20),
        ("scrub", 40),
        ("salun", 20),
    ]
    for one in left:
        assert not one.chosen
        assert "The champion shows nothing to forget" in one.reason
    assert (taken.method, taken.chosen, candidate.method) == ("retrain", True, "retrain")
    assert not any(weights_in_checkpoint(kept) for kept in folder.rglob("*") if kept.is_file())
