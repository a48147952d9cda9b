"""A letter on the command line: its identifier goes nowhere, and five people in four letters cost one retrain."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from functional.conftest import POLICY
from functional.test_canaries import forms
from helpers.commands import ENVIRONMENT, PROGRAM, Said, say
from helpers.letters import images_of, make_town, patient_id
from helpers.lineage import install, manifest_of, opened
from maintain.cohort import CohortStore, load_snapshot
from maintain.database import UnitOfWork
from maintain.hospital.headers import ISSUER
from maintain.hospital.population import patient_id_of
from maintain.intake import Pseudonyms
from maintain.records import TrainingManifest
from maintain.vocabulary import ManifestStatus
from maintain_pipelines.champions import read_version
from maintain_pipelines.context import Context
from maintain_pipelines.demo import demo_key

#: An identifier that is looked for everywhere; it is filed as a stranger's and as somebody's.
CANARY = "CANARYPID-0815^Zoe"

FORGET = (
    POLICY.replace("consent-withdrawal", "forget-requests")
    .replace("reason: consent", "reason: data-subject")
    .replace("consent.status: withdrawn", "request.status: open")
)

OTHER = "second-model"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A workspace of people with identifiers, and a model that learned from the first three."""
    root = make_town(tmp_path / "town")
    with opened(root) as context:
        install(context, manifest_of(images_of(1, 2, 3), selected=images_of(4)))
    return root


def hand_in(monkeypatch: pytest.MonkeyPatch, workspace: Path, text: str, *arguments: object) -> Said:
    """`request file` with something on stdin."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return say("request", "file", *arguments, workspace=workspace)


@pytest.mark.parametrize(
    "words",
    [
        (CANARY,),
        (f"--patient={CANARY}",),
        ("--patient", CANARY),
        (f"-P{CANARY}",),
        ("--", CANARY),
        ("--reason", CANARY),
        ("--basis", CANARY),
        ("--due", CANARY),
        ("--received", CANARY),
        ("--from", CANARY),
        ("--table", "letters.csv", CANARY),
    ],
)
def test_an_identifier_as_an_argument_is_refused_and_not_repeated(town: Path, words: tuple[str, ...]) -> None:
    before = () if "--reason" in words or "--table" in words else ("--reason", "consent")
    for extra in ((), ("--json",)):
        said = say("request", "file", *before, *extra, *words, workspace=town)
        assert said.code == 2
        assert CANARY not in said.out + said.err
    assert say("request", "list", "--all", "--json", workspace=town).document["requests"] == []


def test_what_cannot_be_meant_is_refused(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hand_in(monkeypatch, town, "").code == 2
    assert hand_in(monkeypatch, town, "\n \n", "--reason", "consent").code == 2
    assert hand_in(monkeypatch, town, "PID-0001", "--reason", "outlier").code == 2
    assert hand_in(monkeypatch, town, "PID-0001", "--reason", "consent", "--table", "x.csv").code == 2
    assert say("request", "list", "--all", "--state", "open", workspace=town).code == 2
    assert hand_in(monkeypatch, town, "PID-0001", "--reason", "consent").code == 0
    for word in ("show", "withdraw"):
        said = say("request", word, "R-2026-1", workspace=town)
        assert said.code == 2
        assert "Did you mean 'R-2026-" in said.err


def test_an_identifier_on_stdin_stays_nowhere(town: Path, tmp_path: Path) -> None:
    """Neither in a file, a word or the process that reads it, whether the person is known or not."""
    heard = b""
    for number, (named, extra) in enumerate(
        ((CANARY, ("--issuer", "HERE")), (patient_id(1), ()), (CANARY, ("--json",)))
    ):
        words = ["--workspace", str(town), "request", "file", "--reason", "consent", *extra]
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            cwd=tmp_path,
        )
        assert process.stdin is not None
        process.stdin.write(f"{named}\n".encode())
        process.stdin.flush()
        time.sleep(0.5)
        assert process.poll() is None
        for place in ("cmdline", "environ"):
            assert named.encode() not in Path(f"/proc/{process.pid}/{place}").read_bytes()
        out, err = process.communicate()
        assert process.returncode == 0, err.decode()
        heard += out + err
        assert f"R-20{time.gmtime().tm_year % 100}-000{number + 1}".encode() in out
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for needle in {form for text in (CANARY, patient_id(1)) for form in forms(text) if len(form) >= 8}:
        assert needle not in heard
        assert [path for path, data in kept.items() if needle in data] == []


def test_a_request_fans_out_and_a_model_without_a_way_keeps_it_open(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(town) as context:
        unknown = manifest_of((), selected=(), status=ManifestStatus.UNKNOWN, model=OTHER)
        install(context, unknown, salt=7)
    policy = FORGET.replace("name: fundus-triage", "name: triage")
    (town / "policies" / "forget.yaml").write_text(policy, encoding="utf-8")
    (town / "policies" / "broken.yaml").write_text("version: x", encoding="utf-8")
    said = hand_in(monkeypatch, town, patient_id(1), "--reason", "data-subject")
    assert said.code == 0, said.err
    assert "2 images to unlearn" in said.out
    assert "nobody knows what version 1 of second-model was trained on" in said.out
    assert "policies/broken.yaml is no valid policy" in said.err
    shown = say("request", "list", "--json", workspace=town).document["requests"][0]
    assert shown["state"] == "open"
    assert [lineage["model"] for lineage in shown["outlook"]["lineages"]] == [OTHER, "triage"]


def test_a_policy_of_the_workspace_is_named_with_what_starts_it(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fresh / "policies" / "forget.yaml").write_text(FORGET, encoding="utf-8")
    person = _learned_people(fresh, 1)[0]
    said = hand_in(monkeypatch, fresh, person, "--reason", "data-subject", "--issuer", ISSUER)
    assert said.code == 0, said.err
    assert "will be answered by policies/forget.yaml (no schedule: a person must run it)" in said.out


def test_five_people_in_four_letters_cost_one_retrain(fresh: Path, tmp_path: Path) -> None:
    people = _learned_people(fresh, 5)
    with (tmp_path / "letters.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["PatientID", "IssuerOfPatientID", "reason", "request"])
        rows.writerows([person, ISSUER, "data-subject", word] for person, word in zip(people, "aabcd", strict=True))
    (fresh / "policies" / "forget.yaml").write_text(FORGET, encoding="utf-8")
    filed = say("request", "file", "--table", tmp_path / "letters.csv", workspace=fresh)
    assert filed.code == 0, filed.err
    names = filed.out.split()
    assert len(names) == 4
    assert not [person for person in people if person in filed.out + filed.err]
    ran = say("run", fresh / "policies" / "forget.yaml", workspace=fresh)
    assert ran.code == 0, ran.out + ran.err
    assert len(list((fresh / "runs").iterdir())) == 1
    shown = [say("request", "show", name, "--json", workspace=fresh).document for name in names]
    assert [one["state"] for one in shown] == ["answered"] * 4
    assert [len(one["people"]) for one in shown] == [2, 1, 1, 1]
    assert len({(one["evidence"][0]["run"], one["evidence"][0]["version"]) for one in shown}) == 1
    answers = [entry["number"] for one in shown for entry in one["entries"] if entry["event"] == "request-answered"]
    assert len(set(answers)) == 4
    assert all(one["evidence"][0]["verdict_entry"] for one in shown)
    lifted = say("request", "withdraw", names[3], "--json", workspace=fresh)
    assert (lifted.code, lifted.document["still_barred"]) == (0, 0)
    second = say("cohort", "snapshot", "second", "--model", "fundus-triage", "--json", workspace=fresh)
    assert second.code == 0, second.err
    with opened(fresh) as context, context.database.read() as unit:
        theirs = [_images(unit, person) for person in people]
        assert not {ref.case_id for ref in _manifest(context, 2).learned} & set().union(*theirs)
        members = {member.case_id for member in load_snapshot(unit, "second").members}
    assert [bool(images & members) for images in theirs] == [False, False, False, False, True]


def _manifest(context: Context, version: int) -> TrainingManifest:
    return read_version(context.store, "fundus-triage", version).manifest


def _images(unit: UnitOfWork, person: str) -> set[str]:
    patient = Pseudonyms(demo_key(3)).patient(person, ISSUER)
    return {case.case_id for case in CohortStore(unit).of_patient(str(patient))}


def _learned_people(workspace: Path, count: int) -> list[str]:
    """Identifiers of people from whom the champion learned, as the hospital knows them."""
    keys = Pseudonyms(demo_key(3))
    with opened(workspace) as context, context.database.read() as unit:
        learned = {ref.case_id for ref in _manifest(context, 1).learned}
        patients = {case.patient for case in CohortStore(unit).cases() if case.case_id in learned}
    known = map(patient_id_of, range(2_000))
    found = [text for text in known if keys.patient(text, ISSUER) in patients]
    assert len(found) >= count
    return found[:count]
