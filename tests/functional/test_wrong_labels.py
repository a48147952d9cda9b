"""A wrong label from its learning to its correction: the pair is forgotten, the corrected one is learned and stays.

A lineage learns a corrected label only by a new first training, after its versions were suspended: every run begins
from what the champion learned.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from helpers.commands import say

MODEL = "fundus-triage"

#: Images of the hospital that the audit condemns: some learned, some held out.
CONDEMNED = 30

POLICY = """\
version: 1
name: wrong-labels
owner: imaging-ai@hospital.example
reason: wrong-label
claim: never-saw
model: {name: fundus-triage}
forget:
  where: {label.audit: wrong}
limits: {max_percent: 100}
unlearn: {methods: [retrain], seed: 11}
gates: [default, {retention: {margin: 0.15}}]
"""


def done(*arguments: object, workspace: Path, code: int = 0) -> dict[str, Any]:
    said = say(*arguments, "--json", workspace=workspace)
    assert said.code == code, said.out + said.err
    return said.document


def ingest_labels(workspace: Path, name: str, label: str, answers: dict[str, str]) -> None:
    table = workspace.parent / name
    rows = [f"{uid},{value}" for uid, value in answers.items()]
    table.write_text("\n".join([f"SOPInstanceUID,{label}", *rows, ""]), encoding="utf-8")
    done("cohort", "ingest", table, "--kind", "labels", workspace=workspace)


@pytest.fixture
def condemned(hospital: Path) -> dict[str, str]:
    """The images that the audit condemns, with the label that each was learned with."""
    with (hospital / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["SOPInstanceUID"]: row["diagnosis"] for row in csv.DictReader(file)}
    return dict(list(rows.items())[:CONDEMNED])


def test_a_corrected_label_is_learned_again_and_stays(fresh: Path, condemned: dict[str, str]) -> None:
    policy = fresh / "policies" / "wrong-labels.yaml"
    policy.write_text(POLICY, encoding="utf-8")

    # the audit condemns, the model forgets, the revised version serves
    ingest_labels(fresh, "audit.csv", "audit", dict.fromkeys(condemned, "wrong"))
    first = done("plan", policy, workspace=fresh)
    forgotten = {row["case"]: row["label_version"] for row in first["forget"]}
    assert first["corrected"] == 0
    assert set(forgotten.values()) == {1}
    assert 0 < len(forgotten) < first["matches"]
    done("run", policy, workspace=fresh)
    done("registry", "promote", MODEL, workspace=fresh)
    without = done("cohort", "snapshot", "without", "--model", MODEL, workspace=fresh)["cases"]

    # the labels are corrected, and a new first training learns them; the mark stays where it is
    other = {"drusen": "atrophy"}
    ingest_labels(fresh, "mended.csv", "diagnosis", {uid: other.get(was, "drusen") for uid, was in condemned.items()})
    again = done("cohort", "snapshot", "again", "--model", MODEL, workspace=fresh)["cases"]
    assert again > without
    done("registry", "suspend", MODEL, "--reason", "labels were mended", workspace=fresh)
    done("model", "train", MODEL, "--snapshot", "again", "--epochs", 1, workspace=fresh)

    # nothing of it is wrong any more, and running the policy again bars nothing of it
    plan = done("plan", policy, workspace=fresh, code=5)
    assert (plan["nothing_to_do"], plan["corrected"]) == (True, plan["matches"])
    told = say("plan", policy, workspace=fresh).out
    assert f"{plan['matches']} of them stay in use: their label was corrected since it was barred." in told
    one = min(forgotten)
    (story,) = done("policy", "explain", one, "--policy", policy, workspace=fresh)["policies"]
    assert (story["matched"], story["learned"], story["role"]) == (True, True, "retain")
    assert story["role_reason"] == "label corrected since version 1 was barred"
    assert done("run", policy, workspace=fresh, code=5)["state"] == "nothing-to-do"
    assert done("cohort", "snapshot", "still", "--model", MODEL, workspace=fresh)["cases"] == again

    # who finds the corrected label wrong too says so, and it goes
    by_hand = done("cohort", "suppress", one, "--reason", "wrong-label", "--model", MODEL, workspace=fresh)
    assert by_hand["newly_suppressed"] == 1
    last = done("plan", policy, workspace=fresh)
    assert [(row["case"], row["label_version"]) for row in last["forget"]] == [(one, 2)]
    assert done("cohort", "snapshot", "less", "--model", MODEL, workspace=fresh)["cases"] == again - 1
