"""Is anything lost, doubled or left behind when a process dies between two calls of MLflow?

One lineage over SQLite in a workspace, and one over `mlflow server` on PostgreSQL with passwords. Each cell kills
a registration, a promotion, a suspension or a giving up with SIGKILL after one call of MLflow, or a destruction at one
of its steps, and says it again. It holds when no alias ever pointed at an unregistered version, and store and ledger
then agree as if nothing had happened, without a LoggedModel or a file that belongs to no version; after a destruction
also when no file of workspace or server has the bytes any more, copies in deleted runs and LoggedModels included.

Cells that an earlier call of the same code wrote are kept; `--only destroy` and `--at SQLite` choose among the rest.

    PYTHONPATH=tests python benchmarks/mlflow_kills.py
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from evidence import read_cells, write_cells  # noqa: E402  # the path comes first

from helpers import destroying, killing, lineage, services  # noqa: E402  # the path comes first
from maintain.settings import MLFLOW  # noqa: E402
from maintain_pipelines.promote import promote  # noqa: E402
from maintain_registry import Aliases, aliases_of, irregularities, registered, serving_of  # noqa: E402

#: Name of script and result.
NAME = "mlflow_kills"
THREADS = 1
MODEL = lineage.MODEL

REGISTERING = tuple(point for point in killing.MLFLOW if point not in ("experiment made", "model made"))[:9]
PROMOTING = ("alias of MLflow set", "second alias of MLflow set", "alias of MLflow removed", "promotion tagged")
SUSPENDING = ("alias of MLflow removed",)
GIVING_UP = ("version hidden", "holder removed", "run removed")

#: Steps of a destruction up to its first deletion, what MLflow is then asked, and what follows.
DESTROYING = (
    "retiring, no entry",
    "retired, not committed",
    "retired, aliases untouched",
    "retired, no order",
    "order written, not committed",
    "ordered, no head line",
    "ordered, nothing deleted",
    "1 removed, row there",
    "1 removed",
    *killing.MLFLOW_RETIREMENT,
    "removed, not shown",
    "shown, no tombstone",
    "tombstone, not said",
)

#: In the workspace the walk removes the copies, so that MLflow is asked for one deletion only.
ON_A_SERVER = tuple(point for point in killing.MLFLOW_RETIREMENT if point[0] in "2345")

#: After these the tombstone stands, and saying it again is nothing to do.
ENDED = ("tombstone, not said",)

IMPORTED = (
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "helpers.lineage",
)

#: What is killed, and where.
STEPS = {
    "register": REGISTERING,
    "promote": PROMOTING,
    "suspend": SUSPENDING,
    "give_up": GIVING_UP,
    "destroy": DESTROYING,
}


@dataclass(slots=True)
class Story:
    """A lineage that goes on from cell to cell, and what must be true of it."""

    workspace: Path
    nursery: killing.Nursery
    files: Path
    versions: int = 1
    aliases: Aliases = field(default_factory=lambda: Aliases(champion=1))

    def register(self, point: str) -> bool:
        """A candidate whose registration is killed at the point."""
        words = (str(self.aliases.champion), str(self.versions + 100))
        held = self._twice(point, *words, call="helpers.lineage:say_candidate", code=0)
        self.versions += 1
        self.aliases = replace(self.aliases, candidate=self.versions)
        return held and self.agrees()

    def promote(self, point: str) -> bool:
        """A candidate that waits, and its promotion killed at the point."""
        self._wait()
        held = self._twice(point, "registry", "promote", MODEL, code=5)
        self.aliases = Aliases(champion=self.versions, previous=self.aliases.champion)
        return held and self.agrees()

    def suspend(self, point: str) -> bool:
        """A suspension killed at the point, then a candidate that waited serves."""
        self._wait()
        held = self._twice(point, "registry", "suspend", MODEL, "--reason", "campaign", code=5)
        self.aliases = replace(self.aliases, champion=None)
        held = held and self.agrees()
        with lineage.opened(self.workspace) as context:
            promote(MODEL, None, context)
        self.aliases = Aliases(champion=self.versions, previous=self.aliases.previous)
        return held and self.agrees()

    def give_up(self, point: str) -> bool:
        """A registration that was killed, given up, and that killed at the point."""
        words = (str(self.aliases.champion), "99")
        begun = self.nursery.run(
            *words, workspace=self.workspace, call="helpers.lineage:say_candidate", point="version made"
        )
        killed = self.nursery.run("99", workspace=self.workspace, call="helpers.lineage:say_abandon", point=point)
        again = self.nursery.run("registry", "list", workspace=self.workspace)
        return (begun.code, killed.code, again.code) == (-9, -9, 0) and self.agrees()

    def destroy(self, point: str) -> bool:
        """A version that was left, its weights strewn about, and their destruction killed at the point."""
        self._wait()
        with lineage.opened(self.workspace) as context:
            promote(MODEL, None, context)
        left = self.aliases.champion
        assert left is not None
        self.aliases = Aliases(champion=self.versions, previous=left)
        digest = destroying.weights_of(self.workspace, left)
        destroying.strew(self.workspace, left)
        held = len(destroying.everywhere(digest, *self._folders)) == destroying.COPIES + 2
        words = ("registry", "retire", MODEL, str(left), "--reason", "campaign", "--destroy", "--yes")
        held = self._twice(point, *words, code=5 if point in ENDED else 0) and held
        self.aliases = Aliases(champion=self.versions)
        return held and not destroying.everywhere(digest, *self._folders) and self.agrees()

    def agrees(self) -> bool:
        """Whether store and ledger hold exactly what the story says."""
        with lineage.opened(self.workspace) as context, context.database.read() as unit:
            numbers = tuple(range(1, self.versions + 1))
            return (
                irregularities(unit, context.store) == ()
                and registered(unit, MODEL) == context.store.versions(MODEL) == numbers
                and serving_of(unit, MODEL).aliases == aliases_of(context.store, MODEL) == self.aliases
                and context.store.foreign() == 0
            )

    @property
    def _folders(self) -> set[Path]:
        return {self.workspace, self.files}

    def _wait(self) -> None:
        with lineage.opened(self.workspace) as context:
            lineage.add_candidate(context, self.aliases.champion, salt=self.versions + 100)
        self.versions += 1
        self.aliases = replace(self.aliases, candidate=self.versions)

    def _twice(self, point: str, *words: str, code: int, call: str = "") -> bool:
        """Killed at the point, nothing unverified served, and said again it ended as it should."""
        killed = self.nursery.run(*words, workspace=self.workspace, point=point, call=call)
        with lineage.opened(self.workspace) as context, context.database.read() as unit:
            served = {number for number in aliases_of(context.store, MODEL).document().values() if number}
            unverified = served - set(registered(unit, MODEL))
        again = self.nursery.run(*words, workspace=self.workspace, call=call)
        return killed.code == -9 and not unverified and again.code == code


def main() -> None:
    """Kill after every call, over both; write a line a cell, and the table for people."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options.add_argument("--only", choices=tuple(STEPS), help="one kind of step")
    options.add_argument("--at", choices=tuple(PLACES), help="one kind of registry")
    asked = options.parse_args()
    path = asked.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    for kind, begun in PLACES.items():
        if asked.at not in (None, kind) or not (waiting := _waiting(kind, cells, asked.only)):
            continue
        with tempfile.TemporaryDirectory() as name, begun(Path(name)) as story:
            for step, point in waiting:
                cells[f"{kind}: {step}, {point}"] = {"holds": getattr(story, step)(point)}
                document = write_cells(path, NAME, cells, threads=THREADS)
                path.with_suffix(".md").write_text(_render(document), encoding="utf-8")
    sys.exit(0 if cells and all(cell["holds"] for cell in cells.values()) else 1)


# --- private ---------------------------------------------------------------------------------------


def _waiting(kind: str, cells: Mapping[str, object], only: str | None) -> list[tuple[str, str]]:
    """The cells of a registry that are not there yet, in their order."""
    return [
        (step, point)
        for step, points in STEPS.items()
        for point in points
        if only in (None, step)
        and f"{kind}: {step}, {point}" not in cells
        and not (step == "destroy" and kind == "SQLite" and point in ON_A_SERVER)
    ]


@contextmanager
def _embedded(folder: Path) -> Iterator[Story]:
    workspace = lineage.make_workspace(folder / "workspace", registry=MLFLOW)
    with _begun(folder, workspace, workspace) as story:
        yield story


@contextmanager
def _served(folder: Path) -> Iterator[Story]:
    (folder / "server").mkdir()
    with services.registry_server(folder / "server") as server:
        workspace = lineage.make_workspace(folder / "workspace", registry=MLFLOW)
        settings = workspace / "maintain.toml"
        named = f'store = "{MLFLOW}"\nuri = "{server.uri}"\ncredentials = "{server.credentials}"'
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(f'store = "{MLFLOW}"', named), encoding="utf-8")
        with _begun(folder, workspace, folder / "server" / "files") as story:
            yield story


@contextmanager
def _begun(folder: Path, workspace: Path, files: Path) -> Iterator[Story]:
    (folder / "nursery").mkdir()
    with killing.nursery(folder / "nursery", *IMPORTED) as nursery:
        with lineage.opened(workspace) as context:
            lineage.install(context)
        yield Story(workspace, nursery, files)


def _render(document: Mapping[str, Any]) -> str:
    cells, machine = document["cells"], document["machine"]
    holding = sum(cell["holds"] for cell in cells.values())
    lines = [
        "# Killed between two calls of MLflow: nothing lost, doubled or left behind",
        "",
        f"{len(cells)} cells, each killed with SIGKILL; {holding} ended as if undisturbed.",
        f"Made by `benchmarks/mlflow_kills.py`; {machine['date']}, {machine['cpu']}, {machine['cores']} cores,",
        f"Python {machine['python']}. Code: `{document['code'][:12]}`.",
        "",
        "| cell | as undisturbed |",
        "|---|---|",
        *(f"| {name} | {'yes' if cell['holds'] else 'NO'} |" for name, cell in cells.items()),
    ]
    return "\n".join(lines) + "\n"


#: Each kind of registry, and how a story begins over it.
PLACES = {"SQLite": _embedded, "server": _served}

if __name__ == "__main__":
    main()
