"""A workspace of before issuers were kept: its folders, read once more, tell all that a search for a person needs."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from helpers.commands import say
from helpers.dicom_files import write_dicom
from helpers.older import forget_requests_and_jobs
from helpers.workspaces import new_workspace
from maintain.cohort import Coverage, coverage, sealed_issuers
from maintain.database import open_database
from maintain.intake import load_pseudonyms


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A workspace of schema 0005 with two folders, an image that names nobody, and a letter of somebody's."""
    workspace = new_workspace(tmp_path / "workspace")
    write_dicom(tmp_path / "north" / "a", 1, IssuerOfPatientID="NORTH")
    write_dicom(tmp_path / "north" / "b", 2, IssuerOfPatientID="")
    write_dicom(tmp_path / "south" / "c", 3, IssuerOfPatientID="SOUTH", PatientID="P0001")
    write_dicom(tmp_path / "south" / "d", 4, PatientID="ANONYMOUS")
    register = tmp_path / "register.csv"
    register.write_text("PatientID,IssuerOfPatientID,status\nP0002,,withdrawn\nP0007,EAST,withdrawn\n")
    for source in (tmp_path / "north", tmp_path / "south"):
        assert say("cohort", "ingest", source, workspace=workspace).code == 0
    assert say("cohort", "ingest", register, "--kind", "consent", workspace=workspace).code == 0
    with closing(sqlite3.connect(workspace / "maintain.db", isolation_level=None)) as raw:
        forget_requests_and_jobs(raw)
        raw.execute("update alembic_version set version_num = '0005'")
    assert say("doctor", "migrate", workspace=workspace).code == 0
    return workspace


def reach(workspace: Path) -> tuple[Coverage, set[str]]:
    """What a search reaches, and the issuers that it would try."""
    database = open_database(workspace / "maintain.db")
    pseudonyms = load_pseudonyms(workspace / "keys" / "pseudonym.key")
    with database.read() as unit:
        found = coverage(unit), {pseudonyms.unseal(sealed) for sealed in sealed_issuers(unit)}
    database.close()
    return found


def test_after_the_migration_nobody_can_be_excluded(older: Path) -> None:
    found, issuers = reach(older)
    assert found == Coverage(issuers=0, intakes_without=2, unlinked=0, unknown_links=4)
    assert issuers == set()
    assert "`maintain cohort ingest FOLDER`" in " ".join(found.told())


def test_the_folders_said_again_repair_it(older: Path, tmp_path: Path) -> None:
    north = say("cohort", "ingest", tmp_path / "north", workspace=older)
    assert north.code == 0, north.err
    assert reach(older) == (Coverage(issuers=1, intakes_without=1, unlinked=0, unknown_links=2), {"NORTH"})
    assert say("cohort", "ingest", tmp_path / "south", workspace=older).code == 0
    assert reach(older) == (
        Coverage(issuers=3, intakes_without=0, unlinked=1, unknown_links=0),
        {"NORTH", "SOUTH", "CLINIC"},
    )
    assert "2 unchanged" in say("cohort", "ingest", tmp_path / "south", workspace=older).out


def test_a_folder_that_moved_repairs_it_from_where_it_is_now(older: Path, tmp_path: Path) -> None:
    for name in ("north", "south"):
        shutil.move(tmp_path / name, tmp_path / f"{name}-archive")
        assert say("cohort", "ingest", tmp_path / f"{name}-archive", workspace=older).code == 0
    found, _ = reach(older)
    assert (found.intakes_without, found.unknown_links) == (0, 0)
