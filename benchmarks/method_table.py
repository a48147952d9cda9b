"""Every method of the table on three synthetic hospitals, judged by the gates beside an honest retrain.

Three stories: a variant anatomy (`examples`), a withdrawn camera (`group` beside references), a retired diagnosis
(`group` by `zero`). A cell is one method with its options on one champion; it names the code that it hangs on and is
computed again when that code, or a default, is another. What `unlearn.methods: auto` tries is copied from here.

    python benchmarks/method_table.py --seeds 11 12 13 --out benchmarks/results --cache build/trainings
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evidence import ATTEMPTS, RESULTS, ROOT, sources_digest, write_cells
from method_readings import READ_COUNTS, READINGS

from maintain.errors import MaintainError
from maintain.hashing import Digest, digest_json
from maintain.imaging import threads
from maintain.records import Setting
from maintain.unlearn import METHODS, resolve_options
from maintain.unlearn.table.measured import MEASURED, Ranked, ranked
from maintain.vocabulary import Claim, Outcome, Situation
from maintain_pipelines.bench import (
    EXAMPLES,
    GROUP,
    Attempt,
    Desk,
    Model,
    Problem,
    Story,
    Trainings,
    attempt,
    behaviour_of,
    desk_of,
    hospital,
    never_seen_accuracy,
    references,
    short_retrain,
    whole_label,
)

#: Name of script and result.
NAME = "method_table"
#: Threads of every training.
THREADS = 1
#: Hospitals, each with its own champion.
SEEDS = (11, 12, 13)
#: The yardstick of every figure, the same from another seed, and the one that stops early.
RETRAIN, AGAIN, SHORT = "retrain", "retrain, another seed", "retrain, a fifth of the epochs"
#: The champion itself, as the method that does nothing hands it on.
CHAMPION = "noop"
#: The boundary search: on a part of a label it has a mode of its own, and its ancestor takes a single step.
PSG = "psg"
#: Methods that are also tried with other layers moving, on the whole label.
LAYERED = (PSG, "second-best-label", "random-label")
#: The figures of the gate `membership`.
AUC, CHAMPION_AUC = "attack on the candidate, AUC", "attack on the champion, AUC"
#: One letter an outcome, in the order of the seeds.
LETTERS = {Outcome.PASS.value: "P", Outcome.FAIL.value: "F", Outcome.NOT_EVALUATED.value: "n"}


@dataclass(frozen=True, slots=True)
class Told:
    """A story as the table tells it: how its problem and its plan are made, and whether references are needed."""

    title: str
    doc: str
    claim: Claim
    problem: Callable[[int], Problem]
    story: Callable[[Problem], Story]
    referred: bool = False


#: Twice the patients where a label is retired: `zero` bounds a share by patients, and of the half nothing at all
#: among 270 patients of a label is bounded at .021, above the limit of .02, for a retrain as for anybody.
TOLD: Mapping[str, Told] = {
    "examples": Told(
        "Variant anatomy, claim `examples`",
        "A fifth of the patients have a variant anatomy; their cases shall be no better known than cases never seen.",
        Claim.EXAMPLES,
        hospital,
        lambda _: EXAMPLES,
    ),
    "group": Told(
        "Camera withdrawn, claim `group`",
        "Every case of one camera goes; the candidate is held against three models that never saw that camera.",
        Claim.GROUP,
        hospital,
        lambda _: GROUP,
        referred=True,
    ),
    "whole-label": Told(
        "Diagnosis retired, claim `group`",
        "Every case of one diagnosis goes, and with it the answer; judged by `zero`, in hospitals of 2,600 patients.",
        Claim.GROUP,
        lambda seed: hospital(seed, times=2),
        whole_label,
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a story's table: a method with options, and which run of it.

    `measured` names an option that is given the champion's accuracy on never-seen validation cases of the group.
    """

    name: str
    method: str
    options: tuple[Setting, ...] = ()
    run: int = 0
    measured: str = ""

    @property
    def resolved(self) -> dict[str, Any]:
        """Every option with its value."""
        return {setting.name: setting.value for setting in resolve_options(METHODS[self.method], self.options)}


def rows_of(story: str) -> tuple[Row, ...]:
    """The lines of a story: the retrains, then every method that may make its claim, by name."""
    rows = [Row(RETRAIN, RETRAIN), Row(AGAIN, RETRAIN, run=1), Row(SHORT, RETRAIN)]
    rows += [Row(name, name) for name, info in METHODS.items() if TOLD[story].claim in info.claims and name != RETRAIN]
    if PSG in METHODS and story != "whole-label":
        rows.append(Row(f"{PSG}, selective", PSG, (Setting("mode", "selective"),), measured="held_out_share"))
    if PSG in METHODS and story == "whole-label":
        rows.append(Row(f"{PSG}, single step", PSG, (Setting("search_steps", 1), Setting("bisections", 0))))
    for name in LAYERED if story == "whole-label" else ():
        for option in METHODS[name].options if name in METHODS else ():
            others = [word for word in option.choices if option.name == "layers" and word != option.default]
            rows += [Row(f"{name}, layers {word}", name, (Setting("layers", word),)) for word in others]
    return tuple(rows)


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


def cell_name(story: str, seed: int, row: str) -> str:
    """What a cell is called."""
    return f"{story} {seed} {row}"


def kept_cells(path: Path) -> dict[str, dict[str, Any]]:
    """The cells that an earlier call left and that today's code, with today's defaults, would make again."""
    if not path.exists():
        return {}
    document = json.loads(path.read_text())
    rows = {cell_name(story, seed, row.name): row for story in TOLD for seed in SEEDS for row in rows_of(story)}
    return {
        name: cell
        for name, cell in document["cells"].items()
        if name in rows and (cell["code"], cell["options"]) == (code_of(rows[name].method), rows[name].resolved)
    }


def lacking(cells: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The cells of the whole table that are not there."""
    wanted = [cell_name(story, seed, row.name) for story in TOLD for seed in SEEDS for row in rows_of(story)]
    return tuple(name for name in wanted if name not in cells)


def code_of(method: str) -> Digest:
    """The digest of what a method's cells hang on: the bench and the gates, the loop, and the method's own modules."""
    found: set[str] = set()
    waiting = {METHODS[method].target.partition(":")[0], *_COMMON}
    while waiting:
        module = waiting.pop()
        for path in _files(module):
            if path not in found:
                found.add(path)
                waiting |= set(_IMPORTED.findall((ROOT / path).read_text()))
    return sources_digest((*ATTEMPTS, *sorted(found)))


def cell_of(desk: Desk, story: Story, row: Row, yardsticks: tuple[Model, ...]) -> dict[str, Any]:
    """One method on one champion; a method that refuses says why."""
    made: dict[str, Any] = {"method": row.method, "options": row.resolved, "code": code_of(row.method)}
    options = row.options
    if row.measured:
        made["measured"] = {row.measured: round(never_seen_accuracy(desk, story), _DECIMALS)}
        options += tuple(Setting(name, value) for name, value in made["measured"].items())
    try:
        if row.name == SHORT:
            tried = short_retrain(desk, story, references=yardsticks)
        else:
            tried = attempt(desk, story, row.method, options, references=yardsticks, run=row.run)
    except MaintainError as error:
        return made | {"refused": error.message}
    return made | _measured(desk, story, tried)


def publish(path: Path, cells: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Write the cells, the lines counted from them, and the tables for people."""
    document = write_cells(path, NAME, cells, threads=THREADS)
    document["stories"] = {story: lines_of(story, cells) for story in TOLD}
    document["auto"] = {"source": f"benchmarks/results/{NAME}.json", **auto_of(document["stories"])}
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    path.with_suffix(".md").write_text(render(document))
    return document


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


def counts_digest(stories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Digest:
    """The digest of who passed what: a reading of other counts is not printed."""
    return digest_json(
        [
            [story, line["name"], line["passes"], line["screened"], line["gates"]]
            for story in TOLD
            for line in stories[story]
        ]
    )


# --- private: cells --------------------------------------------------------------------------------

#: Modules of the unlearning room that every method goes through.
_COMMON = ("maintain.unlearn.base", "maintain.unlearn.training", "maintain.unlearn.witness")
#: How a module of that room imports another. The table's rows are left out: what they say is in the cell.
_IMPORTED = re.compile(r"^\s*from (maintain\.unlearn\.(?!table(?!\.row)|options)[a-z_.]+) import", re.MULTILINE)
#: Decimals of a figure in a cell.
_DECIMALS = 5


def _files(module: str) -> tuple[str, ...]:
    """The files of a module of this repository, or of a package."""
    place = module.replace(".", "/")
    if (ROOT / f"{place}.py").exists():
        return (f"{place}.py",)
    return tuple(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / place).glob("*.py")))


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


def _measured(desk: Desk, story: Story, tried: Attempt) -> dict[str, Any]:
    figures = {figure.name: figure.value for result in tried.judged.gates for figure in result.figures}
    behaviour = asdict(behaviour_of(desk, story, tried.state))
    return {
        "screened": tried.screened.passed,
        "screen": tried.screened.reason,
        "outcome": tried.judged.outcome.value,
        "gates": {result.gate: result.outcome.value for result in tried.judged.gates},
        "reasons": {result.gate: result.reason for result in tried.judged.gates if result.outcome is not Outcome.PASS},
        "behaviour": {name: round(value, _DECIMALS) for name, value in behaviour.items()},
        "auc": _rounded(figures.get(AUC)),
        "champion_auc": _rounded(figures.get(CHAMPION_AUC)),
        "gradients": tried.cost.gradients,
        "seconds": round(tried.cost.seconds, 2),
        "looking": round(tried.cost.looking, 2),
        "steps": tried.heard.steps,
        "spent": tried.heard.spent,
        "looks": [[None if look.score == float("inf") else round(look.score, 4), look.reached] for look in tried.looks],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)


# --- private: lines --------------------------------------------------------------------------------


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


# --- private: tables -------------------------------------------------------------------------------

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
        *_LEGEND,
        "",
    ]
    for story, told in TOLD.items():
        lines += [f"## {told.title}", "", told.doc, "", *_table(document["stories"][story]), ""]
        lines += [*_champions(story, document["cells"]), *_counted(document["stories"][story]), ""]
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


_LEGEND = (
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


def _table(lines: Sequence[Mapping[str, Any]]) -> list[str]:
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


def _titled(line: Mapping[str, Any]) -> str:
    return f"{line['name']} (the champion)" if line["name"] == CHAMPION else str(line["name"])


def _range(figure: Sequence[float] | None, decimals: int) -> str:
    if figure is None:
        return ""
    mean, low, high = (f"{value:.{decimals}f}" for value in figure)
    return mean if low == high else f"{mean} ({low}–{high})"


def _champions(story: str, cells: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """How well the attack works on each champion, where the story has it."""
    found = {
        seed: next((cell["champion_auc"] for cell in mine if cell.get("champion_auc") is not None), None)
        for seed in SEEDS
        for mine in [[cells.get(cell_name(story, seed, row.name), {}) for row in rows_of(story)]]
    }
    told = [f"{auc:.2f}" for auc in found.values() if auc is not None]
    return [f"The attack on the champions has an AUC of {', '.join(told)}.", ""] if told else []


def _counted(lines: Sequence[Mapping[str, Any]]) -> list[str]:
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


def _names(lines: Sequence[Mapping[str, Any]], *, counted: bool = False) -> str:
    names = [f"`{line['name']}`" + (f" {line['passes']}/{line['runs']}" if counted else "") for line in lines]
    return ", ".join(names) if names else "none"


if __name__ == "__main__":
    main()
