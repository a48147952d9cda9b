"""Fashion-MNIST must forget T-shirts: how near each method comes to a retrain, and what it takes.

Every seed is other images, another champion, another retrain, made and revised by the very methods that a policy
names. Options were frozen on validation cases of seed 1; the test part decided nothing.

    python benchmarks/fashion_mnist.py --seeds 1 2 3 --cache build/fashion-trainings --out benchmarks/results
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evidence import read_cells, write_cells
from fashion_cases import (
    FORGOTTEN,
    RETRAINED_FROM,
    Fashion,
    Judge,
    Made,
    Meter,
    Part,
    accuracies,
    answers,
    champion_of,
    draw_fashion,
    judge_of,
    recalibrated,
    request_of,
    retrain_of,
    unlearned,
)
from torch import Tensor

from maintain.imaging import State, threads
from maintain.records import Scalar, Setting

#: Name of script and result.
NAME = "fashion_mnist"
#: Threads of every training; figures are promised for one.
THREADS = 1
#: Images that a champion learns from, as many of every class.
SIZE = 10_000
#: Distance to the retrain, and share of its passes and of its time, that psg was to stay within.
NEAR, CHEAP = 0.02, 0.10
#: The reference's own figures for this class: forgotten, kept, and its distance to its retrain (psg.md §3.4).
REFERENCE = (0.058, 0.870, 0.0925)
#: Added to a seed for revisions: their batches are drawn elsewhere than the champion's.
REVISED_FROM = 2000

#: The course of every method side by side: the head moves, statistics are the champion's. Frozen on validation.
SIDE: Mapping[str, Scalar] = {
    "layers": "head",
    "norms": "frozen",
    "learning_rate": 0.01,
    "steps": 80,
    "forget_batch": 34,
    "retain_batch": 102,
}
REMAIN: Mapping[str, Scalar] = {**SIDE, "remain": 3.0}
#: A search for the label alone: where exactly the boundary lies is of no use to hard labels.
SEARCH: Mapping[str, Scalar] = {"search_steps": 10, "bisections": 0}


@dataclass(frozen=True, slots=True)
class Arm:
    """One row of the table: a method with options, and what it is. `alike`: as many passes as that arm took."""

    name: str
    method: str
    said: str
    options: Mapping[str, Scalar] = field(default_factory=dict)
    alike: str = ""


#: Champion and retrain come first: the others are measured against both.
ARMS: tuple[Arm, ...] = (
    Arm("champion", "noop", "champion (`noop`)"),
    Arm("retrain", "retrain", "`retrain`"),
    Arm("psg", "psg", "`psg`", {**REMAIN, **SEARCH}),
    Arm("random_equal", "random-label", "`random-label`, passes of `psg`, search included", REMAIN, alike="psg"),
    Arm("random", "random-label", "`random-label`, stopped as `psg` is", REMAIN),
    Arm("second", "second-best-label", "`second-best-label`", REMAIN),
    Arm("single", "psg", "`psg`, one step of search", {**REMAIN, "search_steps": 1, "reach": 1.0, "bisections": 0}),
    Arm("shrink", "boundary-shrink", "`boundary-shrink`", {k: v for k, v in SIDE.items() if k != "retain_batch"}),
    Arm("neggrad", "neggrad-plus", "`neggrad-plus`", REMAIN),
    Arm("salun", "salun", "`salun`", REMAIN),
    Arm("scrub", "scrub", "`scrub`, 64 forgotten a max-step", {**SIDE, "forget_batch": 64}),
    Arm("refit", "reset-refit", "`reset-refit`, as a policy gets it"),
    Arm("drift", "bn-only", "`bn-only`: statistics drift, no weight moves"),
    Arm(
        "reference",
        "psg",
        "`psg`, `replicate`: the reference's recipe, 10 passes",
        {"replicate": True, "norms": "mixed", "steps": 160, "forget_batch": 64},
    ),
    Arm("short", "short-retrain", "`short-retrain`, two passes", {"epochs": 2}),
)
#: No method: the champion with the output of the class taken away.
MASKED = "masked"

#: Columns: (figure, heading, decimals).
FIGURES: tuple[tuple[str, str, int], ...] = (
    ("forgotten", "F", 3),
    ("kept", "R", 3),
    ("distance", "distance", 4),
    ("distance_anew", "distance, statistics anew", 4),
    ("forgotten_anew", "F, statistics anew", 3),
    ("churn", "churn", 3),
    ("auc", "membership AUC", 3),
    ("gradient_share", "gradient passes", 3),
    ("every_share", "all passes", 3),
    ("cpu_share", "CPU time", 3),
    ("wall_share", "wall time", 3),
)


def main() -> None:
    """Compute the missing cells, one an arm and seed, and write both result files after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps champions and retrains")
    parser.add_argument("--arms", nargs="+", default=[], help="only these rows of the table; all without it")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{NAME}.json"
    cells = read_cells(path, NAME)

    def publish(name: str, cell: dict[str, Any]) -> None:
        cells[name] = cell
        print(f"{name}: F {cell['forgotten']:.3f} R {cell['kept']:.3f} distance {cell['distance']:.4f}", flush=True)
        document = write_cells(path, NAME, cells, threads=THREADS)
        path.with_suffix(".md").write_text(render(document))

    with threads(THREADS):
        for seed in given.seeds:
            measure_seed(seed, given.size, given.cache, cells, publish, only=given.arms)


def measure_seed(
    seed: int,
    size: int,
    cache: Path | None,
    cells: Mapping[str, Any],
    publish: Callable[[str, dict[str, Any]], None],
    *,
    only: Sequence[str] = (),
) -> None:
    """The cells of one seed that are missing, all or those of `only` these arms."""
    wanted = [name for name in (*(arm.name for arm in ARMS), MASKED) if not only or name in only]
    missing = [name for name in wanted if f"{size}-{seed}-{name}" not in cells]
    if not missing:
        return
    drawn = draw_fashion(seed, size)
    champion = champion_of(drawn, cache)
    retrained = retrain_of(drawn, request_of(drawn, champion.state, seed=seed + RETRAINED_FROM), cache)
    scale = _Scale(
        drawn=drawn,
        champion=champion,
        retrained=retrained,
        before=answers(drawn.blueprint, champion.state, drawn.test.images).argmax(dim=1),
        exact=accuracies(answers(drawn.blueprint, retrained.state, drawn.test.images), drawn.test.labels),
        judge=judge_of(drawn, champion.state, Meter()),
    )
    for arm in ARMS:
        if arm.name in missing:
            equal = cells[f"{size}-{seed}-{arm.alike}"] if arm.alike else None
            publish(f"{size}-{seed}-{arm.name}", scale.cell(_made(arm, drawn, champion, retrained, equal)))
    if MASKED in missing:
        publish(f"{size}-{seed}-{MASKED}", scale.masked())


def auc_of(members: Tensor, others: Tensor) -> float:
    """Share of pairs in which a member scores higher, ties counting half (Mann and Whitney)."""
    order = torch.sort(others).values
    below = torch.searchsorted(order, members, right=False)
    level = torch.searchsorted(order, members, right=True)
    return float((below + level).double().mean()) / 2 / len(others)


def margins_of(outputs: Tensor, labels: Tensor) -> Tensor:
    """The own label's output above the highest other."""
    own = outputs.gather(1, labels[:, None])[:, 0]
    return own - outputs.scatter(1, labels[:, None], -torch.inf).amax(dim=1)


def distance(first: tuple[float, float], second: tuple[float, float]) -> float:
    """sqrt((R - R*)^2 + (F - F*)^2), the reference's figure (psg.md §5)."""
    return math.dist(first, second)


def render(document: Mapping[str, Any]) -> str:
    """The table for people, and what it says of the targets."""
    machine = document["machine"]
    sizes = sorted({int(name.split("-")[0]) for name in document["cells"]})
    lines = [
        "# Fashion-MNIST forgets a class: how near a retrain, at what cost",
        "",
        "All-CNN of half the width learns Fashion-MNIST and must forget class 0 (T-shirts and tops). F and R are the "
        "accuracies on the forgotten class and on the others, over all 10,000 test images; distance is that of (F, R) "
        "to the retrain's. Statistics anew: after batch normalisation was recalibrated on retained cases. Churn: test "
        "images of the other classes decided otherwise than by the champion. Membership AUC: margins of forgotten "
        "training images against never-seen ones of the class, 0.5 tells nothing apart; with a class gone a retrain "
        "need not have 0.5 either. Passes and times are shares of the retrain's. Gradient passes: images that went "
        "forward and backward, the search's included; all passes: those that only went forward too, each counted "
        "whole. Counted at the network. Time without evaluation and without the judge of the stop rule. Made by "
        "`benchmarks/fashion_mnist.py`.",
    ]
    for size in sizes:
        lines += _table(size, document["cells"])
    lines += [
        "",
        "How it was done: champion and retrain 8 passes, one-cycle to 0.1, batches of 64, flips, bfloat16 with "
        "channels last; methods side by side move the head alone on 34 forgotten and 102 retained images a step, "
        "batch statistics frozen, gradients clipped to 1, no augmentation, and stop at the first look (every 10 "
        "steps, after every forgotten image was in a step) where no validation image of the class is answered as "
        "such and accuracy on the others is at most 0.02 below the champion's, both also with statistics anew. "
        "Validation: 2,000 other training images. `psg` searches with the options of its table but without "
        "bisections. Options were frozen on validation images of seed 1.",
        "",
        f"Machine: {machine['cpu']}, {machine['cores']} cores, shared with other work, so that CPU time is the figure "
        f"to lean on and wall time is not; {machine['threads']} thread, torch {machine['torch']}, Python "
        f"{machine['python']}; {machine['date']}. Code: `{document['code'][:12]}`.",
    ]
    return "\n".join(lines) + "\n"


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """What weights of one seed are measured with: what the champion decided, how well the retrain did, the judge."""

    drawn: Fashion
    champion: Made
    retrained: Made
    before: Tensor
    exact: tuple[float, float]
    judge: Judge

    def cell(self, made: Made) -> dict[str, Any]:
        """All figures of one set of weights."""
        drawn = self.drawn
        anew = recalibrated(drawn.blueprint, made.state, drawn.learned.retained)
        figures = self._figures(self._outputs(made.state, drawn.test), self._outputs(anew, drawn.test), made.state)
        standing = self.judge(made.state)
        return {
            **figures,
            "reached": standing.reached,
            "judged": standing.score,
            "gradient": made.gradient,
            "forward": made.forward,
            "cpu": made.cpu,
            "wall": made.wall,
            "gradient_share": made.gradient / self.retrained.gradient,
            "every_share": (made.gradient + made.forward) / self.retrained.gradient,
            "cpu_share": made.cpu / self.retrained.cpu,
            "wall_share": made.wall / self.retrained.wall,
        }

    def masked(self) -> dict[str, Any]:
        """The champion, with the class's output at minus infinity."""
        drawn = self.drawn
        anew = recalibrated(drawn.blueprint, self.champion.state, drawn.learned.retained)
        place = torch.full((len(drawn.test.labels), 1), FORGOTTEN)
        outputs, again = (self._outputs(state, drawn.test) for state in (self.champion.state, anew))
        return self._figures(outputs.scatter(1, place, -torch.inf), again.scatter(1, place, -torch.inf), None)

    def _outputs(self, state: State, part: Part) -> Tensor:
        return answers(self.drawn.blueprint, state, part.images)

    def _figures(self, outputs: Tensor, anew: Tensor, state: State | None) -> dict[str, float]:
        labels = self.drawn.test.labels
        reached, again = accuracies(outputs, labels), accuracies(anew, labels)
        others = labels != FORGOTTEN
        changed = outputs.argmax(dim=1) != self.before
        figures = {
            "forgotten": reached[0],
            "kept": reached[1],
            "distance": distance(reached, self.exact),
            "forgotten_anew": again[0],
            "kept_anew": again[1],
            "distance_anew": distance(again, self.exact),
            "churn": float(changed[others].double().mean()),
        }
        if state is not None:
            figures |= self._membership(outputs, state)
        return figures

    def _membership(self, outputs: Tensor, state: State) -> dict[str, float]:
        drawn = self.drawn
        learned, unseen = drawn.learned.forgotten, drawn.validation.forgotten
        given = self._outputs(state, learned)
        never = torch.cat([self._outputs(state, unseen), outputs[drawn.test.labels == FORGOTTEN]])
        members, others = (margins_of(each, torch.full((len(each),), FORGOTTEN)) for each in (given, never))
        return {"auc": auc_of(members, others), "forgotten_learned": accuracies(given, learned.labels)[0]}


def _made(arm: Arm, drawn: Fashion, champion: Made, retrained: Made, equal: Mapping[str, Any] | None) -> Made:
    if arm.name == "retrain":
        return retrained
    meter = Meter()
    options = dict(arm.options)
    if equal is not None:
        options["steps"] = equal_steps(equal, batch=int(options["forget_batch"]) + int(options["retain_batch"]))
    request = request_of(
        drawn,
        champion.state,
        seed=drawn.seed + REVISED_FROM,
        options=[Setting(name, value) for name, value in options.items()],
        judge=None if equal is not None else judge_of(drawn, champion.state, meter),
    )
    return unlearned(arm.method, request, meter=meter)


def equal_steps(cell: Mapping[str, Any], *, batch: int) -> int:
    """Steps that take at least as many passes as that cell did, its forward ones counted whole."""
    return math.ceil((int(cell["gradient"]) + int(cell["forward"])) / batch)


def _table(size: int, cells: Mapping[str, Any]) -> list[str]:
    found = {
        arm: [cell for name, cell in sorted(cells.items()) if name.split("-")[::2] == [str(size), arm]]
        for arm in (*(arm.name for arm in ARMS), MASKED)
    }
    seeds = sorted({int(name.split("-")[1]) for name in cells if name.startswith(f"{size}-")})
    missing = [f"{arm} of seed {seed}" for arm in found for seed in seeds if f"{size}-{seed}-{arm}" not in cells]
    lines = [
        "",
        f"## {size:,} images learned, seeds {', '.join(map(str, seeds))}",
        "",
        "Mean, and range over seeds where they differ.",
        "",
        f"| method | stop reached | {' | '.join(heading for _, heading, _ in FIGURES)} |",
        f"|---|---|{'---|' * len(FIGURES)}",
    ]
    said = {arm.name: arm.said for arm in ARMS} | {MASKED: "no method: the champion, output 0 masked"}
    for arm, found_cells in found.items():
        if found_cells:
            reached = [cell["reached"] for cell in found_cells if "reached" in cell]
            told = [_told([cell[name] for cell in found_cells if name in cell], digits) for name, _, digits in FIGURES]
            share = f"{sum(reached)} of {len(reached)}" if reached else ""
            lines.append(f"| {said[arm]} | {share} | {' | '.join(told)} |")
    if missing:
        lines += ["", f"Missing: {', '.join(missing)}."]
    return [*lines, "", *_reading(found)]


def _reading(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What the table says of the targets, whichever way it came out."""
    cells = found["psg"]
    if not cells:
        return []

    def mean(arm: str, name: str) -> float:
        return float(np.mean([cell[name] for cell in found[arm]]))

    def verdict(reached: bool) -> str:
        return "reached" if reached else "**not reached**"

    near = mean("psg", "distance")
    shares = [mean("psg", name) for name in ("gradient_share", "every_share", "cpu_share", "wall_share")]
    lines = [
        f"- Distance of `psg` to the retrain within {NEAR}: {verdict(near <= NEAR)}, mean {near:.4f} (the reference "
        f"published {REFERENCE[2]}, with F {REFERENCE[0]} and R {REFERENCE[1]}); with statistics anew "
        f"{mean('psg', 'distance_anew'):.4f}.",
        f"- At most {CHEAP:.0%} of the retrain's gradient passes: {verdict(shares[0] <= CHEAP)}, {shares[0]:.1%} "
        f"({shares[1]:.1%} with every forward pass counted whole); of its time: {verdict(shares[2] <= CHEAP)}, "
        f"{shares[2]:.1%} of CPU time, {shares[3]:.1%} of wall time.",
    ]
    rivals = [arm for arm in found if arm not in ("champion", "retrain", "psg", MASKED) and found[arm]]
    inside = [arm for arm in rivals if mean(arm, "distance") <= NEAR]
    nearer = [arm for arm in (*rivals, MASKED) if found[arm] and mean(arm, "distance") < near]
    said = {arm.name: arm.said for arm in ARMS} | {MASKED: "the champion with output 0 masked"}
    if inside:
        lines.append(
            f"- Also within {NEAR}: " + "; ".join(f"{said[a]} {mean(a, 'distance'):.4f}" for a in inside) + "."
        )
    if nearer:
        lines.append("- Nearer than `psg`: " + "; ".join(f"{said[a]} {mean(a, 'distance'):.4f}" for a in nearer) + ".")
    if found["retrain"]:
        exact = [(cell["forgotten"], cell["kept"]) for cell in found["retrain"]]
        apart = max(distance(one, other) for one in exact for other in exact)
        lines.append(f"- The retrains of these seeds are up to {apart:.4f} apart from each other.")
    if found[MASKED]:
        lines.append(
            f"- What this distance does not say: masking the output is {mean(MASKED, 'distance'):.4f} away, and not a "
            "weight moved. Nearness in F and R on a whole class is a weak test; whether the class is still known "
            "inside is for the gates and probes that look there."
        )
    return lines


def _told(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    mean, low, high = (f"{value:.{digits}f}" for value in (np.mean(values), min(values), max(values)))
    return mean if low == high else f"{mean} ({low} to {high})"


if __name__ == "__main__":
    main()
