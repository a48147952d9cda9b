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
  options: {bn-only: {passes: 2}, neggrad-plus: {steps: 20}, scrub: {steps: 40}, salun: {steps: [10, 20]}}
  seed: 11
gates: [default, {retention: {margin: 0.15, by: [device.model]}}]
"""


def test_controls_and_rivals_are_tried_in_order_and_the_retrain_ends_it(fresh: Path) -> None:
    path = fresh / "policies" / "tried.yaml"
    path.write_text(POLICY, encoding="utf-8")
    planned = say("plan", path, workspace=fresh).out
    assert "salun (steps 10), else salun (steps 20), else retrain" in planned
    assert "Method    bn-only: 0 steps" in planned
    said = say("run", path, "--json", workspace=fresh)
    assert said.code == 0, said.out + said.err
    (folder,) = (fresh / "runs").iterdir()
    candidate = codec.read(folder / "02-candidate.json", Candidate)
    *left, taken = candidate.decisions
    assert [(one.told, one.steps, one.label) for one in left] == [
        ("noop", 0, "blind"),
        ("bn-only", 0, "tuned"),
        ("neggrad-plus", 20, "tuned"),
        ("scrub", 40, "tuned"),
        ("salun (steps 10)", 10, "tuned"),
        ("salun (steps 20)", 20, "tuned"),
    ]
    for one in left:
        assert not one.chosen
        assert "The champion shows nothing to forget" in one.reason
    assert (taken.method, taken.chosen, candidate.method) == ("retrain", True, "retrain")
    assert candidate.told == "retrain, blind"
    page = (folder / "05-report.html").read_text(encoding="utf-8")
    assert "<td>salun (steps 20)</td><td>no</td><td>tuned</td>" in page
    assert not any(weights_in_checkpoint(kept) for kept in folder.rglob("*") if kept.is_file())
