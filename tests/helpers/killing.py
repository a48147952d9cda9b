"""A `maintain` command that dies, stops or is told to stop at a chosen point: `python -m helpers.killing ARGS`.

The points live here and nowhere in the library: the environment variable HELPERS_KILL_AT names one,
this module wraps the functions that lie around it, and then runs the command line as it is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VARIABLE = "HELPERS_KILL_AT"
SIGNAL_VARIABLE = "HELPERS_SIGNAL"

#: What a process sends itself at its point, by name.
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "term": signal.SIGTERM, "int": signal.SIGINT}

#: Every point, in the order in which a run comes to it: (module, attribute, call, before or after).
POINTS: dict[str, tuple[str, str, int, str]] = {
    "plan written, no row": ("maintain_pipelines.work", "_record_plan", 1, "before"),
    "row written, no head line": ("maintain_registry.ledger:Ledger", "complete_heads", 2, "before"),
    "planned": ("maintain_pipelines.work", "begin", 1, "after"),
    "epoch 2 trained, not kept": ("maintain.unlearn.loop", "_keep", 2, "before"),
    "a later epoch kept": ("maintain.unlearn.loop", "_keep", 3, "after"),
    "candidate written, no row": ("maintain_pipelines.run", "unlearn", 1, "after"),
    "unlearned": ("maintain_pipelines.run", "_unlearn", 1, "after"),
    "look entered, not committed": ("maintain_pipelines.journal", "take_look", 1, "after"),
    "looked, not measured": ("maintain_pipelines.verify", "_take_look", 1, "after"),
    "verdict written, no row": ("maintain_pipelines.run", "verify", 1, "after"),
    "verdict entered, not committed": ("maintain_pipelines.run", "record_verdict", 1, "after"),
    "verified": ("maintain_pipelines.run", "_verify", 1, "after"),
    "intent without files": ("maintain_registry.intents", "_begin", 1, "after"),
    "files without entry": ("maintain_registry.folder:FolderStore", "put", 1, "after"),
    "entry written, not committed": ("maintain_pipelines.register", "suppress", 1, "after"),
    "recorded, no alias": ("maintain_registry.intents", "_record", 1, "after"),
    "alias, intent not done": ("maintain_registry.folder:FolderStore", "set_alias", 1, "after"),
    "registered, not written down": ("maintain_registry.intents", "register", 1, "after"),
    "registered, no report": ("maintain_pipelines.run", "register", 1, "after"),
    "report written": ("maintain_pipelines.run", "write_report", 1, "after"),
}

#: The point that a run passes only once, when it is begun.
FIRST = "planned"


def command(
    *arguments: object, workspace: Path, point: str = "", send: str = "kill"
) -> tuple[list[str], dict[str, str]]:
    """The command line and environment of a process that sends itself a signal at a point."""
    words = [sys.executable, "-m", "helpers.killing", "--workspace", str(workspace), *map(str, arguments)]
    root = Path(__file__).parents[2]
    paths = [root, root / "policies", root / "registry", root / "pipelines", root / "tests"]
    environment = {**os.environ, VARIABLE: point, SIGNAL_VARIABLE: send, "PYTHONPATH": ":".join(map(str, paths))}
    return words, environment


@dataclass(frozen=True, slots=True)
class Nursery:
    """A process that has imported everything and forks one child a command, so that many kills cost little."""

    process: subprocess.Popen[str]
    folder: Path

    def run(self, *arguments: object, workspace: Path, point: str = "", after_seconds: float = 0.0) -> Ended:
        """Run one command in a process of its own, to its end or its death at the point or the moment."""
        said = self.folder / "said.txt"
        order = {"words": ["--workspace", str(workspace), *map(str, arguments)], "point": point}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**order, "said": str(said), "after": after_seconds}) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        return Ended(code, said.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended (minus the signal, where one killed it) and what it said on both streams."""

    code: int
    said: str


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """A nursery that is gone at the end of the block."""
    words, environment = command(workspace=folder)
    with subprocess.Popen(
        [*words[:3], "--serve"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Nursery(process, folder)
        assert process.stdin is not None
        process.stdin.close()


def start(*arguments: object, workspace: Path, point: str, send: str) -> subprocess.Popen[str]:
    """Start one command and leave it running."""
    words, environment = command(*arguments, workspace=workspace, point=point, send=send)
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def arm(point: str, number: int) -> None:
    """Wrap the function of a point, so that its call of that count sends the signal."""
    module, name, wanted, when = POINTS[point]
    owner = _owner(module)
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == wanted and when == "before":
            _send(number)
        result = original(*arguments, **named)
        if calls == wanted and when == "after":
            _send(number)
        return result

    for place, attribute in [(owner, name)] if _in_class(module) else _imported(original):
        setattr(place, attribute, wrapped)
    table = sys.modules["maintain_pipelines.run"]
    table.STEPS = {state: wrapped if step is original else step for state, step in table.STEPS.items()}


# --- private ---------------------------------------------------------------------------------------


def _in_class(module: str) -> bool:
    """Whether a point lies in a method, which is wrapped in its class."""
    return ":" in module


def _owner(module: str) -> Any:
    import importlib

    name, _, inner = module.partition(":")
    found = importlib.import_module(name)
    return getattr(found, inner) if inner else found


def _imported(original: Any) -> list[tuple[Any, str]]:
    """Every module of ours that holds the function, under whatever name it is called there."""
    ours = [module for name, module in list(sys.modules.items()) if name.startswith("maintain")]
    return [(module, name) for module in ours for name, value in list(vars(module).items()) if value is original]


def _send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.05)  # a signal that is handled between two instructions needs one


def _serve() -> None:
    import maintain_pipelines.demo  # noqa: F401  # what a command would import, before there are threads

    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _be_born(order)
        if order["after"]:
            time.sleep(order["after"])
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _be_born(order: dict[str, Any]) -> None:
    descriptor = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    code = 4
    try:
        _command(order["words"], order["point"], signal.SIGKILL)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 0
    finally:
        sys.stdout.flush()
        os._exit(code)


def _command(words: list[str], point: str, number: int) -> None:
    import maintain_registry.folder
    import maintain_registry.ledger  # noqa: F401  # the rooms whose functions are wrapped
    from maintain.cli import app

    if point:
        arm(point, number)
    sys.argv[1:] = words
    app.main()


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        _serve()
    else:
        _command(sys.argv[1:], os.environ.get(VARIABLE, ""), SIGNALS[os.environ.get(SIGNAL_VARIABLE, "kill")])
