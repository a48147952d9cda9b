"""Does the small network's ranking of methods hold on deeper networks and larger images? The story `examples` again.

A ground is a network, a size of image and a seed; on each, three methods that refit, three that relabel, and the
retrains. One seed says little about a method and enough about a ranking that breaks: a row is a case, not a rate.
Grounds come in the order in which an interrupted call is most use.

    python benchmarks/deeper_networks.py --grounds densenet121-32-11 resnet18-32-11 --cache build/method-trainings
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deeper_cells import RECIPES, SMALL, Ground, made, problem_of, rows_of
from deeper_ranking import ranking, said_of, summary
from evidence import RESULTS, cells_of, code_of, sources_digest, write_cells
from method_lines import LETTERS
from method_rows import cell_name

from maintain.imaging import threads
from maintain_pipelines.bench import EXAMPLES, Trainings, desk_of

#: Name of script and result, and of the result that has the small network's cells.
NAME, SMALL_TABLE = "deeper_networks", "method_table"
#: Side of the images in the table of methods.
SIDE = 32
#: Threads of every training; figures are promised for one.
THREADS = 1
#: What makes a cell, whatever its method.
MAKERS = ("benchmarks/method_cells.py", "benchmarks/deeper_cells.py")
#: In the order of use. The first are made unasked, in about a hundred minutes of one core; `FURTHER` when named.
FIRST = (
    Ground("densenet121", 32, 11),
    Ground("resnet18", 32, 11),
    Ground(SMALL, 64, 11),
    Ground(SMALL, 64, 12),
    Ground("densenet121", 64, 11),
)
#: Second seeds, and the slowest: about 20, 30 and 120 minutes.
FURTHER = (Ground("densenet121", 32, 12), Ground("resnet18", 32, 12), Ground("resnet18", 64, 11))
GROUNDS = (*FIRST, *FURTHER)
#: The figures of behaviour that have a column, as a cell calls them.
FIGURES = ("forgotten", "never_seen", "retained", "held_out", "churn")
GATES = ("retention", "held-out", "membership", "not-collapsed", "bn-recalibration")


def main() -> None:
    """Compute the missing cells, ground by ground, and write both result files after each cell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = {str(ground).replace(" ", "-"): ground for ground in GROUNDS}
    first = [name for name, ground in known.items() if ground in FIRST]
    parser.add_argument("--grounds", nargs="*", choices=list(known), default=first)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps champions for the next time")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{NAME}.json"
    cells = kept_cells(path)
    for name in given.grounds:
        _compute(known[name], Trainings(given.cache), cells, path)
    publish(path, cells)


def kept_cells(path: Path) -> dict[str, dict[str, Any]]:
    """The cells that an earlier call left and that today's code, defaults and recipes would make again."""
    wanted = {f"{ground} {row.name}": (ground, row) for ground in GROUNDS for row in rows_of(ground)}
    kept = {}
    for name, cell in cells_of(path, MAKERS).items():
        if name in wanted:
            ground, row = wanted[name]
            if (cell["code"], cell["options"], cell["recipe"]) == (code_of(row.method), row.resolved, ground.recipe):
                kept[name] = cell
    return kept


def publish(path: Path, cells: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the cells and, beside the small network's, the tables for people."""
    document = write_cells(path, NAME, cells, threads=THREADS)
    document["makers"] = sources_digest(MAKERS)
    document["beside"] = small_cells(RESULTS / f"{SMALL_TABLE}.json")
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    path.with_suffix(".md").write_text(render(document))


def small_cells(path: Path) -> dict[str, dict[str, Any]]:
    """The small network's cells of the same rows, hospitals and story in the committed table of methods."""
    cells = json.loads(path.read_text())["cells"]
    grounds = [Ground(SMALL, SIDE, seed) for seed in dict.fromkeys(ground.seed for ground in GROUNDS)]
    named = {f"{g} {row.name}": cell_name(EXAMPLES.name, g.seed, row.name) for g in grounds for row in rows_of(g)}
    return {name: cells[theirs] for name, theirs in named.items() if theirs in cells}


def render(document: Mapping[str, Any]) -> str:
    """The tables for people: what is said of the ranking first, then a part a ground."""
    machine, cells, beside = document["machine"], document["cells"], document["beside"]
    taken = f"{machine['cpu']}, {machine['threads']} thread, torch {machine['torch']}, {machine['date']}"
    recipes = ", ".join(f"{name} {epochs} at {rate}" for name, (epochs, rate) in RECIPES.items())
    parts = {ground: mine for ground in GROUNDS if (mine := _mine(cells, ground))}
    small = {seed: _mine(beside, Ground(SMALL, SIDE, seed)) for seed in dict.fromkeys(g.seed for g in GROUNDS)}
    told = {_called(ground): ranking(mine, small[ground.seed]) for ground, mine in parts.items()}
    lines = [
        "# The same story on deeper networks and larger images",
        "",
        f"Variant anatomy, claim `examples`; {taken}. Passes of champion and retrain, and peak rate: {recipes}. "
        "Methods have the table's defaults (`short-retrain`: six passes of 16, four of ten), checkpoints are "
        "chosen on validation, and a hospital is the same at every size. Each row is one case. A letter a gate: "
        f"**P**ass, **F**ail, **n**ot evaluated, in the order {', '.join(GATES)}. Passes and seconds are shares of "
        "the ground's own retrain; with looks at validation in the last column. `make campaign-deeper` makes this "
        "table anew.",
        "",
        summary(told),
    ]
    for ground, mine in parts.items():
        lines += ["", f"## {_called(ground)}", "", *_part(mine), "", said_of(mine, small[ground.seed])]
    for seed, mine in small.items():
        if mine and seed in {ground.seed for ground in parts}:
            title = f"## Beside: {_called(Ground(SMALL, SIDE, seed))}, from the table of methods"
            lines += ["", title, "", *_part(mine)]
    return "\n".join(lines) + "\n"


# --- private ---------------------------------------------------------------------------------------


def _compute(ground: Ground, trainings: Trainings, cells: dict[str, dict[str, Any]], path: Path) -> None:
    missing = [row for row in rows_of(ground) if f"{ground} {row.name}" not in cells]
    if not missing:
        return
    with threads(THREADS):
        started = time.perf_counter()
        desk = desk_of(problem_of(ground), trainings)
        print(f"{ground} champion: {time.perf_counter() - started:.0f} s", flush=True)
        for row in missing:
            started = time.perf_counter()
            cell = cells[f"{ground} {row.name}"] = made(ground, desk, row)
            outcome = cell.get("outcome", cell.get("refused"))
            print(f"{ground} {row.name}: {outcome}, {time.perf_counter() - started:.0f} s", flush=True)
            publish(path, cells)


def _mine(cells: Mapping[str, Mapping[str, Any]], ground: Ground) -> dict[str, Mapping[str, Any]]:
    """The cells of one ground, by the name of their row."""
    named = {row.name: cells.get(f"{ground} {row.name}") for row in rows_of(ground)}
    return {name: cell for name, cell in named.items() if cell is not None}


def _called(ground: Ground) -> str:
    return f"{ground.network} at {ground.side} pixels, hospital {ground.seed}"


def _part(cells: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """One ground's table; costs are shares of its own retrain."""
    beside = cells.get("retrain", {})
    attacks = [cell["champion_auc"] for cell in cells.values() if cell.get("champion_auc") is not None]
    heads = ["method", "verdict", "gates", *(name.replace("_", " ") for name in FIGURES), "AUC"]
    heads += ["passes", "seconds", "with looks"]
    lines = [f"The attack on the champion has an AUC of {attacks[0]:.2f}.", ""] if attacks else []
    lines += [f"| {' | '.join(heads)} |", f"| {' | '.join(['---'] * 3 + ['---:'] * (len(heads) - 3))} |"]
    for name, cell in cells.items():
        if "refused" in cell:
            lines.append(f"| {name} | refused: {cell['refused']} |" + " |" * (len(heads) - 2))
            continue
        gates = "".join(LETTERS[cell["gates"][gate]] if gate in cell["gates"] else "-" for gate in GATES)
        behaviour = [f"{cell['behaviour'][figure]:.2f}" for figure in FIGURES]
        auc = "" if cell["auc"] is None else f"{cell['auc']:.2f}"
        lines.append(f"| {' | '.join([name, cell['outcome'], gates, *behaviour, auc, *_shares(cell, beside)])} |")
    return lines


def _shares(cell: Mapping[str, Any], beside: Mapping[str, Any]) -> list[str]:
    if "seconds" not in beside:
        return ["", "", ""]
    with_looks = (cell["seconds"] + cell["looking"]) / beside["seconds"]
    shares = (cell["gradients"] / beside["gradients"], cell["seconds"] / beside["seconds"], with_looks)
    return [f"{share:.2f}" for share in shares]


if __name__ == "__main__":
    main()
