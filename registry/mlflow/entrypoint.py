"""The first process of the registry's server: hands the mounted secrets to MLflow, then becomes the command.

Passwords go into two private files in memory (libpq's password file and MLflow's accounts file), so that no
address, argument, log or container setting holds one. Only the key for cross-site requests has no other way
into MLflow than the environment of its process.
"""

from __future__ import annotations

import configparser
import io
import os
import shutil
import sys
from pathlib import Path

#: The settings of accounts that are no secret.
SETTINGS = Path(__file__).with_name("auth.ini")

#: Who MLflow is in PostgreSQL; on every host, port and database of that name.
DATABASE_USER = "mlflow"


def main(command: list[str]) -> None:
    """Write the private files and become the command. A secret that is missing or empty ends it first."""
    if not command:
        sys.exit("no command was given")
    os.umask(0o077)
    password = _escaped(_secret("MLFLOW_DATABASE_PASSWORD_FILE"))
    _write("PGPASSFILE", f"*:*:*:{DATABASE_USER}:{password}\n")
    _write("MLFLOW_AUTH_CONFIG_PATH", _accounts(_secret("MLFLOW_AUTH_ADMIN_PASSWORD_FILE")))
    incoming = Path(_named("TMPDIR"))
    shutil.rmtree(incoming, ignore_errors=True)  # what a killed server had half received
    incoming.mkdir(parents=True)
    key = _secret("MLFLOW_FLASK_SERVER_SECRET_KEY_FILE")
    os.execvpe(command[0], command, {**os.environ, "MLFLOW_FLASK_SERVER_SECRET_KEY": key})


# --- private ---------------------------------------------------------------------------------------


def _accounts(password: str) -> str:
    """The settings of accounts, whole; `%` is doubled, because MLflow reads them interpolated."""
    settings = configparser.ConfigParser()
    settings.read_string(SETTINGS.read_text(encoding="utf-8"))
    settings["mlflow"]["database_uri"] = _named("MLFLOW_AUTH_DATABASE_URI")
    settings["mlflow"]["admin_password"] = password.replace("%", "%%")
    text = io.StringIO()
    settings.write(text)
    return text.getvalue()


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")


def _secret(variable: str) -> str:
    """The one line of the file that a variable names."""
    place = Path(_named(variable))
    try:
        text = place.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"the secret {place.name} cannot be read ({type(error).__name__})")
    if not text.strip() or "\n" in text:
        sys.exit(f"the secret {place.name} must be one line")
    return text


def _named(variable: str) -> str:
    if not (value := os.environ.get(variable)):
        sys.exit(f"{variable} is not set")
    return value


def _write(variable: str, text: str) -> None:
    """Replace a private file; one that an earlier start left has gone before."""
    place = Path(_named(variable))
    place.unlink(missing_ok=True)
    place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
