"""Every method of the table on three synthetic hospitals, judged by the gates beside an honest retrain.

Three stories: a variant anatomy (`examples`), a withdrawn camera (`group` beside references), a retired diagnosis
(`group` by `zero`). A cell is one method with its options on one champion; it names the code that it hangs on and is
computed again when that code, or a default, is another. What `unlearn.methods: auto` tries is copied from here.

    python benchmarks/method_table.py --seeds 11 12 13 --out benchmarks/results --cache build/trainings
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evidence import RESULTS, cells_of, code_of, sources_digest, write_cells
from method_cells import TOLD, Row, cell_of
from method_lines import counts_digest, lines_of
from method_readings import READ_COUNTS, READINGS
from method_report import LEGEND, champions, counted, table
from method_rows import RETRAIN, SEEDS, cell_name, rows_of

from maintain.imaging import threads
from maintain.unlearn import METHODS
from maintain.unlearn.table.measured import MEASURED, Ranked, ranked
from maintain.vocabulary import Claim, Situation
from maintain_pipelines.bench import Trainings, desk_of, references

#: Name of script and result.
NAME = "method_table"
#: Threads of every training.
THREADS = 1
#: What makes a cell, whatever its method.
MAKERS = ("benchmarks/method_cells.py",)


def main() -> None:
    """Compute the missing cells, then write both result files and, where they are complete, what `auto` follows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--stories", nargs="*", choices=list(TOLD), default=list(TOLD))
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps champions for the next time")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{NAME}.json"
    cells = kept_cells(path)
    for seed in given.seeds:
        for story in given.stories:
            missing = [
                row
                for row in rows_of(story)
                if cell_name(story, seed, row.name) not in cells and row.method in given.methods
            ]
            if missing:
                _compute(story, seed, missing, Trainings(given.cache), cells, path)
    document = publish(path, cells)
    if given.out == RESULTS and not lacking(cells):
        MEASURED.write_text(json.dumps(document["auto"], indent=2) + "\n")


def kept_cells(path: Path) -> dict[str, dict[str, Any]]:
    """The cells that an earlier call left and that today's code, with today's defaults, would make again."""
    rows = {cell_name(story, seed, row.name): row for story in TOLD for seed in SEEDS for row in rows_of(story)}
    return {
        name: cell
        for name, cell in cells_of(path, MAKERS).items()
        if name in rows and (cell["code"], cell["options"]) == (code_of(rows[name].method), rows[name].resolved)
    }


def lacking(cells: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The cells of the whole table that are not there."""
    wanted = [cell_name(story, seed, row.name) for story in TOLD for seed in SEEDS for row in rows_of(story)]
    return tuple(name for name in wanted if name not in cells)


def publish(path: Path, cells: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Write the cells, the lines counted from them, and the tables for people."""
    document = write_cells(path, NAME, cells, threads=THREADS)
    document["makers"] = sources_digest(MAKERS)
    document["stories"] = {story: lines_of(story, cells) for story in TOLD}
    document["auto"] = {"source": f"benchmarks/results/{NAME}.json", **auto_of(document["stories"])}
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    path.with_suffix(".md").write_text(render(document))
    return document


def auto_of(stories: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[str]]:
    """What `auto` tries in each situation, by the rule of `maintain.unlearn.table.measured`: a story is a situation.

    Left out are methods beside `retrain` that never saw: they end a search unscreened, whatever retention they leave.
    """
    found = {}
    for story in TOLD:
        runs = [
            Ranked(line["method"], line["passes"], line["runs"], line["cost"])
            for line in stories[story]
            if line["name"] == line["method"] and line["cost"] is not None
            if line["method"] == RETRAIN or Claim.NEVER_SAW not in METHODS[line["method"]].claims
        ]
        found[Situation(story).value] = list(ranked(runs))
    return found


def render(document: Mapping[str, Any]) -> str:
    """The tables for people."""
    machine = document["machine"]
    current = counts_digest(document["stories"]) == READ_COUNTS
    lines = [
        "# Every method, three stories, three hospitals",
        "",
        f"Seeds {', '.join(map(str, SEEDS))}, a champion each; {machine['cpu']}, {machine['threads']} thread,"
        f" torch {machine['torch']}, {machine['date']}. Every method has the table's default options, chosen before the"
        " holdout was opened; checkpoints are chosen on validation. `make campaign-methods` makes this table anew.",
        "",
        *LEGEND,
        "",
    ]
    for story, told in TOLD.items():
        lines += [f"## {told.title}", "", told.doc, "", *table(document["stories"][story]), ""]
        lines += [*champions(story, document["cells"]), *counted(document["stories"][story]), ""]
        if current and story in READINGS:
            lines += [READINGS[story], ""]
    lines += ["## What `unlearn.methods: auto` tries", ""]
    lines += [
        f"- {TOLD[story].title}: {', '.join(f'`{name}`' for name in names)}"
        for story, names in document["auto"].items()
        if story != "source"
    ]
    lines += [
        "",
        "A method is tried where it passed more than half of the story's runs, those that passed most first, of"
        " equals the cheapest, as many as together cost at most half a retrain; `retrain` ends every search.",
    ]
    return "\n".join(lines).rstrip() + "\n"


# --- private ---------------------------------------------------------------------------------------


def _compute(
    story: str, seed: int, rows: Sequence[Row], trainings: Trainings, cells: dict[str, dict[str, Any]], path: Path
) -> None:
    told = TOLD[story]
    with threads(THREADS):
        desk = desk_of(told.problem(seed), trainings)
        plot = told.story(desk.problem)
        yardsticks = references(desk) if told.referred else ()
        for row in rows:
            started = time.perf_counter()
            name = cell_name(story, seed, row.name)
            cells[name] = cell_of(desk, plot, row, yardsticks)
            outcome = cells[name].get("outcome", cells[name].get("refused"))
            print(f"{name}: {outcome}, {time.perf_counter() - started:.0f} s", flush=True)
            publish(path, cells)


if __name__ == "__main__":
    main()
