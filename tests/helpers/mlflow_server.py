"""MLflow's own server application in a process of its own, which can be told to refuse everybody.

As a program (`python -m helpers.mlflow_server FOLDER PORT`) it serves until it is ended; while the file
`refusing` lies in the folder it answers 401, whatever it is asked.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.commands import ENVIRONMENT
from maintain_registry.mlflow_store.tables import make_tables

#: Importing MLflow's server takes three seconds on an idle machine.
START_SECONDS = 120.0

#: An outage in a test is told at once.
IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


@dataclass(slots=True)
class Server:
    """A server that a test can end, start again, and let refuse."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def refuse(self, refusing: bool) -> None:
        place = self.folder / "refusing"
        place.touch() if refusing else place.unlink(missing_ok=True)

    def start(self) -> None:
        command = [sys.executable, "-m", "helpers.mlflow_server", str(self.folder), str(self.port)]
        log = (self.folder / "log.txt").open("ab")
        self.process = subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log)
        log.close()
        await_health(self.uri, self.process)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server over SQLite in that folder, gone at the end of the block."""
    server = Server(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A port of this host on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def await_health(uri: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers; one that ended instead is an error of the test."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer within {START_SECONDS} seconds")


def main(folder: Path, port: int) -> None:
    """Serve until the process is ended."""
    os.environ.update(
        {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder / 'server.db'}",
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": (folder / "files").as_uri(),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        }
    )
    warnings.simplefilter("ignore")
    import mlflow.server
    from mlflow.server.handlers import initialize_backend_stores
    from werkzeug.serving import make_server

    if not (folder / "server.db").exists():
        make_tables(folder / "server.db", partial=".making-")
    store = os.environ["_MLFLOW_SERVER_FILE_STORE"]
    initialize_backend_stores(store, store, "mlflow-artifacts:/")
    inner: Callable[..., Any] = mlflow.server.app

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if (folder / "refusing").exists():
            start_response("401 Unauthorized", [("Content-Type", "text/plain")])
            return [b"Go away."]
        return inner(environ, start_response)

    make_server("127.0.0.1", port, application, threaded=True).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
