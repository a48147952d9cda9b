"""Does fine-tuning on retained cases forget the variant anatomy? A control: it does not.

Each seed is a new hospital and a new champion, trained, fine-tuned and retrained by the very methods
that a policy names. The leak is what tells forgotten cases from never-seen ones of the same anatomy.

    python benchmarks/finetune_control.py --seeds 11 12 13 --out benchmarks/results
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from evidence import read_cells, write_cells
from hospital_memorises import Bools, Floats, Problem, attack, difficulty_proxy, draw_problem, margins_of

from maintain.imaging import Blueprint, MemoryPixels, State, default_chain, model_of, save_weights, threads
from maintain.measure import measure
from maintain.records import ModelSpec, Network, PlannedCase, RoleTable, Setting, TrainingManifest
from maintain.unlearn import Trained, UnlearnRequest, Witness, default_recipe, load_method, train
from maintain.vocabulary import Head, ManifestStatus, Role

Made = TypeVar("Made")

#: Name of script and result.
NAME = "finetune_control"
#: Threads of every training; figures are promised for one.
THREADS = 1
#: Steps that no method here needs; a budget is not what is measured.
ENOUGH_STEPS = 100_000
#: What is compared with the champion: (arm, method, options, what it is).
ARMS: tuple[tuple[str, str, tuple[Setting, ...], str], ...] = (
    ("finetune", "finetune", (), "`finetune`, as a policy gets it"),
    (
        "finetune_hard",
        "finetune",
        (Setting("epochs", 10), Setting("learning_rate_share", 1.0), Setting("freeze_norms", False)),
        "`finetune`, 10 passes at the whole peak rate, statistics let go",
    ),
    ("retrain", "retrain", (), "`retrain`"),
)
#: Figures of each arm: (name, meaning).
FIGURES: tuple[tuple[str, str], ...] = (
    ("attack", "attack AUC, difficulty-adjusted"),
    ("gap", "accuracy, forgotten minus never-seen"),
    ("forgotten", "accuracy on forgotten cases"),
    ("elsewhere", "accuracy on the holdout elsewhere"),
    ("steps", "training steps"),
)


def main() -> None:
    """Compute the missing cells, one a seed, and write both result files after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "finetune_control.json"
    cells = read_cells(path, NAME)
    for seed in arguments.seeds:
        if str(seed) in cells:
            print(f"seed {seed}: already there")
            continue
        with threads(THREADS):
            cells[str(seed)] = measure_seed(seed)
        print(f"seed {seed}: " + ", ".join(f"{name} {value:.3f}" for name, value in cells[str(seed)].items()))
        write_cells(path, NAME, cells, threads=THREADS)
    path.with_suffix(".md").write_text(render(json.loads(path.read_text())))


def measure_seed(seed: int) -> dict[str, float]:
    """All figures of one seed: draw, train the champion, revise it by every arm, attack each."""
    problem = draw_problem(seed)
    judge = _judge(problem)
    blueprint, rows, pixels = _as_cases(problem)
    champion, seconds = _timed(lambda: _champion(blueprint, rows, pixels, seed))
    spec = _spec(blueprint, champion)
    answers = _answering(spec, rows, pixels)
    figures = {f"champion_{name}": value for name, value in judge(answers(champion.state)).items()}
    figures |= {"champion_steps": float(champion.steps), "champion_seconds": seconds}
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.safetensors"
        save_weights(weights, champion.state)
        request = _request(spec, champion, rows, pixels, weights, seed=seed + 1000)
        for arm, method, options, _ in ARMS:
            asked = replace(request, options=options, witness=Witness())
            state, seconds = _timed(partial(_unlearned, method, asked))
            figures |= {f"{arm}_{name}": value for name, value in judge(answers(state)).items()}
            figures |= {f"{arm}_steps": float(asked.witness.of(state).steps), f"{arm}_seconds": seconds}
    forget, unseen = _arms(problem)
    return figures | {"forget_cases": float(forget.sum()), "unseen_cases": float(unseen.sum())}


def render(document: Mapping[str, Any]) -> str:
    """The table for people: mean and range over seeds, one column an arm."""
    cells, machine = list(document["cells"].values()), document["machine"]
    arms = ("champion", *(arm for arm, _, _, _ in ARMS))
    names = ("champion", *(said for _, _, _, said in ARMS))
    lines = [
        "# Fine-tuning leaves the leak; a retrain does not have one",
        "",
        f"{len(cells)} seeds ({', '.join(document['cells'])}); each is a new hospital and a new champion that must "
        "forget the variant anatomy. Mean, and range over seeds. Made by `benchmarks/finetune_control.py`.",
        "",
        f"| figure | {' | '.join(names)} |",
        f"|---|{'---|' * len(arms)}",
    ]
    lines += [
        f"| {meaning} | " + " | ".join(_told([cell[f"{arm}_{name}"] for cell in cells], name) for arm in arms) + " |"
        for name, meaning in FIGURES
    ]
    forget, unseen = ([cell[name] for cell in cells] for name in ("forget_cases", "unseen_cases"))
    lines += [
        "",
        "An attack AUC of 0.50 tells nothing apart. `finetune` is in the catalogue as a control: the search must "
        "leave it and the gates must refuse it.",
        "",
        f"Forgotten cases: {min(forget):.0f} to {max(forget):.0f}; never-seen: {min(unseen):.0f} to {max(unseen):.0f}.",
        "",
        f"Machine: {machine['cpu']}, {machine['cores']} cores (shared), {machine['threads']} thread, "
        f"torch {machine['torch']}, Python {machine['python']}; {machine['date']}. Code: `{document['code'][:12]}`.",
    ]
    return "\n".join(lines) + "\n"


def _as_cases(problem: Problem) -> tuple[Blueprint, tuple[PlannedCase, ...], MemoryPixels]:
    """The problem as the house sees one: cases with roles, and their pixels by digest."""
    pixels = MemoryPixels()
    roles = np.full(len(problem.labels), Role.VALIDATION.value, dtype=object)
    roles[problem.train] = Role.RETAIN.value
    roles[problem.holdout] = Role.HOLDOUT.value
    roles[problem.train & problem.variant] = Role.FORGET.value
    roles[problem.holdout & problem.variant] = Role.NEVER_SEEN.value
    labels = tuple(f"diagnosis-{place}" for place in range(int(problem.labels.max()) + 1))
    rows = tuple(
        PlannedCase(
            case_id=f"case-{place:05d}",
            label_version=1,
            label=labels[problem.labels[place]],
            patient=str(problem.patients[place]),
            pixels=pixels.put(image),
            role=Role(roles[place]),
            reason="drawn",
        )
        for place, image in enumerate(problem.pixels)
    )
    side = problem.pixels.shape[1]
    blueprint = Blueprint(Network("small-bn"), (3, side, side), Head.SOFTMAX, labels, default_chain(side))
    return blueprint, rows, pixels


def _champion(blueprint: Blueprint, rows: Sequence[PlannedCase], pixels: MemoryPixels, seed: int) -> Trained:
    learned = [row for row in rows if row.role in (Role.RETAIN, Role.FORGET)]
    return train(blueprint, default_recipe(seed=seed), blueprint.loader_cases(learned, Role.LEARN), pixels)


def _spec(blueprint: Blueprint, champion: Trained) -> ModelSpec:
    return ModelSpec(
        model="hospital",
        network=blueprint.network,
        input_shape=blueprint.input_shape,
        head=blueprint.head,
        label_name="diagnosis",
        label_order=blueprint.label_order,
        operating_threshold=None,
        preprocessing=blueprint.preprocessing,
        recipe=champion.recipe,
        manifest="",
    )


def _request(
    spec: ModelSpec,
    champion: Trained,
    rows: Sequence[PlannedCase],
    pixels: MemoryPixels,
    weights: Path,
    *,
    seed: int,
) -> UnlearnRequest:
    learned = tuple(row.ref for row in rows if row.role in (Role.RETAIN, Role.FORGET))
    return UnlearnRequest(
        spec=spec,
        manifest=TrainingManifest("hospital", ManifestStatus.PROVEN, champion.origin, learned, (), ()),
        parent_weights=champion.weights,
        read_parent=weights.read_bytes,
        roles=RoleTable(tuple(rows)),
        pixels=pixels,
        options=(),
        seed=seed,
        budget_steps=ENOUGH_STEPS,
    )


def _unlearned(method: str, request: UnlearnRequest) -> State:
    return load_method(method).unlearn(request).state


def _answering(spec: ModelSpec, rows: Sequence[PlannedCase], pixels: MemoryPixels) -> Callable[[State], Floats]:
    def answers(state: State) -> Floats:
        measured = measure(model_of(spec, state), spec, rows, pixels, weights="")
        return np.array([row.logits for row in measured], dtype=np.float64)

    return answers


def _judge(problem: Problem) -> Callable[[Floats], dict[str, float]]:
    """What is said of one set of answers to every case of the problem."""
    difficulty = difficulty_proxy(problem)
    forget, unseen = _arms(problem)
    elsewhere = problem.holdout & ~problem.variant

    def judge(logits: Floats) -> dict[str, float]:
        right = logits.argmax(axis=1) == problem.labels
        return {
            "attack": attack(margins_of(logits, problem.labels), difficulty, forget, unseen),
            "gap": float(right[forget].mean() - right[unseen].mean()),
            "forgotten": float(right[forget].mean()),
            "elsewhere": float(right[elsewhere].mean()),
        }

    return judge


def _arms(problem: Problem) -> tuple[Bools, Bools]:
    return problem.train & problem.variant, problem.holdout & problem.variant


def _timed(work: Callable[[], Made]) -> tuple[Made, float]:
    started = time.perf_counter()
    made = work()
    return made, time.perf_counter() - started


def _told(values: Sequence[float], name: str) -> str:
    if name == "steps":
        return f"{np.mean(values):.0f}"
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
