"""Letters on the command line: four requests that one retrain answers are four letters, and none names anybody."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from functional.conftest import POLICY
from helpers.commands import say
from helpers.letters import images_of, make_town, name_of, patient_id, wish
from helpers.lineage import install, manifest_of, opened
from maintain.cohort import CohortStore
from maintain.hashing import digest_bytes
from maintain.hospital.headers import ISSUER
from maintain.hospital.population import patient_id_of
from maintain.intake import Pseudonyms
from maintain_pipelines.champions import read_version
from maintain_pipelines.demo import demo_key

FORGET = (
    POLICY.replace("consent-withdrawal", "forget-requests")
    .replace("reason: consent", "reason: data-subject")
    .replace("consent.status: withdrawn", "request.status: open")
)


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A model learned from three people, and the first of them wrote."""
    root = make_town(tmp_path / "town")
    with opened(root) as context:
        install(context, manifest_of(images_of(1, 2, 3), selected=()))
        wish(context, 1)
    return root


def request_of(workspace: Path) -> str:
    (found,) = say("request", "list", "--json", workspace=workspace).document["requests"]
    return str(found["name"])


def test_what_cannot_be_written_is_refused(town: Path, tmp_path: Path) -> None:
    name, taken = request_of(town), tmp_path / "letter.md"
    taken.write_text("mine", encoding="utf-8")
    assert say("request", "reply", "R-1999-0001", workspace=town).code == 2
    assert say("request", "reply", name, "--format", "pdf", workspace=town).code == 2
    for place in (taken, town / "letter.md", tmp_path / "nowhere" / "letter.md"):
        assert say("request", "reply", name, "--output", place, workspace=town).code == 2
    assert taken.read_text(encoding="utf-8") == "mine"
    assert say("request", "show", name, "--json", workspace=town).document["replied"] is None


def test_a_letter_is_printed_or_filed_and_shown_as_written(town: Path, tmp_path: Path) -> None:
    name, path = request_of(town), tmp_path / "letter.md"
    printed = say("request", "reply", name, workspace=town)
    assert printed.code == 0, printed.err
    filed = say("request", "reply", name, "--output", path, "--json", workspace=town)
    document = filed.document
    assert (document["again"], document["file"], document["text"]) == (True, str(path), None)
    assert path.read_text(encoding="utf-8") == printed.out
    assert digest_bytes(path.read_bytes()) == document["digest"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [part["title"] for part in document["letter"]["parts"]] == [
        "What we found",
        "What we have done",
        "What we have not done, and why",
    ]
    shown = say("request", "show", name, workspace=town)
    assert "while it was open" in shown.out
    heard = printed.out + filed.out + shown.out
    assert not [secret for secret in (patient_id(1), name_of(1), "case-0001") if secret in heard]
    assert say("audit", "verify", workspace=town).code == 0


def test_four_requests_of_one_retrain_are_four_letters(fresh: Path, tmp_path: Path) -> None:
    people = learned_people(fresh, 5)
    with (tmp_path / "letters.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["PatientID", "IssuerOfPatientID", "reason", "request"])
        rows.writerows([person, ISSUER, "data-subject", word] for person, word in zip(people, "aabcd", strict=True))
    (fresh / "policies" / "forget.yaml").write_text(FORGET, encoding="utf-8")
    names = say("request", "file", "--table", tmp_path / "letters.csv", workspace=fresh).out.split()
    assert len(names) == 4
    before = [say("request", "reply", name, workspace=fresh).out for name in names]
    assert all("The next retraining makes one; a member of staff has to start it." in text for text in before)
    ran = say("run", fresh / "policies" / "forget.yaml", workspace=fresh)
    assert ran.code == 0, ran.out + ran.err
    (run,) = (path.name for path in (fresh / "runs").iterdir())
    letters = [say("request", "reply", name, "--json", workspace=fresh).document for name in names]
    assert [letter["lineages"][0]["evidence"]["run"] for letter in letters] == [run] * 4
    assert [len(letter["people"]) for letter in letters] == [2, 1, 1, 1]
    own = [entry["hash"] for one in letters for entry in one["entries"] if entry["event"] == "request-answered"]
    assert len(set(own)) == 4
    for name, letter, digest in zip(names, letters, own, strict=True):
        text = letter["text"]
        assert f"Our reply to your request {name}" in text
        assert "Version 2 was made without" in text
        assert run in text
        assert [other for other in own if other in text] == [digest]
        assert [other for other in names if other in text] == [name]
    assert len({letter["digest"] for letter in letters}) == len({letter["entry"] for letter in letters}) == 4
    assert not [person for person in people if person in json.dumps(letters) + "".join(before)]
    assert say("audit", "verify", workspace=fresh).code == 0


def learned_people(workspace: Path, count: int) -> list[str]:
    """Identifiers of people from whom the champion learned, as the hospital knows them."""
    keys = Pseudonyms(demo_key(3))
    with opened(workspace) as context, context.database.read() as unit:
        learned = {ref.case_id for ref in read_version(context.store, "fundus-triage", 1).manifest.learned}
        patients = {case.patient for case in CohortStore(unit).cases() if case.case_id in learned}
    found = [text for text in map(patient_id_of, range(2_000)) if keys.patient(text, ISSUER) in patients]
    assert len(found) >= count
    return found[:count]
