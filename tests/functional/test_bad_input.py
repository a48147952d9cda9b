"""Input that is wrong: one clear paragraph, the right exit code, nothing lost, nothing half registered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from functional.conftest import POLICY
from helpers.commands import ENVIRONMENT, PROGRAM, say
from helpers.dicom_files import instance_uid, write_dicom
from helpers.refusing import refused, registry_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A workspace that has read nothing."""
    assert say("init", tmp_path / "empty", "--registry", "folder").code == 0
    return tmp_path / "empty"


# --- sources ---------------------------------------------------------------------------------------


def test_an_empty_folder(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    refused("cohort", "ingest", tmp_path / "nothing", workspace=empty, says="holds no file", remedy="Name the folder")


def test_a_folder_without_dicom(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.dcm").write_text("Dear Jane")
    said = refused("cohort", "ingest", tmp_path / "letters", workspace=empty, says="None of the 1 files")
    assert "letters" not in said.err


def test_a_missing_folder(empty: Path, tmp_path: Path) -> None:
    refused("cohort", "ingest", tmp_path / "gone", workspace=empty, says="no such folder", remedy="Name the folder")


def test_a_file_that_cannot_be_read_is_counted_and_the_rest_is_kept(empty: Path, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a", 1)
    (tmp_path / "in" / "b").symlink_to(tmp_path / "nowhere")
    said = say("cohort", "ingest", tmp_path / "in", "--json", workspace=empty)
    assert said.code == 0
    (report,) = said.document["reports"]
    assert report["counts"]["accepted"] == 1
    assert report["rejected"] == {"unreadable": 1}


def with_rights_that_count(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A command line to which the modes of files apply, although the tests may run as root."""
    program = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and there is no setpriv to change that")
        without = "-dac_override,-dac_read_search"
        program = ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}", *program]
    return subprocess.run(program, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_a_file_that_this_user_may_not_read(empty: Path, tmp_path: Path) -> None:
    write_dicom(tmp_path / "in" / "a", 1)
    write_dicom(tmp_path / "in" / "b", 2).chmod(0)
    done = with_rights_that_count("-w", empty, "cohort", "ingest", tmp_path / "in", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reports"][0]["rejected"] == {"unreadable": 1}
    (tmp_path / "table.csv").write_text("PatientID,status\nP1,given\n")
    (tmp_path / "table.csv").chmod(0)
    done = with_rights_that_count("-w", empty, "cohort", "ingest", tmp_path / "table.csv", "--kind", "consent")
    assert done.returncode == 2
    assert "cannot be read (Permission denied)" in done.stderr


@pytest.fixture
def closed(ended: Path) -> Iterator[Path]:
    """A workspace that may be read and not written."""
    places = [ended, *ended.rglob("*")]
    modes = {path: path.stat().st_mode for path in places}
    for path in places:
        path.chmod(modes[path] & ~0o222)
    yield ended
    for path in places:
        path.chmod(modes[path])


@pytest.mark.parametrize(
    "command", [("cohort", "status"), ("registry", "list"), ("run", "consent.yaml"), ("doctor", "migrate")]
)
def test_a_workspace_that_may_not_be_written(closed: Path, command: tuple[str, ...]) -> None:
    before = registry_of(closed)
    arguments = [closed / "policies" / word if word.endswith(".yaml") else word for word in command]
    done = with_rights_that_count("-w", closed, *arguments)
    assert done.returncode in (2, 5), (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert "inside the program" not in done.stderr
    assert done.returncode == 5 or "right to write" in done.stderr or "cannot be used" in done.stderr
    assert registry_of(closed) == before


def test_the_doctor_looks_at_a_workspace_that_may_not_be_written(closed: Path) -> None:
    done = with_rights_that_count("-w", closed, "doctor", "--json")
    assert done.returncode == 1, done.stderr
    folder = next(item for item in json.loads(done.stdout)["findings"] if item["check"] == "folder")
    assert folder["health"] == "problem"
    assert "may not write" in folder["said"]


# --- tables ----------------------------------------------------------------------------------------

UID = instance_uid(1)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (f"uid,grade\n{UID},a\n", "labels", "line 1 has no column SOPInstanceUID"),
        ("PatientID,state\nP1,given\n", "consent", "line 1 has no column status"),
        (f"SOPInstanceUID,grade\n{UID},a\n{UID},b\n", "labels", "lines 2 and 3: the same image with different labels"),
        ("PatientID,status\nP1,given\nP1,withdrawn\n", "consent", "lines 2 and 3: the same patient"),
        ("", "labels", "line 1 holds no column names"),
        ("\n\n", "consent", "line 1 holds no column names"),
        (f"SOPInstanceUID,grade\n{UID}\n", "labels", "line 2: fewer cells than column names"),
        (f'SOPInstanceUID,grade\n{UID},"a\n', "labels", "line 2"),
        (f"SOPInstanceUID,PatientName\n{UID},x\n", "labels", "identifies patients"),
        ("PatientID,status,date\nP1,given,31.03.2026\n", "consent", "line 2: the date"),
    ],
)
def test_tables_that_are_wrong(empty: Path, tmp_path: Path, text: str, kind: str, says: str) -> None:
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    refused("cohort", "ingest", tmp_path / "table.csv", "--kind", kind, workspace=empty, says=says)


@pytest.mark.parametrize("coding", ["utf-16", "latin-1"])
def test_tables_in_an_odd_encoding(empty: Path, tmp_path: Path, coding: str) -> None:
    (tmp_path / "table.csv").write_text(f"SOPInstanceUID,grade\n{UID},mäßig\n", encoding=coding)
    said = refused("cohort", "ingest", tmp_path / "table.csv", "-k", "labels", workspace=empty, says="not UTF-8")
    assert "Export it again" in said.err


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeffSOPInstanceUID,grade\n{UID},a\n",
        f"SOPInstanceUID;grade\n{UID};a\n",
        f"SOPInstanceUID,grade\r\n{UID},a\r\n{UID},a\r\n",
    ],
    ids=["byte-order mark", "semicolons", "the same twice"],
)
def test_tables_that_are_only_unusual(empty: Path, tmp_path: Path, text: str) -> None:
    write_dicom(tmp_path / "in" / "a", 1)
    assert say("cohort", "ingest", tmp_path / "in", workspace=empty).code == 0
    (tmp_path / "table.csv").write_text(text, encoding="utf-8", newline="")
    said = say("cohort", "ingest", tmp_path / "table.csv", "--kind", "labels", "--json", workspace=empty)
    assert said.code == 0, said.err
    assert said.document["reports"][0]["counts"]["new"] == 1


def test_a_table_that_is_a_folder_or_not_there(empty: Path, tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "gone.csv"):
        refused("cohort", "ingest", name, "--kind", "consent", workspace=empty, says="cannot be read")


# --- policies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_policy_with_twelve_mistakes(fresh: Path, command: str) -> None:
    policy = ROOT / "tests" / "golden" / "policies" / "twelve-mistakes.yaml"
    before = list((fresh / "runs").iterdir())
    said = say(command, policy, "--json", workspace=fresh)
    assert said.code == 2
    problems = said.document["problems"]
    assert len(problems) == 12
    assert all(problem["line"] >= 1 and problem["column"] >= 1 for problem in problems)
    assert all(f"{policy}:{problem['line']}:{problem['column']}: " in said.err for problem in problems)
    assert list((fresh / "runs").iterdir()) == before


def test_a_policy_that_is_not_there(fresh: Path) -> None:
    refused("run", fresh / "policies" / "gone.yaml", workspace=fresh, says="No such file", remedy="Name a policy file")


def policy_with(workspace: Path, old: str, new: str) -> Path:
    assert old in POLICY
    path = workspace / "policies" / "changed.yaml"
    path.write_text(POLICY.replace(old, new), encoding="utf-8")
    return path


def test_a_policy_that_selects_everybody(fresh: Path) -> None:
    policy = policy_with(fresh, "{consent.status: withdrawn}", "{patient.age: {ge: 0}}")
    said = refused("run", policy, workspace=fresh, says="more than max_percent", remedy="Narrow `forget.where`")
    assert "100.0 %" in said.err
    assert list((fresh / "runs").iterdir()) == []


def test_a_policy_for_an_unknown_model(fresh: Path) -> None:
    policy = policy_with(fresh, "fundus-triage", "fundus-triange")
    refused("run", policy, workspace=fresh, says="Did you mean 'fundus-triage'?", remedy="Known: fundus-triage.")


#: A training that names no lineage of its own.
TRAIN = ("model", "train", "other", "--snapshot", "first")

# --- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("model", "show", "fundus"), "There is no model called 'fundus'"),
        (("model", "train", "other", "--snapshot", "frist"), "Did you mean 'first'?"),
        (("model", "train", "other", "--snapshot", "first"), "was split for 'fundus-triage'"),
        ((*TRAIN, "--network", "all-cn"), "Did you mean 'all-cnn'?"),
        ((*TRAIN, "--network-option", "width=half"), "There is no option of the network 'small-bn'"),
        ((*TRAIN, "--network", "all-cnn", "--network-option", "width"), "gives no option"),
        ((*TRAIN, "--network", "all-cnn", "--network-option", "width=double"), "cannot be 'double'"),
        (("runs", "show", "nothing"), "There is no run called 'nothing'"),
        (("report", "nothing"), "There is no run called 'nothing'"),
        (("registry", "show", "fundus-triage", "7"), "There is no version of fundus-triage called '7'"),
        (("registry", "list", "fundus"), "There is no model called 'fundus'"),
        (("cohort", "show", "nobody"), "no such case"),
        (("cohort", "split", "../escape"), "The name of a model"),
        (("model", "show", "../../etc"), "There is no model"),
        (("cohort", "snapshot", "a/b", "--model", "fundus-triage"), "cannot name a snapshot"),
        (("cohort", "snapshot", "x", "--model", "fundus-triage", "--label", "grade"), "grade"),
        (("model", "train", "fundus-triage", "--snapshot", "first"), "already has a champion"),
    ],
)
def test_names_that_nobody_has(finished: Path, command: tuple[str, ...], says: str) -> None:
    refused(*command, workspace=finished, says=says)


@pytest.mark.parametrize(
    "arguments", [("run",), ("cohort", "ingest"), ("registry", "show", "m", "x"), ("nonsense",), ("run", "--nonsense")]
)
def test_wrong_usage(finished: Path, arguments: tuple[str, ...]) -> None:
    said = say(*arguments, workspace=finished)
    assert said.code == 2
    assert "Traceback" not in said.err
