"""The lines of the table of methods as people read them: tables, the meaning of columns, and sentences that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from method_rows import AGAIN, RETRAIN, SEEDS, cell_name, rows_of

#: The champion itself, as the method that does nothing hands it on.
CHAMPION = "noop"
#: What the columns mean.
LEGEND = (
    "**passes**: verdicts that are PASS, of the runs. **screen**: how often the search would have gone on with it."
    " Each gate: **P**ass, **F**ail, **n**ot evaluated, a letter a seed. A retrain is decided by digests, so its"
    " behaviour gates only report; weights that are the champion's own are not judged any further.",
    "",
    "**forgotten** and **retained** are accuracies on cases that the champion learned, **never seen** and **held"
    " out** on the same groups' cases that nobody learned: mean (least–largest). **distance**: from the retrain of"
    " the same hospital, sqrt(dF² + dR²), on cases nobody learned and on learned ones. **churn**: held-out cases"
    " decided otherwise than by the champion. **AUC**: the membership attack, difficulty taken out. **passes /"
    " retrain**: images with a gradient, a search's own included; **seconds**: of the processor, without and with"
    " looks at validation; **steps**: up to the look that was kept.",
)


def table(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """A story's lines as a table; what was refused stands below it."""
    gates = list(dict.fromkeys(gate for line in lines for gate in line["gates"]))
    columns = [name for name in _COLUMNS if any(name in line["figures"] for line in lines)]
    heads = ["method", "passes", "screen", *(f"`{gate}`" for gate in gates), *columns]
    told = [f"| {' | '.join(heads)} |", f"| --- {'| ---: ' * (len(heads) - 1)}|"]
    for line in lines:
        cells = [_titled(line), f"{line['passes']}/{line['runs']}", f"{line['screened']}/{line['runs']}"]
        cells += [line["gates"].get(gate, "") for gate in gates]
        cells += [_range(line["figures"].get(name), _COLUMNS[name]) for name in columns]
        told.append(f"| {' | '.join(cells)} |")
    refused = [f"Refused, of {line['runs']}: {' '.join(line['refused'])}" for line in lines if line["refused"]]
    return [*told, *(part for reason in refused for part in ("", reason))]


def champions(story: str, cells: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """How well the attack works on each champion, where the story has it."""
    found = {
        seed: next((cell["champion_auc"] for cell in mine if cell.get("champion_auc") is not None), None)
        for seed in SEEDS
        for mine in [[cells.get(cell_name(story, seed, row.name), {}) for row in rows_of(story)]]
    }
    told = [f"{auc:.2f}" for auc in found.values() if auc is not None]
    return [f"The attack on the champions has an AUC of {', '.join(told)}.", ""] if told else []


def counted(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """The sentences that are counts."""
    tried = [line for line in lines if line["method"] != RETRAIN]
    sure = [line for line in tried if line["passes"] == line["runs"]]
    some = [line for line in tried if 0 < line["passes"] < line["runs"]]
    never = [line for line in tried if not line["passes"]]
    gate_counts = {
        gate: sum(set(line["gates"].get(gate, "P")) != {"P"} for line in tried)
        for gate in dict.fromkeys(gate for line in tried for gate in line["gates"])
    }
    honest = next((line for line in lines if line["name"] == AGAIN), None)
    told = [
        f"Of {len(tried)} lines that are no retrain, {len(sure)} pass on every hospital ({_names(sure)}),"
        f" {len(some)} on some ({_names(some, counted=True)}), {len(never)} on none.",
        "Not passed by: " + ", ".join(f"`{gate}` {count}" for gate, count in gate_counts.items() if count) + ".",
    ]
    if honest is not None and "distance" in honest["figures"]:
        mean, _, high = honest["figures"]["distance"]
        nearer = [line for line in tried if line["figures"].get("distance", [1.0])[0] <= high]
        told.append(
            f"A second retrain lies {mean:.3f} from the first (largest {high:.3f}); on average no farther lie:"
            f" {_names(nearer)}. Judged by behaviour alone it passes every gate on {honest['every_gate']} of"
            f" {honest['runs']}."
        )
    return [" ".join(told)]


# --- private ---------------------------------------------------------------------------------------

#: Figures with a column, and their decimals.
_COLUMNS = {
    "forgotten": 2,
    "never seen": 2,
    "retained": 2,
    "held out": 2,
    "distance": 3,
    "distance, learned cases": 3,
    "churn": 2,
    "AUC": 2,
    "passes / retrain": 2,
    "seconds / retrain": 2,
    "with looks": 2,
    "steps": 0,
}


def _titled(line: Mapping[str, Any]) -> str:
    return f"{line['name']} (the champion)" if line["name"] == CHAMPION else str(line["name"])


def _range(figure: Sequence[float] | None, decimals: int) -> str:
    if figure is None:
        return ""
    mean, low, high = (f"{value:.{decimals}f}" for value in figure)
    return mean if low == high else f"{mean} ({low}–{high})"


def _names(lines: Sequence[Mapping[str, Any]], *, counted: bool = False) -> str:
    names = [f"`{line['name']}`" + (f" {line['passes']}/{line['runs']}" if counted else "") for line in lines]
    return ", ".join(names) if names else "none"
