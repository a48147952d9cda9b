"""One patient withdraws consent, and the model is retrained, proven, registered."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers.commands import say
from maintain import codec
from maintain.database import open_database
from maintain.records import LoaderLog, ModelVersion, Plan, RoleTable, TrainingManifest, Verdict
from maintain.vocabulary import Role
from maintain_registry import Ledger


def run_folder(workspace: Path) -> Path:
    (folder,) = (workspace / "runs").iterdir()
    return folder


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def test_the_same_wish_twice_is_told_who_must_act(ended: Path) -> None:
    said = say("run", ended / "policies" / "consent.yaml", workspace=ended)
    assert said.code == 6
    assert "answers this policy already and waits for promotion" in said.err
    assert len(list((ended / "runs").iterdir())) == 1
    planned = say("plan", ended / "policies" / "consent.yaml", workspace=ended)
    assert "version 2 of fundus-triage answers this policy already and waits for promotion; no run" in planned.out
    asked = say("plan", ended / "policies" / "consent.yaml", "--json", workspace=ended)
    assert asked.document["answered_by"] == 2


def test_a_version_is_registered_and_the_champion_serves_on(finished: Path) -> None:
    document = say("registry", "list", "--json", workspace=finished).document
    first, second = document["versions"]
    assert (first["version"], first["aliases"], first["method"]) == (1, ["champion"], "train")
    assert (second["version"], second["aliases"], second["method"]) == (2, ["candidate"], "retrain")
    assert second["parent"] == 1
    assert second["weights"] != first["weights"]


def test_the_proof_names_the_excluded_cases(finished: Path) -> None:
    folder = run_folder(finished)
    plan = codec.read(folder / "01-plan.json", Plan)
    roles = codec.read(only(folder, "roles-*.jsonl"), RoleTable, expected=plan.roles)
    forgotten = {row.case_id for row in roles.of(Role.FORGET)}
    assert forgotten
    log = codec.read(only(folder, "loader-log-*.jsonl"), LoaderLog)
    assert forgotten.isdisjoint(row.case_id for row in log.rows)
    report = (folder / "05-report.html").read_text(encoding="utf-8")
    assert all(case in report for case in forgotten)
    assert "This version was not trained on the excluded cases." in report


def test_copies_under_another_pseudonym_are_excluded_too(finished: Path) -> None:
    folder = run_folder(finished)
    roles = codec.read(only(folder, "roles-*.jsonl"), RoleTable)
    kept = {row.pixels for row in roles.of(Role.RETAIN, Role.VALIDATION, Role.HOLDOUT)}
    gone = {row.pixels for row in roles.of(Role.FORGET, Role.NEVER_SEEN, Role.NEVER_SEEN_VALIDATION)}
    assert kept.isdisjoint(gone)


def test_the_new_manifest_lists_exactly_what_was_handed_out(finished: Path) -> None:
    stored = finished / "registry" / "fundus-triage" / "v0002"
    version = codec.read(stored / "version.json", ModelVersion)
    manifest = codec.read(stored / "manifest.json", TrainingManifest, expected=version.manifest)
    log = codec.read(stored / "loader-log.jsonl", LoaderLog, expected=version.loader_log)
    assert {ref.case_id for ref in manifest.learned} == {row.case_id for row in log.rows}
    assert manifest.unlearned == ()
    assert log.final_weights == version.weights


def test_the_ledger_tells_the_story_in_order(finished: Path) -> None:
    database = open_database(finished / "maintain.db")
    with database.read() as unit:
        entries = Ledger.entries(Ledger.__new__(Ledger), unit)
    database.close()
    kinds = [entry.event.value for entry in entries]
    assert kinds == [
        "workspace-created",
        "cohort-ingested",
        "cohort-ingested",
        "split-decided",
        "snapshot-taken",
        "model-installed",
        "consent-recorded",
        "run-planned",
        "holdout-looked",
        "verdict-reached",
        "version-registered",
    ]
    assert all(entry.envelope is not None for entry in entries if entry.event.decides)


def test_the_ledger_names_no_patient(finished: Path) -> None:
    roles = codec.read(only(run_folder(finished), "roles-*.jsonl"), RoleTable)
    database = open_database(finished / "maintain.db")
    with database.read() as unit:
        told = "".join(json.dumps(dict(entry.body)) for entry in Ledger.entries(Ledger.__new__(Ledger), unit))
    database.close()
    assert not [row for row in roles.rows if row.patient in told]


def test_the_chain_is_whole_and_anchored(finished: Path) -> None:
    said = say("audit", "verify", "--json", "--require-anchor", workspace=finished)
    assert said.code == 0, said.err
    assert said.document["anchored"] is True
    assert said.document["entries"] == 11


def test_suppressed_cases_leave_the_next_snapshot(ended: Path) -> None:
    said = say("cohort", "snapshot", "second", "--model", "fundus-triage", "--json", workspace=ended)
    assert said.code == 0, said.err
    log = codec.read(ended / "registry" / "fundus-triage" / "v0001" / "loader-log.jsonl", LoaderLog)
    assert said.document["splits"]["train"]["images"] < len(log.rows)


def test_the_same_seed_gives_the_same_version(fresh: Path, finished: Path, hospital: Path) -> None:
    say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=fresh)
    assert say("run", fresh / "policies" / "consent.yaml", workspace=fresh).code == 0
    versions = [
        codec.read(place / "registry" / "fundus-triage" / "v0002" / "version.json", ModelVersion)
        for place in (fresh, finished)
    ]
    assert versions[0].weights == versions[1].weights
    assert versions[0].plan == versions[1].plan


def test_a_plan_changes_nothing(ended: Path) -> None:
    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in ended.rglob("*.json*") if path.is_file()}

    before = state()
    said = say("plan", ended / "policies" / "consent.yaml", "--json", workspace=ended)
    assert said.code == 0
    assert said.document["forget"]
    assert state() == before
    assert say("audit", "verify", "--json", workspace=ended).document["entries"] == 11


def test_nobody_withdrew_means_nothing_to_do(fresh: Path) -> None:
    policy = fresh / "policies" / "consent.yaml"
    policy.write_text(policy.read_text().replace("withdrawn}", "withdrawn, patient.age: {gt: 200}}"), encoding="utf-8")
    said = say("run", policy, workspace=fresh)
    assert said.code in (2, 5), said.out + said.err


@pytest.mark.parametrize("command", [("runs", "list"), ("model", "list"), ("model", "show", "fundus-triage")])
def test_what_is_there_can_be_looked_at(finished: Path, command: tuple[str, ...]) -> None:
    said = say(*command, workspace=finished)
    assert said.code == 0, said.err
    assert "fundus-triage" in said.out
    assert say(*command, "--json", workspace=finished).document["version"] is not None


def test_a_run_and_its_report_can_be_shown_again(ended: Path) -> None:
    run = run_folder(ended).name
    shown = say("runs", "show", run, workspace=ended)
    assert shown.code == 0, shown.err
    assert "Verdict: PASS." in shown.out
    report = run_folder(ended) / "05-report.html"
    report.unlink()
    assert say("report", run, workspace=ended).code == 0
    assert report.is_file()


LOG_WORDS = re.compile(r"[a-z0-9 .:_-]+|[0-9a-f]{64}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.IGNORECASE)


def log_of(workspace: Path) -> list[dict[str, object]]:
    text = (run_folder(workspace) / "run.log").read_text(encoding="utf-8")
    head, *lines = [json.loads(line) for line in text.splitlines()]
    assert head == {"schema": "maintain.run-log", "version": 1}
    return lines


def test_the_log_tells_each_stage_with_seconds_digests_and_gates(finished: Path) -> None:
    lines = log_of(finished)
    events = [line["event"] for line in lines]
    for stage in ("unlearn", "verify", "register", "report"):
        assert events.index(f"{stage}-begun") < events.index(f"{stage}-ended")
        (ended,) = [line for line in lines if line["event"] == f"{stage}-ended"]
        assert isinstance(ended["seconds"], float)
    told = {line["gate"]: line["outcome"] for line in lines if line["event"] == "gate"}
    verdict = codec.read(run_folder(finished) / "03-verdict.json", Verdict)
    assert told == {gate.gate: gate.outcome.value for gate in verdict.gates}
    version = codec.read(finished / "registry" / "fundus-triage" / "v0002" / "version.json", ModelVersion)
    assert version.weights in [line.get("weights") for line in lines]
    (planned,) = [line for line in lines if line["event"] == "planned"]
    assert planned["forget-cases"] == 19


def test_the_log_names_no_case_and_no_patient(finished: Path) -> None:
    text = (run_folder(finished) / "run.log").read_text(encoding="utf-8")
    roles = codec.read(only(run_folder(finished), "roles-*.jsonl"), RoleTable)
    assert len(roles.rows) > 500
    assert not [row for row in roles.rows if row.case_id in text or row.patient in text or row.pixels in text]
    values = [value for line in log_of(finished) for value in line.values() if isinstance(value, str)]
    assert not [value for value in values if LOG_WORDS.fullmatch(value) is None]
