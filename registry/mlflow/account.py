"""Make sure that the account of `maintain` on the server is there and has the password of its secret.

Says what it did in one line, and may be said again: that is how passwords are changed. With `--administrator`
it changes the administrator's own password instead, from the present one (the secret) to the line on stdin.
Nothing but the standard library, and no password in an argument, an address or a message.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

#: The account that auth.ini lets the server make.
ADMINISTRATOR = "admin"

#: Seconds in which the server answers; the first look at a password is slow.
TIMEOUT = 60.0

UNAUTHORISED = 401


def main(arguments: list[str]) -> None:
    """Do what was asked; a refusal of the server ends it with its number."""
    if arguments == ["--administrator"]:
        _expect(_change_own(sys.stdin.readline().strip("\r\n")), "the administrator's password was not changed")
        print("The administrator's password is changed. Write it into the secret.")
        return
    if arguments:
        sys.exit("usage: account.py [--administrator]")
    user, _, password = _secret("REGISTRY_CREDENTIALS_FILE").partition(":")
    if not (user and password):
        sys.exit("the secret of the account must be one line, user:password")
    status = _ask("GET", "users/current", (user, password))
    if status == UNAUTHORISED:
        made = _as_administrator("POST", "users/create", {"username": user, "password": password})
        if made != OK:
            _expect(_change(user, password), f"the account {user} was neither made nor changed")
        status = _ask("GET", "users/current", (user, password))
    _expect(status, f"the account {user} does not work")
    print(f"The account {user} works.")


# --- private ---------------------------------------------------------------------------------------

OK = 200


def _change(user: str, password: str) -> int:
    return _as_administrator("PATCH", "users/update-password", {"username": user, "password": password})


def _change_own(password: str) -> int:
    """Whoever changes the own password must say the present one again."""
    present = _secret("MLFLOW_AUTH_ADMIN_PASSWORD_FILE")
    body = {"username": ADMINISTRATOR, "password": password, "current_password": present}
    return _as_administrator("PATCH", "users/update-password", body)


def _as_administrator(method: str, path: str, body: dict[str, str]) -> int:
    return _ask(method, path, (ADMINISTRATOR, _secret("MLFLOW_AUTH_ADMIN_PASSWORD_FILE")), body)


def _ask(method: str, path: str, account: tuple[str, str], body: dict[str, str] | None = None) -> int:
    """The status of the server's answer; its text may repeat what it was sent and is not read."""
    token = base64.b64encode(":".join(account).encode()).decode()
    request = urllib.request.Request(
        f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        sys.exit(f"the server did not answer ({type(error).__name__})")


def _expect(status: int, otherwise: str) -> None:
    if status != OK:
        sys.exit(f"{otherwise} ({status})")


def _secret(variable: str) -> str:
    place = Path(os.environ[variable])
    try:
        return place.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"the secret {place.name} cannot be read ({type(error).__name__})")


if __name__ == "__main__":
    main(sys.argv[1:])
