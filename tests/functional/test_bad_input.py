"""Input that is wrong: one clear paragraph, the right exit code, nothing lost, nothing half registered."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch

from functional.conftest import POLICY
from helpers.commands import Said, say
from helpers.dicom_files import instance_uid, write_dicom
from maintain.clock import FrozenClock
from maintain.imaging import read_weights, save_weights
from maintain_pipelines.demo import demo_key
from maintain_pipelines.workspace import create_workspace

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
PROGRAM = "from maintain.cli.app import main; main()"


def registry_of(workspace: Path) -> dict[str, bytes]:
    files = (path for path in (workspace / "registry").rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(workspace)): path.read_bytes() for path in files}


def refused(
    *arguments: object, workspace: Path, code: int = 2, says: str, remedy: str = "", audit: int | None = 0
) -> Said:
    """Say something wrong: the code, one paragraph without a traceback, no answer, nothing changed."""
    before = registry_of(workspace)
    said = say(*arguments, workspace=workspace)
    assert said.code == code, said.out + said.err
    assert said.err.startswith("maintain: "), said.err
    assert says in said.err, said.err
    assert remedy in said.err, said.err
    assert "Traceback" not in said.err
    assert "\n\n" not in said.err.strip()
    assert said.out == ""
    assert registry_of(workspace) == before
    if audit is not None:
        assert say("audit", "verify", workspace=workspace).code == audit
    return said


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A workspace that has read nothing."""
    assert say("init", tmp_path / "empty").code == 0
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


# --- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("model", "show", "fundus"), "There is no model called 'fundus'"),
        (("model", "train", "other", "--snapshot", "frist"), "Did you mean 'first'?"),
        (("model", "train", "other", "--snapshot", "first"), "was split for 'fundus-triage'"),
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


# --- weights and records ---------------------------------------------------------------------------

WEIGHTS = Path("registry") / "fundus-triage" / "v0001" / "weights.safetensors"


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def pickled(data: bytes) -> bytes:
    return b"\x80\x04cposix\nsystem\n(S'touch /tmp/pwned'\ntR.".ljust(len(data), b"\0")


def nothing(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [cut, flip, pickled, nothing])
def test_weights_that_are_not_what_was_registered(
    fresh: Path, hospital: Path, damage: Callable[[bytes], bytes]
) -> None:
    say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=fresh)
    path = fresh / WEIGHTS
    path.write_bytes(damage(path.read_bytes()))
    said = refused("run", fresh / "policies" / "consent.yaml", workspace=fresh, code=4, says="in the registry")
    assert "Restore the registry folder" in said.err
    assert not Path("/tmp/pwned").exists()
    assert say("doctor", workspace=fresh).code == 1


def test_weights_of_another_network(fresh: Path, hospital: Path) -> None:
    """Every digest in the registry was made right for them; only the network does not fit."""
    say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=fresh)
    folder = fresh / WEIGHTS.parent
    state = {**read_weights(fresh / WEIGHTS), "another.weight": torch.zeros(3)}
    old = json.loads((folder / "version.json").read_text())["body"]["weights"]
    new = save_weights(fresh / WEIGHTS, state)
    for name in ("version.json", "files.json"):
        (folder / name).write_text((folder / name).read_text().replace(old, new))
    files = json.loads((folder / "files.json").read_text())
    files["body"]["weights.safetensors"]["bytes"] = (fresh / WEIGHTS).stat().st_size
    (folder / "files.json").write_text(json.dumps(files))
    before = registry_of(fresh)
    said = say("run", fresh / "policies" / "consent.yaml", workspace=fresh)
    assert said.code == 2
    assert "holds weights of another network" in said.err
    assert "another.weight" in said.err
    assert registry_of(fresh) == before
    found = say("doctor", workspace=fresh)
    assert found.code == 1
    assert "not the one that its ledger entry names" in found.out


@pytest.mark.parametrize("name", ["spec.json", "manifest.json", "version.json", "files.json"])
@pytest.mark.parametrize("damage", [cut, nothing])
def test_records_of_the_registry_that_are_damaged(fresh: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    path = fresh / "registry" / "fundus-triage" / "v0001" / name
    path.write_bytes(damage(path.read_bytes()))
    for command in (("plan", fresh / "policies" / "consent.yaml"), ("model", "show", "fundus-triage")):
        refused(*command, workspace=fresh, code=4, says="in the registry", remedy="Restore the registry folder")
    found = say("doctor", "--json", workspace=fresh)
    assert found.code == 1
    assert any(item["check"] == "registry" and item["health"] == "problem" for item in found.document["findings"])


@pytest.mark.parametrize(
    ("name", "damage"),
    [("01-plan.json", cut), ("01-plan.json", nothing), ("02-candidate.json", cut), ("03-verdict.json", cut)],
)
def test_records_of_a_run_that_are_damaged(ended: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    (folder,) = (ended / "runs").iterdir()
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    for command in (("runs", "show", folder.name), ("report", folder.name)):
        refused(*command, workspace=ended, says=name, remedy="Restore the file")


def test_a_table_of_a_run_that_was_changed(ended: Path) -> None:
    (folder,) = (ended / "runs").iterdir()
    (roles,) = folder.glob("roles-*.jsonl")
    roles.write_text(roles.read_text().replace('"forget"', '"retain"'))
    refused("report", folder.name, workspace=ended, code=4, says="has changed since it was written")


def test_a_run_whose_folder_is_gone(ended: Path) -> None:
    (folder,) = (ended / "runs").iterdir()
    shutil.rmtree(folder)
    for command in (("runs", "show", folder.name), ("report", folder.name)):
        refused(*command, workspace=ended, code=4, says="run folder has no 01-plan.json", remedy="Restore")


# --- workspaces ------------------------------------------------------------------------------------


def test_no_workspace_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = say("registry", "list")
    assert said.code == 2
    assert "maintain init DIR" in said.err


def test_settings_that_are_wrong(fresh: Path) -> None:
    (fresh / "maintain.toml").write_text("[databse]\nfile = 3\n[ledger]\nheads = 1\n")
    said = refused("registry", "list", workspace=fresh, says="did you mean database?", audit=None)
    assert "ledger.heads must be str" in said.err
    assert say("doctor", workspace=fresh).code == 1


@pytest.mark.parametrize("damage", [cut, nothing, lambda data: b"garbage" * 1000], ids=["cut", "empty", "garbage"])
def test_a_damaged_database(fresh: Path, damage: Callable[[bytes], bytes]) -> None:
    with closing(sqlite3.connect(fresh / "maintain.db")) as raw:
        raw.execute("pragma wal_checkpoint(truncate)")
    path = fresh / "maintain.db"
    path.write_bytes(damage(path.read_bytes()))
    for command in (("cohort", "status"), ("run", fresh / "policies" / "consent.yaml"), ("doctor", "migrate")):
        said = say(*command, workspace=fresh)
        assert said.code in (2, 4), said.out + said.err
        assert "backup" in said.err
        assert "Traceback" not in said.err
        assert "inside the program" not in said.err
    assert say("doctor", workspace=fresh).code == 1


def test_keys_that_are_open_gone_or_none(fresh: Path, hospital: Path) -> None:
    key = fresh / "keys" / "pseudonym.key"
    command = ("cohort", "ingest", hospital / "dicom")
    key.chmod(0o644)
    refused(*command, workspace=fresh, says="open to other users", remedy="chmod 600")
    key.chmod(0o600)
    key.write_text("none\n")
    refused(*command, workspace=fresh, says="does not hold a pseudonym key", remedy="Restore it")
    key.write_text("00" * 32)
    refused(*command, workspace=fresh, says="under another pseudonym key", remedy="Restore the key")
    key.unlink()
    refused(*command, workspace=fresh, says="cannot be read", remedy="Restore it from its backup")


def test_a_clock_that_jumps_back_is_noted_and_told(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maintain.cli import composition

    earlier = FrozenClock(datetime.now(UTC) - timedelta(days=3))
    monkeypatch.setattr(composition, "SystemClock", lambda: earlier)
    monkeypatch.setattr("maintain.clock.SystemClock", lambda: earlier)
    found = say("doctor", "--json", workspace=fresh)
    assert found.code == 1
    (clock,) = [item for item in found.document["findings"] if item["check"] == "clock"]
    assert "jumped back" in clock["said"]
    assert say("cohort", "snapshot", "second", "--model", "fundus-triage", workspace=fresh).code == 0
    audit = say("audit", "verify", "--json", workspace=fresh)
    assert audit.code == 0
    assert audit.document["warnings"] == ["Entry 7: the clock stood behind the entry before it."]


# --- interruptions ---------------------------------------------------------------------------------


def started(*arguments: object, workspace: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "-w", str(workspace), *map(str, arguments)],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupted(process: subprocess.Popen[str], ready: Callable[[], bool], how: signal.Signals) -> tuple[int, str]:
    """Send a signal as soon as the work has really begun."""
    deadline = time.monotonic() + 60
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def files_known(workspace: Path) -> int:
    with closing(sqlite3.connect(workspace / "maintain.db")) as raw:
        return int(raw.execute("select count(*) from file").fetchone()[0])


@pytest.fixture
def unread(tmp_path: Path) -> Path:
    """A workspace whose intake takes more than one batch."""
    create_workspace(tmp_path / "w", clock=FrozenClock(), actor="tests", pseudonym_key=demo_key(3))
    return tmp_path / "w"


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 6), (signal.SIGKILL, -9)])
def test_an_intake_that_is_cut_off_is_completed_by_saying_it_again(
    unread: Path, trained: Path, hospital: Path, how: signal.Signals, code: int
) -> None:
    process = started("cohort", "ingest", hospital / "dicom", workspace=unread)
    found, err = interrupted(process, lambda: files_known(unread) > 0, how)
    assert found == code, err
    assert "Traceback" not in err
    if how is signal.SIGINT:
        assert "interrupted" in err
        assert "say the same command again" in err
    kept = files_known(unread)
    assert 0 < kept < files_known(trained)
    found_by_doctor = say("doctor", "--json", workspace=unread)
    assert any("interrupted" in item["said"] for item in found_by_doctor.document["findings"])
    again = say("cohort", "ingest", hospital / "dicom", "--json", workspace=unread)
    assert again.code == 0
    assert again.document["reports"][0]["counts"]["unchanged"] == kept
    assert say("audit", "verify", "--require-anchor", workspace=unread).code == 0
    assert content(unread) == content(trained)


def content(workspace: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(workspace / "maintain.db")) as raw:
        rows = "select case_id, series, eye, age, pixels, height, width from image_case order by case_id"
        return list(raw.execute(rows))


def test_ctrl_c_inside_a_training_keeps_its_epochs(fresh: Path) -> None:
    say("cohort", "split", "second", "--train", 6, "--validation", 1, "--holdout", 6, workspace=fresh)
    assert say("cohort", "snapshot", "for-second", "--model", "second", workspace=fresh).code == 0
    command = ("model", "train", "second", "--snapshot", "for-second", "--epochs", 12)
    process = started(*command, workspace=fresh)
    code, err = interrupted(process, lambda: any((fresh / "trainings").glob("second-*/checkpoint.pt")), signal.SIGINT)
    assert code == 6, err
    assert "Traceback" not in err
    assert any((fresh / "trainings").glob("second-*/checkpoint.pt"))
    assert "A first training was interrupted" in say("doctor", workspace=fresh).out
    models = say("model", "list", "--json", workspace=fresh).document["models"]
    assert [model["model"] for model in models] == ["fundus-triage"]
    assert say(*command, workspace=fresh).code == 0
    assert say("audit", "verify", workspace=fresh).code == 0


def test_nothing_ever_asks_a_question() -> None:
    """Without a prompt there is none to answer where stdin is no terminal, and none to interrupt."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "maintain" / "cli").glob("*.py")]
    assert len(sources) > 10
    assert not [word for word in ("input(", "confirm(", "prompt(", "prompt=") if any(word in text for text in sources)]


def test_twice_in_a_row_is_once(ended: Path, hospital: Path) -> None:
    before = say("audit", "verify", "--json", workspace=ended).document["entries"]
    database = content(ended)
    for command, code in (
        (("cohort", "split", "fundus-triage", "--train", 6, "--validation", 1, "--holdout", 6), 0),
        (("cohort", "snapshot", "later", "--model", "fundus-triage"), 0),
        (("model", "train", "fundus-triage", "--snapshot", "first"), 2),
        (("plan", ended / "policies" / "consent.yaml"), 0),
        (("run", ended / "policies" / "consent.yaml"), 6),
        (("doctor", "migrate"), 5),
    ):
        answers = [say(*command, workspace=ended) for _ in range(2)]
        assert [answer.code for answer in answers] == [code, code], answers
        assert answers[0].out.splitlines()[:1] == answers[1].out.splitlines()[:1] or "split" in command
    assert content(ended) == database
    assert say("audit", "verify", "--json", workspace=ended).document["entries"] == before + 1
    for again, code in ((("cohort", "ingest", hospital / "dicom"), 0), (("init", ended), 2)):
        assert [say(*again, workspace=ended).code for _ in range(2)] == [code, code]
    assert content(ended) == database
