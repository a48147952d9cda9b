"""The policy that is kept is the one that the plan names, or it is not quoted."""

from __future__ import annotations

from pathlib import Path

from maintain.cli.catalogues import catalogues
from maintain.report import NotShown, Wish
from maintain_pipelines.kept_policy import keep_policy
from maintain_pipelines.reporting.wish import read_wish
from maintain_pipelines.rundir import POLICY, RunFolder
from maintain_policies import Policy, parse_policy

TEXT = """\
version: 1
name: retired
owner: imaging-ai@hospital.example
reason: device-deprecated
claim: group
model: {name: triage}
forget:
  where:
    all:
      - device.model: {in: [B, A]}
      - not: {any: [{patient.age: {between: [20, 30]}}, {site: {exists: false}}]}
unlearn: {methods: [retrain]}
gates: default
"""


def policy() -> Policy:
    return parse_policy(TEXT, source="retired.yaml", catalogues=catalogues())


def test_a_run_that_kept_none_says_so(tmp_path: Path) -> None:
    found = read_wish(RunFolder(tmp_path), policy().digest)
    assert isinstance(found, NotShown)
    assert "was not kept" in found.why


def test_another_policy_is_not_quoted(tmp_path: Path) -> None:
    keep_policy(policy(), RunFolder(tmp_path))
    (tmp_path / POLICY).write_text((tmp_path / POLICY).read_text().replace("hospital", "elsewhere"))
    found = read_wish(RunFolder(tmp_path), policy().digest)
    assert isinstance(found, NotShown)
    assert "not the one that the plan names" in found.why


def test_owner_and_cases_are_told_in_words(tmp_path: Path) -> None:
    keep_policy(policy(), RunFolder(tmp_path))
    found = read_wish(RunFolder(tmp_path), policy().digest)
    assert isinstance(found, Wish)
    assert found.owner == "imaging-ai@hospital.example"
    assert found.unit == "image"
    for word in ("device.model", "patient.age", "site", " and ", "not ("):
        assert word in found.where, found.where
