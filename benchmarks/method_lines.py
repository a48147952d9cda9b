"""What is counted from the cells of the table of methods: a line a row, over the hospitals that it was tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from method_cells import TOLD
from method_rows import RETRAIN, SEEDS, cell_name, rows_of

from maintain.hashing import Digest, digest_json
from maintain.vocabulary import Outcome

#: One letter an outcome, in the order of the seeds.
LETTERS = {Outcome.PASS.value: "P", Outcome.FAIL.value: "F", Outcome.NOT_EVALUATED.value: "n"}


def lines_of(story: str, cells: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A story's lines from its cells, those that pass most often and cost least first."""
    lines = []
    for row in rows_of(story):
        mine = {seed: cells.get(cell_name(story, seed, row.name)) for seed in SEEDS}
        beside = {seed: cells.get(cell_name(story, seed, RETRAIN)) for seed in SEEDS}
        pairs = [(mine[seed], beside[seed]) for seed in SEEDS if mine[seed] and beside[seed]]
        if pairs:
            lines.append({"name": row.name, "method": row.method, **_line(pairs)})
    return sorted(lines, key=lambda line: (-line["passes"], line["cost"] if line["cost"] is not None else 1e9))


def counts_digest(stories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Digest:
    """The digest of who passed what: a reading of other counts is not printed."""
    return digest_json(
        [
            [story, line["name"], line["passes"], line["screened"], line["gates"]]
            for story in TOLD
            for line in stories[story]
        ]
    )


# --- private ---------------------------------------------------------------------------------------


def _line(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """One line: counts over all seeds, and mean, least and largest of figures over those that were made."""
    made = [(cell, beside) for cell, beside in pairs if "refused" not in cell]
    gates = list(dict.fromkeys(gate for cell, _ in made for gate in cell["gates"]))
    figures: dict[str, list[float]] = {}
    for cell, beside in made:
        for name, value in _figures(cell, beside).items():
            figures.setdefault(name, []).append(value)
    return {
        "runs": len(pairs),
        "passes": sum(cell.get("outcome") == Outcome.PASS.value for cell, _ in pairs),
        "screened": sum(bool(cell.get("screened")) for cell, _ in pairs),
        "refused": sorted({cell["refused"] for cell, _ in pairs if "refused" in cell}),
        "gates": {gate: "".join(LETTERS[cell["gates"][gate]] for cell, _ in made) for gate in gates},
        "every_gate": sum(set(cell["gates"].values()) == {Outcome.PASS.value} for cell, _ in made),
        "figures": {
            name: [round(sum(values) / len(values), 4), round(min(values), 4), round(max(values), 4)]
            for name, values in figures.items()
        },
        "cost": sum(figures["passes / retrain"]) / len(made) if made else None,
    }


def _figures(cell: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, float]:
    ours, theirs = cell["behaviour"], beside["behaviour"]
    figures = {
        "forgotten": ours["forgotten"],
        "never seen": ours["never_seen"],
        "retained": ours["retained"],
        "held out": ours["held_out"],
        "distance": _distance(ours, theirs, "never_seen", "held_out"),
        "distance, learned cases": _distance(ours, theirs, "forgotten", "retained"),
        "churn": ours["churn"],
        "passes / retrain": cell["gradients"] / beside["gradients"],
        "seconds / retrain": cell["seconds"] / beside["seconds"],
        "with looks": (cell["seconds"] + cell["looking"]) / beside["seconds"],
        "steps": cell["steps"],
    }
    return figures | ({"AUC": cell["auc"]} if cell["auc"] is not None else {})


def _distance(ours: Mapping[str, float], theirs: Mapping[str, float], forget: str, rest: str) -> float:
    """sqrt(dF^2 + dR^2): how far accuracy on the group and on the rest are from the retrain's."""
    return float(((ours[forget] - theirs[forget]) ** 2 + (ours[rest] - theirs[rest]) ** 2) ** 0.5)
