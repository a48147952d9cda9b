"""Real processes of `maintain` that are killed, stopped, or told to stop at a chosen point.

The points live here and nowhere in the library: the functions that lie around one are wrapped in a
forked child, which then runs the command line as it is.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What a command would import, imported before there are threads; the rooms whose functions are wrapped.
IMPORTED = (
    "maintain.cli.composition",
    "maintain_pipelines.demo",
    "maintain_pipelines.destroy",
    "maintain_pipelines.rollback",
    "maintain_pipelines.suspend",
    "maintain_registry.folder",
    "maintain_registry.ledger",
)

#: Grace of a child that is told to stop; the program's own is longer than a test should be.
GRACE_SECONDS = 1.0

#: What a process sends itself at its point, by name.
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "term": signal.SIGTERM, "int": signal.SIGINT}

#: Every point, in the order in which a run comes to it: (module, attribute, call, before or after).
POINTS: dict[str, tuple[str, str, int, str]] = {
    "plan written, no row": ("maintain_pipelines.work", "_record_plan", 1, "before"),
    "row written, no head line": ("maintain_registry.ledger:Ledger", "complete_heads", 2, "before"),
    "planned": ("maintain_pipelines.work", "begin", 1, "after"),
    "epoch 2 trained, not kept": ("maintain.unlearn.loop", "keep", 2, "before"),
    "a later epoch kept": ("maintain.unlearn.loop", "keep", 3, "after"),
    "candidate written, no row": ("maintain_pipelines.run", "unlearn", 1, "after"),
    "unlearned": ("maintain_pipelines.run", "_unlearn", 1, "after"),
    "look entered, not committed": ("maintain_pipelines.journal", "take_look", 1, "after"),
    "looked, not measured": ("maintain_pipelines.verify", "_take_look", 1, "after"),
    "verdict written, no row": ("maintain_pipelines.run", "verify", 1, "after"),
    "verdict entered, not committed": ("maintain_pipelines.run", "record_verdict", 1, "after"),
    "verified": ("maintain_pipelines.run", "_verify", 1, "after"),
    "intent without files": ("maintain_registry.intents", "_begin", 1, "after"),
    "files without entry": ("maintain_registry.folder:FolderStore", "put", 1, "after"),
    "entry written, not committed": ("maintain_pipelines.register", "bar_matches", 1, "after"),
    "recorded, no alias": ("maintain_registry.intents", "_record", 1, "after"),
    "alias, intent not done": ("maintain_registry.folder:FolderStore", "set_alias", 1, "after"),
    "registered, not written down": ("maintain_registry.intents", "register", 1, "after"),
    "registered, no report": ("maintain_pipelines.run", "register", 1, "after"),
    "report written": ("maintain_pipelines.run", "write_report", 1, "after"),
}

#: Every point of a move of aliases, in the order in which a promotion comes to it.
MOVES: dict[str, tuple[str, str, int, str]] = {
    "decided, no entry": ("maintain_registry.moves", "_check", 1, "after"),
    "entry written, no row": ("maintain_registry.moves", "record_move", 1, "before"),
    "row written, not committed": ("maintain_registry.moves", "record_move", 1, "after"),
    "committed, no head line": ("maintain_registry.ledger:Ledger", "complete_heads", 2, "before"),
    "recorded, aliases untouched": ("maintain_registry.aliases", "_finish", 1, "before"),
    "champion set": ("maintain_registry.folder:FolderStore", "set_alias", 1, "after"),
    "previous set": ("maintain_registry.folder:FolderStore", "set_alias", 2, "after"),
    "an alias cleared": ("maintain_registry.folder:FolderStore", "clear_alias", 1, "after"),
    "aliases shown, row not done": ("maintain_registry.aliases", "_show", 3, "after"),
    "done, not said": ("maintain_registry.moves", "move_aliases", 1, "after"),
}

#: Every point of an adoption that `POINTS` does not name: the sides and the snapshot join the entry's transaction.
ADOPTION: dict[str, tuple[str, str, int, str]] = {
    "weights fitted, not registered": ("maintain_pipelines.adopting.adopt", "install", 1, "before"),
    "sides declared, not committed": ("maintain_pipelines.adopting.installing", "_declare", 1, "after"),
    "adopted, not cleared": ("maintain_pipelines.adopting.adopt", "install", 1, "after"),
}

#: Every point of a destruction of the weights that `retiring.plant` strews about, in their order.
RETIREMENT: dict[str, tuple[str, str, int, str]] = {
    "retiring, no entry": ("maintain_registry.moves", "_check", 1, "after"),
    "retired, not committed": ("maintain_registry.moves", "record_move", 1, "after"),
    "retired, aliases untouched": ("maintain_registry.aliases", "_finish", 1, "before"),
    "retired, no order": ("maintain_pipelines.destroy", "_order", 1, "before"),
    "order written, not committed": ("maintain_pipelines.destroy", "_listed", 1, "after"),
    "ordered, no head line": ("maintain_registry.ledger:Ledger", "complete_heads", 3, "before"),
    "ordered, nothing deleted": ("maintain_pipelines.destroy", "_order", 1, "after"),
    **{
        f"{number} removed, row there": ("maintain_pipelines.weight_places", "strike_gone", number, "before")
        for number in range(1, 8)
    },
    **{
        f"{number} removed": ("maintain_pipelines.destroy", "remove_weights", number, "after") for number in range(1, 8)
    },
    "artifact still there": ("maintain_registry.folder:FolderStore", "erase", 1, "before"),
    "marker written, artifact there": ("maintain_registry.folder", "_flush_folder", 2, "after"),
    "artifact removed, folder not flushed": ("maintain_registry.folder", "_flush_folder", 3, "after"),
    "all removed": ("maintain_registry.folder:FolderStore", "erase", 1, "after"),
    "removed, not shown": ("maintain_pipelines.destroy", "_bury", 1, "before"),
    "shown, no tombstone": ("maintain_pipelines.destroy", "_of_closed", 1, "after"),
    "tombstone, not said": ("maintain_pipelines.destroy", "_bury", 1, "after"),
}

#: Every call by which a registration or a move writes to MLflow; killed after it, the next one is never made.
MLFLOW: dict[str, tuple[str, str, int, str]] = {
    "experiment made": ("mlflow:MlflowClient", "create_experiment", 1, "after"),
    "run made": ("mlflow:MlflowClient", "create_run", 1, "after"),
    "data named": ("mlflow:MlflowClient", "log_inputs", 1, "after"),
    "holder made": ("mlflow:MlflowClient", "create_logged_model", 1, "after"),
    "some files copied": ("maintain_registry.mlflow_store.payload", "fill", 1, "after"),
    "files copied": ("mlflow:MlflowClient", "log_model_artifacts", 1, "after"),
    "holder sealed": ("mlflow:MlflowClient", "finalize_logged_model", 1, "after"),
    "run ended": ("mlflow:MlflowClient", "set_terminated", 1, "after"),
    "model made": ("mlflow:MlflowClient", "create_registered_model", 1, "after"),
    "version made": ("mlflow:MlflowClient", "create_model_version", 1, "after"),
    "alias of MLflow set": ("mlflow:MlflowClient", "set_registered_model_alias", 1, "after"),
    "second alias of MLflow set": ("mlflow:MlflowClient", "set_registered_model_alias", 2, "after"),
    "alias of MLflow removed": ("mlflow:MlflowClient", "delete_registered_model_alias", 1, "after"),
    "promotion tagged": ("mlflow:MlflowClient", "set_model_version_tag", 1, "after"),
    "version hidden": ("mlflow:MlflowClient", "delete_model_version", 1, "after"),
    "holder removed": ("mlflow:MlflowClient", "delete_logged_model", 1, "after"),
    "run removed": ("mlflow:MlflowClient", "delete_run", 1, "after"),
}

#: What a destruction over MLflow comes to after its order, beside those points of `RETIREMENT` that are no folder's.
#: `destroying.COPIES` copies lie there: in the workspace the walk removes them, on a server MLflow does.
MLFLOW_RETIREMENT: dict[str, tuple[str, str, int, str]] = {
    "no marker": ("maintain_registry.mlflow_store.erasing", "mark", 1, "before"),
    "marker stored": ("maintain_registry.mlflow_store.erasing", "mark", 1, "after"),
    **{
        f"{number} deleted in MLflow": ("maintain_registry.mlflow_store.erasing", "_delete", number, "after")
        for number in range(1, 6)
    },
    "all removed from MLflow": ("maintain_registry.mlflow_store.store:MlflowStore", "erase", 1, "after"),
}

#: Points of a call of scheduled work with several due jobs whose runs have nothing to unlearn.
JOBS: dict[str, tuple[str, str, int, str]] = {
    "some jobs seen, not committed": ("maintain_pipelines.jobs.turns", "enter", 3, "after"),
    "jobs seen": ("maintain_pipelines.jobs.take", "see", 1, "after"),
    "turn taken, not committed": ("maintain_pipelines.jobs.turns", "take", 2, "after"),
    "turn taken": ("maintain_pipelines.jobs.take", "take_turn", 2, "after"),
    "run named, not committed": ("maintain_pipelines.jobs.turns", "name_run", 1, "after"),
    "run named, not begun": ("maintain_pipelines.work", "begin", 2, "before"),
    "run ended, no report": ("maintain_pipelines.run", "advance", 2, "before"),
    "run ended, turn open": ("maintain_pipelines.run", "run_policy", 2, "after"),
    "turn ended, not committed": ("maintain_pipelines.jobs.turns", "end", 1, "after"),
    "turn ended": ("maintain_pipelines.jobs.work", "handle", 3, "after"),
}

#: Every point of the closing of a request of somebody who is everywhere in a workspace, in their order.
ERASURE: dict[str, tuple[str, str, int, str]] = {
    "closing, no order": ("maintain_pipelines.erasing.closing", "_order", 1, "before"),
    "order appended, not committed": ("maintain_registry.ledger:Ledger", "append", 1, "after"),
    "erasure ordered, nothing erased": ("maintain_pipelines.erasing.closing", "_order", 1, "after"),
    "pictures erased": ("maintain_pipelines.erasing.sweeping", "_pictures", 1, "after"),
    "trainings erased": ("maintain_pipelines.erasing.sweeping", "_trainings", 1, "after"),
    "references erased": ("maintain_pipelines.erasing.sweeping", "_references", 1, "after"),
    "weights erased": ("maintain_pipelines.erasing.sweeping", "_weights", 1, "after"),
    "record of a list written, list there": ("maintain_pipelines.erasing.sweeping", "_record", 1, "after"),
    "one list erased": ("maintain_pipelines.erasing.sweeping", "_record", 2, "before"),
    "lists erased": ("maintain_pipelines.erasing.sweeping", "_lists", 1, "after"),
    "proven, rows there": ("maintain_pipelines.erasing.closing", "_prove", 1, "after"),
    "rows erased, not committed": ("maintain_pipelines.erasing.closing", "mark_closed", 1, "after"),
    "closed, no head line": ("maintain_registry.ledger:Ledger", "complete_heads", 2, "before"),
    "closed, not compacted": ("maintain_pipelines.erasing.closing", "_close", 1, "after"),
    "compacted, not said": ("maintain_pipelines.erasing.closing", "_compact", 1, "after"),
}

#: The point that a run passes only once, when it is begun.
FIRST = "planned"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended (minus the signal, where one killed it) and what it said on both streams."""

    code: int
    said: str
    process: int
    stopped: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Nursery:
    """A process that has imported everything and forks one child a command, so that many kills cost little."""

    process: subprocess.Popen[str]
    folder: Path

    def run(
        self,
        *arguments: object,
        workspace: Path,
        point: str = "",
        send: str = "kill",
        hang: float = 0.0,
        after_seconds: float = 0.0,
        call: str = "",
    ) -> Ended:
        """Run one command in a process of its own: to its end, its death, or its stop at the point or moment.

        With `call` (`module:function`) it is that function, given the workspace and the arguments.
        """
        words = [str(workspace) if call else f"--workspace={workspace}", *map(str, arguments)]
        said = self.folder / f"said-{len(list(self.folder.iterdir()))}.txt"
        said.touch()
        return self._ask(
            {
                "words": words,
                "point": point,
                "send": send,
                "hang": hang,
                "after": after_seconds,
                "said": str(said),
                "call": call,
            }
        )

    def wake(self, stopped: Ended) -> Ended:
        """Let a stopped process go on to its end."""
        return self._ask({"wake": stopped.process, "said": stopped.said})

    def kill(self, stopped: Ended) -> Ended:
        """Kill a stopped process."""
        os.kill(stopped.process, signal.SIGKILL)
        return self.wake(stopped)

    def _ask(self, order: dict[str, Any]) -> Ended:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        said = order["said"] if answer["stopped"] else Path(order["said"]).read_text(encoding="utf-8")
        return Ended(said=said, **answer)


@contextmanager
def nursery(folder: Path, *more: str) -> Iterator[Nursery]:
    """A nursery that is gone at the end of the block; `more` is imported beside `IMPORTED`."""
    root = Path(__file__).parents[2]
    paths = [root, root / "policies", root / "registry", root / "pipelines", root / "tests"]
    environment = {**os.environ, "PYTHONPATH": ":".join(map(str, paths))}
    with subprocess.Popen(
        [sys.executable, "-m", "helpers.killing", *more],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Nursery(process, folder)
        assert process.stdin is not None
        process.stdin.close()
        process.kill()  # it has nothing to keep, and taking down what it imported takes seconds


def arm(point: str, number: int, hang: float) -> None:
    """Wrap the function of a point, so that its call of that count sends the signal."""
    module, name, wanted, when = {
        **POINTS,
        **ADOPTION,
        **MOVES,
        **RETIREMENT,
        **MLFLOW,
        **MLFLOW_RETIREMENT,
        **JOBS,
        **ERASURE,
    }[point]
    owner = _owner(module)
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == wanted and when == "before":
            _send(number, hang)
        result = original(*arguments, **named)
        if calls == wanted and when == "after":
            _send(number, hang)
        return result

    for place, attribute in [(owner, name)] if _in_class(module) else _imported(original):
        setattr(place, attribute, wrapped)
    table: Any = sys.modules["maintain_pipelines.run"]
    table.STEPS = {state: wrapped if step is original else step for state, step in table.STEPS.items()}


# --- private ---------------------------------------------------------------------------------------


def _in_class(module: str) -> bool:
    """Whether a point lies in a method, which is wrapped in its class."""
    return ":" in module


def _owner(module: str) -> Any:
    name, _, inner = module.partition(":")
    found = importlib.import_module(name)
    return getattr(found, inner) if inner else found


def _imported(original: Any) -> list[tuple[Any, str]]:
    """Every module of ours that holds the function, under whatever name it is called there."""
    ours = [module for name, module in list(sys.modules.items()) if name.startswith("maintain")]
    return [(module, name) for module in ours for name, value in list(vars(module).items()) if value is original]


def _send(number: int, hang: float) -> None:
    os.kill(os.getpid(), number)
    until = time.monotonic() + hang
    while time.monotonic() < until:
        time.sleep(0.05)


def _serve() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for room in (*IMPORTED, *sys.argv[1:]):
            importlib.import_module(room)
    gc.freeze()  # a child that looks for garbage would copy every page of what was imported
    for line in sys.stdin:
        order, begun = json.loads(line), time.monotonic()
        child = order.get("wake") or os.fork()
        if child == 0:
            _be_born(order)
        if "wake" in order:
            os.kill(child, signal.SIGCONT)
        elif order["after"]:
            time.sleep(order["after"])
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, os.WUNTRACED)
        stopped = os.WIFSTOPPED(status)
        answer = {
            "code": 0 if stopped else os.waitstatus_to_exitcode(status),
            "process": child,
            "stopped": stopped,
            "seconds": time.monotonic() - begun,
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _be_born(order: dict[str, Any]) -> None:
    from maintain.cli import app, interruption
    from maintain_registry import lock

    descriptor = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    code = 4
    try:
        interruption.GRACE_SECONDS = lock.WAIT_SECONDS = GRACE_SECONDS
        if order["point"]:
            arm(order["point"], SIGNALS[order["send"]], order["hang"])
        sys.argv[1:] = order["words"]
        if order["call"]:
            _owner(order["call"])(*order["words"])
            code = 0
        else:
            app.main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
