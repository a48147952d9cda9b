"""Does a run that is killed end as if nobody had touched it? Every known point, and moments drawn at random.

Each cell is a copy of one workspace, a run killed once with SIGKILL, and `--resume` (or the policy again,
where no run was begun). It holds when there is one version with the weights of an undisturbed run, the
same ledger entries, no look counted twice, and a whole, anchored ledger. Then the same for every point of promote,
suspend and rollback, on a lineage without trainings: the aliases and entries of an undisturbed move.

    PYTHONPATH=tests python benchmarks/kill_campaign.py --moments 40 --seed 1
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from evidence import read_cells, write_cells  # noqa: E402  # the path comes first

from helpers import killing, lineage  # noqa: E402  # the path comes first
from helpers.commands import say  # noqa: E402
from maintain.clock import SystemClock  # noqa: E402
from maintain.database import open_database  # noqa: E402
from maintain.hospital import HospitalOptions, build_hospital  # noqa: E402
from maintain.settings import FOLDER  # noqa: E402
from maintain_pipelines import journal  # noqa: E402
from maintain_pipelines.demo import demo_key  # noqa: E402
from maintain_pipelines.workspace import create_workspace  # noqa: E402
from maintain_registry import Ledger  # noqa: E402

#: Name of script and result.
NAME = "kill_campaign"
#: Threads of every training here.
THREADS = 1
MODEL = "fundus-triage"
GATES = ("gates: default", "gates: [default, {retention: {margin: 0.15}}]")
WHY = ("--reason", "campaign")
MOVES = {
    "promote": ("registry", "promote", lineage.MODEL),
    "suspend": ("registry", "suspend", lineage.MODEL, *WHY),
    "rollback": ("registry", "rollback", lineage.MODEL, *WHY),
}
OPTIONS = HospitalOptions(patients=260, seed=3, difficulty=0.0, patient_label_noise=0.0, image_label_noise=0.0)


def main() -> None:
    """Kill at every point and at drawn moments; write a line a cell, and the table for people."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--moments", type=int, default=40)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name, killing.nursery(_made(Path(name) / "nursery")) as nursery:
        begin = _prepare(Path(name))
        calm = _copy(begin, Path(name) / "calm")
        undisturbed = nursery.run(*_again(calm), workspace=calm)
        wanted = _facts(calm)
        draw = random.Random(asked.seed)
        kills: dict[str, dict[str, Any]] = {point: {"point": point} for point in killing.POINTS}
        for number in range(asked.moments):
            kills[f"moment {number:03d}"] = {"after_seconds": draw.uniform(0.02, 0.95 * undisturbed.seconds)}
        path = asked.out / f"{NAME}.json"
        cells = read_cells(path, NAME)
        for cell, kill in kills.items():
            if cell in cells:
                continue
            workspace = _copy(begin, Path(name) / "cell")
            killed = nursery.run(*_again(workspace), workspace=workspace, **kill)
            state = _state(workspace)
            ended = nursery.run(*_again(workspace), workspace=workspace)
            holds = ended.code == 0 and _facts(workspace) == wanted
            cells[cell] = {"killed": killed.code == -9, "left": state, "code": ended.code, "holds": holds}
            shutil.rmtree(workspace)
            document = write_cells(path, NAME, cells, threads=THREADS)
            path.with_suffix(".md").write_text(_render(document, asked.seed), encoding="utf-8")
        for cell, found in _moves(nursery, Path(name), set(cells)):
            cells[cell] = found
            document = write_cells(path, NAME, cells, threads=THREADS)
            path.with_suffix(".md").write_text(_render(document, asked.seed), encoding="utf-8")
    sys.exit(0 if cells and all(cell["holds"] for cell in cells.values()) else 1)


# --- private ---------------------------------------------------------------------------------------


def _moves(nursery: killing.Nursery, folder: Path, known: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every move of aliases, killed at every point that it comes to, and said again."""
    begin = lineage.make_promoted(folder / "lineage")
    for name, words in MOVES.items():
        calm = _copy(begin, folder / f"calm-{name}")
        nursery.run(*words, workspace=calm)
        wanted = _facts(calm)
        for point in killing.MOVES:
            if (cell := f"{name}: {point}") in known:
                continue
            workspace = _copy(begin, folder / "cell")
            killed = nursery.run(*words, workspace=workspace, point=point)
            decided = _facts(workspace)["events"] == wanted["events"]
            ended = nursery.run(*words, workspace=workspace)
            holds = ended.code in (0, 5) and _facts(workspace) == wanted
            shutil.rmtree(workspace)
            if killed.code == -9:  # a move that sets fewer aliases does not come to every point
                left = "decided" if decided else "undecided"
                yield cell, {"killed": True, "left": left, "code": ended.code, "holds": holds}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _prepare(folder: Path) -> Path:
    build_hospital(folder / "hospital", OPTIONS)
    workspace = folder / "begin"
    create_workspace(workspace, clock=SystemClock(), actor="campaign", pseudonym_key=demo_key(3), registry=FOLDER)
    for words in (
        ("cohort", "ingest", folder / "hospital" / "dicom"),
        ("cohort", "ingest", folder / "hospital" / "labels.csv", "--kind", "labels"),
        ("cohort", "split", MODEL, "--train", 6, "--validation", 1, "--holdout", 6),
        ("cohort", "snapshot", "first", "--model", MODEL),
        ("model", "train", MODEL, "--snapshot", "first", "--epochs", 6),
        ("cohort", "ingest", folder / "hospital" / "withdrawals.csv", "--kind", "consent"),
    ):
        said = say(*words, workspace=workspace)
        if said.code:
            raise SystemExit(said.err)
    policy = workspace / "policies" / "consent-withdrawal.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace(*GATES), encoding="utf-8")
    return workspace


def _copy(workspace: Path, target: Path) -> Path:
    return Path(shutil.copytree(workspace, target))


def _rows(workspace: Path) -> tuple[journal.RunRow, ...]:
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        found = journal.runs(unit)
    database.close()
    return found


def _state(workspace: Path) -> str:
    found = _rows(workspace)
    return found[0].state.value if found else "not begun"


def _again(workspace: Path) -> tuple[str, ...]:
    found = _rows(workspace)
    return ("run", "--resume", found[0].run) if found else ("run", str(workspace / "policies/consent-withdrawal.yaml"))


def _facts(workspace: Path) -> dict[str, Any]:
    """What must be as in an undisturbed run."""
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        entries = Ledger.entries(Ledger.__new__(Ledger), unit)
        looks = journal.looks(unit, MODEL)
    database.close()
    listed = say("registry", "list", "--json", workspace=workspace).document["versions"]
    return {
        "versions": [(version["version"], version["aliases"], version["weights"]) for version in listed],
        "events": Counter(entry.event.value for entry in entries),
        "looks": looks,
        "audit": say("audit", "verify", "--require-anchor", workspace=workspace).code,
        "states": [row.state.value for row in _rows(workspace)],
    }


def _render(document: Mapping[str, Any], seed: int) -> str:
    cells, machine = document["cells"], document["machine"]
    holding = sum(cell["holds"] for cell in cells.values())
    killed = sum(cell["killed"] for cell in cells.values())
    lines = [
        "# Runs that were killed end as if undisturbed",
        "",
        f"{len(cells)} runs, {killed} of them killed with SIGKILL; {holding} ended as an undisturbed one.",
        f"Made by `benchmarks/kill_campaign.py`, seed {seed}; {machine['date']}, {machine['cpu']},",
        f"{machine['cores']} cores (shared), Python {machine['python']}. Code: `{document['code'][:12]}`.",
        "",
        "| cell | killed | the run was left | it ended | as undisturbed |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {'yes' if cell['killed'] else 'no'} | {cell['left']} | {cell['code']} | "
            f"{'yes' if cell['holds'] else 'NO'} |"
            for name, cell in cells.items()
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
