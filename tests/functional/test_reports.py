"""Reports of real runs: three editions that agree, of runs that passed, failed, or had nothing to do."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from helpers.commands import say
from maintain import codec
from maintain.records import RoleTable, Verdict
from maintain.vocabulary import Role
from maintain_pipelines import run

POLICY = """\
version: 1
name: odd
owner: somebody <script>alert(1)</script>
reason: outlier
claim: examples
model: {{name: fundus-triage}}
forget:
  where: {where}
limits: {{max_percent: 100}}
unlearn: {{methods: [retrain], seed: 11}}
gates: [default, {{retention: {{margin: {margin}}}}}]
"""

#: The editions of every report.
EDITIONS = ("05-report.html", "05-report.md", "05-report.json")


def policy(workspace: Path, *, where: str = "{patient.age: {gt: 70}}", margin: float = 0.3) -> Path:
    path = workspace / "policies" / "odd.yaml"
    path.write_text(POLICY.format(where=where, margin=margin), encoding="utf-8")
    return path


def folder_of(workspace: Path) -> Path:
    (folder,) = (workspace / "runs").iterdir()
    return folder


def editions(folder: Path) -> tuple[str, str, dict[str, Any]]:
    page, text, document = ((folder / name).read_text(encoding="utf-8") for name in EDITIONS)
    return html.unescape(page), text, json.loads(document)


def pictured(folder: Path) -> bool:
    return (folder / "05-report-with-images.html").exists()


def test_images_of_people_who_took_back_consent_are_shown_to_nobody(ended: Path) -> None:
    folder = folder_of(ended)
    said = say("report", folder.name, "--with-images", workspace=ended)
    assert said.code == 2, said.out + said.err
    assert "Images are not shown in a report for the reason consent" in said.err
    assert not pictured(folder)


def test_a_run_that_is_not_there_has_no_report(ended: Path) -> None:
    assert say("report", "nobody", workspace=ended).code == 2


def test_consent_is_told_without_asking_anybody_again(finished: Path) -> None:
    page, text, document = editions(folder_of(finished))
    assert document["claim"] == {
        "asked": "never-saw",
        "proven": True,
        "sentence": "This version was not trained on the excluded cases.",
    }
    assert document["attack"]["not_shown"].startswith("Not asked")
    forgotten, never_seen, retained = document["panels"]
    assert "not_shown" in forgotten["answers"]
    assert "not_shown" in never_seen["answers"]
    assert set(retained["answers"]) == {"champion", "candidate"}
    assert document["why"]["wish"]["owner"] == "imaging-ai@hospital.example"
    assert "says nothing on its behaviour" in page
    assert "says nothing on its behaviour" in text
    assert "<img" not in page


@pytest.fixture
def told(fresh: Path) -> Path:
    """A workspace in which outliers were forgotten by training anew."""
    said = say("run", policy(fresh), workspace=fresh)
    assert said.code == 0, said.out + said.err
    return fresh


def test_the_editions_agree_with_the_verdict_and_with_each_other(told: Path) -> None:
    folder = folder_of(told)
    page, text, document = editions(folder)
    verdict = codec.read(folder / "03-verdict.json", Verdict)
    assert document["gates"] == codec.encode(verdict.gates)
    words = {"pass": "PASS", "fail": "FAIL", "not-evaluated": "NOT EVALUATED"}
    for gate in verdict.gates:
        reported = "" if gate.decisive else " (reported only)"
        assert f"| {gate.gate} | {words[gate.outcome]}{reported} |" in text.replace("\\", "")
        assert f'{gate.gate} <span class="badge {gate.outcome}">{words[gate.outcome]}</span>' in page
    retained = document["panels"][2]
    for who in ("champion", "candidate"):
        value = f"{retained['answers'][who]['accuracy']['value']:.3f}"
        assert value in text
        assert value in page
    for row in (*document["by_class"]["rows"], *document["by_camera"]["rows"]):
        assert row["patients"] >= 10
        for edition in (page, text):
            assert row["value"] in edition.replace("\\", "")
            assert f"{row['candidate']['value']:.3f}" in edition
    assert re.search(r"<script", (folder / EDITIONS[0]).read_text()) is None
    assert document["seed"] == 11


def test_retained_accuracy_is_that_of_the_measurements(told: Path) -> None:
    folder = folder_of(told)
    document = editions(folder)[2]
    verdict = codec.read(folder / "03-verdict.json", Verdict)
    change = next(
        figure.value
        for gate in verdict.gates
        for figure in gate.figures
        if (gate.gate, figure.name) == ("retention", "accuracy difference")
    )
    answers = document["panels"][2]["answers"]
    found = answers["candidate"]["accuracy"]["value"] - answers["champion"]["accuracy"]["value"]
    assert found == pytest.approx(change, abs=1e-9)
    churn = next(figure.value for gate in verdict.gates for figure in gate.figures if figure.name == "churn")
    candidate = document["beside"]["contenders"][1]
    assert candidate["churn"]["value"] == pytest.approx(churn)


def test_written_again_the_editions_for_programs_are_the_same_bytes(told: Path) -> None:
    folder = folder_of(told)
    before = [(folder / name).read_bytes() for name in EDITIONS[1:]]
    said = say("report", folder.name, "--format", "json", workspace=told)
    assert said.code == 0
    assert said.document == editions(folder)[2]
    assert [(folder / name).read_bytes() for name in EDITIONS[1:]] == before
    markdown = say("report", folder.name, "--format", "markdown", workspace=told)
    assert markdown.out == (folder / EDITIONS[1]).read_text(encoding="utf-8")


def test_cases_are_named_on_the_page_alone_and_patients_nowhere(told: Path) -> None:
    folder = folder_of(told)
    (path,) = folder.glob("roles-*.jsonl")
    roles = codec.read(path, RoleTable)
    page, text, document = editions(folder)
    forgotten = [row.case_id for row in roles.of(Role.FORGET)]
    assert all(case in page for case in forgotten)
    for edition in (text, json.dumps(document)):
        assert not any(case in edition for case in forgotten)
    for edition in (page, text, json.dumps(document)):
        assert not any(row.patient in edition for row in roles.rows)


def test_images_are_in_a_file_of_their_own(told: Path) -> None:
    folder = folder_of(told)
    said = say("report", folder.name, "--with-images", workspace=told)
    assert said.code == 0, said.err
    page = (folder / "05-report-with-images.html").read_text(encoding="utf-8")
    assert 1 <= page.count("data:image/png;base64,") <= 12
    assert "<img" not in (folder / EDITIONS[0]).read_text(encoding="utf-8")
    assert not list((told / "registry").rglob("*with-images*"))


def test_measurements_that_are_gone_are_said_to_be(told: Path) -> None:
    folder = folder_of(told)
    (table,) = folder.glob("measurements-*.jsonl")
    table.unlink()
    assert say("report", folder.name, workspace=told).code == 0
    document = editions(folder)[2]
    assert "has no measurements-" in document["by_class"]["not_shown"]
    assert document["gates"]


def test_a_run_that_failed_has_its_report(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("of somebody else")

    with monkeypatch.context() as patch:
        patch.setattr(run, "unlearn", broken)
        assert say("run", policy(fresh), workspace=fresh).code == 4
    page, text, document = editions(folder_of(fresh))
    assert document["state"] == "failed"
    assert document["claim"]["proven"] is False
    assert document["by_class"]["not_shown"] == "The run reached no verdict, so no answers were measured."
    for edition in (page, text):
        assert "No gate ran, so nothing is shown." in edition
        assert "Nothing may be said of the excluded cases" in edition


def test_a_run_with_nothing_to_do_has_its_report(fresh: Path) -> None:
    said = say("run", policy(fresh, where="{study.date: {before: 1900-01-01}}"), workspace=fresh)
    assert said.code == 5, said.out + said.err
    page, text, document = editions(folder_of(fresh))
    assert document["state"] == "nothing-to-do"
    for edition in (page, text):
        assert "Nothing was trained, so there are no two versions to compare." in edition
        assert "no weights were looked at" in edition
