"""What changed since the last run of a policy: told from its plan and its file, or said to be no longer known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from helpers.toy_lineage import FINETUNE, Lineage, make_lineage
from maintain import codec
from maintain.cli.catalogues import catalogues
from maintain.cli.plan_since import changed_document, changed_lines
from maintain.database.tables import run as runs
from maintain.records import Match, MatchTable, Plan, RoleTable, Slot
from maintain.vocabulary import Claim, Role
from maintain_pipelines.kept_policy import keep_policy
from maintain_pipelines.rundir import PLAN, POLICY, RunFolder
from maintain_pipelines.select import Selection
from maintain_pipelines.since import KeyChange, MatchChange, RoleChange, since_last_run
from maintain_policies import Policy, parse_policy

TEXT = """\
version: 1
name: device-out
owner: imaging-ai@hospital.example
reason: device-deprecated
claim: group
model: {name: toy}
forget:
  where: {device.model: Cirrus 800 FA}
limits: {max_patients: 10}
unlearn: {methods: [finetune, retrain], seed: 5}
"""


def policy_of(text: str = TEXT) -> Policy:
    return parse_policy(text, catalogues=catalogues(), source="policy.yaml")


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    made = make_lineage(tmp_path, claim=Claim.GROUP)
    return replace(made, plan=replace(made.plan, policy=policy_of().digest, policy_name="device-out"))


def record(lineage: Lineage, name: str, *, plan: Plan | None = None, matches: tuple[str, ...] = ()) -> RunFolder:
    """A run of that policy, as it leaves its folder and its row."""
    planned = plan or lineage.plan
    folder = RunFolder(lineage.context.workspace.runs / name)
    folder.create()
    folder.write(PLAN, planned)
    folder.write_table("roles", lineage.roles)
    keep_policy(policy_of(), folder)
    digest = folder.write_table("matches", MatchTable(tuple(Match(case, "") for case in matches)))
    row = {"run": name, "model": "toy", "policy": planned.policy, "policy_name": planned.policy_name, "slot": 1}
    with lineage.context.database.begin() as unit:
        values = {"champion": planned.champion.weights, "state": "rejected", "started": name, "changed": name}
        unit.execute(insert(runs), row | values | {"matches": digest})
    return folder


def selection_of(lineage: Lineage, plan: Plan | None = None, roles: RoleTable | None = None) -> Selection:
    return Selection(plan or lineage.plan, roles or lineage.roles, (), lineage.champion)


def test_the_first_run_of_a_policy_is_said_to_be_that(lineage: Lineage) -> None:
    record(lineage, "1", plan=replace(lineage.plan, policy_name="another"))
    since = since_last_run(policy_of(), selection_of(lineage), lineage.context)
    assert since is None
    assert changed_lines("device-out", since) == ["", "Changed   This is the first run of device-out."]
    assert changed_document(since) == {"first_run": True}


def test_nothing_changed_is_said_too(lineage: Lineage) -> None:
    record(lineage, "1", plan=replace(lineage.plan, seed=9))
    record(lineage, "2")
    since = since_last_run(policy_of(), selection_of(lineage), lineage.context)
    assert since is not None
    assert (since.run, since.nothing) == ("2", True)
    assert changed_lines("device-out", since)[1].endswith("nothing; the same would be planned again.")


def test_keys_of_the_file_and_of_the_plan_are_told_once_each(lineage: Lineage) -> None:
    record(lineage, "1")
    changed = policy_of(TEXT.replace("Cirrus 800 FA", "Topcon").replace("max_patients: 10", "max_patients: 20"))
    gates = tuple(
        replace(gate, decisive=not gate.decisive) if gate.name == "retention" else gate for gate in lineage.plan.gates
    )
    plan = replace(lineage.plan, policy=changed.digest, seed=6, gates=gates, slots=(Slot(1, (FINETUNE,), 0.0125),))
    since = since_last_run(changed, selection_of(lineage, plan), lineage.context)
    assert since is not None
    assert since.policy is not None
    assert [change.key for change in since.policy] == ["forget.where", "limits.max_patients"]
    assert since.policy[1] == KeyChange("limits.max_patients", "10", "20")
    assert [change.key for change in since.terms] == ["unlearn.seed", "unlearn.methods", "gates.retention"]
    assert KeyChange("unlearn.methods", "finetune, retrain", "finetune") in since.terms
    told = "\n".join(changed_lines("device-out", since))
    assert "limits.max_patients: 10 -> 20" in told
    assert "gates.retention: decisive -> reported" in told


@pytest.mark.parametrize("damage", ["gone", "broken", "forged"])
def test_a_policy_that_was_not_kept_is_not_compared(lineage: Lineage, damage: str) -> None:
    path = record(lineage, "1").path / POLICY
    if damage == "gone":
        path.unlink()
    else:
        path.write_text("{broken" if damage == "broken" else json.dumps({"owner": "somebody"}), encoding="utf-8")
    changed = policy_of(TEXT.replace("max_patients: 10", "max_patients: 20"))
    since = since_last_run(changed, selection_of(lineage), lineage.context)
    assert since is not None
    assert since.policy is None
    assert "was not kept" in changed_lines("device-out", since)[2]


def test_a_plan_that_is_gone_leaves_what_the_journal_knows(lineage: Lineage) -> None:
    (record(lineage, "1").path / PLAN).unlink()
    since = since_last_run(policy_of(), selection_of(lineage), lineage.context)
    assert since is not None
    assert (since.same_policy, since.plan_known, since.champion_before, since.nothing) == (True, False, None, False)
    assert "no longer there" in "\n".join(changed_lines("device-out", since))


def test_cohort_and_champion_are_told_in_counts_and_no_case_is_named(lineage: Lineage) -> None:
    record(lineage, "1", matches=("gone-1", "gone-2"))
    forgotten = lineage.roles.of(Role.FORGET)
    rows = tuple(replace(row, role=Role.SUPPRESSED) if row in forgotten[:3] else row for row in lineage.roles.rows)
    roles = RoleTable(rows)
    counts = tuple(
        replace(count, cases=count.cases - 3) if count.role is Role.FORGET else count for count in lineage.plan.counts
    )
    champion = replace(lineage.plan.champion, version=2)
    plan = replace(lineage.plan, counts=counts, roles=codec.digest_of(roles), champion=champion)
    since = since_last_run(policy_of(), selection_of(lineage, plan, roles), lineage.context)
    assert since is not None
    assert since.matches == MatchChange(0, 2)
    assert since.newly_suppressed == 3
    assert since.roles == (RoleChange(Role.FORGET, 48, 45),)
    told = "\n".join(changed_lines("device-out", since)) + json.dumps(changed_document(since))
    assert "The champion is version 2; it was version 1." in told
    assert not any(row.case_id in told or row.patient in told for row in rows)
    assert "gone-1" not in told


def test_lists_that_are_gone_are_said_to_be(lineage: Lineage) -> None:
    folder = record(lineage, "1")
    for path in folder.path.glob("*.jsonl"):
        path.unlink()
    since = since_last_run(policy_of(), selection_of(lineage), lineage.context)
    assert since is not None
    assert (since.matches, since.newly_suppressed, since.nothing) == (None, None, False)
    assert "no longer in its folder" in "\n".join(changed_lines("device-out", since))
