"""Real services as plain processes on free ports: PostgreSQL, and `mlflow server` over it with passwords.

Where one is not installed the test skips and says why, unless MAINTAIN_REQUIRE_SERVICES=1. PostgreSQL refuses to
be root, so its processes drop to its own user, in a folder that this user may reach.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.mlflow_server import await_health, free_port

#: Where Debian puts PostgreSQL, the newest last.
POSTGRES_FOLDERS = "/usr/lib/postgresql"

#: The user that Debian's package makes.
POSTGRES_USER = "postgres"

#: As long as a database may take to start on a busy machine.
START_SECONDS = 60.0

#: The account of `maintain` on the server: it may use what it made, and nothing else.
USER, PASSWORD = "maintain", "correct horse battery"

REQUIRED = "MAINTAIN_REQUIRE_SERVICES"


@dataclass(frozen=True, slots=True)
class RegistryServer:
    """A server of MLflow, and the private file with the credentials for it."""

    uri: str
    credentials: Path


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty PostgreSQL, without a database name."""
    programs = postgres_programs()
    port = free_port()
    with postgres_folder() as root:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": root, **postgres_user()}
        made = [programs / "initdb", "-D", root / "data", "-U", USER, "--auth=trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*map(str, made)], check=True, **quiet)
        server = [programs / "postgres", "-D", root / "data", "-p", port, "-h", "127.0.0.1", "-F", "-k", ""]
        with subprocess.Popen([*map(str, server)], **quiet) as process:
            try:
                address = f"postgresql://{USER}@127.0.0.1:{port}"
                _await_postgres(address, process)
                yield address
            finally:
                process.send_signal(signal.SIGQUIT)  # at once: its files go too


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs; skips, or fails, where there is none."""
    folders = sorted(Path(POSTGRES_FOLDERS).glob("*/bin"))
    if not folders:
        missing("PostgreSQL is not installed (Debian: postgresql)")
    return folders[-1]


def postgres_user() -> dict[str, Any]:
    """As whom its processes run: for root that is the user of the package."""
    return {"user": POSTGRES_USER, "group": POSTGRES_USER, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def postgres_folder() -> Iterator[Path]:
    """A folder that this user may reach, which pytest's own are not; gone at the end of the block."""
    root = Path(tempfile.mkdtemp(prefix="maintain-postgres-"))
    try:
        postgres_owns(root)
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def postgres_owns(place: Path) -> Path:
    """Give a file or a folder to that user."""
    if os.geteuid() == 0:
        shutil.chown(place, POSTGRES_USER, POSTGRES_USER)
    return place


@contextmanager
def registry_server(folder: Path) -> Iterator[RegistryServer]:
    """`mlflow server` on PostgreSQL with basic authentication, and an account that is no administrator."""
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    try:
        import flask_wtf  # noqa: F401
    except ImportError:
        missing("Flask-WTF is not installed; MLflow's basic authentication needs it")
    with postgres() as address:
        _make_databases(address, "registry", "accounts")
        settings = folder / "auth.ini"
        settings.write_text(
            "[mlflow]\ndefault_permission = NO_PERMISSIONS\nadmin_username = admin\nauth_cache_ttl_seconds = 60\n"
            f"database_uri = {address}/accounts\nauthorization_function = "
            "mlflow.server.auth:authenticate_request_basic_auth\n",
            encoding="utf-8",
        )
        port = free_port()
        command = ["-m", "mlflow", "server", "--app-name", "basic-auth", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--backend-store-uri", f"{address}/registry", "--artifacts-destination", str(folder / "files")]
        command += ["--workers", "1"]
        environment = {
            **os.environ,
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_AUTH_ADMIN_PASSWORD": "an administrator's password",
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "only for this test",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        with (
            (folder / "server.log").open("wb") as log,
            subprocess.Popen(
                [sys.executable, *command], env=environment, stdout=log, stderr=log, start_new_session=True
            ) as process,
        ):
            try:
                uri = f"http://127.0.0.1:{port}"
                await_health(uri, process)
                yield RegistryServer(uri, _make_account(uri, folder))
            finally:
                os.killpg(process.pid, signal.SIGKILL)  # the server and its worker, which would wait for us to hang up


def missing(reason: str) -> None:
    """Skip, or where services are required, fail."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


# --- private ---------------------------------------------------------------------------------------


def _await_postgres(address: str, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(f"{address}/postgres").close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL ended before it answered"
            assert time.monotonic() < until, "PostgreSQL did not answer"
            time.sleep(0.1)


def _make_databases(address: str, *names: str) -> None:
    import psycopg

    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        for name in names:
            connection.execute(f"create database {name}")


def _make_account(uri: str, folder: Path) -> Path:
    import requests

    given = {"username": USER, "password": PASSWORD}
    answer = requests.post(
        f"{uri}/api/2.0/mlflow/users/create", json=given, auth=("admin", "an administrator's password"), timeout=60
    )
    assert answer.status_code == 200, answer.text
    place = folder / "registry.credentials"
    place.touch(mode=0o600)
    place.write_text(f"{USER}:{PASSWORD}\n", encoding="utf-8")
    return place
