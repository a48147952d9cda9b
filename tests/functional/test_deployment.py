"""docs/deployment.md, every command of it in order, on the services of docker-compose.yml as plain processes.

One PostgreSQL, a server that starts twice, and a dozen commands, each in a process of its own: most of a
minute, and the only test of how these parts are put together.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from helpers.compose_file import ROOT
from helpers.composed import Composed
from helpers.services import missing
from maintain.hospital import HospitalOptions, build_hospital

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")

#: Chapter and commands of each block.
BLOCKS = [
    (chapter.splitlines()[0], block)
    for chapter in PAGE.split("\n## ")[1:]
    for block in re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)
]

#: As small as a hospital may be, and easy.
SMALL = HospitalOptions(patients=60, seed=3, difficulty=0.0, duplicates=0)

MODEL = "fundus-triage"
ADMINISTRATOR = "admin"
OK, UNAUTHORISED, FORBIDDEN, ABSENT = 200, 401, 403, 404
CHAMPION = f"registered-models/alias?name={MODEL}&alias=champion"


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """The services after the first chapters: a model is trained and registered."""
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    try:
        import flask_wtf  # noqa: F401
    except ImportError:
        missing("Flask-WTF is not installed; MLflow's basic authentication needs it")
    images = build_hospital(tmp_path_factory.mktemp("source") / "hospital", SMALL).root
    with Composed(tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("engine")) as services:
        say_all(services, "The first time", ("/srv/images", str(images)))
        yield services


def say_all(services: Composed, chapter: str, *put: tuple[str, str]) -> list[str]:
    """Do what a chapter says, line by line; what each wrote to stdout comes back."""
    lines = [line for name, block in BLOCKS if name == chapter for line in block.splitlines()]
    assert lines
    for old, new in put:
        assert any(old in line for line in lines)
        lines = [line.replace(old, new) for line in lines]
    return [say(services, line) for line in lines]


def say(services: Composed, line: str) -> str:
    """Do what one line of the page says; what it wrote to stdout comes back."""
    if not line.startswith("docker compose "):
        subprocess.run(["sh", "-euc", line], cwd=services.project, check=True)
        return ""
    line, _, written = line.partition(" > ")
    line, _, read = line.partition(" < ")
    verb, *words = shlex.split(line)[2:]
    options = words[: next(n for n, word in enumerate(words) if word[0] != "-")]
    names = words[len(options) :]
    if verb == "build":
        assert all("build" in services.services()[name] for name in names)
        return ""
    if verb == "up":
        assert options == ["--detach", "--wait"]
        for name in names:
            services.up(name)
        return ""
    if verb == "restart":
        for name in names:
            services.stop(name)
            services.up(name)
        return ""
    with ExitStack() as opened:
        stdin = opened.enter_context((services.project / read).open("rb")) if read else None
        if verb == "exec":
            assert options == ["-T"]
            ended = services.execute(names[0], names[1:], stdin=stdin)
        else:
            assert verb == "run"
            assert options[0] == "--rm"
            entrypoint = names.pop(0) if options[-1] == "--entrypoint" else ""
            quick = ["--epochs", "1"] if names[1:3] == ["model", "train"] else []
            ended = services.run(names[0], [*names[1:], *quick], entrypoint=entrypoint, stdin=stdin)
    assert ended.returncode == 0, f"{line}: {ended.stdout.decode()[-2000:]}{ended.stderr.decode()[-2000:]}"
    if written:
        (services.project / written).write_bytes(ended.stdout)
    return ended.stdout.decode(errors="replace")


def secret(services: Composed, name: str) -> str:
    return (services.project / "secrets" / name).read_text(encoding="utf-8").strip()


def account(services: Composed) -> tuple[str, str]:
    user, _, password = secret(services, "registry_credentials").partition(":")
    return user, password


def ask(services: Composed, path: str, who: tuple[str, str] | None, host: str = "") -> Any:
    """What the server answers to somebody who asks."""
    import requests

    headers = {"Host": host} if host else {}
    return requests.get(f"{services.uri}/api/2.0/mlflow/{path}", auth=who, headers=headers, timeout=60)


def models(services: Composed, who: tuple[str, str] | None, host: str = "") -> tuple[int, list[str]]:
    """The answer's number, and the models that somebody may see."""
    answer = ask(services, "registered-models/search?max_results=10", who, host)
    known = answer.json().get("registered_models", []) if answer.status_code == OK else []
    return answer.status_code, [model["name"] for model in known]


def test_who_is_nobody_gets_nothing(composed: Composed) -> None:
    import requests

    assert models(composed, None) == (UNAUTHORISED, [])
    assert models(composed, (ADMINISTRATOR, "password1234")) == (UNAUTHORISED, [])
    assert models(composed, account(composed), host="rebound.example")[0] == FORBIDDEN
    stranger = {"username": "stranger", "password": "long enough to be one"}
    made = requests.post(
        f"{composed.uri}/api/2.0/mlflow/users/create",
        json=stranger,
        auth=(ADMINISTRATOR, secret(composed, "mlflow_admin_password")),
        timeout=60,
    )
    assert made.status_code == OK
    assert models(composed, (stranger["username"], stranger["password"])) == (OK, [])


def test_the_account_of_the_secret_sees_what_was_trained(composed: Composed) -> None:
    assert models(composed, account(composed)) == (OK, [MODEL])
    assert ask(composed, CHAMPION, account(composed)).status_code == OK
    assert ask(composed, CHAMPION, None).status_code == UNAUTHORISED
    assert any((composed.folder / "volumes" / "artifacts" / "files").rglob("weights.safetensors"))


def test_no_password_is_in_an_argument_an_environment_or_a_log(composed: Composed) -> None:
    secrets = {path.name: path.read_text(encoding="utf-8").strip() for path in (composed.project / "secrets").iterdir()}
    secrets["registry_credentials"] = account(composed)[1]
    for name, process in composed.running.items():
        place = Path(f"/proc/{process.pid}")
        if not place.exists():
            pytest.skip("no /proc on this machine")
        seen = (place / "cmdline").read_text() + (place / "environ").read_text() + composed.log(name)
        assert {known for known, value in secrets.items() if value in seen} <= {"mlflow_secret_key"}


def test_nothing_is_written_where_a_container_could_not(composed: Composed) -> None:
    for cwd in (*composed.folder.glob("memory/*/cwd"), composed.folder / "memory" / "mlflow" / "cwd"):
        assert list(cwd.iterdir()) == []


def test_secrets_change_as_the_page_says(composed: Composed) -> None:
    before = account(composed), (ADMINISTRATOR, secret(composed, "mlflow_admin_password"))
    say_all(composed, "Changing a secret")
    after = account(composed), (ADMINISTRATOR, secret(composed, "mlflow_admin_password"))
    assert [models(composed, who)[0] for who in (*before, *after)] == [UNAUTHORISED, UNAUTHORISED, OK, OK]
    assert models(composed, account(composed)) == (OK, [MODEL])


def test_a_backup_comes_back(composed: Composed) -> None:
    away, back = (block for chapter, block in BLOCKS if chapter == "Backup")
    for line in away.splitlines():
        say(composed, line)
    served = ask(composed, CHAMPION, account(composed))
    lost = "psql --username=postgres --dbname=registry --quiet --command='truncate model_versions cascade'"
    say(composed, f"docker compose exec -T postgres {lost}")
    assert ask(composed, CHAMPION, account(composed)).status_code == ABSENT
    for line in back.splitlines():
        say(composed, line)
    restored = ask(composed, CHAMPION, account(composed))
    assert (restored.status_code, restored.json()) == (OK, served.json())


def test_every_block_of_the_page_is_said_somewhere() -> None:
    chapters = [chapter for chapter, _ in BLOCKS]
    assert chapters == ["The first time"] * 3 + ["With a GPU"] + ["Changing a secret"] * 3 + ["Backup"] * 2


def test_the_program_for_a_gpu_differs_in_nothing_else(composed: Composed) -> None:
    say_all(composed, "With a GPU")
