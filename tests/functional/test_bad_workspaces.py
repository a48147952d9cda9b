"""Workspaces that are damaged, closed or cut off: told in one paragraph, and nothing half done is taken for done."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch

from helpers.commands import ENVIRONMENT, PROGRAM, say
from helpers.refusing import refused, registry_of
from helpers.workspaces import new_workspace
from maintain.clock import FrozenClock
from maintain.imaging import read_weights, save_weights
from maintain_pipelines.demo import demo_key

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A workspace that has read nothing."""
    assert say("init", tmp_path / "empty", "--registry", "folder").code == 0
    return tmp_path / "empty"


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
    return new_workspace(tmp_path / "w", pseudonym_key=demo_key(3))


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
