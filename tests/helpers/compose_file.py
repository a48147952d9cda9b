"""docker-compose.yml and Dockerfiles, read as far as the tests need them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"

#: `${NAME}` and `${NAME:-default}`, the only forms that the file uses.
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Image:
    """What the last stage of a Dockerfile says."""

    environment: Mapping[str, str]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    user: str
    copied: Mapping[str, Path]


def read_compose(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file with its variables replaced; one without a value or a default is an error."""
    given = variables or {}

    def value(match: re.Match[str]) -> str:
        found = given.get(match[1]) or match[2]
        assert found is not None, f"{match[1]} has neither a value nor a default"
        return found

    document: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(value, COMPOSE_FILE.read_text(encoding="utf-8")))
    return document


def dockerfile_of(service: Mapping[str, Any]) -> tuple[Path, Path]:
    """The Dockerfile of a service that is built, and the folder it is built from."""
    context = ROOT / service["build"]["context"]
    return context / service["build"].get("dockerfile", "Dockerfile"), context


def read_image(service: Mapping[str, Any]) -> Image:
    """The image of a service that is built."""
    path, context = dockerfile_of(service)
    written = instructions(path.read_text(encoding="utf-8"))
    stage = written[max(number for number, (word, _) in enumerate(written) if word == "FROM") :]
    said = dict(stage)
    environment: dict[str, str] = {}
    copied: dict[str, Path] = {}
    for word, rest in stage:
        if word == "ENV":
            for item in shlex.split(rest):
                name, _, value = item.partition("=")
                environment[name] = value
        elif word == "COPY" and "--from=" not in rest:
            *sources, target = rest.split()
            copied |= {f"{target.rstrip('/')}/{Path(source).name}": context / source for source in sources}
    return Image(
        environment=environment,
        entrypoint=tuple(json.loads(said.get("ENTRYPOINT", "[]"))),
        command=tuple(json.loads(said.get("CMD", "[]"))),
        user=said.get("USER", ""),
        copied=copied,
    )


def instructions(text: str) -> tuple[tuple[str, str], ...]:
    """Every instruction of a Dockerfile: its word, and the rest of its line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return tuple((word.upper(), rest.strip()) for word, rest in (line.split(None, 1) for line in joined.splitlines()))
