"""Does the ranking of the small network hold on deeper ones? The story `examples` again, with MONAI's networks.

One hospital a network, and the methods that the small network told apart: three that refit, three that relabel, and
the retrains. One seed says little about a method and enough about a ranking that breaks: a row is a case, not a rate.

    python benchmarks/deeper_networks.py --networks densenet121 resnet18 --out benchmarks/results
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evidence import read_cells, write_cells
from method_table import LETTERS, RETRAIN, SHORT, Row, cell_of

from maintain.imaging import threads
from maintain.records import Network
from maintain_pipelines.bench import EXAMPLES, Problem, Trainings, desk_of, hospital

#: Name of script and result.
NAME = "deeper_networks"
RESULTS = Path(__file__).parent / "results"
#: Threads of every training; figures are promised for one.
THREADS = 1
#: The hospital, and what of the bench's recipe is changed: deeper networks learn these cases by heart in fewer passes
#: and at half the peak rate.
SEED, EPOCHS, RATE = 11, 12, 0.05
NETWORKS = ("small-bn", "densenet121", "resnet18")
ROWS = (
    Row(RETRAIN, RETRAIN),
    Row(SHORT, RETRAIN),
    Row("reset-refit", "reset-refit"),
    Row("msg", "msg"),
    Row("warm-restart", "warm-restart"),
    Row("random-label", "random-label"),
    Row("second-best-label", "second-best-label"),
    Row("psg", "psg"),
)
#: What the table says of behaviour: (name in a cell, heading).
FIGURES = (
    ("forgotten", "forgotten"),
    ("never_seen", "never seen"),
    ("retained", "retained"),
    ("held_out", "held out"),
    ("churn", "churn"),
)


def main() -> None:
    """Compute the missing cells and write both result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps champions for the next time")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    for network in given.networks:
        missing = [row for row in ROWS if f"{network} {row.name}" not in cells]
        if not missing:
            continue
        with threads(THREADS):
            desk = desk_of(problem_of(network), Trainings(given.cache))
            for row in missing:
                started = time.perf_counter()
                cells[f"{network} {row.name}"] = cell_of(desk, EXAMPLES, row, ())
                print(f"{network} {row.name}: {time.perf_counter() - started:.0f} s", flush=True)
                document = write_cells(path, NAME, cells, threads=THREADS)
                path.with_suffix(".md").write_text(render(document))


def problem_of(network: str) -> Problem:
    """The bench's hospital, learned by another network."""
    drawn = hospital(SEED)
    blueprint = replace(drawn.blueprint, network=Network(network))
    return replace(drawn, name=f"hospital-{network}", blueprint=blueprint, epochs=EPOCHS, learning_rate=RATE)


def render(document: Mapping[str, Any]) -> str:
    """The table for people, a part a network."""
    machine, cells = document["machine"], document["cells"]
    taken = f"{machine['cpu']}, {machine['threads']} thread, torch {machine['torch']}, {machine['date']}"
    lines = [
        "# The same story on deeper networks",
        "",
        f"Variant anatomy, claim `examples`, hospital {SEED}, 32 x 32 pixels, {EPOCHS} epochs; "
        f"{taken}. Product defaults, checkpoints chosen on validation, one seed a network: each row is one case. A "
        "letter a gate: **P**ass, **F**ail, **n**ot evaluated, in the order retention, "
        "held-out, membership, not-collapsed, bn-recalibration.",
    ]
    for network in NETWORKS:
        mine = {row.name: cells[f"{network} {row.name}"] for row in ROWS if f"{network} {row.name}" in cells}
        if mine:
            lines += ["", f"## {network}", "", *_part(mine)]
    return "\n".join(lines) + "\n"


# --- private ---------------------------------------------------------------------------------------

_GATES = ("retention", "held-out", "membership", "not-collapsed", "bn-recalibration")


def _part(cells: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """One network's lines; costs are shares of its own retrain."""
    beside = cells.get(RETRAIN)
    attacks = [cell["champion_auc"] for cell in cells.values() if cell.get("champion_auc") is not None]
    headings = ["method", "verdict", "gates", *(heading for _, heading in FIGURES), "AUC", "passes", "seconds"]
    lines = [f"The attack on the champion has an AUC of {attacks[0]:.2f}." if attacks else "", ""]
    lines += [f"| {' | '.join(headings)} |", f"| {' | '.join(['---'] * 3 + ['---:'] * (len(headings) - 3))} |"]
    for name, cell in cells.items():
        if "refused" in cell:
            lines.append(f"| {name} | refused: {cell['refused']} |" + " |" * (len(headings) - 2))
            continue
        gates = "".join(LETTERS[cell["gates"][gate]] if gate in cell["gates"] else "-" for gate in _GATES)
        behaviour = [f"{cell['behaviour'][key]:.2f}" for key, _ in FIGURES]
        auc = "" if cell["auc"] is None else f"{cell['auc']:.2f}"
        shares = [f"{cell[key] / beside[key]:.2f}" if beside else "" for key in ("gradients", "seconds")]
        lines.append(f"| {' | '.join([name, cell['outcome'], gates, *behaviour, auc, *shares])} |")
    return lines


if __name__ == "__main__":
    main()
