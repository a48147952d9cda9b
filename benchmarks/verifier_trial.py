"""The verifier on trial at length: sixty runs of each impostor over twenty champions, honest retrains, a power curve.

A cell is one champion with all that was tried on it; cells are kept and never mixed with those of other code. The
result has the shape of `maintain bench verifier --json`, with the machine, the seeds and the code beside it.

    python benchmarks/verifier_trial.py --champions 1 2 3 --out benchmarks/results --cache build/trainings
    python benchmarks/verifier_trial.py --join elsewhere/verifier_trial.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from evidence import read_cells, write_cells

from maintain.imaging import threads
from maintain.vocabulary import Outcome, Split
from maintain_pipelines.bench import (
    EXAMPLES,
    HONEST,
    IMPOSTORS,
    RUNS_PER_CHAMPION,
    BenchCase,
    Desk,
    Forgery,
    Judged,
    Problem,
    Story,
    Trainings,
    check_signal,
    desk_of,
    hospital,
    jittered,
    judge,
    leaking,
    retrained,
    separable,
    signal_of,
    verdict_of,
)

#: Name of script and result.
NAME = "verifier_trial"
#: Threads of every training.
THREADS = 1
#: Champions of the separable problem, three runs of each candidate on each; and of the hospital, one run each.
CHAMPIONS, HOSPITALS = tuple(range(1, 21)), (21, 22, 23)
#: Runs of each honest candidate on a champion: a hundred in all.
HONEST_RUNS = 5
#: Champions of the power curve, shares of patients still remembered, forget cases, and draws of each size.
CURVE, SHARES, SIZES, DRAWS = (1, 2, 3, 4), (0.10, 0.20, 0.34, 0.50, 1.0), (10, 50, 200, 1000), 2
#: Shares by which weights are moved to lose accuracy, and holdout cases to see it with.
LOSSES, HELD_OUT = (0.0, 0.15, 0.25, 0.35, 0.50), (50, 200, 1000, 2000)
#: By how much weights must move to be others than the champion's.
LEAST = 1e-4
#: The figure of `retention` that says how much accuracy was lost.
LOSS = "accuracy difference"
#: Outcomes in the order of a table's cells.
ORDER = ("fail", "not-evaluated", "pass")


def main() -> None:
    """Compute the missing cells, then write both result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--champions", type=int, nargs="*", default=list(CHAMPIONS))
    parser.add_argument("--hospitals", type=int, nargs="*", default=list(HOSPITALS))
    parser.add_argument("--curve", type=int, nargs="*", default=list(CURVE))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps trainings for the next time")
    parser.add_argument("--join", type=Path, nargs="*", default=[], help="cells computed elsewhere, by the same code")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    for other in given.join:
        cells |= read_cells(other, NAME)
    wanted: list[tuple[str, Callable[[Desk], dict[str, Any]], Callable[[int], Problem], int]] = [
        *((f"separable-{seed:02d}", champion_cell, separable, seed) for seed in given.champions),
        *((f"hospital-{seed:02d}", hospital_cell, hospital, seed) for seed in given.hospitals),
        *((f"curve-{seed:02d}", curve_cell, separable, seed) for seed in given.curve),
    ]
    for name, measured, problem, seed in wanted:
        if name in cells:
            continue
        started = time.perf_counter()
        with threads(THREADS):
            desk = desk_of(problem(seed), Trainings(given.cache))
            cells[name] = measured(desk) | {"seed": seed}
        cells[name]["seconds"] = round(time.perf_counter() - started)
        print(f"{name}: {cells[name]['seconds']} s", flush=True)
        publish(path, cells)
    publish(path, cells)


def champion_cell(desk: Desk) -> dict[str, Any]:
    """Every candidate on one champion of the separable problem."""
    return _cell(desk, runs=RUNS_PER_CHAMPION, honest_runs=HONEST_RUNS)


def hospital_cell(desk: Desk) -> dict[str, Any]:
    """Every candidate once on one champion of the synthetic hospital, whatever that champion's leak."""
    return _cell(desk, runs=1, honest_runs=1, require=False)


def curve_cell(desk: Desk) -> dict[str, Any]:
    """How small a leak, and how small a loss, is seen with how many cases."""
    return {"leaks": _leaks(desk), "losses": _losses(desk)}


def publish(path: Path, cells: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the cells, the rows counted from them, and the tables for people."""
    document = write_cells(path, NAME, cells, threads=THREADS)
    separate = [cell for name, cell in sorted(cells.items()) if name.startswith("separable")]
    wards = [cell for name, cell in sorted(cells.items()) if name.startswith("hospital")]
    document |= {
        "seeds": {
            kind: sorted(cell["seed"] for name, cell in cells.items() if name.startswith(kind)) for kind in KINDS
        },
        **_counted(separate),
        "hospital": _counted(wards),
        "power": _power([cell for name, cell in sorted(cells.items()) if name.startswith("curve")]),
    }
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    path.with_suffix(".md").write_text(render(document))


#: Kinds of cells, by the beginning of their names.
KINDS = ("separable", "hospital", "curve")


def _cell(desk: Desk, *, runs: int, honest_runs: int, require: bool = True) -> dict[str, Any]:
    signal = signal_of(desk)
    if require:
        check_signal(signal)
    plan = desk.planned(EXAMPLES).plan
    judged = {
        **{one.name: [_said(verdict_of(desk, one, run)) for run in range(runs)] for one in IMPOSTORS},
        **{one.name: [_said(verdict_of(desk, one, run)) for run in range(honest_runs)] for one in HONEST},
    }
    sizes = {count.role.value: [count.cases, count.patients] for count in plan.counts if count.cases}
    return {"signal": {"auc": round(signal.auc, 4), "gap": round(signal.gap, 4)}, "sizes": sizes, "judged": judged}


def _said(judged: Judged) -> dict[str, str]:
    return {"outcome": judged.outcome.value, **{result.gate: result.outcome.value for result in judged.gates}}


def _counted(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of `maintain bench verifier --json`, counted over cells."""

    def row(name: str, gate: str) -> dict[str, Any]:
        said = [one for cell in cells for one in cell["judged"][name]]
        outcomes = [one["outcome"] for one in said]
        gates = sorted({gate for one in said for gate in one if gate != "outcome"})
        return {
            "name": name,
            "runs": len(said),
            "pass": outcomes.count("pass"),
            "fail": outcomes.count("fail"),
            "not_evaluated": outcomes.count("not-evaluated"),
            "named_gate": gate or None,
            "failed_by_named_gate": sum(one.get(gate) == "fail" for one in said),
            "failed_by": {gate: sum(one.get(gate) == "fail" for one in said) for gate in gates},
        }

    return {
        "impostors": [row(one.name, one.gate) for one in IMPOSTORS if not one.beyond],
        "honest": [row(one.name, "") for one in HONEST],
        "beyond_gates": [{**row(one.name, one.gate), "reason": one.beyond} for one in IMPOSTORS if one.beyond],
        "signal": [cell["signal"] for cell in cells],
    }


def _leaks(desk: Desk) -> list[dict[str, Any]]:
    """Candidates that remember a share of the patients, judged on drawn parts of the forget group."""
    found = []
    for share in SHARES:
        state = leaking(desk, 0, share).state
        for size in SIZES:
            for draw in range(DRAWS):
                judged = judge(desk, _part(desk, size, draw), Forgery(state))
                found.append({"share": share, "cases": size, **_said(judged)})
    for size in SIZES:
        for draw in range(DRAWS):
            judged = judge(desk, _part(desk, size, draw), Forgery(retrained(desk, EXAMPLES, 0).state))
            found.append({"share": 0.0, "cases": size, **_said(judged)})
    return found


def _part(desk: Desk, size: int, draw: int) -> Story:
    """The examples' story about whole patients with at least so many forget cases, and as many held out."""
    chosen: set[str] = set()
    for split in (Split.TRAIN, Split.HOLDOUT):
        pool = [case for case in desk.problem.cases if case.recalled and case.split is split]
        chosen |= _some(pool, size, desk.problem.seed * 100 + draw)
    return replace(EXAMPLES, name=f"examples-{size}-{draw}", forget=lambda case: case.patient in chosen)


def _some(pool: Sequence[BenchCase], size: int, seed: int) -> set[str]:
    people = sorted({case.patient for case in pool})
    chosen: set[str] = set()
    for place in np.random.default_rng([seed, 5]).permutation(len(people)):
        if sum(case.patient in chosen for case in pool) >= size:
            break
        chosen.add(people[place])
    return chosen


def _losses(desk: Desk) -> list[dict[str, Any]]:
    """Candidates of which the whole holdout says how much they lost, judged on drawn parts of it."""
    found = []
    for share in LOSSES:
        state = jittered(desk.model.state, share=share or LEAST, seed=desk.problem.seed, only="weight")
        whole = judge(desk, EXAMPLES, Forgery(state))
        loss = -next(figure.value for one in whole.gates for figure in one.figures if figure.name == LOSS)
        for size in HELD_OUT:
            for draw in range(DRAWS):
                judged = judge(_thinned(desk, size, draw), EXAMPLES, Forgery(state))
                found.append({"share": share, "loss": round(loss, 4), "cases": size, **_said(judged)})
    return found


def _thinned(desk: Desk, size: int, draw: int) -> Desk:
    """The same desk with whole patients of at least so many holdout cases outside the forget group."""
    pool = [case for case in desk.problem.cases if case.split is Split.HOLDOUT and not case.recalled]
    chosen = _some(pool, size, desk.problem.seed * 100 + draw)
    gone = {case.case_id for case in pool if case.patient not in chosen}
    kept = tuple(case for case in desk.problem.cases if case.case_id not in gone)
    return replace(desk, problem=replace(desk.problem, cases=kept), plans={})


def _power(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How often leaks and losses of each size were seen with so many cases."""
    leaks = [one for cell in cells for one in cell["leaks"]]
    losses = [one for cell in cells for one in cell["losses"]]
    return {
        "leaks": [
            _seen(leaks, ("verdict", "held-out", "membership"), share=share, cases=size)
            for share in (0.0, *SHARES)
            for size in SIZES
        ],
        "losses": [
            _seen(losses, ("retention",), share=share, cases=size)
            | {"loss": _mean([one["loss"] for one in losses if one["share"] == share])}
            for share in LOSSES
            for size in HELD_OUT
        ],
    }


def _seen(rows: Sequence[Mapping[str, Any]], gates: Sequence[str], *, share: float, cases: int) -> dict[str, Any]:
    some = [row for row in rows if row["share"] == share and row["cases"] == cases]
    counts: dict[str, Any] = {"share": share, "cases": cases, "runs": len(some)}
    for gate in gates:
        said = [row["outcome" if gate == "verdict" else gate] for row in some]
        counts[gate] = {outcome.value: said.count(outcome.value) for outcome in Outcome}
    return counts


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def render(document: Mapping[str, Any]) -> str:
    """The tables for people."""
    machine = document["machine"]
    signals = [f"{signal['auc']:.2f} / {signal['gap']:.2f}" for signal in document["signal"]]
    lines = [
        "# The verifier on trial",
        "",
        f"{len(signals)} champions of the separable problem, {len(document['hospital']['signal'])} of the synthetic"
        f" hospital; {machine['cpu']}, {machine['threads']} thread, torch {machine['torch']}, {machine['date']}."
        " What the rows mean and what they do not show: [the verifier](../../docs/verifier.md).",
        "",
        f"Attack on each champion, AUC / held-out gap: {', '.join(signals)}.",
        "",
        *_rows("Impostors: must not pass", document["impostors"]),
        *_rows("Beyond every gate: published, not counted", document["beyond_gates"]),
        *_rows("Honest candidates: must pass", document["honest"]),
        *_rows("The synthetic hospital: impostors", document["hospital"]["impostors"]),
        *_rows("The synthetic hospital: honest candidates", document["hospital"]["honest"]),
        "## How small a leak is seen",
        "",
        "A candidate that still remembers a share of the patients who were to be forgotten.",
        "Each cell: failed / not evaluated / passed, by the whole verdict.",
        "",
        *_curve(document["power"]["leaks"], "verdict", "remembered", lambda row: f"{row['share']:.0%}"),
        "## How small a loss is seen",
        "",
        "A candidate that lost so much accuracy on the whole holdout. Each cell as above, by the gate `retention`.",
        "",
        *_curve(document["power"]["losses"], "retention", "lost", _lost),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _rows(title: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        f"## {title}",
        "",
        "| candidate | runs | pass | fail | not evaluated | named gate | failed by it | failed by any gate |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: | --- |",
    ]
    for row in rows:
        by = ", ".join(f"{gate} {count}" for gate, count in row["failed_by"].items() if count)
        named = (f"`{row['named_gate']}`", row["failed_by_named_gate"]) if row["named_gate"] else ("", "")
        lines.append(
            f"| {row['name']} | {row['runs']} | {row['pass']} | {row['fail']} | {row['not_evaluated']}"
            f" | {named[0]} | {named[1]} | {by} |"
        )
    return [*lines, ""]


def _curve(
    rows: Sequence[Mapping[str, Any]], gate: str, what: str, label: Callable[[Mapping[str, Any]], str]
) -> list[str]:
    sizes = sorted({row["cases"] for row in rows})
    lines = [f"| {what} | {' | '.join(f'{size} cases' for size in sizes)} |", "| --- |" + " --- |" * len(sizes)]
    for share in sorted({row["share"] for row in rows}):
        some = {row["cases"]: row for row in rows if row["share"] == share}
        told = [" / ".join(str(some[size][gate][name]) for name in ORDER) for size in sizes]
        lines.append(f"| {label(some[sizes[0]])} | {' | '.join(told)} |")
    return [*lines, ""]


def _lost(row: Mapping[str, Any]) -> str:
    return "" if row["loss"] is None else f"{row['loss']:.3f}"


if __name__ == "__main__":
    main()
