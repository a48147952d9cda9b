"""Letters from filing to closing on the command line: retrained once, destroyed, erased, and still answered."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from functional.conftest import POLICY
from helpers.commands import Said, say
from helpers.lineage import opened
from maintain.cohort import CohortStore
from maintain.hospital.headers import ISSUER
from maintain.hospital.population import patient_id_of
from maintain.intake import Pseudonyms
from maintain.records import Case
from maintain_pipelines.champions import read_version
from maintain_pipelines.demo import demo_key

MODEL = "fundus-triage"

FORGET = (
    POLICY.replace("consent-withdrawal", "forget-requests")
    .replace("reason: consent", "reason: data-subject")
    .replace("consent.status: withdrawn", "request.status: open")
)

#: More people than the hospital of these tests has.
PEOPLE = 2_000


def learned_people(workspace: Path, count: int) -> list[str]:
    """Identifiers of people from whom the champion learned, as the hospital knows them."""
    keys = Pseudonyms(demo_key(3))
    with opened(workspace) as context, context.database.read() as unit:
        learned = {ref.case_id for ref in read_version(context.store, MODEL, 1).manifest.learned}
        patients = {case.patient for case in CohortStore(unit).cases() if case.case_id in learned}
    known = (patient_id_of(number) for number in range(PEOPLE))
    return [text for text in known if keys.patient(text, ISSUER) in patients][:count]


def file(monkeypatch: pytest.MonkeyPatch, workspace: Path, person: str) -> str:
    """File a letter; the name of its request."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{person}\n"))
    filed = say("request", "file", "--reason", "data-subject", "--issuer", ISSUER, workspace=workspace)
    assert filed.code == 0, filed.err
    name: str = say("request", "list", "--json", workspace=workspace).document["requests"][-1]["name"]
    return name


def images_of(workspace: Path, person: str) -> tuple[Case, ...]:
    """The person's images while the cohort has them."""
    patient = Pseudonyms(demo_key(3)).patient(person, ISSUER)
    assert patient is not None
    with opened(workspace) as context, context.database.read() as unit:
        return CohortStore(unit).of_patient(patient)


def asked(monkeypatch: pytest.MonkeyPatch, workspace: Path, person: str) -> Said:
    """Who learned from a person, asked with the identifier."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{person}\n"))
    return say("audit", "exposure", "--patient", "--issuer", ISSUER, "--json", workspace=workspace)


def test_three_letters_of_two_people_from_filing_to_closing(
    fresh: Path, hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = learned_people(fresh, 2)
    names = [file(monkeypatch, fresh, person) for person in (*people, people[0])]  # one of them writes twice
    cases = [case for person in people for case in images_of(fresh, person)]
    assert cases
    assert say("request", "close", names[0], "--yes", workspace=fresh).code == 6
    (fresh / "policies" / "forget.yaml").write_text(FORGET, encoding="utf-8")
    ran = say("run", fresh / "policies" / "forget.yaml", workspace=fresh)
    assert ran.code == 0, ran.out + ran.err
    early = say("request", "close", names[0], "--yes", workspace=fresh)
    assert early.code == 6
    assert f"maintain registry promote {MODEL}" in early.err
    assert f"maintain registry retire {MODEL} 1 --reason TEXT --destroy" in early.err
    for words in (("promote", MODEL), ("retire", MODEL, 1, "--reason", "letters", "--destroy", "--yes")):
        done = say("registry", *words, workspace=fresh)
        assert done.code == 0, done.err
    for name in names:
        closed = say("request", "close", name, "--yes", workspace=fresh)
        assert closed.code == 0, closed.out + closed.err
        assert say("request", "close", name, "--yes", workspace=fresh).code == 5
        assert say("request", "withdraw", name, workspace=fresh).code == 1
        shown = say("request", "show", name, "--json", workspace=fresh)
        assert (shown.code, shown.document["state"]) == (0, "closed"), shown.err
    nothing_left(fresh, cases)
    for person in people:
        answers = [item["answer"] for item in asked(monkeypatch, fresh, person).document["versions"]]
        assert answers == ["yes", "no"]
    back_again(fresh, hospital, tmp_path, people)
    nothing_left(fresh, cases)
    assert say("audit", "verify", "--require-anchor", workspace=fresh).code == 0
    assert say("plan", fresh / "policies" / "forget.yaml", workspace=fresh).code == 5
    assert "PROBLEM" not in say("doctor", workspace=fresh).out


def back_again(workspace: Path, hospital: Path, tmp_path: Path, people: list[str]) -> None:
    """The sources are read once more, and a register that names the people."""
    assert say("cohort", "ingest", hospital / "dicom", workspace=workspace).code == 0
    assert say("cohort", "ingest", hospital / "labels.csv", "--kind", "labels", workspace=workspace).code == 0
    with (tmp_path / "register.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("PatientID", "IssuerOfPatientID", "status", "date"))
        rows.writerows((person, ISSUER, "withdrawn", "2026-03-31") for person in people)
    said = say("cohort", "ingest", tmp_path / "register.csv", "--kind", "consent", workspace=workspace)
    assert said.code == 0, said.err


def nothing_left(workspace: Path, cases: list[Case]) -> None:
    """No file holds a pseudonym of the people or their visits, none but the database what their images show."""
    marks = {mark for case in cases for mark in (case.patient, case.study, case.series)}
    pixels = {case.pixels for case in cases}
    for path in (path for path in workspace.rglob("*") if path.is_file()):
        data, barring = path.read_bytes(), path.name.startswith("maintain.db")
        for mark in marks | (set() if barring else pixels):
            assert mark.encode() not in data, path.relative_to(workspace)
            assert bytes.fromhex(mark) not in data, path.relative_to(workspace)
