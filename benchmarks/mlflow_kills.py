"""Is anything lost, doubled or left behind when a process dies between two calls of MLflow?

One lineage over SQLite in a workspace, and one over `mlflow server` on PostgreSQL with passwords. Each cell kills
a registration, a promotion, a suspension or a giving up with SIGKILL after one call of MLflow and says it again.
It holds when no alias ever pointed at an unregistered version, and store and ledger then agree as if nothing
had happened, without a LoggedModel or a file that belongs to no version.

    PYTHONPATH=tests python benchmarks/mlflow_kills.py
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from evidence import write_cells  # noqa: E402  # the path comes first

from helpers import killing, lineage, services  # noqa: E402  # the path comes first
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

IMPORTED = (
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "helpers.lineage",
)


@dataclass(slots=True)
class Story:
    """A lineage that goes on from cell to cell, and what must be true of it."""

    workspace: Path
    nursery: killing.Nursery
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
    asked = options.parse_args()
    cells: dict[str, dict[str, Any]] = {}
    path = asked.out / f"{NAME}.json"
    for kind, begun in (("SQLite", _embedded), ("server", _served)):
        with tempfile.TemporaryDirectory() as name, begun(Path(name)) as story:
            for what, points in _steps(story):
                for point in points:
                    cells[f"{kind}: {what.__name__}, {point}"] = {"holds": what(point)}
                    document = write_cells(path, NAME, cells, threads=THREADS)
                    path.with_suffix(".md").write_text(_render(document), encoding="utf-8")
    sys.exit(0 if cells and all(cell["holds"] for cell in cells.values()) else 1)


# --- private ---------------------------------------------------------------------------------------


def _steps(story: Story) -> tuple[tuple[Callable[[str], bool], tuple[str, ...]], ...]:
    return (
        (story.register, REGISTERING),
        (story.promote, PROMOTING),
        (story.suspend, SUSPENDING),
        (story.give_up, GIVING_UP),
    )


@contextmanager
def _embedded(folder: Path) -> Iterator[Story]:
    workspace = lineage.make_workspace(folder / "workspace", registry=MLFLOW)
    with _begun(folder, workspace) as story:
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
        with _begun(folder, workspace) as story:
            yield story


@contextmanager
def _begun(folder: Path, workspace: Path) -> Iterator[Story]:
    (folder / "nursery").mkdir()
    with killing.nursery(folder / "nursery", *IMPORTED) as nursery:
        with lineage.opened(workspace) as context:
            lineage.install(context)
        yield Story(workspace, nursery)


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


if __name__ == "__main__":
    main()
