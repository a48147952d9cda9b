"""Fashion-MNIST must forget T-shirts: how near each method comes to a retrain, and what it takes.

Every seed is other images, another champion, another retrain, made and revised by the very methods that a policy
names. Options were frozen on validation cases of seed 1; the test part decided nothing.

    python benchmarks/fashion_mnist.py --seeds 1 2 3 --cache build/fashion-trainings --out benchmarks/results
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from evidence import read_cells, write_cells
from fashion_arms import ARMS, MASKED, Arm
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
from fashion_report import render
from torch import Tensor

from maintain.imaging import State, threads
from maintain.records import Setting

#: Name of script and result.
NAME = "fashion_mnist"
#: Threads of every training; figures are promised for one.
THREADS = 1
#: Images that a champion learns from, as many of every class.
SIZE = 10_000
#: Added to a seed for revisions: their batches are drawn elsewhere than the champion's.
REVISED_FROM = 2000


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


if __name__ == "__main__":
    main()
