"""The services of docker-compose.yml as plain processes, where no engine is at hand.

Each gets the command, the entry point, the environment and the health check that are written there and in its
Dockerfile, and nothing else from this process. Places of volumes, secrets, memory and copied files become
places in a folder of the test, host names become 127.0.0.1, ports become free ones. What only an engine does
(users, capabilities, networks, a root that cannot be written) is not seen here.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Self

from helpers.commands import ENVIRONMENT
from helpers.compose_file import ROOT, read_compose, read_image
from helpers.mlflow_server import free_port
from helpers.services import postgres_folder, postgres_owns, postgres_programs, postgres_user

#: As long as a service may take to be healthy, and a command to end, on a busy machine.
HEALTHY_SECONDS = 120.0
COMMAND_SECONDS = 300.0

#: Between two health checks; each is a process that takes time from the service it asks.
HEALTH_INTERVAL = 0.5

#: The service that is not ours: its image's entry point is played by `_as_the_image_does`.
DATABASE = "postgres"

#: The services that hold this project's packages.
OURS = ("maintain", "maintain-gpu")


class Composed:
    """A project folder with `secrets/` and `.env`, and what runs of it. A context: everything ends with it."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.ports = {port: str(free_port()) for port in ("5000", "5432")}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._programs = postgres_programs()
        self._database = self._stack.enter_context(postgres_folder())
        return self

    def __exit__(self, *_: object) -> None:
        for name in tuple(self.running)[::-1]:
            self.stop(name)
        self._stack.close()

    @property
    def uri(self) -> str:
        """Where the registry's server is, as the host sees it."""
        return f"http://127.0.0.1:{self.ports['5000']}"

    def services(self) -> dict[str, Any]:
        """The services as they are written, with the variables of `.env`."""
        env = self.project / ".env"
        return _services(env.read_text(encoding="utf-8") if env.exists() else "")

    def up(self, name: str) -> None:
        """Start a service after those it depends on, and wait until it is healthy."""
        if name in self.running:
            return
        self._await_dependencies(name)
        service = self.services()[name]
        command = self.mapped(name, [*self._entrypoint(name), *service["command"]])
        if name == DATABASE:
            self._as_the_image_does(command)
            command = [*command, "-F"]  # a test needs no disk that survives a power cut
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, stdout=log, stderr=log, **self._settings(name))
        until = time.monotonic() + HEALTHY_SECONDS
        while not self.healthy(name):
            assert self.running[name].poll() is None, f"{name} ended: {self.log(name)}"
            assert time.monotonic() < until, f"{name} is not healthy: {self.log(name)}"
            time.sleep(HEALTH_INTERVAL)

    def stop(self, name: str) -> None:
        """End a service that runs."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGINT if name == DATABASE else signal.SIGTERM)  # as the images say
        process.wait()

    def log(self, name: str) -> str:
        """What a service wrote."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def healthy(self, name: str) -> bool:
        """Whether the health check, as it is written, is content."""
        kind, *command = self.services()[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.execute(name, command).returncode == 0

    def run(
        self, name: str, arguments: Sequence[str], *, entrypoint: str = "", stdin: IO[bytes] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """A one-shot service with these arguments, in a container of its own: memory begins empty."""
        self._await_dependencies(name)
        shutil.rmtree(self.folder / "memory" / name, ignore_errors=True)
        return self.execute(name, [*([entrypoint] if entrypoint else self._entrypoint(name)), *arguments], stdin=stdin)

    def execute(
        self, name: str, command: Sequence[str], *, stdin: IO[bytes] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """A command as it would run in the container of a service."""
        return subprocess.run(
            self.mapped(name, command),
            stdin=stdin or subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
            **self._settings(name),
        )

    def mapped(self, name: str, words: Sequence[str]) -> list[str]:
        """The same words with the places, hosts and ports of this machine; one pass, so nothing is mapped twice."""
        places = self._places(name)
        longest = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
        pattern = re.compile(
            rf"(?P<place>(?<![\w./-])(?:{longest})(?![\w.-]))"
            r"|(?P<host>\b(?:mlflow|postgres)(?=:\d)|0\.0\.0\.0|(?<=listen_addresses=)\*)"
            r"|(?P<port>\b(?:5000|5432)\b)"
        )

        def here(match: re.Match[str]) -> str:
            if place := match["place"]:
                return str(places[place])
            return self.ports[match["port"]] if match["port"] else "127.0.0.1"

        return [pattern.sub(here, word) for word in words]

    # --- private ---------------------------------------------------------------------------------------

    def _await_dependencies(self, name: str) -> None:
        for other, asked in self.services()[name].get("depends_on", {}).items():
            if asked["condition"] == "service_healthy":
                self.up(other)
            else:
                assert asked["condition"] == "service_completed_successfully"
                ended = self.run(other, self.services()[other].get("command", []))
                assert ended.returncode == 0, ended.stderr.decode()

    def _built(self, name: str) -> Mapping[str, Any] | None:
        """The service that builds the image of this one."""
        services = self.services()
        image = services[name]["image"]
        return next((item for item in services.values() if item["image"] == image and "build" in item), None)

    def _entrypoint(self, name: str) -> list[str]:
        built = self._built(name)
        written: list[str] | None = self.services()[name].get("entrypoint")
        return written if written is not None else list(read_image(built).entrypoint) if built else []

    def _home(self, name: str) -> Path:
        """The service's own folder; PostgreSQL's must be one that its user may reach."""
        return self._database if name == DATABASE else self.folder / "memory" / name

    def _places(self, name: str) -> dict[str, Path]:
        service, home = self.services()[name], self._home(name)
        built = self._built(name)
        places = dict(read_image(built).copied) if built else {}
        for secret in service.get("secrets", []):
            places[f"/run/secrets/{secret}"] = self._file(name, self.project / "secrets" / secret)
        for memory in service.get("tmpfs", []):
            target = memory.split(":")[0]
            places[target] = self._folder(home / "tmpfs" / Path(target).name)
        for volume in service.get("volumes", []):
            if volume["type"] == "bind":
                places[volume["target"]] = self._file(name, ROOT / volume["source"])
            else:
                at = home if name == DATABASE else self.folder / "volumes"
                places[volume["target"]] = self._folder(at / volume["source"])
        return places

    def _folder(self, place: Path) -> Path:
        missing = [place, *place.parents]
        for folder in reversed(missing[: next(n for n, item in enumerate(missing) if item.exists())]):
            folder.mkdir(mode=0o700)
            if self._database in folder.parents:
                postgres_owns(folder)
        return place

    def _file(self, name: str, source: Path) -> Path:
        """The file or folder itself, as an engine mounts it; for PostgreSQL a copy that its user may reach."""
        if name != DATABASE:
            return source
        place = self._folder(self._database / "mounted") / source.name
        if not place.exists() or place.read_bytes() != source.read_bytes():
            shutil.copyfile(source, place)
            shutil.copymode(source, place)
        return place

    def _settings(self, name: str) -> dict[str, Any]:
        """Environment, folder and user of a process of a service."""
        service, built = self.services()[name], self._built(name)
        written = {**(read_image(built).environment if built else {}), **service.get("environment", {})}
        known = {key: str(value) for key, value in written.items() if value is not None and key != "PATH"}
        environment = dict(zip(known, self.mapped(name, list(known.values())), strict=True))
        programs = [str(self._programs)] if name == DATABASE else [str(Path(sys.executable).parent)]
        environment["PATH"] = os.pathsep.join([*programs, "/usr/bin", "/bin"])
        environment.setdefault("TMPDIR", *self.mapped(name, ["/tmp"]))
        if name in OURS:
            environment["PYTHONPATH"] = ENVIRONMENT["PYTHONPATH"]
            environment["OMP_NUM_THREADS"] = "1"
        user = postgres_user() if name == DATABASE else {}
        return {"env": environment, "cwd": self._folder(self._home(name) / "cwd"), **user}

    def _as_the_image_does(self, command: list[str]) -> None:
        """What the official image does on an empty volume, step by step as its documentation tells it."""
        settings = self._settings(DATABASE)
        environment = settings["env"]
        data, user = Path(environment["PGDATA"]), environment["POSTGRES_USER"]
        if (data / "PG_VERSION").exists():
            return

        def done(*words: object) -> None:
            subprocess.run([*map(str, words)], check=True, stdout=subprocess.DEVNULL, **settings)

        options = shlex.split(environment["POSTGRES_INITDB_ARGS"])
        done("initdb", f"--username={user}", f"--pwfile={environment['POSTGRES_PASSWORD_FILE']}", "--no-sync", *options)
        with (data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write("\nhost all all all scram-sha-256\n")
        quiet = shlex.join([*command[1:], "-clisten_addresses=", "-F"])
        done("pg_ctl", "-o", quiet, "-w", "-l", self._database / "first.log", "start")
        (script,) = (path for target, path in self._places(DATABASE).items() if "initdb.d" in target)
        asked = ("psql", "-v", "ON_ERROR_STOP=1", "--no-password", "--no-psqlrc", "--quiet")
        done(*asked, "--username", user, "--dbname", user, "-f", script)
        done("pg_ctl", "-m", "fast", "-w", "stop")


@functools.cache
def _services(env: str) -> dict[str, Any]:
    services: dict[str, Any] = read_compose(dict(line.split("=", 1) for line in env.splitlines()))["services"]
    return services
