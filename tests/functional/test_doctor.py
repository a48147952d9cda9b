"""`maintain doctor` on a sound workspace, and on ones that are damaged in every way it looks for."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from helpers.commands import say
from maintain.clock import FrozenClock
from maintain.settings import Settings, Workspace
from maintain.vocabulary import Health
from maintain_pipelines.doctor import CHECKS, MACHINE_CHECKS, examine, machine

WEIGHTS = Path("registry") / "fundus-triage" / "v0001" / "weights.safetensors"


def examined(workspace: Path, *, code: int) -> list[dict[str, str]]:
    said = say("doctor", "--json", workspace=workspace)
    assert said.code == code, said.out
    assert said.err == ""
    findings: list[dict[str, str]] = said.document["findings"]
    assert {finding["check"] for finding in findings} >= {*CHECKS, *MACHINE_CHECKS}
    for finding in findings:
        assert (finding["repair"] is None) == (finding["health"] == "ok"), finding
    return findings


def test_a_sound_workspace_has_no_problem(finished: Path) -> None:
    findings = examined(finished, code=0)
    assert not [finding for finding in findings if finding["health"] == "problem"]
    (anchor,) = [finding for finding in findings if finding["health"] == "note"]
    assert "same file system" in anchor["said"]
    assert "[ledger] heads" in anchor["repair"]
    text = say("doctor", workspace=finished)
    assert text.code == 0
    assert "2 registered versions, each as its ledger entry says." in text.out
    assert "Problems: 0. Notes: 1." in text.out


def test_it_changes_nothing(ended: Path) -> None:
    def state() -> dict[str, bytes]:
        sidecars = (".db-wal", ".db-shm")
        files = [path for path in ended.rglob("*") if path.is_file() and not path.name.endswith(sidecars)]
        return {str(path): path.read_bytes() for path in files}

    before = state()
    examined(ended, code=0)
    assert state() == before


def test_without_a_workspace_the_machine_is_still_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = say("doctor", "--json")
    assert said.code == 1
    assert [finding["check"] for finding in said.document["findings"]] == [*MACHINE_CHECKS, "workspace"]
    assert "maintain init" in said.document["findings"][-1]["repair"]


def statement(sql: str) -> Callable[[Path], None]:
    def apply(workspace: Path) -> None:
        with closing(sqlite3.connect(workspace / "maintain.db", isolation_level=None)) as raw:
            raw.execute(sql)

    return apply


def stray_version(workspace: Path) -> None:
    folder = workspace / "registry" / "fundus-triage"
    shutil.copytree(folder / "v0002", folder / "v0007")


def lost_version(workspace: Path) -> None:
    shutil.rmtree(workspace / "registry" / "fundus-triage" / "v0002")


def flipped_weights(workspace: Path) -> None:
    path = workspace / WEIGHTS
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def aliases_elsewhere(workspace: Path) -> None:
    path = workspace / "registry" / "fundus-triage" / "aliases.json"
    path.write_text(path.read_text().replace('"champion":1', '"champion":9'))


def lost_pictures(workspace: Path) -> None:
    shutil.rmtree(workspace / "arrays")
    (workspace / "arrays").mkdir()


def another_public_key(workspace: Path) -> None:
    say("init", workspace.parent / "other", "--registry", "folder")
    shutil.copy(workspace.parent / "other" / "keys" / "ledger.pub.pem", workspace / "keys" / "ledger.pub.pem")


def head_file_ahead(workspace: Path) -> None:
    with (workspace / "ledger.heads").open("a") as heads:
        heads.write(f"12 {'0' * 64}\n")


def cut_database(workspace: Path) -> None:
    path = workspace / "maintain.db"
    path.write_bytes(path.read_bytes()[:9000])


DAMAGES: list[tuple[Callable[[Path], object], str, str, str]] = [
    (lambda place: (place / "keys" / "pseudonym.key").chmod(0o640), "keys", "open to other users", "chmod 600"),
    (lambda place: (place / "keys" / "ledger.pem").chmod(0o644), "keys", "read or changed by others", "chmod 600"),
    (lambda place: (place / "keys" / "ledger.pem").unlink(), "keys", "cannot be read", "Restore it"),
    (lambda place: (place / "keys").chmod(0o777), "keys", "another key in its place", "chmod 700"),
    (lambda place: (place / "keys" / "pseudonym.key").write_text("11" * 32), "keys", "another pseudonym", "Restore"),
    (another_public_key, "keys", "not the public half", "Restore the pair"),
    (another_public_key, "ledger", "not validly signed", "Trust nothing"),
    (cut_database, "database", "damaged", "backup"),
    (statement("update alembic_version set version_num = '9999'"), "database", "schema 9999", "newer version"),
    (statement("drop trigger ledger_no_delete"), "database", "keeps the ledger", "Ask who"),
    (statement("update series set device_id = 999"), "database", "not there: series", "backup"),
    (head_file_ahead, "ledger", "head file knows entry 12", "removed from the ledger"),
    (lambda place: (place / "maintain.db").unlink(), "database", "no database", "Restore"),
    (stray_version, "registry", "no ledger entry knows it", "Nobody may use it"),
    (lost_version, "registry", "version 2 is registered, but", "Restore the registry"),
    (flipped_weights, "registry", "version 1 is registered, but", "Restore the registry"),
    (aliases_elsewhere, "registry", "version 9, which is not registered", "Restore the file"),
    (lost_pictures, "arrays", "sampled pictures are missing", "ingest` again"),
    (lambda place: shutil.rmtree(place / "runs"), "runs", "is gone", "Restore it"),
]


@pytest.mark.parametrize(("damage", "check", "said", "repair"), DAMAGES, ids=[case[2] for case in DAMAGES])
def test_each_damage_is_a_problem_with_its_repair(
    ended: Path, damage: Callable[[Path], object], check: str, said: str, repair: str
) -> None:
    damage(ended)
    problems = [item for item in examined(ended, code=1) if item["health"] == "problem" and item["check"] == check]
    assert any(said in item["said"] and repair in item["repair"] for item in problems), problems


def begun_again(workspace: Path) -> None:
    """As a kill between the files and the ledger's entry leaves it."""
    statement("update intent set state = 'begun', entry = null where version = 2")(workspace)
    path = workspace / "registry" / "fundus-triage" / "aliases.json"
    path.write_text(path.read_text().replace('"candidate":2,', ""))


NOTES: list[tuple[Callable[[Path], object], str, str, str]] = [
    (lambda place: (place / "ledger.heads").unlink(), "ledger", "no head file", "copy of the head file"),
    (lambda place: (place / "runs" / "stray").mkdir(), "runs", "belong to no run", "remove them"),
    (lambda place: (place / "registry" / "Thumbs.db").touch(), "registry", "of no version", "move away"),
    (statement("update run set state = 'unlearned'"), "runs", "stands at unlearned", "maintain run --resume 20"),
    (
        statement("update intent set state = 'recorded' where version = 2"),
        "registry",
        "alias is not set",
        "next command",
    ),
    (
        begun_again,
        "registry",
        "registration was interrupted",
        "Say the command that made it again",
    ),
    (statement("update ingest set finished = null"), "intake", "interrupted", "cohort ingest` again"),
]


@pytest.mark.parametrize(("damage", "check", "said", "repair"), NOTES, ids=[case[2] for case in NOTES])
def test_what_can_be_gone_on_with_is_a_note(
    ended: Path, damage: Callable[[Path], object], check: str, said: str, repair: str
) -> None:
    damage(ended)
    notes = [item for item in examined(ended, code=0) if item["health"] == "note" and item["check"] == check]
    assert any(said in item["said"] and repair in item["repair"] for item in notes), notes


def test_a_check_that_breaks_is_a_problem_and_stops_no_other(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(workspace: Workspace, clock: object) -> None:
        raise RuntimeError("CANARY^JANE")

    monkeypatch.setitem(CHECKS, "disk", broken)
    found = examine(lambda: Workspace(finished, Settings()), FrozenClock())
    (disk,) = [finding for finding in found if finding.check == "disk"]
    assert disk.health is Health.PROBLEM
    assert "could not be checked (RuntimeError)" in disk.said
    assert "CANARY" not in json.dumps([finding.said for finding in found])
    assert [finding.check for finding in found if finding.check == "runs"]


def test_a_full_disk_is_a_problem_and_a_filling_one_a_note(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, usage = Workspace(finished, Settings()), shutil.disk_usage(finished)
    for free, health in ((1 << 20, Health.PROBLEM), (400 << 20, Health.NOTE), (1 << 40, Health.OK)):
        left = usage._replace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda place, left=left: left)
        (finding,) = machine.check_disk(workspace, FrozenClock())
        assert finding.health is health


def test_a_package_that_is_absent_or_old_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=99.1", "no-such-thing>=1", "no-such-extra>=1; extra == 'x'", "typer>=0.1,<9"]
    monkeypatch.setattr(machine, "requires", lambda name: wanted)
    said = {finding.health: finding.said for finding in machine.check_program()}
    problems = [finding.said for finding in machine.check_program() if finding.health is Health.PROBLEM]
    assert [text.split()[0] for text in problems] == ["numpy", "no-such-thing"]
    assert "typer" in said[Health.OK]


def test_a_driver_without_a_torch_for_it_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(machine, "DRIVER_FILE", tmp_path / "version")
    assert [finding.health for finding in machine.check_device()] == [Health.OK]
    (tmp_path / "version").touch()
    assert [finding.health for finding in machine.check_device()] == [Health.NOTE]


def test_a_device_is_told_with_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (3 << 30, 8 << 30))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Accelerator 9")
    (finding,) = machine.check_device()
    assert finding.said.startswith("Accelerator 9: 3.0 GiB of 8.0 GiB free")
