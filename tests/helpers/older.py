"""A workspace as an earlier version would have left it: the look's patients came with the next schema."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from maintain.database import migrate
from maintain.database.engine import SCHEMA_HEAD

EARLIER = "0000"

_STEP = '''"""A step."""

import os, signal
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}


def upgrade():
    {does}
'''

#: What the step to this program's schema does.
WHOLE = """op.create_table(
        "look_patient",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("candidate", sa.String(), nullable=False),
        sa.Column("patient", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run", "candidate"], ["look.run", "look.candidate"], name="fk_look_patient_run_candidate"
        ),
        sa.PrimaryKeyConstraint("run", "candidate", "patient", name="pk_look_patient"),
    )
    op.create_index("ix_look_patient_patient", "look_patient", ["patient"])
    with op.batch_alter_table("look") as batch:
        batch.alter_column("taken", existing_type=sa.Text(), type_=sa.String())"""

#: The same, and then the process dies as by `kill -9`.
KILLED = f"{WHOLE}\n    os.kill(os.getpid(), signal.SIGKILL)"

#: A step that forgets something.
FORGETFUL = 'op.execute("create table look_patient (run text)")'


def make_older(workspace: Path) -> None:
    """Take the workspace's database back to the earlier schema."""
    with closing(sqlite3.connect(workspace / "maintain.db", isolation_level=None)) as database:
        database.execute("drop table look_patient")
        database.execute(f"update alembic_version set version_num = '{EARLIER}'")


def write_scripts(folder: Path, does: str) -> Path:
    """A folder of migrations from the earlier schema to this program's."""
    versions = folder / "versions"
    shutil.rmtree(folder, ignore_errors=True)
    versions.mkdir(parents=True)
    shutil.copy(migrate.SCRIPTS / "env.py", folder)
    (versions / "a.py").write_text(_STEP.format(revision=EARLIER, before=None, does="pass"))
    (versions / "b.py").write_text(_STEP.format(revision=SCHEMA_HEAD, before=repr(EARLIER), does=does))
    return folder


def forget_requests_and_jobs(database: sqlite3.Connection) -> None:
    """Take away what schema 0006 brought: requests, jobs, and what was kept for their sake."""
    for table in ("turn", "job", "barred_person", "request_case", "request_person", "request", "issuer"):
        database.execute(f"drop table {table}")
    database.execute("drop index ix_study_accession")
    for table, column in (
        ("ingest", "issuers"),
        ("patient", "linked"),
        ("study", "accession"),
        ("snapshot", "erased"),
        ("snapshot", "rest"),
        ("run", "roles"),
    ):
        database.execute(f"alter table {table} drop column {column}")


def forget_where_labels_came_from(database: sqlite3.Connection) -> None:
    """Take away what schema 0004 brought: who read a table, what it held, and which intake a label is of."""
    database.execute("create table kept as select case_id, name, version, value, recorded from label")
    database.execute("drop table label")
    database.execute(
        "create table label (case_id varchar not null, name varchar not null, version integer not null, "
        "value varchar not null, recorded varchar not null, constraint pk_label primary key (case_id, name, version), "
        "constraint fk_label_case_id foreign key (case_id) references image_case (case_id))"
    )
    database.execute("insert into label select * from kept")
    database.execute("drop table kept")
    for column in ("actor", "contents"):
        database.execute(f"alter table ingest drop column {column}")
