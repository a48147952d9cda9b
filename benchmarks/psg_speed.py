"""How much faster psg is than the published recipe, step for step, and how much memory a forget run needs.

Both revise one champion, half-width All-CNN on Fashion-MNIST, on one thread, in turns. Equal work: every layer moves,
one signed step of search, as many update steps of as many forgotten images, and the same weight phi of retained
images. Data loading, finding the cases of the class, and evaluation are in the end-to-end figures.

    python benchmarks/psg_speed.py --rounds 3 --cache build/fashion-trainings --out benchmarks/results
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from evidence import read_cells, write_cells
from fashion_cases import (
    CLASSES,
    Fashion,
    Meter,
    accuracies,
    answers,
    champion_of,
    draw_fashion,
    request_of,
    taken,
    unlearned,
)
from reference_recipe import Settings, run_reference

from maintain.imaging import State, threads
from maintain.imaging.weights import fill
from maintain.records import Scalar, Setting
from maintain.vocabulary import Precision

#: Name of script and result.
NAME = "psg_speed"
#: Threads of everything; figures are promised for one.
THREADS = 1
#: Images learned by the champion, those that the comparison revises on, and those it is evaluated on: the data
#: set's own balance of forgotten, retained and test images, at a size where a round takes a minute.
LEARNED, REVISED, TESTED = 10_000, 4_000, 4_000
#: Passes over the forgotten images and images a step, as the reference has them.
PASSES, BATCH = 10, 64
#: Weights of retained images that are compared: the reference's best runs have none.
PHIS = (0.0, 1.0)
#: Speed against the reference that was to be reached: pure compute, end to end.
TARGETS = (1.9, 2.5)
#: Seed of the champion and of all that is drawn.
SEED = 1
#: Images of the memory run, and the roof that it was to stay under, in bytes.
MEMORY_IMAGES, ROOF = 60_000, 2 * 1000**3
#: Bytes in a unit of `ru_maxrss` on Linux.
MAXRSS_UNIT = 1024

#: Ways: name -> what it is said to be.
WAYS: Mapping[str, str] = {
    "reference": "the published recipe, fp32",
    "fp32": "`psg`, fp32",
    "bf16": "`psg`, bfloat16",
    "used": "`psg`, bfloat16, the head alone (as in `fashion_mnist`; other work, less of it)",
}


def main() -> None:
    """Compute the missing cells in turns, one a round and weight, and write both result files after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps the champion")
    parser.add_argument("--memory", type=int, default=0, help="only run a forget run on so many images; tells bytes")
    given = parser.parse_args()
    if given.memory:
        print(json.dumps(memory_run(given.memory)))
        return
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    jobs: dict[str, Callable[[], dict[str, Any]]] = {"memory": memory_of_a_child}
    if any(f"{phi:g}-{number}" not in cells for phi in PHIS for number in range(given.rounds)):
        champion, drawn = _scene(given.cache)
        for number in range(given.rounds):
            for phi in PHIS:
                jobs[f"{phi:g}-{number}"] = partial(round_of, drawn, champion, phi, turn=number)
    for name, job in jobs.items():
        if name not in cells:
            with threads(THREADS):
                cells[name] = job()
            print(name, flush=True)
            document = write_cells(path, NAME, cells, threads=THREADS)
            path.with_suffix(".md").write_text(render(document))


def round_of(drawn: Fashion, champion: State, phi: float, *, turn: int) -> dict[str, Any]:
    """Every way once, in an order that turns from round to round: seconds of compute and in all, and accuracies."""
    ways: dict[str, Callable[[], dict[str, float]]] = {
        "reference": lambda: _reference(drawn, champion, phi),
        "fp32": lambda: _ours(drawn, champion, equal_options(drawn, phi), Precision.FP32),
        "bf16": lambda: _ours(drawn, champion, equal_options(drawn, phi), Precision.BF16),
        "used": lambda: _ours(drawn, champion, {**equal_options(drawn, phi), "layers": "head"}, Precision.BF16),
    }
    names = list(ways)
    shift = turn % len(names)
    return {name: ways[name]() for name in (*names[shift:], *names[:shift])}


def equal_options(drawn: Fashion, phi: float) -> dict[str, Scalar]:
    """The options of `psg` that take the reference's steps: as many, on as many images, one step of search."""
    forgotten = len(drawn.learned.forgotten.labels)
    return {
        "layers": "all",
        "norms": "frozen",
        "learning_rate": Settings().learning_rate,
        "steps": PASSES * -(-forgotten // BATCH),
        "forget_batch": BATCH,
        "retain_batch": BATCH,
        "remain": phi,
        "search_steps": 1,
        "reach": 1.0,
        "bisections": 0,
    }


def memory_of_a_child() -> dict[str, Any]:
    """Most memory of a forget run in a process of its own, in bytes."""
    command = [sys.executable, __file__, "--memory", str(MEMORY_IMAGES)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def memory_run(images: int) -> dict[str, Any]:
    """One pass of psg over the forgotten images of so many, from weights as drawn; most memory of this process.

    Memory does not hang on what the weights have learned.
    """
    with threads(THREADS):
        drawn = draw_fashion(SEED, images, judged=0)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        options: dict[str, Scalar] = {
            "layers": "head",
            "search_steps": 1,
            "bisections": 0,
            "steps": -(-len(drawn.learned.forgotten.labels) // BATCH),
            "forget_batch": BATCH,
            "retain_batch": 2 * BATCH,
        }
        settings = [Setting(name, value) for name, value in options.items()]
        state = drawn.blueprint.build(SEED).state_dict()
        made = unlearned("psg", request_of(drawn, state, seed=SEED, options=settings))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "images": len(drawn.rows),
        "forgotten": len(drawn.learned.forgotten.labels),
        "passes": made.gradient + made.forward,
        "before": before * MAXRSS_UNIT,
        "most": after * MAXRSS_UNIT,
    }


def ratios(cells: Mapping[str, Mapping[str, Any]], phi: float, way: str, kind: str) -> list[float]:
    """How many times faster than the reference in each round."""
    rounds = [cell for name, cell in sorted(cells.items()) if name.startswith(f"{phi:g}-")]
    return [cell["reference"][kind] / cell[way][kind] for cell in rounds]


def render(document: Mapping[str, Any]) -> str:
    """The tables for people, and what they say of the targets."""
    machine, cells = document["machine"], document["cells"]
    lines = [
        "# psg beside the published recipe: speed and memory",
        "",
        f"One champion (half-width All-CNN, 28 x 28), {REVISED:,} stored images of which a tenth are forgotten, "
        f"{TESTED:,} test images; {PASSES} passes over the forgotten images, {BATCH} a step, every layer moving at the "
        "reference's rate; one signed step of search, which the recipe takes again in every pass and `psg` once; one "
        "thread. The recipe is `benchmarks/reference_recipe.py`, whose comments name what is slow in it. Compute: "
        "search and update; of `psg` the whole method, its loading, logs and digests included. End to end: from "
        "stored pixels and labels to accuracies on the test images, so finding the cases, loading and evaluation are "
        "in. Median over rounds taken in turns, and range. Made by `benchmarks/psg_speed.py`.",
    ]
    for phi in PHIS:
        if any(name.startswith(f"{phi:g}-") for name in cells):
            lines += _table(cells, phi)
    lines += ["", *_verdicts(cells)]
    lines += [
        "",
        f"Machine: {machine['cpu']}, {machine['cores']} cores, shared with other work, so that CPU time is the figure "
        f"to lean on and wall time is not; {machine['threads']} thread, torch {machine['torch']}, Python "
        f"{machine['python']}; {machine['date']}. Code: `{document['code'][:12]}`.",
    ]
    return "\n".join(lines) + "\n"


# --- private ---------------------------------------------------------------------------------------

#: Kinds of seconds: compute and end to end, of the processor and of the clock.
_KINDS = ("compute_cpu", "total_cpu", "total_wall")


def _scene(cache: Path | None) -> tuple[State, Fashion]:
    """A champion that knows its cases, and fewer of them to revise on, with test images in the same balance."""
    champion = champion_of(draw_fashion(SEED, LEARNED), cache)
    drawn = draw_fashion(SEED, REVISED)
    share = TESTED // CLASSES
    places = [place for label in range(CLASSES) for place in (drawn.test.labels == label).nonzero()[:share, 0].tolist()]
    return champion.state, replace(drawn, test=taken(drawn.test, places))


def _reference(drawn: Fashion, champion: State, phi: float) -> dict[str, float]:
    """The published recipe, its own clock telling seconds of the processor."""
    network = fill(drawn.blueprint.build(SEED), dict(champion))
    settings = Settings(epochs=PASSES, batch_size=BATCH, remain_weight=phi)
    train, test = ((part.images[..., 0], part.labels) for part in (drawn.learned, drawn.test))
    began = time.perf_counter()
    done = run_reference(network, train, test, settings, seconds=time.process_time)
    return {
        "compute_cpu": done.compute_seconds,
        "total_cpu": done.total_seconds,
        "total_wall": time.perf_counter() - began,
        "steps": done.steps,
        "forgotten": done.forgotten_accuracy,
        "kept": done.retained_accuracy,
    }


def _ours(drawn: Fashion, champion: State, options: Mapping[str, Scalar], wanted: Precision) -> dict[str, float]:
    """The method `psg` through the front door of the house, from stored pixels and labels to accuracies."""
    began = time.process_time(), time.perf_counter()
    found = drawn.found()
    settings = [Setting(name, value) for name, value in options.items()]
    made = unlearned("psg", request_of(found, champion, seed=SEED, options=settings, wanted=wanted), meter=Meter())
    forgotten, kept = accuracies(
        answers(drawn.blueprint, made.state, drawn.test.images, wanted=wanted), drawn.test.labels
    )
    return {
        "compute_cpu": made.cpu,
        "total_cpu": time.process_time() - began[0],
        "total_wall": time.perf_counter() - began[1],
        "steps": int(options["steps"]),
        "forgotten": forgotten,
        "kept": kept,
    }


def _table(cells: Mapping[str, Any], phi: float) -> list[str]:
    rounds = [cell for name, cell in sorted(cells.items()) if name.startswith(f"{phi:g}-")]
    steps = rounds[0]["reference"]["steps"]
    lines = [
        "",
        f"## phi = {phi:g}, {steps} update steps, {len(rounds)} rounds",
        "",
        "| way | compute, CPU s | end to end, CPU s | faster in compute | faster end to end | the same in wall time |",
        "|---|---|---|---|---|---|",
    ]
    for way, said in WAYS.items():
        seconds = [f"{statistics.median(cell[way][kind] for cell in rounds):.1f}" for kind in _KINDS[:2]]
        times = [_told(ratios(cells, phi, way, kind)) for kind in _KINDS]
        lines.append(f"| {said} | {' | '.join((*seconds, *times))} |")
    return lines


def _verdicts(cells: Mapping[str, Any]) -> list[str]:
    """The targets, whichever way they came out, and what the memory run took."""
    lines = []
    for phi in PHIS:
        for way in ("fp32", "bf16"):
            for kind, target, said in zip(_KINDS, TARGETS, ("in compute", "end to end"), strict=False):
                found = ratios(cells, phi, way, kind)
                if found:
                    middle = statistics.median(found)
                    word = "reached" if middle >= target else "**not reached**"
                    lines.append(f"- phi {phi:g}, {way}, {said}: {middle:.2f} times; target {target}: {word}.")
    if "memory" in cells:
        run = cells["memory"]
        word = "reached" if run["most"] < ROOF else "**not reached**"
        lines.append(
            f"- A forget run on {run['images']:,} images of 28 x 28 ({run['forgotten']:,} forgotten) took at most "
            f"{run['most'] / 1e9:.2f} GB of host memory in a process of its own, {run['before'] / 1e9:.2f} GB of it "
            f"before the method began (torch, and the images); target below {ROOF / 1e9:.0f} GB: {word}."
        )
    return lines


def _told(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
