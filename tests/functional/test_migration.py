"""A workspace of another schema is refused with the command that repairs it, and migrated whole or not at all."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from helpers.commands import say
from helpers.older import (
    EARLIER,
    FORGETFUL,
    KILLED,
    WHOLE,
    forget_requests_and_jobs,
    forget_where_labels_came_from,
    make_older,
    write_scripts,
)
from maintain.database import migrate


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program as if an earlier schema had existed."""
    folder = write_scripts(tmp_path / "scripts", WHOLE)
    monkeypatch.setattr(migrate, "SCRIPTS", folder)
    return folder


@pytest.fixture
def older(ended: Path, scripts: Path) -> Path:
    make_older(ended)
    return ended


def schema(database: Path) -> str:
    with closing(sqlite3.connect(database)) as raw:
        return str(raw.execute("select version_num from alembic_version").fetchone()[0])


def backups(workspace: Path) -> list[Path]:
    return sorted(workspace.glob("maintain.db.*"))


def test_an_older_workspace_is_refused_with_the_command_that_migrates_it(older: Path) -> None:
    for command in (("registry", "list"), ("cohort", "status"), ("audit", "verify"), ("runs", "list")):
        said = say(*command, workspace=older)
        assert said.code == 2
        assert "has schema 0000; this program needs 0006" in said.err
        assert "maintain doctor migrate" in said.err
    assert say("doctor", workspace=older).code == 1
    assert "maintain doctor migrate" in say("doctor", workspace=older).out


def test_it_is_backed_up_and_migrated(older: Path) -> None:
    said = say("doctor", "migrate", "--json", workspace=older)
    assert said.code == 0, said.err
    copy = Path(said.document["backup"])
    assert copy.parent == older
    assert copy.name.startswith(f"maintain.db.{EARLIER}.")
    assert copy.suffix == ".bak"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert schema(copy) == EARLIER
    assert schema(older / "maintain.db") == "0006"
    audit = say("audit", "verify", "--json", "--require-anchor", workspace=older)
    assert (audit.code, audit.document["entries"]) == (0, 12)
    assert say("registry", "list", workspace=older).code == 0
    assert backups(older)[0] == copy


def test_the_ledger_says_what_was_migrated_and_the_entry_is_signed(older: Path) -> None:
    copy = Path(say("doctor", "migrate", "--json", workspace=older).document["backup"])
    with closing(sqlite3.connect(older / "maintain.db")) as raw:
        event, body, envelope = raw.execute("select event, body, envelope from ledger where number = 12").fetchone()
    assert event == "workspace-migrated"
    assert '"before":"0000"' in body
    assert envelope is not None
    import hashlib

    assert hashlib.sha256(copy.read_bytes()).hexdigest() in body


def test_there_is_nothing_to_migrate_twice(older: Path) -> None:
    assert say("doctor", "migrate", workspace=older).code == 0
    before = backups(older)
    said = say("doctor", "migrate", workspace=older)
    assert said.code == 5
    assert "nothing to migrate" in said.err
    assert backups(older) == before
    assert say("audit", "verify", "--json", workspace=older).document["entries"] == 12


def test_a_newer_workspace_is_left_alone(ended: Path) -> None:
    with closing(sqlite3.connect(ended / "maintain.db", isolation_level=None)) as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    for command in (("registry", "list"), ("doctor", "migrate")):
        said = say(*command, workspace=ended)
        assert said.code == 2
        assert "newer version" in said.err
    assert not list(ended.glob("*.bak"))


def test_a_foreign_database_is_left_alone(ended: Path) -> None:
    with closing(sqlite3.connect(ended / "maintain.db", isolation_level=None)) as raw:
        raw.execute("drop table alembic_version")
    said = say("doctor", "migrate", workspace=ended)
    assert said.code == 2
    assert "no database of `maintain`" in said.err


def test_a_migration_that_misses_its_aim_changes_nothing(
    older: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "SCRIPTS", write_scripts(tmp_path / "forgetful", FORGETFUL))
    said = say("doctor", "migrate", workspace=older)
    assert said.code == 4
    assert "nothing was changed" in said.err
    assert schema(older / "maintain.db") == EARLIER
    assert not list(older.glob("*.bak*"))


def test_a_ledger_that_is_not_whole_is_not_migrated(older: Path) -> None:
    with closing(sqlite3.connect(older / "maintain.db", isolation_level=None)) as raw:
        raw.execute("drop trigger ledger_no_update")
        raw.execute("update ledger set actor = 'somebody else' where number = 3")
        raw.execute(
            "create trigger ledger_no_update before update on ledger begin select raise(abort, 'append-only'); end"
        )
    said = say("doctor", "migrate", workspace=older)
    assert said.code == 1
    assert "Entry 3" in said.err
    assert schema(older / "maintain.db") == EARLIER


KILL = """
import sys
from pathlib import Path
from maintain.database import migrate
migrate.SCRIPTS = Path(sys.argv[1])
from maintain.cli.app import run
sys.exit(run(["--workspace", sys.argv[2], "doctor", "migrate"]))
"""


def test_killed_half_way_the_old_database_is_as_it_was(older: Path, tmp_path: Path) -> None:
    deadly = write_scripts(tmp_path / "deadly", KILLED)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
    done = subprocess.run(
        [sys.executable, "-c", KILL, str(deadly), str(older)], env=environment, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with closing(sqlite3.connect(older / "maintain.db")) as raw:
        assert raw.execute("pragma integrity_check").fetchone() == ("ok",)
        assert raw.execute("select count(*) from sqlite_master where name = 'look_patient'").fetchone() == (0,)
        assert raw.execute("select count(*) from ledger").fetchone() == (11,)
    assert schema(older / "maintain.db") == EARLIER
    assert say("doctor", "migrate", workspace=older).code == 0
    assert say("audit", "verify", "--require-anchor", workspace=older).code == 0


def test_a_workspace_from_before_promotions_is_migrated_and_promotes(ended: Path) -> None:
    with closing(sqlite3.connect(ended / "maintain.db", isolation_level=None)) as raw:
        forget_requests_and_jobs(raw)
        forget_where_labels_came_from(raw)
        raw.execute("drop table alias_move")
        raw.execute("drop table score")
        raw.execute("drop table weight_file")
        raw.execute("update alembic_version set version_num = '0001'")
    refused = say("registry", "promote", "fundus-triage", workspace=ended)
    assert refused.code == 2
    assert "has schema 0001; this program needs 0006" in refused.err
    assert say("doctor", "migrate", workspace=ended).code == 0
    assert schema(ended / "maintain.db") == "0006"
    assert say("registry", "promote", "fundus-triage", workspace=ended).code == 0
    assert say("audit", "verify", "--require-anchor", workspace=ended).code == 0
    assert "registry  2 registered versions" in say("doctor", workspace=ended).out


def test_a_workspace_from_before_the_histories_of_labels_keeps_every_answer(ended: Path) -> None:
    database = ended / "maintain.db"
    answers = "select case_id, name, version, value, recorded from label order by 1, 2, 3"
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        before = raw.execute(answers).fetchall()
        forget_requests_and_jobs(raw)
        forget_where_labels_came_from(raw)
        raw.execute("drop table score")
        raw.execute("update alembic_version set version_num = '0003'")
    assert say("cohort", "status", workspace=ended).code == 2
    assert say("doctor", "migrate", workspace=ended).code == 0
    with closing(sqlite3.connect(database)) as raw:
        assert raw.execute(answers).fetchall() == before != []
        assert raw.execute("select count(*) from label where ingest_id is not null").fetchone() == (0,)
        assert raw.execute("pragma foreign_key_check").fetchall() == []
    shown = say("cohort", "show", before[0][0], workspace=ended)
    assert "nobody wrote down who read it" in shown.out
    assert say("doctor", workspace=ended).code == 0


def test_a_workspace_from_before_the_register_of_weights_is_migrated_and_fills_it(ended: Path) -> None:
    with closing(sqlite3.connect(ended / "maintain.db", isolation_level=None)) as raw:
        forget_requests_and_jobs(raw)
        forget_where_labels_came_from(raw)
        raw.execute("drop table score")
        raw.execute("drop table weight_file")
        raw.execute("update alembic_version set version_num = '0002'")
    assert say("doctor", "migrate", workspace=ended).code == 0
    assert "2 files with weights are not in the register" in say("doctor", workspace=ended).out
    filled = say("doctor", "weights", "--json", workspace=ended).document
    assert filled["entered"] == [f"registry/fundus-triage/v000{number}/weights.safetensors" for number in (1, 2)]
    assert "2 files hold weights, each with its row in the register." in say("doctor", workspace=ended).out
