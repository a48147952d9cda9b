"""The compose file and the Dockerfiles are as closed as docs/deployment.md says.

Each rule is a line of `compose_faults` or `dockerfile_faults`, and each is first shown a file that breaks it.
"""

from __future__ import annotations

import copy
import importlib.metadata
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.compose_file import ROOT, dockerfile_of, instructions, read_compose, read_image

#: What a service of ours may be given. A word that is not here is a slip of the pen, or something to think about.
KNOWN = {
    *("build", "cap_drop", "command", "depends_on", "deploy", "entrypoint", "environment", "healthcheck", "image"),
    *("init", "networks", "pids_limit", "ports", "profiles", "pull_policy", "read_only", "restart", "secrets"),
    *("security_opt", "shm_size", "stop_grace_period", "tmpfs", "user", "volumes"),
}
HEALTHY = {"condition": "service_healthy"}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEY")

#: Not in the lock: a virtual environment brings setuptools, and torch for CUDA names the exact version of its parts.
BROUGHT = re.compile(r"setuptools|triton|(nvidia|cuda)-.+")

PINNED = re.compile(r"[\w./-]+:v?\d+(\.\d+)+[\w.-]*")
PINS = ("==", "--constraint requirements.lock", "-r /opt/registry/requirements.txt")
NUMERIC = re.compile(r"[1-9]\d*:[1-9]\d*")

DOCKERFILES = sorted(
    path for path in ROOT.glob("*/**/Dockerfile*") if path.is_file() and not path.is_relative_to(ROOT / ".venv")
)
ATTACKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a word that Compose does not know": lambda one: one["services"]["mlflow"].update(red_only=True),
    "a root that can be written": lambda one: one["services"]["maintain"].update(read_only=False),
    "capabilities": lambda one: one["services"]["postgres"].update(cap_drop=["NET_RAW"]),
    "more privileges": lambda one: one["services"]["account"].pop("security_opt"),
    "root": lambda one: one["services"]["mlflow"].update(user="0:0"),
    "a name for a user": lambda one: one["services"]["mlflow"].update(user="mlflow"),
    "no version": lambda one: one["services"]["postgres"].update(image="postgres:latest"),
    "a password in the environment": lambda one: one["services"]["mlflow"]["environment"].update(DB_PASSWORD="x"),
    "a password in an address": lambda one: one["services"]["mlflow"]["command"].append("--x=postgresql://a:b@c/d"),
    "a secret that was not given": lambda one: one["services"]["account"].update(secrets=["registry_credentials"]),
    "a secret for nothing": lambda one: one["services"]["account"]["secrets"].append("mlflow_secret_key"),
    "a secret from the environment": lambda one: one["secrets"].update(mlflow_secret_key={"environment": "KEY"}),
    "a port for everybody": lambda one: one["services"]["mlflow"].update(ports=["5000:5000"]),
    "a network that is not there": lambda one: one["services"]["mlflow"].update(networks=["default"]),
    "a volume that is not there": lambda one: one["volumes"].pop("artifacts"),
    "nobody to wait for": lambda one: one["services"]["mlflow"]["depends_on"].update(db=HEALTHY),
    "waiting for nothing": lambda one: one["services"]["postgres"].pop("healthcheck"),
    "an end that never comes": lambda one: one["services"]["account"].update(restart="always"),
    "memory that its user cannot write": lambda one: one["services"]["mlflow"].update(tmpfs=["/run/mlflow:uid=0"]),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_that_is_less_closed_is_seen(attack: str) -> None:
    broken = copy.deepcopy(read_compose())
    ATTACKS[attack](broken)
    assert len({fault.split(": ")[-1] for fault in compose_faults(broken)}) == 1


def test_the_compose_file_is_closed() -> None:
    document = read_compose()
    assert sorted(document["services"]) == ["account", "maintain", "maintain-gpu", "mlflow", "postgres"]
    assert compose_faults(document) == []


@pytest.mark.parametrize(
    "text",
    [
        "FROM python\nUSER 5:5",
        "FROM python:latest\nUSER 5:5",
        "FROM python:3.11.15",
        "FROM python:3.11.15\nUSER 5:5\nUSER root",
        "FROM python:3.11.15 AS a\nUSER 5:5\nFROM python:3.11.15",
        "FROM python:3.11.15\nENV DB_PASSWORD=x\nUSER 5:5",
        "FROM python:3.11.15\nARG TOKEN\nUSER 5:5",
        "FROM python:3.11.15\nCOPY . /app\nUSER 5:5",
        "FROM python:3.11.15\nCOPY secrets/key /app/\nUSER 5:5",
        "FROM python:3.11.15\nADD app.tar /app\nUSER 5:5",
        "FROM python:3.11.15\nRUN pip install mlflow\nUSER 5:5",
        "FROM python:3.11.15\nUSER 5:5\nENTRYPOINT python app.py",
    ],
)
def test_a_dockerfile_that_is_less_closed_is_seen(text: str) -> None:
    assert len(dockerfile_faults(text)) == 1


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_every_dockerfile_is_closed(path: Path) -> None:
    assert dockerfile_faults(path.read_text(encoding="utf-8")) == []


def test_every_dockerfile_is_built_as_the_user_that_it_runs_as() -> None:
    built = {name: item for name, item in read_compose()["services"].items() if "build" in item}
    assert sorted({dockerfile_of(item)[0].resolve() for item in built.values()}) == DOCKERFILES
    for name, item in built.items():
        image = read_image(item)
        assert image.user == item["user"], name
        assert image.copied, name
        assert all(path.is_file() for path in image.copied.values()), name


def test_images_are_called_by_the_versions_that_are_in_them() -> None:
    services = read_compose()["services"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert services["mlflow"]["image"] == services["account"]["image"] == f"maintain-registry:{locked()['mlflow']}"
    assert services["maintain"]["image"] == f"maintain:{version}-cpu"
    assert services["maintain-gpu"]["image"] == f"maintain:{version}-gpu"


def test_the_program_for_a_gpu_differs_in_the_device_alone() -> None:
    services = read_compose()["services"]
    cpu, gpu = services["maintain"], services["maintain-gpu"]
    assert {key for key in {*cpu, *gpu} if cpu.get(key) != gpu.get(key)} == {
        *("profiles", "build", "image", "environment", "deploy")
    }
    assert {**cpu["environment"], "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"} == gpu["environment"]


def test_secrets_reach_neither_git_nor_an_image() -> None:
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if line and not line.startswith("#")]
    assert said[0] == "*"
    sent = {line[1:] for line in said if line.startswith("!")}
    assert sent == {"maintain", "policies", "pipelines", "registry", "pyproject.toml", "README.md", "requirements.lock"}


def test_the_server_has_the_packages_of_the_lock_and_no_others() -> None:
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    lines = (ROOT / "registry" / "mlflow" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("==") for line in lines if not line.startswith("#"))
    known = locked()
    assert {plain(name): version for name, version in given.items()} == {
        name: known[name] for name in needed("mlflow", "flask-wtf", "psycopg[binary]")
    }


def test_every_package_that_maintain_needs_is_in_the_lock() -> None:
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    absent = needed(*project["dependencies"]) - set(locked())
    assert [name for name in absent if not BROUGHT.fullmatch(name)] == []


def test_the_folder_of_the_server_is_no_package() -> None:
    """`registry` is on the path of tests: a package of that name there would hide MLflow itself."""
    assert not (ROOT / "registry" / "mlflow" / "__init__.py").exists()


def compose_faults(document: dict[str, Any]) -> list[str]:
    """What makes a compose file less closed than the page says."""
    services = document["services"]
    faults = [f"{name}: {fault}" for name in services for fault in _service_faults(name, document)]
    given = {secret for item in services.values() for secret in item.get("secrets", [])}
    for name, item in document["secrets"].items():
        if item != {"file": f"./secrets/{name}"} or name not in given:
            faults.append(f"the secret {name} is no file of secrets/, or nobody's")
    return faults


def dockerfile_faults(text: str) -> list[str]:
    """What makes a Dockerfile less closed than the page says."""
    said = instructions(text)
    last = max(number for number, (word, _) in enumerate(said) if word == "FROM")
    users = [rest for word, rest in said[last:] if word == "USER"]
    faults = [] if users and NUMERIC.fullmatch(users[-1]) else ["the last user is root, or a name"]
    for word, rest in said:
        if word == "FROM" and not PINNED.fullmatch(rest.split()[0]):
            faults.append(f"no version: {rest}")
        if word in ("ENV", "ARG") and SECRET.search(rest.split("=")[0].upper()):
            faults.append(f"a secret: {rest}")
        if word == "ADD" or (word == "COPY" and {".", "./"} & set(rest.split()[:-1])) or "secrets" in rest:
            faults.append(f"more than is named: {rest}")
        if word == "RUN" and any(not _pinned(part) for part in rest.split("&&") if "pip install" in part):
            faults.append(f"packages without a version: {rest}")
        if word in ("ENTRYPOINT", "CMD") and not rest.startswith("["):
            faults.append(f"by way of a shell: {rest}")
    return faults


def locked() -> dict[str, str]:
    """The lock: versions by plain names."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return {plain(name): version for name, version in (line.split("==") for line in lines if line[:1].isalnum())}


def needed(*wanted: str) -> set[str]:
    """Plain names of everything that these requirements bring along on this machine."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    waiting = [Requirement(item) for item in wanted]
    while waiting:
        item = waiting.pop()
        name = plain(item.name)
        if name in found and not item.extras:
            continue
        found.add(name)
        for line in [] if BROUGHT.fullmatch(name) else importlib.metadata.requires(name) or []:
            other = Requirement(line)
            if other.marker is None or any(other.marker.evaluate({"extra": one}) for one in ("", *item.extras)):
                waiting.append(other)
    return found


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _service_faults(name: str, document: dict[str, Any]) -> Iterator[str]:
    service = document["services"][name]
    if unknown := set(service) - KNOWN:
        yield f"unknown words: {sorted(unknown)}"
    if service.get("read_only") is not True:
        yield "its root can be written"
    if service.get("cap_drop") != ["ALL"] or service.get("security_opt") != ["no-new-privileges:true"]:
        yield "it has capabilities, or may gain some"
    if not NUMERIC.fullmatch(service.get("user", "")):
        yield "it runs as root, or under a name"
    if not PINNED.fullmatch(service["image"]):
        yield "its image has no version"
    if any(not port.startswith("127.0.0.1:") for port in service.get("ports", [])):
        yield "a port is open beyond the host"
    if set(service.get("networks", [])) - set(document["networks"]) or not service.get("networks"):
        yield "a network is not declared"
    uid, _, gid = service["user"].partition(":")
    own = f":uid={uid},gid={gid},"
    if any(place != "/tmp" and own not in place for place in service.get("tmpfs", [])) and uid.isdigit() and uid != "0":
        yield "its user cannot write its memory"
    yield from _secret_faults(service)
    yield from _volume_faults(service, document)
    yield from _order_faults(service, document["services"])


def _secret_faults(service: dict[str, Any]) -> Iterator[str]:
    environment = service.get("environment", {})
    wanted = {value for value in environment.values() if str(value).startswith("/run/secrets/")}
    if wanted != {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}:
        yield "its secrets are not those that it names"
    for key, value in environment.items():
        if SECRET.search(key) and not str(value).startswith(("/run/", "postgresql:")):
            yield f"{key} is no file"
    words = [*map(str, environment.values()), *service.get("command", [])]
    if any(re.search(r"://[^/\s]*:[^/\s]*@", word) for word in words):
        yield "a password in an address"


def _volume_faults(service: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    for volume in service.get("volumes", []):
        if volume["type"] == "volume":
            if volume["source"] not in document["volumes"]:
                yield f"the volume {volume['source']} is not declared"
        elif not (volume["type"] == "bind" and volume["read_only"] and volume["bind"] == {"create_host_path": False}):
            yield f"{volume['target']} can be written, or is made by itself"


def _order_faults(service: dict[str, Any], services: dict[str, Any]) -> Iterator[str]:
    for name, asked in service.get("depends_on", {}).items():
        other = services.get(name, {"profiles": ["none"]})
        ends = other.get("restart") == "no" and "healthcheck" not in other
        expected = "service_completed_successfully" if ends else "service_healthy"
        if "profiles" in other or asked["condition"] != expected or (not ends and "healthcheck" not in other):
            yield f"it waits for {name} in vain"


def _pinned(command: str) -> bool:
    return any(mark in command for mark in PINS)
