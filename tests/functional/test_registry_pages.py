"""What differs between two versions, a version on one page, and who was learned from, as the commands say it."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from helpers.commands import say
from maintain.hospital.headers import ISSUER

MODEL = "fundus-triage"


def listed(workspace: Path, number: int, name: str) -> set[str]:
    path = workspace / f"registry/{MODEL}/v{number:04d}/manifest.json"
    return {ref["case_id"] for ref in json.loads(path.read_bytes())["body"][name]}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("registry", "diff", "nobody", 1, 2), 2, "no model called"),
        (("registry", "diff", MODEL, 1, 9), 2, "no registered version of fundus-triage called '9'"),
        (("audit", "show", MODEL, 9), 2, "no registered version"),
        (("audit", "exposure"), 2, "Nobody said whose exposure"),
        (("audit", "exposure", "nobody"), 2, "no such case"),
        (("audit", "exposure", "nobody", "--patient"), 2, "no such case"),
        (("audit", "exposure", "nobody", "--issuer", "x"), 2, "--issuer"),
    ],
)
def test_what_cannot_be_meant_is_refused(finished: Path, words: tuple[object, ...], code: int, said: str) -> None:
    answer = say(*words, workspace=finished)
    assert (answer.code, said in answer.err) == (code, True), answer.err


def test_what_differs_in_both_directions(finished: Path) -> None:
    found = say("registry", "diff", MODEL, 2, 1, "--json", workspace=finished).document
    learned = next(row for row in found["lists"] if row["name"] == "learned")
    first, second = listed(finished, 2, "learned"), listed(finished, 1, "learned")
    assert (learned["first"], learned["second"]) == (len(first), len(second))
    assert (learned["only_first"], learned["only_second"]) == (0, len(second - first))
    assert learned["only_second"] > 0
    differing = {item["name"] for item in found["aspects"] if item["first"] != item["second"]}
    assert {"method", "parent", "weights", "policy", "recipe seed"} <= differing
    assert not {"labels", "preprocessing", "network", "recipe epochs"} & differing
    assert {item["name"]: (item["first"], item["second"]) for item in found["gates"]}["never-saw"] == ("pass", "-")
    text = say("registry", "diff", MODEL, 1, 2, workspace=finished).out
    assert "The same in both: code" in text
    assert max(map(len, text.splitlines())) < 400


def test_a_version_on_one_page(finished: Path) -> None:
    page = say("audit", "show", MODEL, 2, workspace=finished)
    assert page.code == 0, page.err
    for said in ("version 2 (candidate)", "policy consent-withdrawal", "reason consent", "version 2 <- random weights"):
        assert said in page.out
    for event in ("run-planned", "holdout-looked", "verdict-reached", "version-registered"):
        assert event in page.out
    found = say("audit", "show", MODEL, 1, "--json", workspace=finished).document
    assert (found["verdict"], [entry["event"] for entry in found["entries"]]) == (None, ["model-installed"])


def test_damaged_files_have_no_page(ended: Path) -> None:
    path = ended / f"registry/{MODEL}/v0002/verdict.json"
    path.write_bytes(path.read_bytes().replace(b"pass", b"fail"))
    answer = say("audit", "show", MODEL, 2, workspace=ended)
    assert answer.code == 4
    assert "not what was stored" in answer.err


def test_who_was_learned_from(finished: Path) -> None:
    both, first = listed(finished, 2, "learned"), listed(finished, 1, "learned")
    forgotten, kept = sorted(first - both)[0], sorted(both)[0]
    for case, answers in ((forgotten, ["yes", "no"]), (kept, ["yes", "yes"])):
        found = say("audit", "exposure", case, "--json", workspace=finished)
        assert found.code == 0
        assert [item["answer"] for item in found.document["versions"]] == answers
    text = say("audit", "exposure", forgotten, workspace=finished).out
    assert "NO: proven manifests back to random weights do not list it as learned." in text


def test_a_patient_is_named_on_stdin_alone(finished: Path, hospital: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = (hospital / "withdrawals.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{name}\n"))
    found = say("audit", "exposure", "--patient", "--issuer", ISSUER, "--json", workspace=finished)
    assert found.code == 0, found.err
    assert found.document["versions"][1]["answer"] == "no"
    assert name not in found.out + found.err
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert say("audit", "exposure", "--patient", workspace=finished).code == 2


def test_a_version_that_the_ledger_does_not_know_makes_the_answer_open(ended: Path) -> None:
    folder = ended / "registry" / MODEL
    shutil.copytree(folder / "v0002", folder / "v0005")
    found = say("audit", "exposure", sorted(listed(ended, 1, "learned"))[0], "--json", workspace=ended)
    assert found.code == 3
    assert found.document["versions"][2]["answer"] == "unknown"
