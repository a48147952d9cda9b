"""Selection, limits, suppression and explanations, asked for as a person asks: through the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from helpers.commands import say
from maintain import codec
from maintain.cohort import CohortStore, splits_of
from maintain.database import open_database, tables
from maintain.records import Case, LoaderLog
from maintain.vocabulary import Split
from maintain_registry import Entry, Ledger

POLICY = """\
version: 1
name: {name}
owner: imaging-ai@hospital.example
reason: {reason}
claim: never-saw
model: {{name: fundus-triage}}
forget:
  where: {where}
  unit: {unit}
limits: {limits}
unlearn: {{methods: [retrain], seed: 11}}
gates: [default, {{retention: {{margin: 0.15}}}}]
"""


def write_policy(
    workspace: Path,
    where: str,
    *,
    name: str = "tried",
    reason: str = "device-deprecated",
    unit: str = "image",
    limits: str = "{max_percent: 100}",
) -> Path:
    path = workspace / "policies" / f"{name}.yaml"
    path.write_text(POLICY.format(name=name, where=where, reason=reason, unit=unit, limits=limits), encoding="utf-8")
    return path


def entries(workspace: Path) -> Sequence[Entry]:
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        found = Ledger.entries(Ledger.__new__(Ledger), unit)
    database.close()
    return found


def cohort(workspace: Path) -> dict[str, Case]:
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        found = {case.case_id: case for case in CohortStore(unit).cases()}
    database.close()
    return found


def learned(workspace: Path) -> set[str]:
    log = codec.read(workspace / "registry" / "fundus-triage" / "v0001" / "loader-log.jsonl", LoaderLog)
    return {row.case_id for row in log.rows}


def document(*arguments: object, workspace: Path, code: int = 0) -> dict[str, Any]:
    said = say(*arguments, "--json", workspace=workspace)
    assert said.code == code, said.out + said.err
    return said.document


def one_that_nobody_learned(workspace: Path) -> Case:
    """A held-out case of which no copy was learned."""
    known, seen = cohort(workspace), learned(workspace)
    pictures = {known[case_id].pixels for case_id in seen}
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        sides = splits_of(unit, "fundus-triage")
    database.close()
    held_out = (case for case in known.values() if sides[case.patient] is Split.HOLDOUT)
    return next(case for case in held_out if case.pixels not in pictures)


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_value_that_no_case_ever_had_is_refused_with_the_nearest(fresh: Path, command: str) -> None:
    before = len(entries(fresh))
    said = say(command, write_policy(fresh, "{device.model: Retivue NM45}"), workspace=fresh)
    assert said.code == 2
    assert "device.model is never 'Retivue NM45' (nearest: 'Retivue NM-45')" in said.err
    assert len(entries(fresh)) == before
    assert not list((fresh / "runs").glob("*"))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("{}", "100.0 % of what the champion learned, more than max_percent 30"),
        ("{max_percent: 100, max_patients: 3}", "more than max_patients 3"),
        ("{max_percent: 100, max_percent_of_any_label: 99}", "more than max_percent_of_any_label 99"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_policy_that_selects_everybody_stops_before_any_training(
    fresh: Path, command: str, limits: str, said: str
) -> None:
    before = len(entries(fresh))
    answer = say(command, write_policy(fresh, "{device.model: {exists: true}}", limits=limits), workspace=fresh)
    assert answer.code == 2
    assert said in answer.err
    assert len(entries(fresh)) == before
    assert not list((fresh / "runs").glob("*"))


def test_a_limit_counts_what_a_match_pulls_in(fresh: Path) -> None:
    known = cohort(fresh)
    case = next(known[case_id] for case_id in sorted(learned(fresh)))
    where = f"{{study.date: {case.study_date}, device.serial: {json.dumps(case.device.serial)}}}"
    alone = document("plan", write_policy(fresh, where), workspace=fresh)
    whole = document("plan", write_policy(fresh, where, unit="patient"), workspace=fresh)
    images = whole["reach"]["images"]
    assert images["touched"] > alone["reach"]["images"]["touched"]
    between = (images["percent"] + alone["reach"]["images"]["percent"]) / 2
    limits = f"{{max_percent: {between}}}"
    assert say("plan", write_policy(fresh, where, limits=limits), workspace=fresh).code == 0
    assert say("plan", write_policy(fresh, where, limits=limits, unit="patient"), workspace=fresh).code == 2


# --- nothing to do ---------------------------------------------------------------------------------


def test_nobody_matches(fresh: Path) -> None:
    policy = write_policy(fresh, "{patient.age: {gt: 200}}")
    planned = say("plan", policy, workspace=fresh)
    assert planned.code == 5
    assert "Nothing would be trained or suppressed. Is the test as it was meant?" in planned.out
    answer = document("run", policy, workspace=fresh, code=5)
    assert answer["state"] == "nothing-to-do"
    entry = entries(fresh)[-1]
    assert (entry.event.value, entry.body["cases"], entry.body["newly_suppressed"]) == ("cases-suppressed", 0, 0)
    assert document("registry", "list", workspace=fresh)["versions"][-1]["version"] == 1


def test_matches_that_nobody_learned_are_suppressed_and_leave_the_next_snapshot(fresh: Path) -> None:
    case = one_that_nobody_learned(fresh)
    where = f"{{study.date: {case.study_date}, device.serial: {json.dumps(case.device.serial)}}}"
    policy = write_policy(fresh, where, reason="outlier")
    planned = document("plan", policy, workspace=fresh, code=5)
    if not planned["nothing_to_do"]:
        pytest.fail("the drawn hospital has no held-out visit of its own; draw another")
    text = say("plan", policy, workspace=fresh).out
    assert "learned from none of them: they would be suppressed, and nothing trained." in text
    assert planned["prospects"] == []
    assert planned["release_chance"] is None
    before = document("cohort", "snapshot", "before", "--model", "fundus-triage", workspace=fresh)["cases"]
    said = say("run", policy, workspace=fresh)
    assert said.code == 5
    assert f"{planned['matches']} cases newly suppressed." in said.out
    entry = entries(fresh)[-1]
    assert entry.event.value == "cases-suppressed"
    assert entry.body["newly_suppressed"] == planned["matches"]
    assert entry.body["reason"] == "outlier"
    assert not any(name in json.dumps(dict(entry.body)) for name in (case.case_id, case.patient))
    after = document("cohort", "snapshot", "after", "--model", "fundus-triage", workspace=fresh)["cases"]
    assert after < before
    assert say("runs", "list", workspace=fresh).out.count("nothing-to-do") == 1


# --- suppression by hand ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--reason", "consent"), 2, "Nobody said which cases"),
        (("nobody", "--reason", "consent"), 2, "does not have 1 of the 1 cases"),
        (("nobody", "--where", "patient.sex=F", "--reason", "consent"), 2, "one of the two"),
        (("--where", "patient.sex=F", "--reason", "whim"), 2, "whim"),
        (("--where", "patient.sex=F", "--reason", "outlier"), 2, "--model"),
        (("--where", "patient.sex=F", "--reason", "outlier", "--model", "fundus-triag"), 2, "'fundus-triage'"),
        (("--where", "patient.sex=F", "--reason", "consent", "--model", "fundus-triage"), 2, "holds everywhere"),
        (("--where", "device.model=Retivue", "--reason", "consent"), 2, "nearest: 'Retivue NM-45'"),
        (("--where", "patient.sx=F", "--reason", "consent"), 2, "patient.sex"),
        (("--where", "{patient.age: {gt: 200}}", "--reason", "consent"), 5, "No case matches"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(trained: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    before = len(entries(trained))
    answer = say("cohort", "suppress", *arguments, workspace=trained)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert len(entries(trained)) == before


def test_a_person_is_suppressed_everywhere_with_every_copy_once(fresh: Path) -> None:
    known = cohort(fresh)
    pictures: dict[str, list[str]] = {}
    for case in known.values():
        pictures.setdefault(case.pixels, []).append(case.case_id)
    twins = next(ids for ids in pictures.values() if len({known[one].patient for one in ids}) > 1)
    before = len(entries(fresh))
    done = document("cohort", "suppress", twins[0], "--reason", "data-subject", workspace=fresh)
    assert (done["cases"], done["copies"], done["newly_suppressed"]) == (1, len(twins) - 1, len(twins))
    assert done["model"] is None
    entry = entries(fresh)[-1]
    assert (entry.event.value, entry.body["newly_suppressed"]) == ("cases-suppressed", len(twins))
    assert len(entry.body["patients"]) == len({known[one].patient for one in twins})  # type: ignore[arg-type]
    assert not any(name in json.dumps(dict(entry.body)) for one in twins for name in (one, known[one].patient))
    again = document("cohort", "suppress", twins[0], "--reason", "data-subject", workspace=fresh)
    assert again["newly_suppressed"] == 0
    assert len(entries(fresh)) == before + 1
    story = document("policy", "explain", twins[1], "--policy", fresh / "policies" / "consent.yaml", workspace=fresh)[
        "policies"
    ][0]
    assert story["suppressed"] == "suppressed: data-subject"
    assert story["role"] == "suppressed"


def test_a_device_is_suppressed_in_its_lineage_and_each_reason_stands_for_itself(fresh: Path) -> None:
    model = ("--model", "fundus-triage")
    first = ("cohort", "suppress", "--where", "device.model=Retivue NM-45", *model, "--reason")
    whole = document("cohort", "snapshot", "whole", *model, workspace=fresh)["cases"]
    wrong = document(*first, "wrong-label", workspace=fresh)
    assert wrong["newly_suppressed"] == wrong["cases"] > 0
    gone = document(*first, "device-deprecated", workspace=fresh)
    assert gone["newly_suppressed"] == gone["cases"] == wrong["cases"]
    rest = document("cohort", "snapshot", "rest", *model, workspace=fresh)["cases"]
    assert rest < whole
    assert document("cohort", "status", workspace=fresh)["suppressed"] == gone["cases"]
    assert say("cohort", "split", "other", workspace=fresh).code == 0
    other = document("cohort", "snapshot", "other", "--model", "other", workspace=fresh)["cases"]
    assert other > rest


def test_a_suppressed_person_is_refused_at_the_door_with_the_word_only(fresh: Path, hospital: Path) -> None:
    case = one_that_nobody_learned(fresh)
    document("cohort", "suppress", case.case_id, "--reason", "consent", workspace=fresh)
    report = document("cohort", "ingest", hospital / "dicom", workspace=fresh)["reports"][0]
    assert report["rejected"] == {}  # nothing new to read
    database = open_database(fresh / "maintain.db")
    with database.begin() as unit:
        unit.execute(update(tables.file).values(mtime_ns=1))  # as if every file had been touched
    database.close()
    report = document("cohort", "ingest", hospital / "dicom", workspace=fresh)["reports"][0]
    assert report["rejected"] == {"suppressed-consent": 1}


# --- explanations and plans ------------------------------------------------------------------------


def test_an_unknown_case_is_refused(trained: Path) -> None:
    said = say("policy", "explain", "nobody", "--policy", trained / "policies" / "consent.yaml", workspace=trained)
    assert said.code == 2
    assert "no such case" in said.err


def test_a_case_is_explained_part_by_part(fresh: Path) -> None:
    known = cohort(fresh)
    case = known[min(learned(fresh))]
    model = json.dumps(case.device.model)
    matching = write_policy(fresh, f"{{device.model: {model}, patient.age: {{lt: 200}}}}", name="matching")
    missing = write_policy(fresh, f"{{device.model: {model}, patient.age: {{gt: 200}}}}", name="missing")
    hit, miss = document("policy", "explain", case.case_id, "--policy", matching, "--policy", missing, workspace=fresh)[
        "policies"
    ]
    assert (hit["matched"], hit["role"]) == (True, "forget")
    assert hit["test"] == hit["role_reason"] == f"device.model is {model} and patient.age < 200"
    assert (miss["matched"], miss["role"]) == (False, "retain")
    assert miss["test"] == "patient.age > 200"
    assert (miss["learned"], miss["split"], miss["suppressed"]) == (True, "train", None)
    text = say("policy", "explain", case.case_id, "--policy", missing, workspace=fresh).out
    assert "matches     no: patient.age > 200 does not hold" in text
    assert "role        retain: learned by the champion" in text
    assert (hit["schedule"], "due  " in text) == (None, False)


def test_an_explanation_says_when_the_policy_is_due(fresh: Path) -> None:
    case, policy = min(learned(fresh)), write_policy(fresh, "{patient.age: {gt: 200}}")
    policy.write_text(policy.read_text(encoding="utf-8") + 'schedule: {cron: "0 3 * * 0", zone: Europe/Vienna}\n')
    assert (
        "due         at 0 3 * * 0 by the clocks of Europe/Vienna"
        in say(*("policy", "explain", case, "--policy", policy), workspace=fresh).out.splitlines()
    )
    (story,) = document("policy", "explain", case, "--policy", policy, workspace=fresh)["policies"]
    assert story["schedule"] == "0 3 * * 0 Europe/Vienna"


def test_what_a_match_pulls_in_and_copies_are_explained(fresh: Path) -> None:
    known, seen = cohort(fresh), learned(fresh)
    first = next(
        case
        for case in known.values()
        for other in known.values()
        if case.case_id in seen and other.pixels == case.pixels and other.patient != case.patient
    )
    copy = next(c for c in known.values() if c.pixels == first.pixels and c.patient != first.patient)
    where = f"{{study.date: {first.study_date}, device.serial: {json.dumps(first.device.serial)}}}"
    policy = write_policy(fresh, where, unit="patient")
    of_copy = document("policy", "explain", copy.case_id, "--policy", policy, workspace=fresh)["policies"][0]
    assert {"case_id": first.case_id, "same_patient": False, "role": "forget"} in of_copy["copies"]
    assert of_copy["role"] == "forget"
    assert of_copy["matched"] or of_copy["selected"] == "exact copy of a selected image"
    others = [case for case in known.values() if case.patient == first.patient and case.study != first.study]
    if others:
        pulled = document("policy", "explain", others[0].case_id, "--policy", policy, workspace=fresh)["policies"][0]
        assert pulled["selected"] == "same patient as a match"


def test_a_case_without_a_role_is_told_why(fresh: Path) -> None:
    case = one_that_nobody_learned(fresh)
    database = open_database(fresh / "maintain.db")
    with database.begin() as unit:
        unit.execute(delete(tables.lineage_split).where(tables.lineage_split.c.patient == case.patient))
    database.close()
    policy = write_policy(fresh, "{patient.age: {gt: 200}}")
    story = document("policy", "explain", case.case_id, "--policy", policy, workspace=fresh)["policies"][0]
    assert (story["role"], story["split"]) == (None, None)
    assert story["role_reason"] == "its patient has no side in this lineage yet"


def test_a_plan_is_told_to_a_person(fresh: Path, hospital: Path) -> None:
    say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=fresh)
    policy = write_policy(
        fresh, "{consent.status: withdrawn}", reason="consent", unit="patient", limits="{max_patients: 50}"
    )
    told = document("plan", policy, workspace=fresh)
    reach = told["reach"]
    known, seen = cohort(fresh), learned(fresh)
    forgotten = {row["case"] for row in told["forget"]}
    assert reach["images"] == {
        "touched": len(forgotten),
        "learned": len(seen),
        "percent": pytest.approx(100 * len(forgotten) / len(seen), abs=0.001),
    }
    for kind, key in (("patients", "patient"), ("studies", "study")):
        assert reach[kind]["touched"] == len({getattr(known[one], key) for one in forgotten})
        assert reach[kind]["learned"] == len({getattr(known[one], key) for one in seen})
    cases = [known[one] for one in forgotten]
    labels = {label.value for case in cases if (label := case.label("diagnosis"))}
    for kind, names in (("devices", {case.device.model for case in cases}), ("labels", labels)):
        assert {row["name"] for row in reach[kind]} == names
        assert sum(row["touched"] for row in reach[kind]) == len(forgotten)
    used = {limit["name"]: (limit["used"], limit["most"]) for limit in told["limits"]}
    assert used["max_patients"] == (reach["patients"]["touched"], 50)
    assert used["max_percent"][1] == 30
    (method,) = told["methods"]
    assert 0 < method["steps"] <= method["champion_steps"] < method["budget_steps"]
    assert told["claim"]["claim"] == "never-saw"
    assert [slot["alpha"] for slot in told["plan"]["slots"]] == [0.0125, 0.0125]
    foreseen = {row["gate"]: row for row in told["prospects"]}
    assert list(foreseen) == ["integrity", "never-saw", "retention"]
    assert foreseen["never-saw"]["cases"] == len(forgotten)
    assert foreseen["never-saw"]["chance"] is None
    assert told["release_chance"] == foreseen["retention"]["chance"] > 0.8
    said = say("plan", policy, workspace=fresh)
    assert "Warning" not in said.err
    text = said.out
    for words in (
        "smallest visible",
        "chance to pass",
        "loss against the champion",
        "to forget",
        "device Retivue NM-45",
        "label drusen",
        "max_patients (patients)",
        "not limited",
        "never-saw (reason consent): the new version was not trained on these images.",
        "by digests alone",
        f"retrain: {method['steps']} steps; the champion's own training took {method['champion_steps']}",
        "Slot 2    not used: slot 1 is a retrain already.",
        "Looser than default@1",
    ):
        assert words in text, words


def test_a_plan_that_honesty_would_not_pass_warns_before_time_is_spent(fresh: Path) -> None:
    policy = write_policy(fresh, "{patient.age: {ge: 75}}")
    policy.write_text(policy.read_text(encoding="utf-8").replace("margin: 0.15", "margin: 0.01"), encoding="utf-8")
    told = document("plan", policy, workspace=fresh)
    assert told["release_chance"] < 0.8
    said = say("plan", policy, workspace=fresh)
    assert said.code == 0
    assert "Warning: The chance that an honest retrain of unchanged quality passes is" in said.err
    assert "Warning" not in said.out
